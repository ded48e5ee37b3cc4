/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/fit.h"

#include <math.h>
#include <stdlib.h>

#include "engine/analysis/outage/incident.h"
#include "engine/analysis/outage/trouble.h"
#include "engine/analysis/outage/watch.h"
#include "engine/analysis/outage/weight.h"

#define RESTLESS_NS	  (120 * SECOND_IN_NS) /* fitted often, for the silent ones show late */
#define RESTLESS_REFIT_NS (10 * SECOND_IN_NS)
#define SAME_FAULT_NS	  (90 * SECOND_IN_NS)
#define REFIT_NS	  (60 * SECOND_IN_NS)  /* then so often, while it is young */
#define STORM_NS	  (600 * SECOND_IN_NS) /* after a large repair */
#define STORM_MOVES_NS	  (60 * SECOND_IN_NS)  /* sessions still come up: no fault */
#define TOGETHER_NS	  (10 * SECOND_IN_NS)
#define OVERLAP		  0.5
#define SURPRISE_DENSE	  8.3  /* -log10 p of what opens an incident, in the time that it took */
#define PART_MIN	  0.05 /* of BURST_NS: nothing is dated more closely */
#define REST		  0.25 /* of what another incident has of the same group: its rest */

/* Of what is still bad, so much that is well again just now: a path is being switched over, and
 * whoever is silent will be heard in a moment. What is cut does not come back by itself. */
#define RELIEF_SHARE 0.2

/* Ticks for which a group must stay significant. Names resolve late when more is broken. */
static const uint64_t confirm_ticks[CHANNEL_COUNT] = {
	[CHANNEL_DROP] = 0, [CHANNEL_SETUP] = 1, [CHANNEL_INTERNET] = 1, [CHANNEL_DNS] = 6};

enum { SEVERAL = 3, UNFOLD_TICKS = 2 };

/* A fault shows in these channels after the first one that is its own. */
static const enum symptom_channel order[] = {CHANNEL_DROP, CHANNEL_INTERNET, CHANNEL_DNS,
					     CHANNEL_SETUP};
enum { N_ORDER = sizeof order / sizeof *order };

static bool is_young(const struct outage *o, const struct incident *i, enum symptom_channel c)
{
	return i->channel == c && incident_is_young(o, i);
}

/* Whether what fails in the group, or in one above it, is about to be over. */
static bool is_passing(const struct outage *o, uint32_t group, enum symptom_channel c)
{
	for (; group; group = o->groups.at[group].parent) {
		const struct group *g = &o->groups.at[group];
		double all = (double)(g->fresh[c] + g->relief[c]) / QUARTERS;
		if (g->relief[c] && g->relief[c] >= RELIEF_SHARE * g->fresh[c] &&
		    weight_significant(o, group, c, all, 1))
			return true;
	}
	return false;
}

/* Tests the listed groups; those that are not significant leave the list. */
static bool test_groups(struct outage *o, enum symptom_channel c)
{
	uint32_t kept = 0;
	bool stays = false;
	for (uint32_t t = 0; t < o->n_tests[c]; t++) {
		struct group *g = &o->groups.at[o->tests[c][t]];
		double k = (double)g->quarters[c] / QUARTERS;
		double fresh = (double)g->fresh[c] / QUARTERS;
		o->counters.tests++;
		if (!weight_significant(o, o->tests[c][t], c, fresh, 1) ||
		    !weight_burst(c, fresh, k)) {
			g->candidate[c] = 0;
			g->listed &= (uint8_t) ~(1u << c);
			continue;
		}
		if (!g->candidate[c])
			g->candidate[c] = o->tick;
		stays |= o->tick - g->candidate[c] >= confirm_ticks[c];
		o->tests[c][kept++] = o->tests[c][t];
	}
	o->n_tests[c] = kept;
	return stays;
}

static bool wants_fit(const struct outage *o, enum symptom_channel c)
{
	for (uint32_t n = 1; n < o->incidents.n; n++) {
		const struct incident *i = incident_at(o, n);
		uint64_t rest =
			o->now_ns - i->again_ns < RESTLESS_NS ? RESTLESS_REFIT_NS : REFIT_NS;
		if (is_young(o, i, c) && i->grown && o->now_ns - i->fitted_ns >= rest)
			return true;
	}
	return false;
}

/* --- evidence --- */

struct fit {
	struct outage *o;
	enum symptom_channel channel;
	struct mark *marks; /* owned */
	uint32_t n_marks;
	struct finding findings[FINDINGS_MAX];
	uint32_t incident_of[FINDINGS_MAX]; /* that a finding became; 0: none */
	uint32_t n_findings;
	bool may_open;
};

