/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is blamed against every choice that could be made: on small random trees all sets of
 * significant elements of which none is below another are tried.
 *
 * The preference for the parent (children must explain two in a hundred more) is no property of
 * a whole choice, so it is judged by itself: where no element is within that margin of what stands
 * below it, the choice must be the very best one; everywhere, children are blamed only when they
 * are worth that much more than an element above them that could be blamed.
 */
#include "engine/analysis/outage/localise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/outage/state.h"
#include "engine/base/inventory.h"

enum { LINES_MAX = 400, SIGNIFICANT_MAX = 64, CSV_BYTES = 65536 };
#define NOW_NS	 (1700000000 * SECOND_IN_NS)
#define MARGIN	 1.02
#define ROUNDING 10 /* millionths */

static uint32_t random_state = 88172645u;

static uint32_t below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

static void ignore(void *context, const struct report *report)
{
	(void)context;
	(void)report;
}

/* --- a network from its books --- */

struct network {
	char csv[CSV_BYTES];
	size_t length;
	uint32_t n_lines;
	struct inventory *inventory;
	struct outage *outage;
	struct mark marks[LINES_MAX + 1];
	uint32_t n_marks;
};

static void add_row(struct network *net, const char *rest)
{
	net->length += (size_t)snprintf(net->csv + net->length, CSV_BYTES - net->length, "L%u,%s\n",
					++net->n_lines, rest);
	assert_true(net->length < CSV_BYTES && net->n_lines <= LINES_MAX);
}

static void begin(struct network *net)
{
	*net = (struct network){0};
	net->length =
		(size_t)snprintf(net->csv, CSV_BYTES, "line,exchange,node,card,cabinet,svlan\n");
}

static void read_books(struct network *net)
{
	struct outage_options options = {.max_lines = LINES_MAX};
	options.inventory = net->inventory =
		inventory_parse(net->csv, net->length, "books", stderr);
	net->outage = outage_new(&options, (struct report_sink){ignore, NULL});
	assert_non_null(net->outage);
	outage_advance(net->outage, NOW_NS);
}

static void add_line(struct network *net, uint32_t line, bool up)
{
	char name[16];
	struct outage_place place = {.line = name};
	struct symptom is_up = {.line = line, .channel = CHANNEL_DROP, .at_ns = NOW_NS};
	snprintf(name, sizeof name, "L%u", line);
	outage_line(net->outage, line, &place);
	if (up)
		outage_take(net->outage, &is_up);
}

/* All lines are there and up. */
static void build(struct network *net)
{
	read_books(net);
	for (uint32_t i = 1; i <= net->n_lines; i++)
		add_line(net, i, true);
}

static void end(struct network *net)
{
	net->outage = outage_free(net->outage);
	net->inventory = inventory_free(net->inventory);
}

static void mark(struct network *net, uint32_t line, uint32_t quarters)
{
	net->marks[net->n_marks++] = (struct mark){line, quarters, NOW_NS - below(1000000000)};
}

static uint32_t run(struct network *net, struct finding findings[FINDINGS_MAX])
{
	return localise(net->outage, CHANNEL_DROP, net->marks, net->n_marks, findings);
}

static const char *name_of(const struct network *net, uint32_t group)
{
	return net->outage->groups.at[group].name;
}

/* --- every choice --- */

struct element {
	uint32_t group;
	int64_t gain;
};

struct choices {
	const struct groups *groups;
	struct element elements[SIGNIFICANT_MAX];
	uint32_t n;
	uint64_t best_set;
	int64_t best;
};

/* -log10 P[Poisson(mu) >= k], term by term. */
static double surprise(double k, double mu)
{
	long double sum = 0, log_term = k * logl(mu) - mu - lgammal(k + 1);
	for (int i = 0; i < 500; i++) {
		sum += expl(log_term);
		log_term += logl(mu / (k + i + 1));
	}
	return (double)-log10l(sum);
}

