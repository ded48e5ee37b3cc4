/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/event.h"

#include <stdlib.h>
#include <string.h>

#include "engine/analysis/analysis.h"
#include "engine/analysis/cards.h"
#include "engine/analysis/session.h"
#include "engine/analysis/transition.h"
#include "engine/base/clock.h"
#include "engine/base/key.h"
#include "engine/base/map.h"
#include "engine/feed.h"

#define CARDS_EVERY_NS 60000000000ull

/* An event that waits, its texts behind it. */
struct waiting {
	struct session_event event;
	uint64_t stamp_ns; /* its own time; event.unix_ns is when it is taken */
	char texts[];
};

struct event_intake {
	struct clock clock;
	struct waiting **heap; /* owned, and what it holds */
	uint32_t n, room;
	struct waiting *wild; /* owned: waits for a second one of its time; or NULL */
	struct map by_name;   /* hash of a line's name: its subject */
	uint64_t cards_ns;
	struct event_counters counters;
};

struct event_intake *event_intake_free(struct event_intake *in)
{
	if (!in)
		return NULL;
	for (uint32_t i = 0; i < in->n; i++)
		free(in->heap[i]);
	free(in->heap);
	free(in->wild);
	map_fini(&in->by_name);
	free(in);
	return NULL;
}

/* --- the wait --- */

static const char *put_text(char **to, const char *text)
{
	size_t size = strlen(text) + 1;
	char *at = memcpy(*to, text, size);
	*to += size;
	return at;
}

static struct waiting *copy(const struct session_event *e)
{
	size_t size =
		strlen(e->line) + strlen(e->subscriber) + strlen(e->cpe_mac) + strlen(e->text) + 4;
	struct waiting *w = malloc(sizeof *w + size);
	char *at;
	if (!w)
		return NULL;
	at = w->texts;
	w->event = *e;
	w->stamp_ns = e->unix_ns;
	w->event.line = put_text(&at, e->line);
	w->event.subscriber = put_text(&at, e->subscriber);
	w->event.cpe_mac = put_text(&at, e->cpe_mac);
	w->event.text = put_text(&at, e->text);
	return w;
}

/* Of one moment, in logs of whole seconds: a session ends before the next one begins. */
static const uint8_t rank[] = {
	[SESSION_SUSPECT] = 0,	 [SESSION_DOWN] = 1, [SESSION_SETUP_FAILED] = 2,
	[SESSION_RECOVERED] = 3, [SESSION_UP] = 4,
};

static bool is_before(const struct waiting *a, const struct waiting *b)
{
	int name;
	if (a->event.unix_ns != b->event.unix_ns)
		return a->event.unix_ns < b->event.unix_ns;
	name = strcmp(a->event.line, b->event.line);
	if (name)
		return name < 0;
	if (a->stamp_ns != b->stamp_ns)
		return a->stamp_ns < b->stamp_ns;
	return rank[a->event.kind] < rank[b->event.kind];
}

static bool push(struct event_intake *in, struct waiting *w)
{
	uint32_t room = in->room ? 2 * in->room : 1024, i = in->n;
	struct waiting **grown;
	if (in->n == in->room) {
		grown = realloc(in->heap, room * sizeof *grown);
		if (!grown)
			return false;
		in->heap = grown;
		in->room = room;
	}
	for (; i && is_before(w, in->heap[(i - 1) / 2]); i = (i - 1) / 2)
		in->heap[i] = in->heap[(i - 1) / 2];
	in->heap[i] = w;
	in->n++;
	return true;
}

static struct waiting *pop(struct event_intake *in)
{
	struct waiting *first = in->heap[0], *last = in->heap[--in->n];
	uint32_t i = 0, child;
	while ((child = 2 * i + 1) < in->n) {
		if (child + 1 < in->n && is_before(in->heap[child + 1], in->heap[child]))
			child++;
		if (!is_before(in->heap[child], last))
			break;
		in->heap[i] = in->heap[child];
		i = child;
	}
	if (in->n)
		in->heap[i] = last;
	return first;
}

/* --- lines --- */