static uint32_t count_young(const struct fit *f)
{
	uint32_t n = 0;
	for (uint32_t k = 1; k < f->o->incidents.n; k++)
		if (is_young(f->o, incident_at(f->o, k), f->channel))
			n += incident_at(f->o, k)->n_members;
	return n;
}

static void add_young(struct fit *f)
{
	for (uint32_t k = 1; k < f->o->incidents.n; k++) {
		const struct incident *i = incident_at(f->o, k);
		for (uint32_t m = 0; is_young(f->o, i, f->channel) && m < i->n_members; m++)
			if (i->members[m].trouble)
				f->marks[f->n_marks++] =
					(struct mark){i->members[m].line, i->members[m].weight,
						      i->members[m].since_ns};
	}
}

/* All lines with evidence that is not explained, or explained by a young incident. */
static bool gather(struct fit *f)
{
	struct outage *o = f->o;
	uint32_t room = count_young(f), n = 0;
	uint32_t *loose;
	for (int q = 0; q < AGENDAS; q++)
		n += o->agendas[q].n;
	loose = malloc((n + 1u) * sizeof *loose);
	f->marks = malloc((room + n + 1u) * sizeof *f->marks);
	if (!loose || !f->marks) {
		free(loose);
		o->counters.no_memory++;
		return false;
	}
	n = troubles_evidence(o, f->channel, loose, n);
	for (uint32_t t = 0; t < n; t++) {
		const struct trouble *trouble = pool_at(&o->troubles, loose[t]);
		f->marks[f->n_marks++] =
			(struct mark){trouble->line, trouble->quarters, trouble->since_ns};
	}
	free(loose);
	add_young(f);
	return true;
}

/* --- findings and incidents --- */

static bool is_found(const struct fit *f, const struct incident *i)
{
	for (uint32_t n = 0; n < f->n_findings; n++)
		if (groups_equal(&f->o->groups, f->findings[n].group, i->group))
			return true;
	return false;
}

/* Whether most lines of the incident hang on the group. */
static bool overlaps(const struct fit *f, const struct incident *i, uint32_t group)
{
	uint32_t n = 0;
	for (uint32_t m = 0; m < i->n_members; m++)
		n += watch_hangs_on(f->o, i->members[m].line, group);
	return i->n_members && n >= OVERLAP * i->n_members;
}

static uint32_t find_seated(const struct fit *f, uint32_t group)
{
	for (uint32_t k = 1; k < f->o->incidents.n; k++) {
		const struct incident *i = incident_at(f->o, k);
		if (i->live && i->channel == f->channel &&
		    groups_equal(&f->o->groups, i->group, group))
			return k;
	}
	return 0;
}

/* When the lines of a group went, in order, but those that one incident has. */
struct times {
	uint64_t *since_ns; /* owned */
	uint32_t n;
};

enum { NO_INCIDENT = UINT32_MAX };

static struct times times_of(const struct fit *f, uint32_t group, uint32_t but)
{
	struct times t = {malloc((f->n_marks + 1u) * sizeof *t.since_ns), 0};
	for (uint32_t m = 0; t.since_ns && m < f->n_marks; m++) {
		uint32_t line = f->marks[m].line;
		if (trouble_incident(f->o, &f->o->lines[line], f->channel) != but &&
		    watch_hangs_on(f->o, line, group))
			t.since_ns[t.n++] = f->marks[m].since_ns;
	}
	if (t.n)
		qsort(t.since_ns, t.n, sizeof *t.since_ns, by_time);
	return t;
}

/* Its onset is fitted at the end of the tick in which it opens. */
static uint64_t began_ns(const struct incident *i)
{
	return i->onset_ns && !i->reopened ? i->onset_ns : i->again_ns;
}

/* When the lines of the group went that the incident has not taken, by half of them; when it has all:
 * when it began. */
static uint64_t time_of_rest(const struct fit *f, uint32_t group, uint32_t incident)
{
	const struct incident *i = incident_at(f->o, incident);
	struct times t = times_of(f, group, incident);
	uint64_t middle_ns = t.n ? t.since_ns[t.n / 2] : began_ns(i);
	free(t.since_ns);
	return middle_ns;
}

static bool is_near(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= SAME_FAULT_NS : b - a <= SAME_FAULT_NS;
}

/* The oldest young incident of the channel that the finding explains better. What began long
 * before is another fault, though it lies within. */
