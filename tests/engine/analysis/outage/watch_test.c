/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of groups under random streams of everything that can happen to lines: after every
 * event all counters of all groups are what a count of the lines from scratch gives, a parent's are
 * the sum of its children's and of its own lines, and incidents and troubles point at each other.
 */
#include "engine/analysis/outage/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/analysis/outage/incident.h"
#include "engine/analysis/outage/outage.h"
#include "engine/analysis/outage/trouble.h"

enum { LINES = 96, GROUPS_MAX = 512, TAPS = 3 };
#define START_NS (1700000000 * SECOND_IN_NS)

static uint32_t random_state;

static uint32_t below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

/* What was told. */
struct story {
	uint32_t told, states[INCIDENT_RETRACTED + 1], gaps;
};

static void take(void *context, const struct report *report)
{
	struct story *s = context;
	s->gaps += report->kind == REPORT_GAP;
	if (report->kind != REPORT_INCIDENT)
		return;
	s->told++;
	s->states[report->incident->state]++;
}

static const char *line_name(void *context, uint32_t line)
{
	static char names[LINES + 1][8];
	(void)context;
	snprintf(names[line], sizeof names[line], "L%u", line);
	return names[line];
}

/* --- the count from scratch --- */

static uint64_t hashes[LINES + 1]; /* a line's part in the sum that stands for a set */

/* Learned from networks of one line each. */
static void learn_hashes(void)
{
	for (uint32_t line = 1; line <= LINES; line++) {
		const struct outage_options options = {.max_lines = LINES};
		const struct outage_place place = {.line = "L"};
		struct outage *o = outage_new(&options, (struct report_sink){take, NULL});
		outage_line(o, line, &place);
		hashes[line] = o->groups.at[GROUP_ROOT].set;
		outage_free(o);
	}
}

/* What the trouble should add, by what is known of it and of its line; relief: as one that proved
 * wrong. */
static uint32_t quarters_of(const struct outage *o, const struct watched *w,
			    const struct trouble *t, bool relief)
{
	const struct trouble *drop = trouble_of(o, w, CHANNEL_DROP);
	const struct trouble *internet = trouble_of(o, w, CHANNEL_INTERNET);
	bool explained = (t->channel != CHANNEL_DROP && drop && drop->incident) ||
			 (t->channel == CHANNEL_DNS && internet && internet->incident);
	bool wrong = t->good_ns && !t->confirmed;
	if (t->incident || t->aged || w->blind || explained || wrong != relief)
		return 0;
	return t->ripe || relief ? t->weight : 0;
}

static void count_trouble(const struct outage *o, const struct watched *w, struct group *g, int c)
{
	const struct trouble *t = trouble_of(o, w, (enum symptom_channel)c);
	uint32_t quarters = t ? quarters_of(o, w, t, false) : 0;
	g->quarters[c] += quarters;
	g->fresh[c] += t && t->young ? quarters : 0;
	g->relief[c] += t ? quarters_of(o, w, t, true) : 0;
}

static void count_line(const struct outage *o, uint32_t line, struct group *g)
{
	const struct watched *w = &o->lines[line];
	g->members++;
	g->set += hashes[line];
	g->eligible += w->up && !w->blind;
	g->rate += w->up && !w->blind ? w->rate.units : 0;
	g->tried += w->tried;
	for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++)
		count_trouble(o, w, g, c);
}

static void add(struct group *to, const struct group *g)
{
	to->members += g->members;
	to->set += g->set;
	to->eligible += g->eligible;
	to->rate += g->rate;
	to->tried += g->tried;
	for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++) {
		to->quarters[c] += g->quarters[c];
		to->fresh[c] += g->fresh[c];
		to->relief[c] += g->relief[c];
	}
}

static void expect_same(const struct group *g, const struct group *counted)
{
	assert_int_equal(g->members, counted->members);
	assert_true(g->set == counted->set);
	assert_int_equal(g->eligible, counted->eligible);
	assert_true(g->rate == counted->rate);
	assert_int_equal(g->tried, counted->tried);
	for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++) {
		assert_int_equal(g->quarters[c], counted->quarters[c]);
		assert_int_equal(g->fresh[c], counted->fresh[c]);
		assert_int_equal(g->relief[c], counted->relief[c]);
	}
}

