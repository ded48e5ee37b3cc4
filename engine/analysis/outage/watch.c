/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/watch.h"

#include <stdlib.h>
#include <string.h>

/* What a drop weighs as evidence of a shared fault, in quarters (algorithms.md 2.1.2). */
static const uint8_t cause_weight[CAUSE_COUNT] = {
	[CAUSE_NONE] = 4, /* suspected: nobody knows yet */
	[CAUSE_LINE_LOST] = 4,	  [CAUSE_CPE_TERM] = 1,	 [CAUSE_CPE_POWER] = 4,
	[CAUSE_ADMIN] = 0,	  [CAUSE_NAS_FAULT] = 4, [CAUSE_SESSION_TIMEOUT] = 0,
	[CAUSE_IDLE_TIMEOUT] = 0, [CAUSE_AUTH_FAIL] = 0, [CAUSE_RESOURCE] = 0,
	[CAUSE_REPLACED] = 0,	  [CAUSE_LOOPBACK] = 0,	 [CAUSE_UNKNOWN] = 2,
};

static const uint64_t window_ns[CHANNEL_COUNT] = {
	[CHANNEL_DROP] = EVIDENCE_NS,
	[CHANNEL_SETUP] = SETUP_NS,
	[CHANNEL_INTERNET] = EVIDENCE_NS,
	[CHANNEL_DNS] = EVIDENCE_NS,
};

static struct trouble *at(const struct outage *o, uint32_t trouble)
{
	return pool_at(&o->troubles, trouble);
}

/* --- queues --- */

static bool push(struct outage *o, int queue, uint64_t at_ns, uint32_t what, uint32_t generation)
{
	struct queue *q = &o->queues[queue];
	if (q->n == q->room) {
		uint32_t room = q->room ? 2 * q->room : 256;
		struct due *ring = malloc(room * sizeof *ring);
		if (!ring) {
			o->counters.no_memory++;
			return false;
		}
		for (uint32_t i = 0; i < q->n; i++)
			ring[i] = q->ring[(q->head + i) % q->room];
		free(q->ring);
		*q = (struct queue){ring, 0, q->n, room};
	}
	q->ring[(q->head + q->n++) % q->room] = (struct due){at_ns, what, generation};
	return true;
}

static bool pop(struct outage *o, int queue, uint64_t now_ns, struct due *due)
{
	struct queue *q = &o->queues[queue];
	if (!q->n || q->ring[q->head].at_ns > now_ns)
		return false;
	*due = q->ring[q->head];
	q->head = (q->head + 1) % q->room;
	q->n--;
	return true;
}

/* --- lines --- */

struct watched *watch_line(struct outage *o, uint32_t line)
{
	uint32_t room = o->room ? o->room : 256;
	struct watched *grown;
	if (line < o->room)
		return &o->lines[line];
	if (line > o->options.max_lines) {
		o->counters.lines_full++;
		return NULL;
	}
	while (room <= line)
		room *= 2;
	grown = realloc(o->lines, room * sizeof *grown);
	if (!grown) {
		o->counters.no_memory++;
		return NULL;
	}
	memset(grown + o->room, 0, (room - o->room) * sizeof *grown);
	o->lines = grown;
	o->room = room;
	return &o->lines[line];
}

uint32_t watch_groups(const struct outage *o, const struct watched *w,
		      uint32_t groups[WATCH_GROUPS_MAX])
{
	uint32_t n = 0;
	for (uint32_t g = w->leaf; g; g = o->groups.at[g].parent)
		groups[n++] = g;
	memcpy(groups + n, w->risks, w->n_risks * sizeof *groups);
	return n + w->n_risks;
}

static uint64_t set_hash(uint32_t line)
{
	return map_hash(line + 0x9e3779b97f4a7c15ull) * 0x9e3779b97f4a7c15ull;
}

static bool is_eligible(const struct watched *w)
{
	return w->up && !w->blind;
}