/* The subject that has this name; the next hash is tried where two names share one. */
static uint32_t find_line(struct analysis *a, const struct session_event *e)
{
	struct event_intake *in = a->events;
	uint64_t key = key_of(e->line);
	const uint32_t *found;
	uint32_t number;
	struct subject *s;
	for (; (found = map_find(&in->by_name, key)); key = key + 1 ? key + 1 : 1)
		if (strncmp(subject_name(&a->subjects[*found]), e->line, CONTROL_NAME_MAX - 1) == 0)
			return *found;
	number = a->n_subjects <= a->options.max_lines ? analysis_new_subject(a) : 0;
	if (!number || !map_put(&in->by_name, key, number)) {
		in->counters.lines_full++;
		return 0;
	}
	s = &a->subjects[number];
	strncat(s->circuit_id, e->line, CONTROL_NAME_MAX - 1);
	s->known = true;
	return number;
}

static void learn(struct subject *s, const struct session_event *e)
{
	if (*e->subscriber && strcmp(s->user, e->subscriber) != 0) {
		s->user[0] = '\0';
		strncat(s->user, e->subscriber, CONTROL_NAME_MAX - 1);
	}
	if (*e->cpe_mac && strcmp(s->cpe_mac_text, e->cpe_mac) != 0) {
		s->cpe_mac_text[0] = '\0';
		strncat(s->cpe_mac_text, e->cpe_mac, sizeof s->cpe_mac_text - 1);
	}
	if (e->svlan)
		s->svlan = e->svlan;
	if (e->cvlan)
		s->cvlan = e->cvlan;
}

/* --- transitions --- */

static void came_up(struct subject *s, const struct session_event *e, const struct session_out *out)
{
	struct session *session = subject_current(s);
	if (session) {
		session->state = STATE_ENDED; /* its end was not told */
		session->told.down_unix_ns = session->told.detected_unix_ns = (int64_t)e->unix_ns;
		session->told.cause = CAUSE_UNKNOWN;
	}
	session = subject_open(s, e->pppoe_session_id);
	if (session)
		transition_up(s, session, e->unix_ns, out);
}

static void told(struct subject *s, struct session *session, const struct session_event *e,
		 enum session_event_kind kind, const struct session_out *out)
{
	transition_tell(s, e->unix_ns, out, session,
			(struct session_news){.kind = kind,
					      .down_since_ns = e->down_since_unix_ns,
					      .setup_ms = REPORT_ABSENT});
}

/* It tells of another session than the one that is open: the end of a session that the line has
 * long replaced comes when the BRAS gives it up. */
static bool is_of_another(const struct session *session, const struct session_event *e)
{
	return session && e->pppoe_session_id && session->told.pppoe_session_id &&
	       session->told.pppoe_session_id != e->pppoe_session_id;
}

static void recovered(struct subject *s, const struct session_event *e,
		      const struct session_out *out)
{
	struct session *session = subject_current(s);
	if (!s->n_sessions) {
		came_up(s, e, out); /* so it was up before anybody told */
		return;
	}
	if (!session) {
		transition_revived(s, &s->sessions[s->n_sessions - 1], e->unix_ns, out);
		return;
	}
	if (session && session->state == STATE_SUSPECT) {
		session->state = STATE_UP;
		told(s, session, e, SESSION_RECOVERED, out);
	}
}

static void suspected(struct subject *s, const struct session_event *e,
		      const struct session_out *out)
{
	struct session *session = subject_current(s);
	if (!session || session->state != STATE_UP)
		return;
	session->state = STATE_SUSPECT;
	told(s, session, e, SESSION_SUSPECT, out);
}

static void went_down(struct subject *s, const struct session_event *e,
		      const struct session_out *out)
{
	struct session *session = subject_current(s);
	uint64_t since = e->down_since_unix_ns ? e->down_since_unix_ns : e->unix_ns;
	enum drop_cause cause =
		e->cause && e->cause < CAUSE_COUNT ? (enum drop_cause)e->cause : CAUSE_UNKNOWN;
	if (session)
		transition_down(s, session, cause, since, e->unix_ns, *e->text ? e->text : NULL,
				out);
}

