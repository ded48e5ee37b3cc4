/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/localise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/analysis/outage/state.h"
#include "engine/analysis/outage/tail.h"
#include "engine/analysis/outage/watch.h"

#define SURPRISE_MIN   7.0   /* -log10 p */
#define OVERDISPERSION 1.0   /* twice what is expected is no surprise yet */
#define PARSIMONY      0.02  /* children must explain so much more than their parent */
#define SPLITTING      0.002 /* parts must explain so much more than a shared risk */
#define NESTED	       0.95  /* of the evidence of a shared risk: it lies within another one */
#define P_MIN	       1e-6
#define P_MAX	       0.9
#define MICRO	       1e6

/* Lines with trouble of their own in the other channels, and set-ups that fail by themselves. */
#define QUIET_SHARE 1e-4
#define SETUP_SHARE 2e-3
#define SETUP_MIN   0.2

enum { ROUNDS_MAX = 4, PROMISING_MAX = 4 * CANDIDATES_MAX };

/* What is known of a group in this localisation. */
struct spot {
	uint32_t stamp, index; /* index: in touched[], or in risks[] */
};

/* Evidence added up: how much, and how unlikely it was of these very lines (the logarithm, in
 * millionths). With the average of their group instead, a group would seem to explain less than its
 * parts as soon as these have different averages, however alike they failed. */
struct tally {
	int64_t surprise;
	uint32_t quarters;
};

static void add_tally(struct tally *to, const struct tally *t)
{
	to->surprise += t->surprise;
	to->quarters += t->quarters;
}

/* Where a mark hangs, by places in touched[] and risks[]: read in order, many times. */
struct hook {
	struct tally tally;
	uint32_t leaf, n_risks, risks[PLACE_RISKS_MAX];
};

void localiser_fini(struct localiser *l)
{
	free(l->hooks);
	free(l->gone);
	free(l->spots);
	free(l->touched);
	free(l->risks);
	free(l->place);
	free(l->counts);
	free(l->left);
	for (int i = 0; i < CANDIDATES_MAX; i++)
		free(l->minus[i]);
	free(l->best);
	free(l->sum);
	free(l->blamed);
	free(l->share);
	free(l->own);
	free(l->parts);
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
	l->spots = calloc(room, sizeof *l->spots);
	l->touched = malloc(room * sizeof *l->touched);
	l->risks = malloc(room * sizeof *l->risks);
	l->place = malloc(room * sizeof *l->place);
	l->counts = malloc(room * sizeof *l->counts);
	l->left = malloc(room * sizeof *l->left);
	l->best = malloc(room * sizeof *l->best);
	l->sum = malloc(room * sizeof *l->sum);
	l->blamed = malloc(room * sizeof *l->blamed);
	l->share = malloc(room * sizeof *l->share);
	l->own = malloc(room * sizeof *l->own);
	l->parts = malloc(room * sizeof *l->parts);
	ok = l->spots && l->touched && l->risks && l->place && l->counts && l->left && l->best &&
	     l->sum && l->blamed && l->share && l->own && l->parts;
	for (int i = 0; i < CANDIDATES_MAX; i++)
		ok &= (l->minus[i] = malloc(room * sizeof *l->minus[i])) != NULL;
	if (ok)
		l->room = room;
	else
		localiser_fini(l);
	return ok;
}

static bool reserve_marks(struct localiser *l, uint32_t marks)
{
	if (marks < l->marks_room)
		return true;
	free(l->hooks);
	free(l->gone);
	l->marks_room = 2 * marks + 1024;
	l->hooks = malloc(l->marks_room * sizeof *l->hooks);
	l->gone = malloc(l->marks_room * sizeof *l->gone);
	if (!l->hooks || !l->gone)
		l->marks_room = 0;
	return l->marks_room;
}

static double members_that_could(const struct group *g, enum symptom_channel channel)
{
	return channel == CHANNEL_SETUP ? g->tried : g->eligible;
}

static double expected(const struct outage *o, const struct group *g, enum symptom_channel channel)
{
	if (channel == CHANNEL_DROP)
		return rates_expected(&o->rates, g->rate) * BURST_NS / EVIDENCE_NS;
	return members_that_could(g, channel) *
	       (channel == CHANNEL_SETUP ? SETUP_SHARE : QUIET_SHARE);
}

