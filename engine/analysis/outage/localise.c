/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/localise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/outage/state.h"
#include "engine/analysis/outage/watch.h"
#include "engine/analysis/outage/waves.h"
#include "engine/analysis/outage/weight.h"

#define PARSIMONY 0.02	/* children must explain so much more than their parent */
#define SPLITTING 0.002 /* parts must explain so much more than a shared risk */
#define LIKENESS  0.03	/* of two shared risks: no evidence tells them apart */
#define NESTED	  0.95	/* of the evidence of a shared risk: it lies within another one */

enum { ROUNDS_MAX = 4, PROMISING_MAX = 4 * CANDIDATES_MAX };

void localiser_fini(struct localiser *l)
{
	evidence_fini(&l->evidence);
	free(l->tree_gain);
	free(l->risk_gain);
	free(l->gain);
	free(l->chosen);
	free(l->blamed);
	for (int i = 0; i < CANDIDATES_MAX; i++)
		free(l->gain_without[i]);
	free(l->chosen_without);
	free(l->share);
	free(l->has);
	free(l->within);
	*l = (struct localiser){0};
}

static bool reserve(struct localiser *l, uint32_t groups)
{
	uint32_t room = l->room ? l->room : 1024;
	bool ok;
	if (groups <= l->room)
		return true;
	while (room < groups)
		room *= 2;
	localiser_fini(l);
	l->tree_gain = malloc(room * sizeof *l->tree_gain);
	l->risk_gain = malloc(room * sizeof *l->risk_gain);
	l->gain = malloc(room * sizeof *l->gain);
	l->chosen = malloc(room * sizeof *l->chosen);
	l->blamed = malloc(room * sizeof *l->blamed);
	l->chosen_without = malloc(room * sizeof *l->chosen_without);
	l->share = malloc(room * sizeof *l->share);
	l->has = malloc(room * sizeof *l->has);
	l->within = malloc(room * sizeof *l->within);
	ok = l->tree_gain && l->risk_gain && l->gain && l->chosen && l->blamed &&
	     l->chosen_without && l->share && l->has && l->within;
	for (int i = 0; i < CANDIDATES_MAX; i++)
		ok &= (l->gain_without[i] = malloc(room * sizeof *l->gain_without[i])) != NULL;
	if (ok)
		l->room = room;
	else
		localiser_fini(l);
	return l->room;
}

static double llr_of(const struct evidence *e, uint32_t group, const struct tally *t)
{
	return weight_llr(e->outage, group, e->channel, (double)t->quarters / QUARTERS,
			  (double)t->surprise / EVIDENCE_MICRO, e->each);
}

/* What blaming the group gains, in millionths; 0: nothing. A single line is no pattern. */
static int64_t gain_of(const struct evidence *e, uint32_t group, const struct tally *t)
{
	double k = (double)t->quarters / QUARTERS, gain;
	if (t->quarters <= QUARTERS ||
	    !weight_significant(e->outage, group, e->channel, k, e->each))
		return 0;
	gain = llr_of(e, group, t) - kind_of(e->outage->groups.at[group].kind)->cost;
	return gain > 0 ? (int64_t)llround(gain * EVIDENCE_MICRO) : 0;
}

struct work {
	struct outage *o;
	struct localiser *l;
	struct evidence *e;
	uint64_t banned_set; /* groups with these lines are not to be blamed */
	uint32_t banned_members;
};

static bool is_banned(const struct work *w, uint32_t group)
{
	const struct group *g = &w->o->groups.at[group];
	for (uint32_t d = 0; d < w->l->n_left_out; d++)
		if (groups_equal(&w->o->groups, w->l->left_out[d], group))
			return true;
	return w->banned_members && g->set == w->banned_set && g->members == w->banned_members;
}

/* Of what blaming the group would gain, what it may. */
static int64_t allowed(const struct work *w, uint32_t group, int64_t gain)
{
	return gain && is_banned(w, group) ? 0 : gain;
}

static void gain_of_all(const struct evidence *e, const uint32_t *groups, uint32_t n,
			const struct tally *tallies, int64_t *gains)
{
	for (uint32_t i = 0; i < n; i++)
		gains[i] = gain_of(e, groups[i], &tallies[i]);
}

