/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of incidents on a small network: four nodes of four cards of 24 lines, each node behind
 * a VLAN of its own, all behind one BRAS. What is
 * told is held against what was done.
 */
#include "engine/analysis/outage/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/outage/state.h"
#include "engine/base/calendar.h"

enum { NODES = 4, CARDS = 4, CARD_LINES = 24, LINES = NODES * CARDS * CARD_LINES, TOLD_MAX = 512 };
#define START_NS (1700000000 * SECOND_IN_NS)
#define SECOND_S 1000000000ll

/* What was told. */
struct told {
	char id[40], superseded_by[40], type[32], group[64], equivalent[64];
	enum incident_state state;
	enum incident_class class;
	enum category category;
	enum severity severity;
	uint32_t revision, reopened;
	uint64_t affected, peak, members;
	double onset_s, changed_s, clear_s;
	bool planned, page;
};

struct world {
	struct outage *outage;
	struct told told[TOLD_MAX];
	uint32_t n_told, gaps_begun, gaps_ended;
	uint64_t gap_lines;
};

static double seconds(int64_t unix_ns)
{
	return unix_ns == REPORT_ABSENT ? -1 : (double)(unix_ns - (int64_t)START_NS) / SECOND_S;
}

static void keep(struct told *t, const struct report_incident *i)
{
	*t = (struct told){.state = i->state,
			   .class = i->class,
			   .category = i->category,
			   .severity = i->severity,
			   .revision = i->revision,
			   .reopened = i->reopen_count,
			   .affected = i->affected,
			   .peak = i->affected_peak,
			   .members = i->members,
			   .onset_s = seconds(i->onset_unix_ns),
			   .changed_s = seconds(i->changed_unix_ns),
			   .clear_s = seconds(i->clear_unix_ns),
			   .planned = i->planned,
			   .page = i->page};
	snprintf(t->id, sizeof t->id, "%s", i->incident_id);
	snprintf(t->superseded_by, sizeof t->superseded_by, "%s",
		 i->superseded_by ? i->superseded_by : "");
	snprintf(t->type, sizeof t->type, "%s", i->group.type);
	snprintf(t->group, sizeof t->group, "%s", i->group.name);
	if (i->n_equivalent)
		snprintf(t->equivalent, sizeof t->equivalent, "%s:%s", i->equivalent[0].type,
			 i->equivalent[0].name);
}

static void take(void *context, const struct report *report)
{
	struct world *w = context;
	if (report->kind == REPORT_GAP) {
		w->gaps_begun += report->gap->until_unix_ns == REPORT_ABSENT;
		w->gaps_ended += report->gap->until_unix_ns != REPORT_ABSENT;
		w->gap_lines = report->gap->lines;
	}
	if (report->kind != REPORT_INCIDENT)
		return;
	assert_true(w->n_told < TOLD_MAX);
	keep(&w->told[w->n_told++], report->incident);
}

static const char *line_name(void *context, uint32_t line)
{
	static char name[16];
	(void)context;
	snprintf(name, sizeof name, "L%u", line);
	return name;
}

static uint32_t line_of(int node, int card, int line)
{
	return (uint32_t)(1 + (node * CARDS + card) * CARD_LINES + line);
}

static uint64_t at(double s)
{
	return START_NS + (uint64_t)(s * SECOND_S);
}

static void say(struct world *w, double s, uint32_t line, enum symptom_channel channel,
		enum symptom_state state)
{
	struct symptom symptom = {.line = line, .channel = channel, .state = state, .at_ns = at(s)};
	if (state == SYMPTOM_BAD && channel == CHANNEL_DROP)
		symptom.cause = CAUSE_LINE_LOST;
	if (state == SYMPTOM_BAD && channel == CHANNEL_SETUP)
		symptom.stage = STAGE_AUTH_SILENT;
	outage_take(w->outage, &symptom);
}

static void place_line(struct world *w, int node, int card, int line)
{
	char name[16], node_name[8], card_name[8];
	struct outage_place place = {
		.line = name,
		.node = node_name,
		.card = card_name,
		.bras = "02:00:00:00:00:01",
		.svlan = (uint16_t)(100 + node),
	};
	snprintf(name, sizeof name, "L%u", line_of(node, card, line));
	snprintf(node_name, sizeof node_name, "N%d", node);
	snprintf(card_name, sizeof card_name, "%d", card);
	outage_line(w->outage, line_of(node, card, line), &place);
}