static double least_share(const struct group *g, enum symptom_channel channel)
{
	return channel == CHANNEL_SETUP ? SETUP_MIN : kind_of(g->kind)->share_min;
}

bool localise_significant(const struct outage *o, uint32_t group, enum symptom_channel channel,
			  double k)
{
	const struct group *g = &o->groups.at[group];
	if (k < kind_of(g->kind)->k_min ||
	    k < least_share(g, channel) * members_that_could(g, channel))
		return false;
	return localise_surprise(k, expected(o, g, channel)) >= SURPRISE_MIN;
}

double localise_surprise(double k, double expected)
{
	return tail_neg_log10(k, expected * (1 + OVERDISPERSION));
}

bool localise_burst(enum symptom_channel channel, double fresh, double k)
{
	double part = (double)BURST_NS / EVIDENCE_NS;
	double rest = (k - fresh) * part / (1 - part);
	if (channel != CHANNEL_DROP && channel != CHANNEL_INTERNET)
		return true;
	return localise_surprise(fresh, rest) >= SURPRISE_MIN;
}

static double bounded(double p)
{
	return fmin(P_MAX, fmax(P_MIN, p));
}

/* Of one mark. */
static struct tally tally_of(const struct outage *o, enum symptom_channel channel,
			     const struct mark *mark)
{
	const struct group alone = {
		.rate = o->lines[mark->line].rate.units, .eligible = 1, .tried = 1};
	double p = bounded(expected(o, &alone, channel) * (1 + OVERDISPERSION));
	return (struct tally){llround(-log(p) * mark->quarters / QUARTERS * MICRO), mark->quarters};
}

static double likelihood(const struct outage *o, uint32_t group, enum symptom_channel channel,
			 const struct tally *t)
{
	const struct group *g = &o->groups.at[group];
	double k = (double)t->quarters / QUARTERS, n = fmax(members_that_could(g, channel), k);
	double p = bounded(n > 0 ? expected(o, g, channel) * (1 + OVERDISPERSION) / n : 0);
	double average = tail_llr(k, n, p);
	return average > 0 ? average + (double)t->surprise / MICRO + k * log(p) : 0;
}

/* What blaming the group gains, in millionths; 0: nothing. */
static int64_t gain_of(const struct outage *o, uint32_t group, enum symptom_channel channel,
		       const struct tally *t)
{
	double k = (double)t->quarters / QUARTERS, gain;
	if (!localise_significant(o, group, channel, k))
		return 0;
	gain = likelihood(o, group, channel, t) - kind_of(o->groups.at[group].kind)->cost;
	return gain > 0 ? (int64_t)llround(gain * MICRO) : 0;
}

/* --- evidence by group --- */

struct work {
	struct outage *o;
	struct localiser *l;
	enum symptom_channel channel;
	const struct mark *marks;
	uint32_t n_marks;
	uint64_t banned_set; /* groups with these lines are not to be blamed */
	uint32_t banned_members;
};

static uint32_t touch(struct localiser *l, uint32_t group, uint32_t *list, uint32_t *n)
{
	struct spot *s = &l->spots[group];
	if (s->stamp != l->stamp) {
		*s = (struct spot){l->stamp, *n};
		list[(*n)++] = group;
	}
	return s->index;
}

static int by_depth(const void *a, const void *b, void *context)
{
	const struct group *at = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	if (at[x].depth != at[y].depth)
		return at[x].depth < at[y].depth ? 1 : -1;
	return (x > y) - (x < y);
}