/* As algorithms.md 2.3.4 and 2.3.5 define it; 0 when it may not be blamed. */
static int64_t gain_of(const struct network *net, uint32_t group)
{
	const struct group *g = &net->outage->groups.at[group];
	const struct kind *kind = kind_of(g->kind);
	double k = 0, surprise_of_lines = 0, n, mu, p, f, llr;
	for (uint32_t m = 0; m < net->n_marks; m++)
		if (groups_below(&net->outage->groups, net->outage->lines[net->marks[m].line].leaf,
				 group)) {
			const struct watched *w = &net->outage->lines[net->marks[m].line];
			double own = 2 * rates_expected(&net->outage->rates, w->rate.units) *
				     BURST_NS / EVIDENCE_NS;
			k += net->marks[m].quarters / 4.0;
			surprise_of_lines -=
				net->marks[m].quarters / 4.0 * log(fmin(0.9, fmax(1e-6, own)));
		}
	mu = 2 * rates_expected(&net->outage->rates, g->rate) * BURST_NS / EVIDENCE_NS;
	n = g->eligible;
	if (k < kind->k_min || k < kind->share_min * n || k <= mu || surprise(k, mu) < 7)
		return 0;
	p = fmin(0.9, fmax(1e-6, mu / n));
	f = k / n;
	llr = surprise_of_lines + k * log(f) + (f < 1 ? (n - k) * log((1 - f) / (1 - p)) : 0);
	llr = f > p ? llr - kind->cost : 0;
	return llr > 0 ? llround(llr * 1e6) : 0;
}

static void list_elements(const struct network *net, struct choices *c)
{
	*c = (struct choices){.groups = &net->outage->groups};
	for (uint32_t g = 1; g < c->groups->n; g++) {
		int64_t gain = kind_in_tree(c->groups->at[g].kind) ? gain_of(net, g) : 0;
		if (!gain)
			continue;
		assert_true(c->n < SIGNIFICANT_MAX);
		c->elements[c->n++] = (struct element){g, gain};
	}
}

static bool are_related(const struct choices *c, uint32_t a, uint32_t b)
{
	return groups_below(c->groups, a, b) || groups_below(c->groups, b, a);
}

static void try_all(struct choices *c, uint32_t from, uint32_t top, uint64_t set, int64_t sum)
{
	if (sum > c->best) {
		c->best = sum;
		c->best_set = set;
	}
	for (uint32_t i = from; i < c->n; i++) {
		uint32_t g = c->elements[i].group;
		bool may = !top || (g != top && groups_below(c->groups, g, top));
		for (uint32_t j = 0; j < i && may; j++)
			may = !(set >> j & 1) || !are_related(c, g, c->elements[j].group);
		if (may)
			try_all(c, i + 1, top, set | 1ull << i, sum + c->elements[i].gain);
	}
}

/* The best below `top`; 0: of all. */
static int64_t best_choice(struct choices *c, uint32_t top)
{
	c->best = 0;
	c->best_set = 0;
	try_all(c, 0, top, 0, 0);
	return c->best;
}

/* An element that is worth nearly as much as the best of what is below it: the parent's rule. */
static bool has_close_call(struct choices *c)
{
	for (uint32_t i = 0; i < c->n; i++) {
		int64_t gain = c->elements[i].gain, under = best_choice(c, c->elements[i].group);
		if (under + ROUNDING >= gain && (double)under <= MARGIN * (double)gain + ROUNDING)
			return true;
	}
	return false;
}

static uint64_t set_of(const struct choices *c, const struct finding *findings, uint32_t n)
{
	uint64_t set = 0;
	for (uint32_t f = 0; f < n; f++)
		for (uint32_t i = 0; i < c->n; i++)
			if (c->elements[i].group == findings[f].group)
				set |= 1ull << i;
	assert_int_equal(__builtin_popcountll(set), n); /* each is significant, and named once */
	return set;
}

static void check_rules(const struct choices *c, uint64_t set)
{
	for (uint32_t i = 0; i < c->n; i++) {
		int64_t under = 0;
		bool covered = false;
		for (uint32_t j = 0; j < c->n; j++) {
			if (!(set >> j & 1) || i == j)
				continue;
			covered |=
				groups_below(c->groups, c->elements[i].group, c->elements[j].group);
			if (groups_below(c->groups, c->elements[j].group, c->elements[i].group))
				under += c->elements[j].gain;
		}
		if (set >> i & 1)
			assert_true(!covered && !under);
		else if (!covered) /* children pay for being several */
			assert_true((double)under + ROUNDING >=
				    MARGIN * (double)c->elements[i].gain);
	}
}

/* --- random trees --- */