/* Puts on, or takes off, all that the line adds to its groups. */
static void count_line(struct outage *o, uint32_t line, bool on)
{
	struct watched *w = &o->lines[line];
	uint32_t ids[WATCH_GROUPS_MAX], n = watch_groups(o, w, ids), one = on ? 1 : (uint32_t)-1;
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = &o->groups.at[ids[i]];
		g->members += one;
		g->set += on ? set_hash(line) : -set_hash(line);
		if (is_eligible(w)) {
			g->eligible += one;
			g->rate += on ? w->rate.units : -(uint64_t)w->rate.units;
		}
		g->tried += w->tried ? one : 0;
		for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++)
			if (w->trouble[c]) {
				g->quarters[c] += one * at(o, w->trouble[c])->quarters;
				g->fresh[c] += one * at(o, w->trouble[c])->fresh;
			}
	}
}

static void count_eligible(struct outage *o, const struct watched *w, bool on)
{
	uint32_t ids[WATCH_GROUPS_MAX], n = watch_groups(o, w, ids);
	for (uint32_t i = 0; i < n; i++) {
		struct group *g = &o->groups.at[ids[i]];
		g->eligible += on ? 1 : (uint32_t)-1;
		g->rate += on ? w->rate.units : -(uint64_t)w->rate.units;
	}
}

void watch_move(struct outage *o, uint32_t line, const struct place *place)
{
	struct watched *w = &o->lines[line];
	if (w->known)
		count_line(o, line, false);
	w->leaf = place->leaf;
	w->n_risks = place->n_risks;
	memcpy(w->risks, place->risks, sizeof w->risks);
	w->known = true;
	count_line(o, line, true);
}

void watch_refresh(struct outage *o, struct watched *w)
{
	bool eligible = is_eligible(w);
	if (eligible)
		count_eligible(o, w, false);
	rate_update(&o->rates, &w->rate, 0, (uint32_t)(o->now_ns / SECOND_IN_NS));
	if (eligible)
		count_eligible(o, w, true);
}

void watch_set_up(struct outage *o, struct watched *w, bool up)
{
	bool before = is_eligible(w);
	w->up = up;
	if (is_eligible(w) != before)
		count_eligible(o, w, up);
}

static void count_tried(struct outage *o, struct watched *w, bool tried)
{
	uint32_t ids[WATCH_GROUPS_MAX], n = watch_groups(o, w, ids);
	if (w->tried == tried)
		return;
	w->tried = tried;
	for (uint32_t i = 0; i < n; i++)
		o->groups.at[ids[i]].tried += tried ? 1 : (uint32_t)-1;
}

void watch_tried(struct outage *o, uint32_t line, uint64_t at_ns)
{
	struct watched *w = &o->lines[line];
	w->tried_ns = at_ns;
	if (push(o, QUEUE_TRIED, at_ns + SETUP_NS, line, 0))
		count_tried(o, w, true);
}

/* --- troubles --- */

uint32_t watch_incident(const struct outage *o, const struct watched *w, enum symptom_channel c)
{
	return w->trouble[c] ? at(o, w->trouble[c])->incident : 0;
}

/* A line that is down cannot resolve names either. */
static bool is_consequence(const struct outage *o, const struct watched *w,
			   enum symptom_channel channel)
{
	if (channel == CHANNEL_DROP)
		return false;
	return watch_incident(o, w, CHANNEL_DROP) ||
	       (channel == CHANNEL_DNS && watch_incident(o, w, CHANNEL_INTERNET));
}

static void list_test(struct outage *o, enum symptom_channel c, uint32_t group)
{
	struct group *g = &o->groups.at[group];
	if (g->listed & 1u << c)
		return;
	if (o->n_tests[c] == o->tests_room[c]) {
		uint32_t room = o->tests_room[c] ? 2 * o->tests_room[c] : 256;
		uint32_t *grown = realloc(o->tests[c], room * sizeof *grown);
		if (!grown) {
			o->counters.no_memory++;
			return;
		}
		o->tests[c] = grown;
		o->tests_room[c] = room;
	}
	g->listed |= (uint8_t)(1u << c);
	o->tests[c][o->n_tests[c]++] = group;
}