/* What the groups of the tree gain without the lines of a slot. */
static void gain_without(const struct work *w, uint32_t slot)
{
	const struct evidence *e = w->e;
	const struct risk_share *s = &e->shares[slot];
	for (uint32_t t = 0; t < s->n_touched; t++) {
		uint32_t i = s->touched[t];
		struct tally left = e->tree_left[i];
		tally_subtract(&left, &s->tree[i]);
		w->l->gain_without[slot][i] = gain_of(e, e->tree[i], &left);
	}
}

/* To blame the group itself, or those below it. */
static void choose(const struct work *w, uint32_t group, int64_t gain, struct choice *c)
{
	gain = allowed(w, group, gain);
	c->own = gain > 0 && (double)gain * (1 + PARSIMONY) > (double)c->below;
	c->gain = c->own ? gain : c->below;
	c->parts = c->own ? 1 : c->parts_below;
}

struct best {
	int64_t gain;
	uint32_t parts;
};

/* The best that elements of the tree can gain, and how many are blamed for it. */
static struct best best_of_tree(const struct work *w)
{
	const struct evidence *e = w->e;
	struct choice *chosen = w->l->chosen;
	struct best best = {0};
	memset(chosen, 0, e->n_tree * sizeof *chosen);
	for (uint32_t i = 0; i < e->n_tree; i++) {
		uint32_t parent = e->parent[i];
		choose(w, e->tree[i], w->l->gain[i], &chosen[i]);
		if (parent != EVIDENCE_NOWHERE) {
			chosen[parent].below += chosen[i].gain;
			chosen[parent].parts_below += chosen[i].parts;
		} else {
			best.gain += chosen[i].gain;
			best.parts += chosen[i].parts;
		}
	}
	return best;
}

/* The same without the lines of a slot, beside the `best` with them. */
static struct best best_without(const struct work *w, uint32_t slot, struct best best)
{
	const struct evidence *e = w->e;
	const struct risk_share *s = &e->shares[slot];
	const struct choice *with = w->l->chosen;
	struct choice *then = w->l->chosen_without;
	for (uint32_t t = 0; t < s->n_touched; t++)
		then[s->touched[t]] = with[s->touched[t]];
	for (uint32_t t = 0; t < s->n_touched; t++) {
		uint32_t i = s->touched[t], parent = e->parent[i];
		choose(w, e->tree[i], w->l->gain_without[slot][i], &then[i]);
		if (parent != EVIDENCE_NOWHERE) {
			then[parent].below += then[i].gain - with[i].gain;
			then[parent].parts_below += then[i].parts - with[i].parts;
		} else {
			best.gain += then[i].gain - with[i].gain;
			best.parts += then[i].parts - with[i].parts;
		}
	}
	return best;
}

/* --- shared risks --- */

struct candidate {
	struct tally tally;
	uint32_t group, place, slot; /* place and slot: in the evidence */
	int64_t gain, promise; /* promise: the most that it can gain beyond what the tree has */
	int64_t lead;	       /* that is taken from the network; 0: none */
};

enum { COVERED = -1 };

/* What the blamed groups of the tree gain, COVERED below them, 0 elsewhere. */
static void read_blamed(const struct work *w)
{
	const struct localiser *l = w->l;
	for (uint32_t i = w->e->n_tree; i-- > 0;) {
		uint32_t parent = w->e->parent[i];
		bool covered = parent != EVIDENCE_NOWHERE && l->blamed[parent];
		l->blamed[i] = covered ? COVERED : l->chosen[i].own ? l->chosen[i].gain : 0;
	}
}

/* What the tree gains by the lines of each shared risk: every line has its part of what the group that
 * is blamed for it gains. Without some of them the group gains less than the part of the rest: the more
 * fail together, the more each of them says. */
static void share_out(const struct work *w)
{
	struct localiser *l = w->l;
	const struct evidence *e = w->e;
	read_blamed(w);
	for (uint32_t i = e->n_tree; i-- > 0;) {
		uint32_t parent = e->parent[i];
		l->share[i] = parent != EVIDENCE_NOWHERE ? l->share[parent] : 0;
		if (l->blamed[i] > 0)
			l->share[i] = (double)l->blamed[i] / (double)e->tree_left[i].surprise;
	}
	evidence_share(e, l->share, l->has);
}

static bool is_before(const struct candidate *x, const struct candidate *y)
{
	return x->promise != y->promise ? x->promise > y->promise : x->group < y->group;
}