/* Calls `each` for lines from .. to - 1 of a card. */
static void card(struct world *w, double s, int node, int card, int from, int to,
		 enum symptom_channel channel, enum symptom_state state)
{
	for (int l = from; l < to; l++)
		say(w, s + 0.01 * l, line_of(node, card, l), channel, state);
}

static void cut(struct world *w, double s, int node, int which)
{
	card(w, s, node, which, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_BAD);
}

static void heal(struct world *w, double s, int node, int which)
{
	card(w, s, node, which, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_GOOD);
}

static void run_to(struct world *w, double s)
{
	outage_advance(w->outage, at(s));
}

static void begin_with(struct world *w, const struct calendar_plan *plans, uint32_t n)
{
	const struct outage_options options = {
		.max_lines = 10000, .plans = plans, .n_plans = n, .line_name = line_name};
	*w = (struct world){0};
	w->outage = outage_new(&options, (struct report_sink){take, w});
	assert_non_null(w->outage);
	outage_advance(w->outage, START_NS);
	for (int node = 0; node < NODES; node++)
		for (int c = 0; c < CARDS; c++)
			for (int l = 0; l < CARD_LINES; l++) {
				place_line(w, node, c, l);
				say(w, 0, line_of(node, c, l), CHANNEL_DROP, SYMPTOM_GOOD);
			}
}

static void begin(struct world *w)
{
	begin_with(w, NULL, 0);
}

static void end(struct world *w)
{
	assert_int_equal(outage_counters(w->outage).no_memory, 0);
	w->outage = outage_free(w->outage);
}

static const struct told *last(const struct world *w)
{
	assert_true(w->n_told > 0);
	return &w->told[w->n_told - 1];
}

static uint32_t distinct(const struct world *w)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < w->n_told; i++) {
		bool seen = false;
		for (uint32_t j = 0; j < i; j++)
			seen |= strcmp(w->told[i].id, w->told[j].id) == 0;
		n += !seen;
	}
	return n;
}

/* --- life --- */

static void one_fault_is_one_incident(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100, 1, 2);
	run_to(&w, 110);
	assert_int_equal(w.n_told, 1);
	assert_int_equal(w.told[0].state, INCIDENT_OPEN);
	assert_string_equal(w.told[0].type, "card");
	assert_string_equal(w.told[0].group, "N1/2");
	assert_int_equal(w.told[0].class, CLASS_CARD_FAILURE);
	assert_int_equal(w.told[0].category, CATEGORY_ACCESS_INFRA);
	assert_int_equal(w.told[0].severity, SEVERITY_MINOR);
	assert_int_equal(w.told[0].affected, CARD_LINES);
	assert_int_equal(w.told[0].members, CARD_LINES);
	assert_true(w.told[0].page);
	assert_float_equal(w.told[0].onset_s, 100, 2);
	run_to(&w, 400);
	heal(&w, 400, 1, 2);
	run_to(&w, 455);
	assert_int_not_equal(last(&w)->state, INCIDENT_CLEARED); /* it holds for 60 s first */
	run_to(&w, 470);
	assert_int_equal(last(&w)->state, INCIDENT_CLEARED);
	assert_float_equal(last(&w)->clear_s, 400, 5);
	assert_int_equal(last(&w)->peak, CARD_LINES);
	assert_int_equal(last(&w)->affected, 0);
	run_to(&w, 4000);
	assert_int_equal(distinct(&w), 1);
	for (uint32_t i = 1; i < w.n_told; i++) {
		assert_int_equal(w.told[i].revision, w.told[i - 1].revision + 1);
		assert_false(w.told[i].page);
	}
	end(&w);
}

static void suspicion_ripens(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	/* A switch-over: silent for five seconds. */
	card(&w, 100, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_SUSPECT);
	card(&w, 105, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_GOOD);
	run_to(&w, 300);
	assert_int_equal(w.n_told, 0);
	card(&w, 300, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_SUSPECT);
	run_to(&w, 312);
	assert_int_equal(w.n_told, 1);
	end(&w);
}