static void check_groups(const struct outage *o)
{
	static struct group counted[GROUPS_MAX], own[GROUPS_MAX];
	assert_true(o->groups.n <= GROUPS_MAX);
	memset(counted, 0, sizeof counted);
	memset(own, 0, sizeof own);
	for (uint32_t line = 1; line <= LINES && line < o->room; line++) {
		const struct watched *w = &o->lines[line];
		if (!w->known)
			continue;
		for (uint32_t g = w->leaf; g; g = o->groups.at[g].parent)
			count_line(o, line, &counted[g]);
		for (uint32_t r = 0; r < w->n_risks; r++)
			count_line(o, line, &counted[w->risks[r]]);
		count_line(o, line, &own[w->leaf]);
	}
	for (uint32_t g = 1; g < o->groups.n; g++) {
		expect_same(&o->groups.at[g], &counted[g]);
		if (!kind_in_tree(o->groups.at[g].kind))
			continue;
		for (uint32_t c = o->groups.at[g].first_child; c; c = o->groups.at[c].next)
			add(&own[g], &o->groups.at[c]);
		expect_same(&o->groups.at[g], &own[g]);
	}
}

static void check_incident(const struct outage *o, uint32_t number)
{
	const struct incident *i = incident_at(o, number);
	uint32_t down = 0, confirmed = 0;
	for (uint32_t m = 0; m < i->n_members; m++) {
		const struct member *member = &i->members[m];
		const struct trouble *t;
		down += !member->recovered_ns;
		confirmed += member->confirmed;
		if (!member->trouble)
			continue;
		t = pool_at(&o->troubles, member->trouble);
		assert_int_equal(t->incident, number);
		assert_int_equal(t->member, m);
		assert_int_equal(t->line, member->line);
		assert_int_equal(!t->good_ns, !member->recovered_ns);
		assert_int_equal(o->lines[t->line].trouble[i->channel], member->trouble);
	}
	assert_int_equal(i->down, down);
	assert_int_equal(i->confirmed, confirmed);
	assert_true(i->peak >= i->down);
	assert_int_equal(o->groups.at[i->group].incident[i->channel], number);
}

static void check_incidents(const struct outage *o)
{
	uint32_t open = 0;
	for (uint32_t n = 1; n < o->incidents.n; n++) {
		open += incident_at(o, n)->live;
		if (incident_at(o, n)->live)
			check_incident(o, n);
	}
	assert_int_equal(o->incidents.open, open);
	for (uint32_t line = 1; line <= LINES && line < o->room; line++)
		for (int c = CHANNEL_DROP; c < CHANNEL_COUNT; c++) {
			uint32_t incident =
				trouble_incident(o, &o->lines[line], (enum symptom_channel)c);
			if (incident)
				assert_true(incident_at(o, incident)->live);
		}
}

/* --- events --- */

static uint64_t now_ns;

/* A line's usual place: 2 nodes of 4 cards of 12 lines, some on ports that they share. */
static void place_line(struct outage *o, uint32_t line, bool elsewhere)
{
	uint32_t slot = elsewhere ? below(LINES) : line - 1;
	char node[8], card[8], port[8], pool[8];
	const struct outage_place place = {
		.line = line_name(NULL, line),
		.node = elsewhere && below(4) == 0 ? "" : node,
		.card = card,
		.port = port,
		.pool = pool,
		.bras = slot % 2 ? "02:00:00:00:00:01" : "02:00:00:00:00:02",
		.resolver = "192.0.2.53",
		.cpe_vendor = slot % 3 ? "02:5a:00" : "02:5b:00",
		.svlan = (uint16_t)(100 + slot / 24),
	};
	snprintf(node, sizeof node, "N%u", slot / 48);
	snprintf(card, sizeof card, "%u", slot / 12 % 4);
	snprintf(port, sizeof port, "%u", slot % 12 / 3);
	snprintf(pool, sizeof pool, "P%u", slot % 5);
	outage_line(o, line, &place);
}

static void say(struct outage *o, uint32_t line, enum symptom_channel channel,
		enum symptom_state state)
{
	const struct symptom symptom = {
		.line = line,
		.channel = channel,
		.state = state,
		.at_ns = now_ns,
		.since_ns = below(2) ? now_ns - below(20) * SECOND_IN_NS : 0,
		.cause = state == SYMPTOM_BAD ? (enum drop_cause)below(CAUSE_COUNT) : CAUSE_NONE,
		.stage = (enum setup_stage)(channel == CHANNEL_SETUP ? 1 + below(STAGE_NCP) : 0),
		.redialled = below(10) == 0,
	};
	outage_take(o, &symptom);
}