/* Keeps the best PROMISING_MAX, in order. */
static void insert(struct candidate *list, uint32_t *n, const struct candidate *c)
{
	uint32_t at = *n;
	if (at == PROMISING_MAX && !is_before(c, &list[at - 1]))
		return;
	at -= at == PROMISING_MAX;
	for (; at > 0 && is_before(c, &list[at - 1]); at--)
		list[at] = list[at - 1];
	list[at] = *c;
	*n += *n < PROMISING_MAX;
}

/* A resolver is missed by name; no session and no way to the Internet hangs on it. */
static bool can_explain(const struct evidence *e, uint32_t group)
{
	return e->channel == CHANNEL_DNS || e->outage->groups.at[group].kind != KIND_RESOLVER;
}

/* The tree blames the whole network: it was the last to be asked. */
static bool blames_all(const struct work *w)
{
	return w->e->n_tree && w->l->blamed[w->e->n_tree - 1] > 0;
}

/* Another part of the network was down before: of the lines that hang on an exchange, all that could
 * fail hang on the shared risk, and many others could not. */
static bool had_no_other(const struct work *w, const struct group *network,
			 const struct group *risk)
{
	const struct group *at = w->o->groups.at;
	double could = 0, members = 0;
	for (uint32_t g = network->first_child; g; g = at[g].next) {
		could += weight_could(&at[g], w->e->channel);
		members += at[g].members;
	}
	return weight_could(risk, w->e->channel) >= (1 - LIKENESS) * could &&
	       risk->members < (1 - LIKENESS) * members;
}

/* What the network is ahead of a shared risk without being likelier, when there was nothing else to
 * fail: only lines of which nobody knows where they hang speak for it. */
static int64_t lead_of_all(const struct work *w, const struct candidate *c)
{
	const struct evidence *e = w->e;
	const struct group *at = w->o->groups.at, *risk = &at[c->group], *network;
	if (!blames_all(w))
		return 0;
	network = &at[e->tree[e->n_tree - 1]];
	if (2 * weight_could(risk, e->channel) < weight_could(network, e->channel) ||
	    !had_no_other(w, network, risk))
		return 0;
	return evidence_unplaced(e) + (int64_t)(LIKENESS * (double)c->gain);
}

/* The shared risks that promise something, at most PROMISING_MAX. When an exchange is down, all that
 * hangs below it gains by itself, but nothing beside it. */
static uint32_t list_candidates(const struct work *w, struct candidate *list)
{
	const struct evidence *e = w->e;
	uint32_t n = 0;
	share_out(w);
	for (uint32_t i = 0; i < e->n_risks; i++) {
		struct candidate c = {.tally = e->risks_left[i],
				      .group = e->risks[i],
				      .place = i,
				      .gain = w->l->risk_gain[i]};
		if (c.tally.quarters != e->risks_all[i].quarters)
			c.gain = gain_of(e, c.group, &c.tally);
		c.gain = allowed(w, c.group, c.gain);
		c.lead = c.gain ? lead_of_all(w, &c) : 0;
		c.promise = c.gain + (int64_t)(SPLITTING * (double)c.gain) + c.lead - w->l->has[i];
		if (c.gain && c.promise > 0 && can_explain(e, c.group))
			insert(list, &n, &c);
	}
	return n;
}

static void split(const struct work *w, struct candidate *list, uint32_t n)
{
	uint32_t places[CANDIDATES_MAX], slots[CANDIDATES_MAX], fresh;
	for (uint32_t c = 0; c < n; c++)
		places[c] = list[c].place;
	fresh = evidence_split(w->e, places, n, slots);
	for (uint32_t c = 0; c < n; c++) {
		list[c].slot = slots[c];
		if (fresh >> slots[c] & 1)
			gain_without(w, slots[c]);
	}
}

/* What was gained by groups of the tree that are blamed no more without the lines of a slot, in the last
 * choice without them. */
static int64_t replaced(const struct work *w, uint32_t slot)
{
	const struct risk_share *s = &w->e->shares[slot];
	struct choice *then = w->l->chosen_without;
	int64_t sum = 0;
	for (uint32_t t = s->n_touched; t-- > 0;) {
		uint32_t i = s->touched[t], parent = w->e->parent[i];
		then[i].own |= parent != EVIDENCE_NOWHERE && then[parent].own;
		sum += w->l->blamed[i] > 0 && !then[i].own ? w->l->blamed[i] : 0;
	}
	return sum;
}

/* What a shared risk of the last split is worth beside the tree without its lines, which is at its `best`
 * with them. What it replaces must explain SPLITTING more when that is several elements: of thousands of
 * lines the sum over many groups is larger as soon as one part was a little sooner than another to show
 * it. From the network it takes the lead that says nothing; without one it must itself explain PARSIMONY
 * more when it leaves more elements than there were, or stands for the whole network: that has lines of
 * which too little is known to hang them on the shared risk. */