static void what_fails_later_is_absorbed(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	card(&w, 100, 1, 2, 0, 12, CHANNEL_DROP, SYMPTOM_BAD);
	run_to(&w, 110);
	assert_string_equal(last(&w)->group, "N1/2");
	card(&w, 130, 1, 2, 12, 24, CHANNEL_DROP, SYMPTOM_BAD);
	run_to(&w, 200);
	assert_int_equal(distinct(&w), 1);
	assert_int_equal(last(&w)->affected, CARD_LINES);
	assert_float_equal(last(&w)->onset_s, 100, 2);
	end(&w);
}

/* A card was silent first, then the rest of its node: the same incident, wider. */
static void scope_changes_and_the_id_stays(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100, 0, 0);
	run_to(&w, 110);
	assert_string_equal(last(&w)->type, "card");
	for (int c = 1; c < CARDS; c++)
		cut(&w, 120 + 0.3 * c, 0, c); /* within one tick */
	run_to(&w, 200);
	assert_int_equal(distinct(&w), 1);
	assert_int_equal(last(&w)->state, INCIDENT_UPDATED);
	assert_string_equal(last(&w)->type, "access_node");
	assert_string_equal(last(&w)->group, "N0");
	assert_string_equal(last(&w)->equivalent, "svlan:100");
	assert_int_equal(last(&w)->class, CLASS_NODE_OR_UPLINK);
	assert_int_equal(last(&w)->affected, CARDS * CARD_LINES);
	end(&w);
}

static void the_whole_supersedes_its_parts(void **state)
{
	static struct world w;
	const struct told *ended = NULL;
	(void)state;
	begin(&w);
	cut(&w, 100, 0, 0);
	run_to(&w, 110);
	cut(&w, 112, 0, 1);
	run_to(&w, 120);
	assert_int_equal(distinct(&w), 2);
	cut(&w, 130, 0, 2);
	cut(&w, 131, 0, 3);
	run_to(&w, 200);
	for (uint32_t i = 0; i < w.n_told; i++)
		if (w.told[i].state == INCIDENT_SUPERSEDED)
			ended = &w.told[i];
	assert_non_null(ended);
	assert_string_equal(ended->superseded_by, w.told[0].id); /* the first told survives */
	assert_int_equal(distinct(&w), 2);
	for (int c = 0; c < CARDS; c++)
		heal(&w, 400, 0, c);
	run_to(&w, 500);
	assert_string_equal(last(&w)->id, w.told[0].id);
	assert_int_equal(last(&w)->state, INCIDENT_CLEARED);
	assert_int_equal(last(&w)->peak, CARDS * CARD_LINES);
	end(&w);
}

static void siblings_are_two_incidents(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100, 0, 0);
	cut(&w, 100, 2, 3);
	run_to(&w, 400);
	assert_int_equal(distinct(&w), 2);
	heal(&w, 400, 0, 0);
	run_to(&w, 600);
	assert_int_equal(last(&w)->state, INCIDENT_CLEARED);
	assert_string_equal(last(&w)->group, "N0/0");
	end(&w);
}

static void reopens_within_three_minutes(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100, 1, 2);
	run_to(&w, 200);
	heal(&w, 200, 1, 2);
	run_to(&w, 270);
	assert_int_equal(last(&w)->state, INCIDENT_CLEARED);
	cut(&w, 400, 1, 2);
	run_to(&w, 420);
	assert_int_equal(distinct(&w), 1);
	assert_int_equal(last(&w)->reopened, 1);
	assert_int_equal(last(&w)->affected, CARD_LINES);
	heal(&w, 430, 1, 2);
	run_to(&w, 500);
	assert_int_equal(last(&w)->state, INCIDENT_CLEARED);
	run_to(&w, 900);
	cut(&w, 900, 1, 2);
	run_to(&w, 920);
	assert_int_equal(distinct(&w), 2); /* too late: another one */
	assert_int_equal(last(&w)->reopened, 0);
	end(&w);
}

static const struct group *group_named(const struct world *w, const char *name)
{
	for (uint32_t g = 1; g < w->outage->groups.n; g++)
		if (strcmp(w->outage->groups.at[g].name, name) == 0)
			return &w->outage->groups.at[g];
	fail_msg("no group %s", name);
	return NULL;
}