/* A run of lines at once: what incidents are made of. */
static void say_many(struct outage *o)
{
	static const uint32_t sizes[] = {12, 24, 48, LINES};
	uint32_t size = sizes[below(4)], from = below(LINES / size) * size;
	enum symptom_channel channel =
		(enum symptom_channel)(CHANNEL_DROP + below(CHANNEL_COUNT - 1));
	enum symptom_state state = (enum symptom_state)below(below(8) ? 3 : 4);
	for (uint32_t i = 1; i <= size; i++)
		if (below(10))
			say(o, from + i, channel, state);
}

static void random_event(struct outage *o)
{
	uint32_t what = below(100), line = 1 + below(LINES);
	if (what < 50)
		say(o, line, (enum symptom_channel)(CHANNEL_DROP + below(CHANNEL_COUNT - 1)),
		    (enum symptom_state)below(below(8) ? 3 : 4));
	else if (what < 58)
		say_many(o);
	else if (what < 80)
		outage_advance(o, now_ns += below(10000) * (SECOND_IN_NS / 1000));
	else if (what < 83)
		outage_advance(o, now_ns += below(200) * SECOND_IN_NS);
	else if (what < 87)
		place_line(o, line, true);
	else if (what < 91)
		place_line(o, line, false);
	else if (what < 94)
		outage_line_gone(o, line);
	else if (what < 97)
		outage_heard_by(o, line, below(TAPS));
	else if (what < 98)
		outage_gap_begins(o, below(TAPS), "tap", "silent",
				  now_ns - below(30) * SECOND_IN_NS, now_ns);
	else
		outage_gap_ends(o, below(TAPS), now_ns);
}

static void play(uint32_t seed, uint32_t events, struct story *story)
{
	const struct outage_options options = {.max_lines = LINES, .line_name = line_name};
	struct outage *o = outage_new(&options, (struct report_sink){take, story});
	random_state = seed;
	now_ns = START_NS;
	outage_advance(o, now_ns);
	for (uint32_t line = 1; line <= LINES; line++) {
		place_line(o, line, false);
		say(o, line, CHANNEL_DROP, SYMPTOM_GOOD);
	}
	for (uint32_t e = 0; e < events; e++) {
		random_event(o);
		check_groups(o);
		check_incidents(o);
	}
	assert_int_equal(outage_counters(o).no_memory, 0);
	outage_free(o);
}

static void counters_reconcile_after_every_event(void **state)
{
	struct story story = {0};
	(void)state;
	learn_hashes();
	for (uint32_t seed = 1; seed <= 6; seed++)
		play(seed * 2654435761u, 3000, &story);
	/* Much has happened. */
	for (int s = INCIDENT_OPEN; s <= INCIDENT_RETRACTED; s++)
		assert_true(story.states[s] > 0);
	assert_true(story.gaps > 20);
}

/* A port becomes a group when its second line comes; a line that has moved away stays away. */
static void a_line_that_left_its_port_stays_away(void **state)
{
	const struct outage_options options = {.max_lines = LINES, .line_name = line_name};
	struct outage *o = outage_new(&options, (struct report_sink){take, NULL});
	const struct outage_place first = {.line = "L1", .node = "N", .card = "1", .port = "7"};
	const struct outage_place moved = {.line = "L1", .node = "N", .card = "2", .port = "1"};
	const struct outage_place second = {.line = "L2", .node = "N", .card = "1", .port = "7"};
	struct report_group groups[WATCH_GROUPS_MAX];
	(void)state;
	learn_hashes();
	outage_line(o, 1, &first);
	outage_line(o, 1, &moved);
	outage_line(o, 2, &second);
	assert_true(outage_groups_of(o, 1, groups, WATCH_GROUPS_MAX) > 0);
	assert_string_equal(groups[0].type, "card");
	assert_string_equal(groups[0].name, "N/2");
	assert_true(outage_groups_of(o, 2, groups, WATCH_GROUPS_MAX) > 0);
	assert_string_equal(groups[0].type, "port");
	check_groups(o);
	outage_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters_reconcile_after_every_event),
		cmocka_unit_test(a_line_that_left_its_port_stays_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