static int64_t win_of(const struct work *w, const struct candidate *c, struct best best)
{
	struct best then = best_without(w, c->slot, best);
	int64_t win = c->gain + then.gain - best.gain;
	if (best.parts > then.parts + 1)
		return win + (int64_t)(SPLITTING * (double)c->gain);
	if (c->lead)
		return win + c->lead;
	if (win > 0 && (best.parts < then.parts + 1 || blames_all(w)))
		return win - (int64_t)(PARSIMONY * (double)replaced(w, c->slot));
	return win;
}

/* Of shared risks that explain the same lines about as well, the kind that is named first: a pool has
 * fewer lines than its BRAS only because the addresses of some that are fine were not seen yet. */
static struct candidate *named_first(const struct work *w, struct candidate *list, uint32_t n,
				     struct candidate *best)
{
	const struct group *at = w->o->groups.at;
	struct candidate *first = best;
	for (struct candidate *c = list; best && c < list + n; c++)
		if (c->tally.surprise == best->tally.surprise &&
		    c->tally.quarters == best->tally.quarters &&
		    (double)c->gain * (1 + LIKENESS) > (double)best->gain &&
		    kind_of(at[c->group].kind)->rank < kind_of(at[first->group].kind)->rank)
			first = c;
	return first;
}

/* The shared risk that is worth most, and in the last split; NULL: none is. They are tried in
 * the order of what they promise, until none promises more than one has won. */
static const struct candidate *best_risk(const struct work *w, struct candidate *list, uint32_t n,
					 struct best tree)
{
	struct candidate *best = NULL;
	int64_t won = 0;
	for (uint32_t from = 0; from < n && list[from].promise > won; from += CANDIDATES_MAX) {
		uint32_t some = n - from < CANDIDATES_MAX ? n - from : CANDIDATES_MAX;
		split(w, list + from, some);
		for (uint32_t c = 0; c < some; c++) {
			int64_t win = win_of(w, &list[from + c], tree);
			if (win > won) {
				won = win;
				best = &list[from + c];
			}
		}
	}
	best = named_first(w, list, n, best);
	if (best)
		split(w, best, 1);
	return best;
}

/* Whether shared risks of one kind that lie within this one explain it better, each by itself: two
 * cabinets of a feeder, of which more lines went in one than in the other. */
static bool is_several(const struct work *w, const struct candidate *c)
{
	struct localiser *l = w->l;
	const struct evidence *e = w->e;
	const struct group *at = w->o->groups.at;
	int64_t of_kind[KIND_COLUMN + PLACE_COLUMNS_MAX] = {0}, most = 0;
	evidence_within(e, c->place, l->within);
	for (uint32_t i = 0; i < e->n_risks; i++) {
		uint16_t kind = at[e->risks[i]].kind;
		if (kind == at[c->group].kind || !can_explain(e, e->risks[i]) ||
		    l->within[i].quarters < NESTED * e->risks_left[i].quarters)
			continue;
		of_kind[kind] += allowed(w, e->risks[i], gain_of(e, e->risks[i], &l->within[i]));
		most = of_kind[kind] > most ? of_kind[kind] : most;
	}
	return (double)most > (1 + SPLITTING) * (double)c->gain;
}

/* --- findings --- */

static void add_finding(const struct work *w, uint32_t group, const struct tally *t,
			struct finding *findings, uint32_t *n)
{
	const struct evidence *e = w->e;
	const struct group *g = &w->o->groups.at[group];
	struct finding *f = &findings[*n];
	if (*n == FINDINGS_MAX) {
		w->o->counters.localise_max_findings++;
		return;
	}
	*f = (struct finding){.group = group, .k = (double)t->quarters / QUARTERS * e->each};
	f->n = weight_could(g, e->channel);
	f->mu = weight_expected(w->o, g, e->channel);
	f->neg_log10_p = weight_unlikely(f->k, f->mu);
	f->llr = llr_of(e, group, t) * e->each;
	f->score = f->llr - kind_of(g->kind)->cost;
	(*n)++;
}

/* The groups of the tree that are blamed, none below another. */
static void read_tree(const struct work *w, struct finding *findings, uint32_t *n)
{
	const struct evidence *e = w->e;
	read_blamed(w);
	for (uint32_t i = e->n_tree; i-- > 0;)
		if (w->l->blamed[i] > 0)
			add_finding(w, e->tree[i], &e->tree_left[i], findings, n);
}