/* Lists the groups that the marks touch: the tree's deepest first, and the shared risks. */
static void list_groups(const struct work *w)
{
	struct localiser *l = w->l;
	l->stamp++;
	l->n_touched = l->n_risks = 0;
	for (uint32_t i = 0; i < w->n_marks; i++) {
		const struct watched *line = &w->o->lines[w->marks[i].line];
		for (uint32_t g = line->leaf; g && l->spots[g].stamp != l->stamp;
		     g = w->o->groups.at[g].parent)
			touch(l, g, l->touched, &l->n_touched);
		for (uint32_t r = 0; r < line->n_risks; r++)
			touch(l, line->risks[r], l->risks, &l->n_risks);
	}
	qsort_r(l->touched, l->n_touched, sizeof *l->touched, by_depth, w->o->groups.at);
	for (uint32_t i = 0; i < l->n_touched; i++)
		l->spots[l->touched[i]].index = i;
	for (uint32_t i = 0; i < w->n_marks; i++) {
		const struct watched *line = &w->o->lines[w->marks[i].line];
		struct hook *h = &l->hooks[i];
		h->leaf = l->spots[line->leaf].index;
		h->tally = tally_of(w->o, w->channel, &w->marks[i]);
		h->n_risks = line->n_risks;
		for (uint32_t r = 0; r < line->n_risks; r++)
			h->risks[r] = l->spots[line->risks[r]].index;
	}
}

/* Adds up from the leaves to the root. */
static void climb(const struct work *w, struct tally *counts)
{
	const struct localiser *l = w->l;
	for (uint32_t i = 0; i < l->n_touched; i++) {
		uint32_t parent = w->o->groups.at[l->touched[i]].parent;
		if (parent)
			add_tally(&counts[l->spots[parent].index], &counts[i]);
	}
}

static void count_tree(const struct work *w, struct tally *counts)
{
	const struct localiser *l = w->l;
	memset(counts, 0, l->n_touched * sizeof *counts);
	for (uint32_t i = 0; i < w->n_marks; i++)
		if (!l->gone[i])
			add_tally(&counts[l->hooks[i].leaf], &l->hooks[i].tally);
	climb(w, counts);
}

static bool is_banned(const struct work *w, uint32_t group)
{
	const struct group *g = &w->o->groups.at[group];
	for (uint32_t d = 0; d < w->l->n_left_out; d++)
		if (groups_equal(&w->o->groups, w->l->left_out[d], group))
			return true;
	return w->banned_members && g->set == w->banned_set && g->members == w->banned_members;
}

static int64_t gain(const struct work *w, uint32_t group, const struct tally *t)
{
	return is_banned(w, group) ? 0 : gain_of(w->o, group, w->channel, t);
}

/* The best that elements of the tree can gain; own[]: the group itself is blamed, n_parts: so many
 * are. */
static int64_t best_of_tree(const struct work *w, const struct tally *counts)
{
	struct localiser *l = w->l;
	int64_t total = 0;
	memset(l->sum, 0, l->n_touched * sizeof *l->sum);
	memset(l->parts, 0, l->n_touched * sizeof *l->parts);
	l->n_parts = 0;
	for (uint32_t i = 0; i < l->n_touched; i++) {
		uint32_t group = l->touched[i], parent = w->o->groups.at[group].parent;
		int64_t me = gain(w, group, &counts[i]);
		l->own[i] = me > 0 && (double)me * (1 + PARSIMONY) > (double)l->sum[i];
		l->best[i] = l->own[i] ? me : l->sum[i];
		l->parts[i] = l->own[i] ? 1 : l->parts[i];
		if (parent) {
			l->sum[l->spots[parent].index] += l->best[i];
			l->parts[l->spots[parent].index] += l->parts[i];
		} else {
			total += l->best[i];
			l->n_parts += l->parts[i];
		}
	}
	return total;
}

/* --- shared risks --- */

struct candidate {
	struct tally tally;
	uint32_t group;
	int64_t gain, promise; /* promise: the most that it can gain beyond what the tree has */
};

enum { COVERED = -1 };

/* What the blamed groups of the tree gain, COVERED below them, 0 elsewhere. */
static void read_blamed(const struct work *w, int64_t *blamed)
{
	const struct localiser *l = w->l;
	for (uint32_t i = l->n_touched; i-- > 0;) {
		uint32_t parent = w->o->groups.at[l->touched[i]].parent;
		bool covered = parent && blamed[l->spots[parent].index];
		blamed[i] = covered ? COVERED : l->own[i] ? l->best[i] : 0;
	}
}

/* What the tree gains by the lines of each shared risk, in whole: every line has its part of what the
 * group that is blamed for it gains. Without some of them the group gains less than the rest's part:
 * the more fail together, the more each of them says. */