static uint32_t find_outgrown(const struct fit *f, enum symptom_channel c, uint32_t group)
{
	uint32_t best = 0;
	for (uint32_t k = 1; k < f->o->incidents.n; k++) {
		const struct incident *i = incident_at(f->o, k);
		if (!is_young(f->o, i, c) || (c == f->channel && is_found(f, i)) ||
		    !overlaps(f, i, group) || !is_near(began_ns(i), time_of_rest(f, group, k)))
			continue;
		if (!best || i->open_ns < incident_at(f->o, best)->open_ns)
			best = k;
	}
	return best;
}

/* A young incident of a channel in which the same fault shows too. */
static uint32_t find_symptom(const struct fit *f, uint32_t group)
{
	uint32_t found = 0;
	if (f->channel == CHANNEL_DROP)
		found = find_outgrown(f, CHANNEL_INTERNET, group);
	if (!found && f->channel != CHANNEL_SETUP && f->channel != CHANNEL_DNS)
		found = find_outgrown(f, CHANNEL_DNS, group);
	if (!found && f->channel == CHANNEL_DROP)
		found = find_outgrown(f, CHANNEL_SETUP, group);
	return found;
}

/* Half of the group went, all but a few of the lines in the same moment. */
static bool went_at_once(const struct fit *f, const struct finding *finding)
{
	struct times t = times_of(f, finding->group, NO_INCIDENT);
	uint64_t spread_ns = t.n ? t.since_ns[t.n - 1 - t.n / 8] - t.since_ns[t.n / 8] : 0;
	free(t.since_ns);
	return 2 * finding->k >= finding->n && spread_ns <= TOGETHER_NS;
}

/*
 * Lines that come and go, each at a time of its own, have nothing in common: half of those that
 * failed must still be down, or have gone at once. And modems that end their sessions themselves
 * speak of modems: for most of them no element of the network is to blame, but their vendor may be.
 */
static bool is_common(const struct fit *f, const struct finding *finding)
{
	uint32_t n = 0, down = 0, own = 0;
	for (uint32_t m = 0; m < f->n_marks; m++) {
		const struct watched *w = &f->o->lines[f->marks[m].line];
		const struct trouble *t = trouble_of(f->o, w, f->channel);
		if (!t || !watch_hangs_on(f->o, f->marks[m].line, finding->group))
			continue;
		n++;
		down += !t->good_ns;
		own += f->channel == CHANNEL_DROP && t->cause == CAUSE_CPE_TERM;
	}
	if (2 * own > n && f->o->groups.at[finding->group].kind != KIND_VENDOR)
		return false;
	return 2 * down >= n || went_at_once(f, finding);
}

/*
 * Of thousands of small groups, one has a few lines that drop within two minutes by chance nearly every
 * day. What fails together fails closer together than that: the surprise of so many within the time
 * that they took must be larger than that of so many within any BURST_NS. When chance spreads k lines
 * evenly, one in 10^(1.3 (k - 1) / k) of such groups passes; what fails within a minute is surer by
 * k log10 2.
 */
static bool is_dense(const struct fit *f, const struct finding *finding)
{
	struct times t;
	double part;
	if (f->channel != CHANNEL_DROP || finding->neg_log10_p >= SURPRISE_DENSE)
		return true;
	t = times_of(f, finding->group, NO_INCIDENT);
	part = t.n ? (double)(t.since_ns[t.n - 1] - t.since_ns[0]) / BURST_NS : 1;
	free(t.since_ns);
	part = fmin(1, fmax(PART_MIN, part));
	return weight_unlikely(finding->k, finding->mu * part) >= SURPRISE_DENSE;
}

static bool may_open(const struct fit *f, const struct finding *finding)
{
	const struct group *g = &f->o->groups.at[finding->group];
	double fresh = (double)g->fresh[f->channel] / QUARTERS;
	return f->may_open && weight_significant(f->o, finding->group, f->channel, fresh, 1) &&
	       !is_passing(f->o, finding->group, f->channel) && is_common(f, finding) &&
	       is_dense(f, finding);
}

/* Sessions that are refused everywhere are refused by one server: what fails beside the group that
 * was blamed hangs on it too, though the books do not know. */
static uint32_t find_refuser(const struct fit *f)
{
	for (uint32_t k = 1; k < f->o->incidents.n && f->channel == CHANNEL_SETUP; k++)
		if (incident_at(f->o, k)->live && incident_at(f->o, k)->class == CLASS_AAA)
			return k;
	return 0;
}

/* The young incident that has most lines of the group already: the few others that failed with them
 * hang on what it blames too, though the books have them elsewhere, or nowhere. */
static uint32_t find_rest(const struct fit *f, const struct finding *finding)
{
	for (uint32_t k = 1; k < f->o->incidents.n; k++) {
		const struct incident *i = incident_at(f->o, k);
		uint32_t n = 0;
		if (!is_young(f->o, i, f->channel) ||
		    !is_near(began_ns(i), time_of_rest(f, finding->group, k)))
			continue;
		for (uint32_t m = 0; m < i->n_members; m++)
			n += watch_hangs_on(f->o, i->members[m].line, finding->group);
		if (finding->k < REST * n)
			return k;
	}
	return 0;
}