static void random_network(struct network *net)
{
	char rest[64];
	begin(net);
	for (uint32_t e = 0, exchanges = 1 + below(2); e < exchanges; e++)
		for (uint32_t n = 0, nodes = 1 + below(3); n < nodes; n++)
			for (uint32_t c = 0, cards = 1 + below(3); c < cards; c++)
				for (uint32_t l = 0, lines = 4 + below(16); l < lines; l++) {
					snprintf(rest, sizeof rest, "E%u,N%u-%u,N%u-%u-%u,,", e, e,
						 n, e, n, c);
					add_row(net, rest);
				}
	build(net);
	net->outage->rates.factor = 1 << below(5);
}

/* Some groups fail, each by its own part; some lines by themselves. */
static void random_faults(struct network *net)
{
	uint8_t part[256] = {0};
	for (uint32_t f = 0, faults = 1 + below(4); f < faults; f++)
		part[1 + below(net->outage->groups.n - 1)] = (uint8_t)(30 + below(71));
	for (uint32_t i = 1; i <= net->n_lines; i++) {
		uint32_t chance = 2;
		for (uint32_t g = net->outage->lines[i].leaf; g;
		     g = net->outage->groups.at[g].parent)
			chance = part[g] > chance ? part[g] : chance;
		if (below(100) < chance)
			mark(net, i, below(8) ? 4 : 1 + below(3));
	}
}

static void tree_agrees_with_brute_force(void **state)
{
	static struct network net;
	static struct choices c;
	struct finding findings[FINDINGS_MAX];
	uint32_t clear = 0, found = 0, several = 0, trials = 1500;
	(void)state;
	for (uint32_t trial = 0; trial < trials; trial++) {
		uint64_t set;
		uint32_t n;
		random_network(&net);
		random_faults(&net);
		n = run(&net, findings);
		list_elements(&net, &c);
		set = set_of(&c, findings, n);
		check_rules(&c, set);
		if (!has_close_call(&c)) {
			best_choice(&c, 0);
			assert_int_equal(set, c.best_set);
			clear++;
			found += n > 0;
			several += n > 1;
		}
		for (uint32_t f = 1; f < n; f++)
			assert_true(findings[f - 1].score >= findings[f].score);
		end(&net);
	}
	/* The comparison had something to compare. */
	assert_true(clear > trials / 3 && found > trials / 5 && several > trials / 20);
}

static void order_of_evidence_is_nothing(void **state)
{
	static struct network net;
	(void)state;
	for (int trial = 0; trial < 100; trial++) {
		struct finding a[FINDINGS_MAX], b[FINDINGS_MAX];
		uint32_t n;
		random_network(&net);
		random_faults(&net);
		n = run(&net, a);
		for (uint32_t i = net.n_marks; i > 1; i--) {
			uint32_t j = below(i);
			struct mark swap = net.marks[j];
			net.marks[j] = net.marks[i - 1];
			net.marks[i - 1] = swap;
		}
		assert_int_equal(run(&net, b), n);
		for (uint32_t f = 0; f < n; f++) {
			assert_int_equal(a[f].group, b[f].group);
			assert_true(a[f].k == b[f].k && a[f].score == b[f].score);
		}
		end(&net);
	}
}

/* --- shared risks --- */

enum { CARDS = 6, CARD_LINES = 24 };

/* Six cards of two nodes; the cabinet has the first six lines of each, and a VLAN each node. */
static void crossed(struct network *net)
{
	char rest[64];
	begin(net);
	for (uint32_t c = 0; c < CARDS; c++)
		for (uint32_t l = 0; l < CARD_LINES; l++) {
			snprintf(rest, sizeof rest, "E,N%u,C%u,%s,%u", c / 3, c,
				 l < 6 ? "K1" : "K2", 100 + c / 3);
			add_row(net, rest);
		}
	build(net);
}

static uint32_t line_of(uint32_t card, uint32_t line)
{
	return 1 + card * CARD_LINES + line;
}

static const struct finding *find(const struct network *net, const struct finding *f, uint32_t n,
				  const char *name)
{
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(name_of(net, f[i].group), name) == 0)
			return &f[i];
	return NULL;
}

static void shared_risk_beats_its_pieces(void **state)
{
	static struct network net;
	struct finding f[FINDINGS_MAX];
	uint32_t n;
	(void)state;
	crossed(&net);
	for (uint32_t c = 0; c < CARDS; c++)
		for (uint32_t l = 0; l < 6; l++)
			mark(&net, line_of(c, l), 4);
	n = run(&net, f);
	assert_int_equal(n, 1);
	assert_string_equal(name_of(&net, f[0].group), "K1");
	assert_float_equal(f[0].k, 36, 1e-9);
	assert_float_equal(f[0].n, 36, 1e-9);
	end(&net);
}