/* Lines that are down for long cannot fail again: they are out of the count, and back with it. */
static void settled_lines_are_out_of_the_count(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100, 1, 2);
	run_to(&w, 300);
	assert_int_equal(group_named(&w, "N1/2")->eligible, CARD_LINES);
	run_to(&w, 420);
	assert_int_equal(group_named(&w, "N1/2")->eligible, 0);
	assert_int_equal(group_named(&w, "N1")->eligible, (CARDS - 1) * CARD_LINES);
	assert_int_equal(group_named(&w, "N1")->members, CARDS * CARD_LINES);
	/* The rest of the node fails now: not together with what failed long ago. */
	cut(&w, 500, 1, 0);
	run_to(&w, 510);
	assert_int_equal(distinct(&w), 2);
	assert_string_equal(last(&w)->group, "N1/0");
	heal(&w, 600, 1, 2);
	run_to(&w, 610);
	assert_int_equal(group_named(&w, "N1/2")->eligible, CARD_LINES);
	end(&w);
}

/* --- what is no outage --- */

static void a_gap_retracts(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100, 1, 2);
	run_to(&w, 105);
	assert_int_equal(last(&w)->state, INCIDENT_OPEN);
	outage_gap_begins(w.outage, 0, "tap0", "silent", at(99), at(106));
	assert_int_equal(last(&w)->state, INCIDENT_RETRACTED);
	assert_int_equal(w.gaps_begun, 1);
	assert_int_equal(w.gap_lines, LINES);
	assert_int_equal(group_named(&w, "all")->eligible, 0);
	run_to(&w, 200);
	outage_gap_ends(w.outage, 0, at(200));
	assert_int_equal(w.gaps_ended, 1);
	assert_int_equal(group_named(&w, "all")->eligible, LINES);
	run_to(&w, 600);
	assert_int_equal(w.n_told, 2);
	end(&w);
}

static void a_blind_tap_is_no_outage(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	outage_gap_begins(w.outage, 0, "tap0", "silent", at(98), at(100));
	for (int node = 0; node < NODES; node++)
		for (int c = 0; c < CARDS; c++)
			card(&w, 101, node, c, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_SUSPECT);
	run_to(&w, 160);
	outage_gap_begins(w.outage, 0, "tap0", "silent", at(98), at(160)); /* again: known */
	for (int node = 0; node < NODES; node++)
		for (int c = 0; c < CARDS; c++)
			card(&w, 161, node, c, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_GOOD);
	outage_gap_ends(w.outage, 0, at(162));
	outage_gap_ends(w.outage, 0, at(162)); /* again: nothing */
	run_to(&w, 600);
	assert_int_equal(w.n_told, 0);
	assert_int_equal(w.gaps_begun, 1);
	assert_int_equal(w.gaps_ended, 1);
	outage_gap_begins(w.outage, OUTAGE_TAPS_MAX, "tap", "silent", at(600), at(600));
	assert_int_equal(outage_counters(w.outage).taps_full, 1);
	end(&w);
}

/* Silence that was told while the tap was blind is no evidence afterwards either. */
static void what_a_blind_tap_told_is_nothing(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	outage_gap_begins(w.outage, 0, "tap0", "silent", at(98), at(100));
	card(&w, 101, 1, 2, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_BAD);
	run_to(&w, 150);
	outage_gap_ends(w.outage, 0, at(150));
	run_to(&w, 154);
	heal(&w, 154, 1, 2);
	run_to(&w, 600);
	assert_int_equal(w.n_told, 0);
	/* What is down still, some seconds after it sees again, is an outage. */
	outage_gap_begins(w.outage, 0, "tap0", "silent", at(600), at(602));
	cut(&w, 610, 1, 2);
	outage_gap_ends(w.outage, 0, at(1000));
	run_to(&w, 1015);
	assert_int_equal(distinct(&w), 1);
	assert_string_equal(last(&w)->group, "N1/2");
	assert_int_equal(last(&w)->affected, CARD_LINES);
	end(&w);
}