/* Brings into its groups what the trouble weighs now. */
static void recount(struct outage *o, struct trouble *t)
{
	const struct watched *w = &o->lines[t->line];
	enum symptom_channel c = (enum symptom_channel)t->channel;
	bool none = t->incident || t->aged || !t->ripe || w->blind || is_consequence(o, w, c);
	uint8_t quarters = none ? 0 : t->weight;
	uint8_t fresh = t->young ? quarters : 0;
	uint32_t ids[WATCH_GROUPS_MAX], n, delta = (uint32_t)quarters - t->quarters;
	uint32_t delta_fresh = (uint32_t)fresh - t->fresh;
	if (!delta && !delta_fresh)
		return;
	n = watch_groups(o, w, ids);
	for (uint32_t i = 0; i < n; i++) {
		o->groups.at[ids[i]].quarters[c] += delta;
		o->groups.at[ids[i]].fresh[c] += delta_fresh;
		if (quarters > t->quarters)
			list_test(o, c, ids[i]);
	}
	t->quarters = quarters;
	t->fresh = fresh;
}

static void recount_line(struct outage *o, const struct watched *w)
{
	for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++)
		if (w->trouble[c])
			recount(o, at(o, w->trouble[c]));
}

void watch_set_blind(struct outage *o, struct watched *w, bool blind)
{
	bool before = is_eligible(w);
	w->blind = blind;
	if (is_eligible(w) != before)
		count_eligible(o, w, !blind);
	recount_line(o, w);
}

struct trouble *watch_trouble(const struct outage *o, const struct watched *w,
			      enum symptom_channel channel)
{
	return w->trouble[channel] ? at(o, w->trouble[channel]) : NULL;
}

/* Rejected credentials are the subscriber's own affair, until very many are rejected. */
static uint8_t weight_of(const struct symptom *s)
{
	if (s->channel == CHANNEL_DROP)
		return s->cause < CAUSE_COUNT ? cause_weight[s->cause] : 2;
	if (s->channel == CHANNEL_SETUP && s->stage == STAGE_AUTH_REJECT)
		return 1;
	return QUARTERS;
}

static uint32_t number_of(const struct outage *o, const struct trouble *t)
{
	return o->lines[t->line].trouble[t->channel];
}

/* Has the trouble looked at then; what was queued for it before goes stale. */
static void enqueue(struct outage *o, struct trouble *t, int queue, uint64_t at_ns)
{
	t->generation = ++o->generation;
	push(o, queue, at_ns, number_of(o, t), t->generation);
}

/* Evidence since at_ns, by what the clock says now: how it ripens, is fresh no more and ages. */
static void follow(struct outage *o, struct trouble *t)
{
	t->aged = false;
	t->ripe |= o->now_ns >= t->at_ns + RIPE_NS;
	t->young = o->now_ns < t->at_ns + BURST_NS;
	enqueue(o, t, t->channel == CHANNEL_SETUP ? QUEUE_SETUP : QUEUE_DROP,
		t->at_ns + window_ns[t->channel]);
	if (!t->ripe)
		push(o, QUEUE_RIPE, t->at_ns + RIPE_NS, number_of(o, t), t->generation);
	if (t->young)
		push(o, QUEUE_FRESH, t->at_ns + BURST_NS, number_of(o, t), t->generation);
	recount(o, t);
}

/* It is evidence as of `at_ns`: from now on, or once it has lasted. */
static void start(struct outage *o, struct trouble *t, uint64_t at_ns, bool ripe)
{
	t->at_ns = at_ns;
	t->ripe = ripe;
	follow(o, t);
}