/* The incident that stands for the finding: the one that is there, one that it outgrew, or new. */
static uint32_t seat_finding(struct fit *f, struct finding *finding)
{
	uint32_t number = find_seated(f, finding->group);
	struct incident *i;
	if (number) {
		i = incident_at(f->o, number);
		if (is_young(f->o, i, f->channel)) {
			localise_judge(f->o, finding);
			i->finding = *finding;
			i->finding.group = i->group;
			i->fitted_ns = f->o->now_ns;
			i->grown = false;
		}
		return number;
	}
	number = find_outgrown(f, f->channel, finding->group);
	if (!number && find_refuser(f))
		return find_refuser(f);
	if (!number && find_rest(f, finding))
		return find_rest(f, finding);
	if (number || may_open(f, finding))
		localise_judge(f->o, finding);
	if (!number && may_open(f, finding))
		number = find_symptom(f, finding->group);
	if (number) {
		incident_rescope(f->o, number, f->channel, finding);
		return number;
	}
	return may_open(f, finding) ? incident_open(f->o, f->channel, finding) : 0;
}

static void absorb(struct fit *f, uint32_t incident, uint32_t group)
{
	for (uint32_t m = 0; m < f->n_marks; m++) {
		const struct watched *w = &f->o->lines[f->marks[m].line];
		struct trouble *t = trouble_of(f->o, w, f->channel);
		if (t && !t->incident && !t->aged && t->weight &&
		    watch_hangs_on(f->o, f->marks[m].line, group))
			incident_absorb(f->o, incident, t);
	}
	incident_at(f->o, incident)->grown = false;
}

/* What else the findings have taken over: other channels, and parts of the same fault. */
static void merge(struct fit *f, uint32_t finding)
{
	uint32_t by = f->incident_of[finding], group = f->findings[finding].group, other;
	while ((other = find_outgrown(f, f->channel, group)) && other != by)
		incident_end(f->o, other, INCIDENT_SUPERSEDED, by);
	while ((other = find_symptom(f, group)) && other != by)
		incident_end(f->o, other, INCIDENT_MERGED, by);
}

/* Several elements that would open at once are the first signs of one that is wider: it is given some
 * ticks to show itself, and one page is sent instead of many. */
static bool is_unfolding(const struct fit *f)
{
	uint64_t *since = &f->o->unfolding[f->channel];
	uint32_t n = 0;
	for (uint32_t k = 0; k < f->n_findings; k++)
		n += !find_seated(f, f->findings[k].group) && may_open(f, &f->findings[k]);
	if (n < SEVERAL)
		*since = 0;
	else if (!*since)
		*since = f->o->tick;
	return n >= SEVERAL && f->o->tick - *since < UNFOLD_TICKS;
}

static void reconcile(struct fit *f)
{
	for (uint32_t n = 0; n < f->n_findings; n++) {
		f->incident_of[n] = seat_finding(f, &f->findings[n]);
		if (f->incident_of[n])
			absorb(f, f->incident_of[n], f->findings[n].group);
	}
	for (uint32_t n = 0; n < f->n_findings; n++)
		if (f->incident_of[n])
			merge(f, n);
}

static void fit(struct outage *o, enum symptom_channel c, bool open)
{
	struct fit *f = calloc(1, sizeof *f);
	if (!f) {
		o->counters.no_memory++;
		return;
	}
	f->o = o;
	f->channel = c;
	f->may_open = open;
	if (gather(f)) {
		f->n_findings = localise(o, c, f->marks, f->n_marks, f->findings);
		f->may_open = open && !is_unfolding(f);
		reconcile(f);
	}
	free(f->marks);
	free(f);
}

/* After a large repair everybody dials at once; while sessions come up that is no fault. */
static bool is_storm(const struct outage *o, enum symptom_channel c)
{
	return c == CHANNEL_SETUP && o->calmed_ns && o->now_ns - o->calmed_ns < STORM_NS &&
	       o->now_ns - o->last_up_ns < STORM_MOVES_NS;
}

void fit_tick(struct outage *o)
{
	for (int n = 0; n < N_ORDER; n++) {
		enum symptom_channel c = order[n];
		bool open = test_groups(o, c) && !is_storm(o, c);
		if (open || wants_fit(o, c))
			fit(o, c, open);
	}
	for (uint32_t i = 1; i < o->incidents.n; i++)
		incident_step(o, i);
}