static void apply(struct analysis *a, const struct waiting *w)
{
	const struct session_out out = analysis_session_out(a);
	const struct session_event *e = &w->event;
	struct event_counters *counters = &a->events->counters;
	uint32_t number = find_line(a, e);
	struct subject *s = &a->subjects[number];
	if (!number)
		return;
	if (w->stamp_ns < s->event_ns) { /* no news: what happened since is known */
		counters->late++;
		return;
	}
	s->event_ns = w->stamp_ns;
	counters->delayed += w->stamp_ns < e->unix_ns;
	counters->taken++;
	if (e->kind != SESSION_UP && e->kind != SESSION_SETUP_FAILED &&
	    is_of_another(subject_current(s), e)) {
		counters->replaced++;
		return;
	}
	learn(s, e);
	switch ((enum session_event_kind)e->kind) {
	case SESSION_UP:
		came_up(s, e, &out);
		break;
	case SESSION_SUSPECT:
		suspected(s, e, &out);
		break;
	case SESSION_RECOVERED:
		recovered(s, e, &out);
		break;
	case SESSION_DOWN:
		went_down(s, e, &out);
		break;
	case SESSION_SETUP_FAILED:
		transition_setup_failed(s, NULL, (enum setup_stage)e->stage,
					(enum drop_cause)e->cause, e->unix_ns,
					*e->text ? e->text : NULL, &out);
		break;
	}
	analysis_arm(a, number);
}

static void take_until(struct analysis *a, uint64_t until_ns)
{
	struct event_intake *in = a->events;
	while (in->n && in->heap[0]->event.unix_ns <= until_ns) {
		struct waiting *w = pop(in);
		analysis_advance(a, w->event.unix_ns);
		apply(a, w);
		free(w);
		if (a->now_ns < in->cards_ns + CARDS_EVERY_NS)
			continue;
		in->cards_ns = a->now_ns;
		cards_tell(a);
	}
}

/* --- stamps --- */

/* What comes later than others wait is taken as of now: a session that came up stays up, whenever that
 * is told. */
static void admit(struct analysis *a, struct waiting *w)
{
	struct event_intake *in = a->events;
	if (w->stamp_ns < a->now_ns && in->counters.taken) {
		if (!w->event.down_since_unix_ns)
			w->event.down_since_unix_ns = w->stamp_ns;
		w->event.unix_ns = a->now_ns;
	}
	if (!push(in, w)) {
		in->counters.no_memory++;
		free(w);
	}
}

/* A stamp far ahead of all others, or far behind, waits until the next one agrees with it. */
static bool is_wild(struct event_intake *in, uint64_t unix_ns)
{
	clock_follow(&in->clock, unix_ns);
	return in->clock.wild_ns != 0;
}

/* The clock was set; when it was set back, what comes now is not late, it is of another time. */
static void step(struct analysis *a, uint64_t unix_ns)
{
	uint64_t wild_ns = a->events->wild->event.unix_ns;
	uint64_t to_ns = wild_ns < unix_ns ? wild_ns : unix_ns;
	a->events->counters.clock_steps++;
	if (to_ns + CLOCK_BEHIND_NS >= a->now_ns)
		return;
	for (uint32_t i = 1; i < a->n_subjects; i++)
		a->subjects[i].event_ns = 0;
	analysis_advance(a, to_ns);
}

void analysis_take_event(struct analysis *a, const struct session_event *e)
{
	struct event_intake *in = a->events;
	struct waiting *w = NULL;
	uint64_t steps;
	if (!in)
		in = a->events = calloc(1, sizeof *in);
	if (in)
		w = copy(e);
	if (!w) {
		a->refused++;
		return;
	}
	if (e->kind < SESSION_UP || e->kind > SESSION_SETUP_FAILED || !*e->line) {
		in->counters.unknown++;
		free(w);
		return;
	}
	steps = in->clock.steps;
	if (is_wild(in, e->unix_ns)) {
		in->counters.wild_clock += in->wild != NULL;
		free(in->wild);
		in->wild = w;
		return;
	}
	if (in->clock.steps != steps && in->wild) {
		take_until(a, UINT64_MAX); /* of the time before */
		step(a, e->unix_ns);
		admit(a, in->wild);
	} else if (in->wild) {
		in->counters.wild_clock++;
		free(in->wild);
	}
	in->wild = NULL;
	admit(a, w);
	if (in->clock.now_ns > EVENT_WAIT_NS)
		take_until(a, in->clock.now_ns - EVENT_WAIT_NS);
}

void analysis_end_events(struct analysis *a)
{
	if (a->events)
		take_until(a, UINT64_MAX);
}

struct event_counters analysis_event_counters(const struct analysis *a)
{
	return a->events ? a->events->counters : (struct event_counters){0};
}