static void fill(struct outage *o, struct trouble *t, const struct symptom *s)
{
	t->since_ns = s->since_ns ? s->since_ns : s->at_ns;
	t->good_ns = 0;
	t->cause = (uint8_t)s->cause;
	t->stage = (uint8_t)s->stage;
	t->weight = weight_of(s);
	t->confirmed = s->state == SYMPTOM_BAD;
	t->redialled = s->redialled;
	start(o, t, s->at_ns, t->confirmed);
}

struct trouble *trouble_begin(struct outage *o, const struct symptom *s)
{
	struct watched *w = &o->lines[s->line];
	uint32_t index = pool_take(&o->troubles);
	struct trouble *t;
	if (!index) {
		o->counters.troubles_full++;
		return NULL;
	}
	t = at(o, index);
	*t = (struct trouble){.line = s->line, .channel = (uint8_t)s->channel};
	w->trouble[s->channel] = index;
	fill(o, t, s);
	return t;
}

/* A drop that no incident explains tells how often the line drops by itself. */
static void learn(struct outage *o, struct trouble *t, uint64_t now_ns)
{
	struct watched *w = &o->lines[t->line];
	bool eligible = is_eligible(w);
	if (t->channel != CHANNEL_DROP || t->incident || !t->weight)
		return;
	if (eligible)
		count_eligible(o, w, false);
	rate_update(&o->rates, &w->rate, t->weight, (uint32_t)(now_ns / SECOND_IN_NS));
	if (eligible)
		count_eligible(o, w, true);
	rates_learn(&o->rates, t->weight, (now_ns - t->at_ns) / 1000000);
}

void trouble_change(struct outage *o, struct trouble *t, const struct symptom *s)
{
	if (t->good_ns && !t->incident) {
		learn(o, t, t->good_ns);
		fill(o, t, s);
		return;
	}
	t->good_ns = 0;
	t->redialled |= s->redialled;
	if (s->channel == CHANNEL_SETUP && weight_of(s) > t->weight && !t->incident) {
		fill(o, t, s);
		return;
	}
	t->stage = (uint8_t)s->stage;
	if (s->state == SYMPTOM_BAD && !t->confirmed) {
		t->confirmed = t->ripe = true;
		t->cause = (uint8_t)s->cause;
		t->weight = weight_of(s);
		recount(o, t);
	}
}

void trouble_forget(struct outage *o, struct trouble *t)
{
	struct watched *w = &o->lines[t->line];
	uint32_t index = w->trouble[t->channel];
	t->aged = true;
	recount(o, t);
	t->generation = 0;
	w->trouble[t->channel] = 0;
	pool_give(&o->troubles, index);
}

void trouble_good(struct outage *o, struct trouble *t, uint64_t at_ns)
{
	t->good_ns = at_ns;
	if (t->incident)
		return;
	/* A suspicion that proved wrong was nothing; a drop that is over was one all the same. */
	if (t->aged || t->channel == CHANNEL_SETUP || !t->confirmed) {
		trouble_forget(o, t);
		return;
	}
	enqueue(o, t, QUEUE_OVER, at_ns + AFTERGLOW_NS);
}

/* It has lasted too long to be news; the line is out of the count until it works again. */
static void grow_old(struct outage *o, struct trouble *t, uint64_t now_ns)
{
	learn(o, t, now_ns);
	t->aged = true;
	recount(o, t);
	if (t->channel == CHANNEL_DROP && !t->good_ns)
		watch_set_up(o, &o->lines[t->line], false);
	if (t->good_ns)
		trouble_forget(o, t);
}

void trouble_explain(struct outage *o, struct trouble *t, uint32_t incident)
{
	struct watched *w = &o->lines[t->line];
	t->incident = incident;
	if (!incident && (t->good_ns || o->now_ns > t->at_ns + window_ns[t->channel]))
		grow_old(o, t, o->now_ns);
	else if (!incident)
		follow(o, t);
	recount_line(o, w);
}