static void share_out(const struct work *w, int64_t *of_risk)
{
	struct localiser *l = w->l;
	read_blamed(w, l->blamed);
	for (uint32_t i = l->n_touched; i-- > 0;) {
		uint32_t parent = w->o->groups.at[l->touched[i]].parent;
		l->share[i] = parent ? l->share[l->spots[parent].index] : 0;
		if (l->blamed[i] > 0)
			l->share[i] = (double)l->blamed[i] / (double)l->counts[i].surprise;
	}
	memset(of_risk, 0, l->n_risks * sizeof *of_risk);
	for (uint32_t i = 0; i < w->n_marks; i++) {
		const struct hook *h = &l->hooks[i];
		int64_t part = llround(l->share[h->leaf] * (double)h->tally.surprise);
		for (uint32_t r = 0; r < h->n_risks && !l->gone[i]; r++)
			of_risk[h->risks[r]] += part;
	}
}

/* A resolver is missed by name; no session and no way to the Internet hangs on it. */
static bool can_explain(const struct work *w, uint32_t group)
{
	return w->channel == CHANNEL_DNS || w->o->groups.at[group].kind != KIND_RESOLVER;
}

static void count_risks(const struct work *w, struct tally *counts)
{
	const struct localiser *l = w->l;
	memset(counts, 0, l->n_risks * sizeof *counts);
	for (uint32_t i = 0; i < w->n_marks; i++) {
		const struct hook *h = &l->hooks[i];
		for (uint32_t r = 0; r < h->n_risks && !l->gone[i]; r++)
			add_tally(&counts[h->risks[r]], &h->tally);
	}
}

/* Keeps the list in the order of what is promised, the first of equals first. */
static uint32_t enlist(struct candidate *list, uint32_t n, const struct candidate *c)
{
	uint32_t at = n < PROMISING_MAX ? n : n - 1;
	if (n == PROMISING_MAX && list[at].promise >= c->promise)
		return n;
	for (; at > 0 && list[at - 1].promise < c->promise; at--)
		list[at] = list[at - 1];
	list[at] = *c;
	return n < PROMISING_MAX ? n + 1 : n;
}

/* The shared risks that promise something, at most PROMISING_MAX. When an exchange is down, all that
 * hangs below it gains by itself, but nothing beside it. */
static uint32_t list_candidates(const struct work *w, struct candidate *list)
{
	const struct localiser *l = w->l;
	struct tally *counts = l->left;
	int64_t *has = l->sum;
	uint32_t n = 0;
	share_out(w, has);
	count_risks(w, counts);
	for (uint32_t i = 0; i < l->n_risks; i++) {
		struct candidate c = {counts[i], l->risks[i], gain(w, l->risks[i], &counts[i]), 0};
		c.promise = c.gain + (int64_t)(SPLITTING * (double)c.gain) - has[i];
		if (c.gain && c.promise > 0 && can_explain(w, c.group))
			n = enlist(list, n, &c);
	}
	return n;
}

/* For each candidate: the tree's counts of its lines alone. */
static void count_candidates(const struct work *w, const struct candidate *list, uint32_t n)
{
	struct localiser *l = w->l;
	memset(l->place, 0, l->n_risks * sizeof *l->place);
	for (uint32_t c = 0; c < n; c++) {
		l->place[l->spots[list[c].group].index] = c + 1;
		memset(l->minus[c], 0, l->n_touched * sizeof *l->minus[c]);
	}
	for (uint32_t i = 0; i < w->n_marks; i++) {
		const struct hook *h = &l->hooks[i];
		for (uint32_t r = 0; r < h->n_risks && !l->gone[i]; r++) {
			uint32_t c = l->place[h->risks[r]];
			if (c)
				add_tally(&l->minus[c - 1][h->leaf], &h->tally);
		}
	}
	for (uint32_t c = 0; c < n; c++)
		climb(w, l->minus[c]);
}

/* What was gained by groups of the tree that are blamed no more. */
static int64_t replaced(const struct work *w)
{
	struct localiser *l = w->l;
	int64_t *now = l->sum, sum = 0;
	read_blamed(w, now);
	for (uint32_t i = 0; i < l->n_touched; i++)
		sum += l->blamed[i] > 0 && !now[i] ? l->blamed[i] : 0;
	return sum;
}