static void the_other_tap_still_sees(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	for (int c = 0; c < CARDS; c++)
		for (int l = 0; l < CARD_LINES; l++)
			outage_heard_by(w.outage, line_of(3, c, l), 1);
	outage_gap_begins(w.outage, 0, "tap0", "drops", at(98), at(100));
	assert_int_equal(w.gap_lines, LINES - CARDS * CARD_LINES);
	cut(&w, 101, 0, 0); /* unseen */
	cut(&w, 120, 3, 1);
	run_to(&w, 130);
	assert_int_equal(distinct(&w), 1);
	assert_string_equal(last(&w)->group, "N3/1");
	end(&w);
}

static void planned_work_is_a_warning(void **state)
{
	static struct world w;
	const struct calendar_plan plans[] = {
		{"card", "N1/2", START_NS + 50 * SECOND_IN_NS, START_NS + 500 * SECOND_IN_NS},
		{"svlan", "102", START_NS + 50 * SECOND_IN_NS, START_NS + 500 * SECOND_IN_NS},
	};
	(void)state;
	begin_with(&w, plans, 2);
	cut(&w, 100, 1, 2);
	run_to(&w, 110);
	assert_true(last(&w)->planned);
	assert_int_equal(last(&w)->severity, SEVERITY_WARNING);
	/* Planned by the name of its equal. */
	for (int c = 0; c < CARDS; c++)
		cut(&w, 120, 2, c);
	run_to(&w, 130);
	assert_string_equal(last(&w)->group, "N2");
	assert_true(last(&w)->planned);
	assert_int_equal(last(&w)->severity, SEVERITY_WARNING);
	/* Not that card, and not at that time. */
	cut(&w, 140, 0, 0);
	run_to(&w, 150);
	assert_string_equal(last(&w)->group, "N0/0");
	assert_false(last(&w)->planned);
	assert_int_equal(last(&w)->severity, SEVERITY_MINOR);
	heal(&w, 150, 1, 2);
	run_to(&w, 900);
	cut(&w, 900, 1, 2);
	run_to(&w, 910);
	assert_string_equal(last(&w)->group, "N1/2");
	assert_false(last(&w)->planned);
	end(&w);
}

/* After a large repair set-ups fail for a while: no fault as long as sessions come up. */
static void storm_after_a_large_repair(void **state)
{
	enum { FIRST = LINES + 1, MANY = 2400 };
	static struct world w;
	uint32_t before;
	(void)state;
	begin(&w);
	for (uint32_t i = FIRST; i < FIRST + MANY; i++) {
		char name[16];
		const struct outage_place place = {.line = name, .node = "BIG", .svlan = 200};
		snprintf(name, sizeof name, "L%u", i);
		outage_line(w.outage, i, &place);
		say(&w, 1, i, CHANNEL_DROP, SYMPTOM_GOOD);
	}
	for (uint32_t i = FIRST; i < FIRST + MANY; i++)
		say(&w, 100, i, CHANNEL_DROP, SYMPTOM_BAD);
	run_to(&w, 200);
	assert_string_equal(last(&w)->group, "BIG");
	for (uint32_t i = FIRST; i < FIRST + MANY; i++)
		say(&w, 300, i, CHANNEL_DROP, SYMPTOM_GOOD);
	run_to(&w, 380);
	assert_int_equal(last(&w)->state, INCIDENT_CLEARED);
	before = w.n_told;
	say(&w, 380, line_of(0, 0, 0), CHANNEL_DROP, SYMPTOM_GOOD);
	for (double s = 400; s < 500; s += 20) { /* one comes up, many do not yet */
		card(&w, s, 1, 2, 0, CARD_LINES, CHANNEL_SETUP, SYMPTOM_BAD);
		say(&w, s + 5, line_of(0, 0, 0), CHANNEL_DROP, SYMPTOM_GOOD);
	}
	assert_int_equal(w.n_told, before);
	for (double s = 500; s < 620; s += 20) /* nobody comes up any more */
		card(&w, s, 1, 3, 0, CARD_LINES, CHANNEL_SETUP, SYMPTOM_BAD);
	assert_int_equal(distinct(&w), 2);
	assert_int_equal(last(&w)->class, CLASS_AAA);
	end(&w);
}