static void expire(struct outage *o, int queue, uint64_t now_ns)
{
	struct due due;
	while (pop(o, queue, now_ns, &due)) {
		struct trouble *t = at(o, due.what);
		if (t->generation != due.generation || t->incident)
			continue;
		if (queue == QUEUE_RIPE) {
			t->ripe = true;
			recount(o, t);
		} else if (queue == QUEUE_FRESH) {
			t->young = false;
			recount(o, t);
		} else if (queue == QUEUE_OVER) {
			learn(o, t, t->good_ns + AFTERGLOW_NS);
			trouble_forget(o, t);
		} else {
			grow_old(o, t, due.at_ns);
		}
	}
}

void watch_expire(struct outage *o, uint64_t now_ns)
{
	struct due due;
	expire(o, QUEUE_DROP, now_ns);
	expire(o, QUEUE_SETUP, now_ns);
	expire(o, QUEUE_OVER, now_ns);
	expire(o, QUEUE_RIPE, now_ns);
	expire(o, QUEUE_FRESH, now_ns);
	while (pop(o, QUEUE_TRIED, now_ns, &due))
		if (o->lines[due.what].tried_ns + SETUP_NS <= due.at_ns)
			count_tried(o, &o->lines[due.what], false);
}

/* Evidence that no incident explains, of one channel, in the order in which it came. */
uint32_t watch_evidence(const struct outage *o, enum symptom_channel channel, uint32_t *troubles,
			uint32_t room)
{
	uint32_t n = 0;
	for (int q = QUEUE_DROP; q <= QUEUE_OVER; q++)
		for (uint32_t i = 0; i < o->queues[q].n && n < room; i++) {
			const struct queue *queue = &o->queues[q];
			const struct due *due = &queue->ring[(queue->head + i) % queue->room];
			const struct trouble *t = at(o, due->what);
			if (t->generation == due->generation && t->channel == channel && t->fresh)
				troubles[n++] = due->what;
		}
	return n;
}

/* A trouble that an incident holds is left to that: its member keeps the story. */
void watch_gone(struct outage *o, uint32_t line)
{
	struct watched *w = &o->lines[line];
	for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++) {
		struct trouble *t = watch_trouble(o, w, (enum symptom_channel)c);
		if (t && t->incident)
			return;
		if (t)
			trouble_forget(o, t);
	}
	count_tried(o, w, false);
	count_line(o, line, false);
	*w = (struct watched){0};
}

void watch_void(struct outage *o, uint32_t tap, uint64_t since_ns)
{
	for (uint32_t line = 0; line < o->room; line++) {
		struct watched *w = &o->lines[line];
		for (int c = CHANNEL_DROP; w->known && w->tap == tap && c < CHANNEL_COUNT; c++) {
			struct trouble *t = watch_trouble(o, w, (enum symptom_channel)c);
			if (t && !t->incident && t->at_ns >= since_ns)
				trouble_forget(o, t);
		}
	}
}

void watch_doubt(struct outage *o, uint32_t tap, uint64_t since_ns, uint64_t now_ns)
{
	for (uint32_t line = 0; line < o->room; line++) {
		struct watched *w = &o->lines[line];
		for (int c = CHANNEL_DROP; w->known && w->tap == tap && c < CHANNEL_COUNT; c++) {
			struct trouble *t = watch_trouble(o, w, (enum symptom_channel)c);
			if (!t || t->incident || t->at_ns < since_ns)
				continue;
			if (t->good_ns) {
				trouble_forget(o, t);
				continue;
			}
			if (c == CHANNEL_DROP)
				watch_set_up(o, w, true);
			start(o, t, now_ns, false);
		}
	}
}

bool watch_hangs_on(const struct outage *o, uint32_t line, uint32_t group)
{
	const struct watched *w = &o->lines[line];
	for (uint32_t r = 0; r < w->n_risks; r++)
		if (w->risks[r] == group)
			return true;
	return groups_below(&o->groups, w->leaf, group);
}