/* What a shared risk is worth beside the tree without its lines, `minus`, which gained `total` by
 * `parts` elements. What it replaces must explain SPLITTING more when that is several elements: of
 * thousands of lines the sum over many groups is larger as soon as one part was a little sooner than
 * another to show it. And it must itself explain PARSIMONY more when it leaves more elements. */
static int64_t win_of(const struct work *w, const struct candidate *c, const struct tally *minus,
		      int64_t total, uint32_t parts)
{
	struct localiser *l = w->l;
	int64_t win;
	for (uint32_t i = 0; i < l->n_touched; i++)
		l->left[i] = (struct tally){l->counts[i].surprise - minus[i].surprise,
					    l->counts[i].quarters - minus[i].quarters};
	win = c->gain + best_of_tree(w, l->left) - total;
	if (parts > l->n_parts + 1)
		return win + (int64_t)(SPLITTING * (double)c->gain);
	if (parts < l->n_parts + 1 && win > 0)
		return win - (int64_t)(PARSIMONY * (double)replaced(w));
	return win;
}

/* The shared risk that is worth most; NULL: none is. They are tried in the order of what they promise,
 * until none promises more than one has won. */
static const struct candidate *best_risk(const struct work *w, const struct candidate *list,
					 uint32_t n, int64_t total)
{
	const struct candidate *best = NULL;
	uint32_t parts = w->l->n_parts;
	int64_t won = 0;
	for (uint32_t from = 0; from < n && list[from].promise > won; from += CANDIDATES_MAX) {
		uint32_t some = n - from < CANDIDATES_MAX ? n - from : CANDIDATES_MAX;
		count_candidates(w, list + from, some);
		for (uint32_t c = from; c < from + some; c++) {
			int64_t win = win_of(w, &list[c], w->l->minus[c - from], total, parts);
			if (win > won) {
				won = win;
				best = &list[c];
			}
		}
	}
	return best;
}

static bool hangs_on(const struct hook *h, uint32_t risk)
{
	for (uint32_t r = 0; r < h->n_risks; r++)
		if (h->risks[r] == risk)
			return true;
	return false;
}

/* Whether shared risks of one kind that lie within this one explain it better, each by itself: two
 * cabinets of a feeder, of which more lines went in one than in the other. */
static bool is_several(const struct work *w, const struct candidate *c)
{
	struct localiser *l = w->l;
	struct tally *all = l->minus[0], *within = l->left;
	uint32_t index = l->spots[c->group].index;
	int64_t *of_kind = l->sum, most = 0;
	count_risks(w, all);
	memset(within, 0, l->n_risks * sizeof *within);
	for (uint32_t i = 0; i < w->n_marks; i++) {
		const struct hook *h = &l->hooks[i];
		for (uint32_t r = 0; r < h->n_risks && !l->gone[i] && hangs_on(h, index); r++)
			add_tally(&within[h->risks[r]], &h->tally);
	}
	memset(of_kind, 0, l->room * sizeof *of_kind);
	for (uint32_t i = 0; i < l->n_risks; i++) {
		uint16_t kind = w->o->groups.at[l->risks[i]].kind;
		if (kind != w->o->groups.at[c->group].kind && can_explain(w, l->risks[i]) &&
		    within[i].quarters >= NESTED * all[i].quarters && kind < l->room)
			of_kind[kind] += gain(w, l->risks[i], &within[i]);
		most = kind < l->room && of_kind[kind] > most ? of_kind[kind] : most;
	}
	return (double)most > (1 + PARSIMONY) * (double)c->gain;
}

static void explain(const struct work *w, uint32_t risk)
{
	struct localiser *l = w->l;
	uint32_t index = l->spots[risk].index;
	for (uint32_t i = 0; i < w->n_marks; i++)
		for (uint32_t r = 0; r < l->hooks[i].n_risks; r++)
			l->gone[i] |= l->hooks[i].risks[r] == index;
}

/* --- findings --- */

static void add_finding(const struct work *w, uint32_t group, const struct tally *t,
			struct finding *findings, uint32_t *n)
{
	const struct group *g = &w->o->groups.at[group];
	struct finding *f = &findings[*n];
	if (*n == FINDINGS_MAX) {
		w->o->counters.localise_max_findings++;
		return;
	}
	*f = (struct finding){.group = group, .k = (double)t->quarters / QUARTERS};
	f->n = members_that_could(g, w->channel);
	f->mu = expected(w->o, g, w->channel);
	f->neg_log10_p = localise_surprise(f->k, f->mu);
	f->llr = likelihood(w->o, group, w->channel, t);
	f->score = f->llr - kind_of(g->kind)->cost;
	(*n)++;
}