/* The lines of a shared risk are explained by it. */
static void explain(const struct work *w, uint32_t slot)
{
	const struct risk_share *s = &w->e->shares[slot];
	for (uint32_t t = 0; t < s->n_touched; t++)
		w->l->gain[s->touched[t]] = w->l->gain_without[slot][s->touched[t]];
	evidence_explain(w->e, slot);
}

/* All that is blamed; returns what it gains together. */
static int64_t solve(const struct work *w, struct finding *findings, uint32_t *n)
{
	struct localiser *l = w->l;
	struct candidate list[PROMISING_MAX];
	int64_t risks_gain = 0;
	struct best tree;
	*n = 0;
	evidence_restart(w->e);
	memcpy(l->gain, l->tree_gain, w->e->n_tree * sizeof *l->gain);
	tree = best_of_tree(w);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		const struct candidate *best = best_risk(w, list, list_candidates(w, list), tree);
		if (!best)
			break;
		if (l->n_left_out < LEFT_OUT_MAX && is_several(w, best)) {
			l->left_out[l->n_left_out++] = best->group;
		} else {
			add_finding(w, best->group, &best->tally, findings, n);
			risks_gain += best->gain;
			explain(w, best->slot);
		}
		tree = best_of_tree(w);
	}
	read_tree(w, findings, n);
	return tree.gain + risks_gain;
}

/* Whether the group's lines went at once, beside those that went before. */
static bool is_burst(const struct work *w, const struct finding *f)
{
	const struct group *g = &w->o->groups.at[f->group];
	enum symptom_channel c = w->e->channel;
	double older = (double)(g->quarters[c] - g->fresh[c]) / QUARTERS;
	return weight_burst(c, f->k, f->k + older);
}

/* Leaves out groups that are no burst, or several faults; true when there were some. */
static bool leave_out(const struct work *w, const struct finding *findings, uint32_t n)
{
	struct localiser *l = w->l;
	uint32_t before = l->n_left_out;
	for (uint32_t i = 0; i < n && l->n_left_out < LEFT_OUT_MAX; i++)
		if (!is_burst(w, &findings[i]) ||
		    (w->e->channel == CHANNEL_DROP && waves_apart(w->o, w->e, findings[i].group)))
			l->left_out[l->n_left_out++] = findings[i].group;
	return l->n_left_out > before;
}

static int by_score(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;
	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return (x->group > y->group) - (x->group < y->group);
}

static bool begin(const struct work *w, enum symptom_channel channel, const struct mark *marks,
		  uint32_t n)
{
	struct localiser *l = w->l;
	struct evidence *e = w->e;
	if (!reserve(l, w->o->groups.n) || !evidence_begin(e, w->o, channel, marks, n)) {
		w->o->counters.no_memory++;
		return false;
	}
	l->n_left_out = 0;
	gain_of_all(e, e->tree, e->n_tree, e->tree_all, l->tree_gain);
	gain_of_all(e, e->risks, e->n_risks, e->risks_all, l->risk_gain);
	return true;
}

uint32_t localise(struct outage *o, enum symptom_channel channel, const struct mark *marks,
		  uint32_t n_marks, struct finding findings[FINDINGS_MAX])
{
	const struct work w = {o, &o->localiser, &o->localiser.evidence, 0, 0};
	uint32_t n = 0;
	o->counters.localisations++;
	if (!begin(&w, channel, marks, n_marks))
		return 0;
	do
		w.l->total = solve(&w, findings, &n);
	while (leave_out(&w, findings, n));
	qsort(findings, n, sizeof *findings, by_score);
	return n;
}

void localise_judge(struct outage *o, struct finding *f)
{
	const struct group *g = &o->groups.at[f->group];
	const struct work w = {o, &o->localiser, &o->localiser.evidence, g->set, g->members};
	struct finding others[FINDINGS_MAX];
	uint32_t n = 0;
	double lost = (double)(w.l->total - solve(&w, others, &n)) / EVIDENCE_MICRO * w.e->each;
	f->confidence = 1 / (1 + exp(-fmax(0, lost) / 4));
	for (uint32_t i = 0; i < n; i++)
		if (others[i].llr > f->runner_up_llr) {
			f->runner_up = others[i].group;
			f->runner_up_llr = others[i].llr;
		}
}