static void unknown_counts_neither_way(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	card(&w, 50, 1, 2, 0, 12, CHANNEL_DROP, SYMPTOM_UNKNOWN);
	card(&w, 51, 0, 0, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_UNKNOWN);
	run_to(&w, 100);
	assert_int_equal(w.n_told, 0);
	assert_int_equal(group_named(&w, "N1/2")->eligible, 12);
	assert_int_equal(group_named(&w, "N1/2")->members, CARD_LINES);
	card(&w, 100, 1, 2, 0, CARD_LINES, CHANNEL_DROP, SYMPTOM_BAD);
	run_to(&w, 110);
	assert_string_equal(last(&w)->group, "N1/2");
	assert_int_equal(last(&w)->affected, 12);
	end(&w);
}

static void too_few_are_no_incident(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	card(&w, 100, 1, 2, 0, 4, CHANNEL_DROP, SYMPTOM_BAD);
	run_to(&w, 500);
	assert_int_equal(w.n_told, 0);
	end(&w);
}

/* Lines that go one by one all the time are a bad day. */
static void what_trickles_is_no_fault(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	for (int l = 0; l < CARD_LINES / 2; l++)
		say(&w, 100 + 30 * l, line_of(1, 2, l), CHANNEL_DROP, SYMPTOM_BAD);
	run_to(&w, 700);
	assert_int_equal(w.n_told, 0);
	end(&w);
}

/* --- bad input --- */

static void unknown_lines_are_counted(void **state)
{
	static struct world w;
	struct outage_place place = {.line = "far"};
	(void)state;
	begin(&w);
	say(&w, 10, 9999, CHANNEL_DROP, SYMPTOM_BAD);
	say(&w, 10, UINT32_MAX, CHANNEL_DROP, SYMPTOM_BAD);
	say(&w, 10, 1, CHANNEL_COUNT, SYMPTOM_BAD);
	say(&w, 10, 1, CHANNEL_NONE, SYMPTOM_BAD);
	assert_int_equal(outage_counters(w.outage).unknown_lines, 4);
	outage_line(w.outage, 100001, &place);
	assert_int_equal(outage_counters(w.outage).lines_full, 1);
	end(&w);
}

static void clock_is_set_back(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100000, 1, 2);
	run_to(&w, 100010);
	assert_int_equal(distinct(&w), 1);
	cut(&w, 1000, 2, 1); /* a day earlier */
	run_to(&w, 1010);
	assert_int_equal(distinct(&w), 2);
	assert_string_equal(last(&w)->group, "N2/1");
	heal(&w, 1100, 2, 1);
	heal(&w, 1100, 1, 2);
	run_to(&w, 1200);
	assert_int_equal(last(&w)->state, INCIDENT_CLEARED);
	assert_int_equal(w.outage->incidents.open, 0);
	end(&w);
}

static void clock_leaps(void **state)
{
	static struct world w;
	(void)state;
	begin(&w);
	cut(&w, 100, 1, 2);
	run_to(&w, 110);
	run_to(&w, 400.0 * 86400);
	cut(&w, 400.0 * 86400, 2, 2);
	run_to(&w, 400.0 * 86400 + 10);
	assert_string_equal(last(&w)->group, "N2/2");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fault_is_one_incident),
		cmocka_unit_test(suspicion_ripens),
		cmocka_unit_test(what_fails_later_is_absorbed),
		cmocka_unit_test(scope_changes_and_the_id_stays),
		cmocka_unit_test(the_whole_supersedes_its_parts),
		cmocka_unit_test(siblings_are_two_incidents),
		cmocka_unit_test(reopens_within_three_minutes),
		cmocka_unit_test(settled_lines_are_out_of_the_count),
		cmocka_unit_test(a_gap_retracts),
		cmocka_unit_test(a_blind_tap_is_no_outage),
		cmocka_unit_test(what_a_blind_tap_told_is_nothing),
		cmocka_unit_test(the_other_tap_still_sees),
		cmocka_unit_test(planned_work_is_a_warning),
		cmocka_unit_test(storm_after_a_large_repair),
		cmocka_unit_test(unknown_counts_neither_way),
		cmocka_unit_test(too_few_are_no_incident),
		cmocka_unit_test(what_trickles_is_no_fault),
		cmocka_unit_test(unknown_lines_are_counted),
		cmocka_unit_test(clock_is_set_back),
		cmocka_unit_test(clock_leaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