/* The groups of the tree that are blamed, none below another. */
static void read_tree(const struct work *w, struct finding *findings, uint32_t *n)
{
	struct localiser *l = w->l;
	for (uint32_t i = l->n_touched; i-- > 0;) {
		uint32_t parent = w->o->groups.at[l->touched[i]].parent;
		bool covered = parent && l->own[l->spots[parent].index];
		if (l->own[i] && !covered)
			add_finding(w, l->touched[i], &l->counts[i], findings, n);
		l->own[i] |= covered;
	}
}

/* All that is blamed; returns what it gains together. */
static int64_t solve(const struct work *w, struct finding *findings, uint32_t *n)
{
	struct localiser *l = w->l;
	struct candidate list[PROMISING_MAX];
	int64_t risks_gain = 0, total;
	*n = 0;
	memset(l->gone, 0, w->n_marks * sizeof *l->gone);
	count_tree(w, l->counts);
	total = best_of_tree(w, l->counts);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		uint32_t n_list = list_candidates(w, list);
		const struct candidate *c = best_risk(w, list, n_list, total);
		if (!c)
			break;
		if (l->n_left_out < LEFT_OUT_MAX && is_several(w, c)) {
			l->left_out[l->n_left_out++] = c->group;
			total = best_of_tree(w, l->counts);
			continue;
		}
		add_finding(w, c->group, &c->tally, findings, n);
		risks_gain += c->gain;
		explain(w, c->group);
		count_tree(w, l->counts);
		total = best_of_tree(w, l->counts);
	}
	total = best_of_tree(w, l->counts);
	read_tree(w, findings, n);
	return total + risks_gain;
}

/* Whether the group's lines went at once, beside those that went before. */
static bool is_burst(const struct work *w, const struct finding *f)
{
	const struct group *g = &w->o->groups.at[f->group];
	double older = (double)(g->quarters[w->channel] - g->fresh[w->channel]) / QUARTERS;
	return localise_burst(w->channel, f->k, f->k + older);
}

/* Leaves out groups that are no burst; true when there were some. */
static bool leave_out(const struct work *w, const struct finding *findings, uint32_t n)
{
	struct localiser *l = w->l;
	uint32_t before = l->n_left_out;
	for (uint32_t i = 0; i < n && l->n_left_out < LEFT_OUT_MAX; i++)
		if (!is_burst(w, &findings[i]))
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

static bool begin(const struct work *w)
{
	if (!reserve(w->l, w->o->groups.n) || !reserve_marks(w->l, w->n_marks)) {
		w->o->counters.no_memory++;
		return false;
	}
	w->l->n_left_out = 0;
	list_groups(w);
	return true;
}

uint32_t localise(struct outage *o, enum symptom_channel channel, const struct mark *marks,
		  uint32_t n_marks, struct finding findings[FINDINGS_MAX])
{
	const struct work w = {o, &o->localiser, channel, marks, n_marks, 0, 0};
	uint32_t n = 0;
	o->counters.localisations++;
	if (!begin(&w))
		return 0;
	do
		w.l->total = solve(&w, findings, &n);
	while (leave_out(&w, findings, n));
	qsort(findings, n, sizeof *findings, by_score);
	return n;
}

void localise_judge(struct outage *o, enum symptom_channel channel, const struct mark *marks,
		    uint32_t n_marks, struct finding *f)
{
	const struct group *g = &o->groups.at[f->group];
	const struct work w = {o, &o->localiser, channel, marks, n_marks, g->set, g->members};
	struct finding others[FINDINGS_MAX];
	uint32_t n = 0;
	int64_t lost = w.l->total - solve(&w, others, &n);
	f->confidence = 1 / (1 + exp(-fmax(0, (double)lost / MICRO) / 4));
	for (uint32_t i = 0; i < n; i++)
		if (others[i].llr > f->runner_up_llr) {
			f->runner_up = others[i].group;
			f->runner_up_llr = others[i].llr;
		}
}