/* The card is judged by what the cabinet leaves, not by what both could explain. */
static void residual_is_what_the_risk_leaves(void **state)
{
	static struct network net;
	struct finding f[FINDINGS_MAX];
	uint32_t n;
	(void)state;
	crossed(&net);
	for (uint32_t c = 0; c < CARDS; c++)
		for (uint32_t l = 0; l < (c == 4 ? CARD_LINES : 6); l++)
			mark(&net, line_of(c, l), 4);
	n = run(&net, f);
	assert_int_equal(n, 2);
	assert_non_null(find(&net, f, n, "K1"));
	assert_non_null(find(&net, f, n, "C4"));
	assert_float_equal(find(&net, f, n, "K1")->k, 36, 1e-9);
	assert_float_equal(find(&net, f, n, "C4")->k, CARD_LINES - 6, 1e-9);
	end(&net);
}

/* A node whose lines are those of a VLAN too: one finding, and by the tree. */
static void equal_groups_are_one(void **state)
{
	static struct network net;
	struct finding f[FINDINGS_MAX];
	struct groups *groups;
	uint32_t n, svlan;
	(void)state;
	crossed(&net);
	for (uint32_t c = 0; c < 3; c++)
		for (uint32_t l = 0; l < CARD_LINES; l++)
			mark(&net, line_of(c, l), 4);
	n = run(&net, f);
	assert_int_equal(n, 1);
	assert_string_equal(name_of(&net, f[0].group), "N0");
	groups = &net.outage->groups;
	svlan = groups_get(groups, KIND_SVLAN, GROUP_NONE, "100");
	assert_true(groups_equal(groups, f[0].group, svlan));
	assert_false(groups_equal(groups, f[0].group,
				  groups_get(groups, KIND_SVLAN, GROUP_NONE, "101")));
	/* Neither is the runner-up of the other: it would explain the very same. */
	localise_judge(net.outage, &f[0]);
	assert_true(f[0].confidence > 0.9);
	assert_int_not_equal(f[0].runner_up, svlan);
	assert_int_not_equal(f[0].runner_up, f[0].group);
	end(&net);
}

/* Every second line hangs on VLAN 100, the others on VLAN 101; and some lines are in no books. */
static void two_vlans(struct network *net, bool both_up)
{
	enum { STRAYS = 16 };
	char rest[64];
	begin(net);
	for (uint32_t l = 0; l < 240; l++) {
		snprintf(rest, sizeof rest, "E%u,N%u,C%u,,%u", l / 120, l / 60, l / 20,
			 100 + l % 2);
		add_row(net, rest);
	}
	read_books(net);
	for (uint32_t l = 1; l <= net->n_lines; l++)
		add_line(net, l, l % 2 || both_up);
	for (uint32_t l = net->n_lines + 1; l <= net->n_lines + STRAYS; l++)
		add_line(net, l, true);
	for (uint32_t l = 1; l <= net->n_lines + STRAYS; l++)
		if (l % 2 || both_up || l > net->n_lines)
			mark(net, l, 4);
}

/* What was down before does not fail: its lines make no network of the other half. */
static void second_half_is_no_network(void **state)
{
	static struct network net;
	struct finding f[FINDINGS_MAX];
	(void)state;
	two_vlans(&net, true);
	assert_int_equal(run(&net, f), 1);
	assert_string_equal(name_of(&net, f[0].group), "all");
	end(&net);
	two_vlans(&net, false);
	assert_int_equal(run(&net, f), 1);
	assert_string_equal(name_of(&net, f[0].group), "100");
	end(&net);
}

static void nothing_from_nothing(void **state)
{
	static struct network net;
	struct finding f[FINDINGS_MAX];
	(void)state;
	crossed(&net);
	assert_int_equal(run(&net, f), 0);
	for (uint32_t l = 0; l < 4; l++) /* one fewer than the least */
		mark(&net, line_of(0, l), 4);
	assert_int_equal(run(&net, f), 0);
	end(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_agrees_with_brute_force),
		cmocka_unit_test(order_of_evidence_is_nothing),
		cmocka_unit_test(shared_risk_beats_its_pieces),
		cmocka_unit_test(residual_is_what_the_risk_leaves),
		cmocka_unit_test(equal_groups_are_one),
		cmocka_unit_test(second_half_is_no_network),
		cmocka_unit_test(nothing_from_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
