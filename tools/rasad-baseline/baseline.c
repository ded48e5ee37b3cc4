/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-baseline/baseline.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS 1000000000ull

/* What a rule would write on the ticket: by the kind of element alone. */
static const struct {
	const char *type, *class, *category;
} tickets[] = {
	{"port", "PORT_FAULT", "ACCESS_INFRA"},
	{"card", "CARD_FAILURE", "ACCESS_INFRA"},
	{"cabinet", "CABLE_CUT", "ACCESS_INFRA"},
	{"access_node", "NODE_OR_UPLINK", "EXCHANGE_TRANSPORT"},
	{"exchange", "TRANSMISSION", "EXCHANGE_TRANSPORT"},
	{"svlan", "TRANSMISSION", "EXCHANGE_TRANSPORT"},
	{"mdf", "MDF", "EXCHANGE_TRANSPORT"},
	{"feeder", "AREA_POWER", "PREMISES"},
	{"cpe_vendor", "CPE_FIRMWARE", "PREMISES"},
	{"bras", "BRAS", "ISP_CORE_UPSTREAM"},
	{"bras_port", "BRAS_PORT", "ISP_CORE_UPSTREAM"},
	{"pool", "POOL", "ISP_CORE_UPSTREAM"},
	{"", "SHARED_RISK", "ISP_CORE_UPSTREAM"},
};

/* Most groups are the ports of single lines, which nobody need look at on a tick. */
static void choose_groups(struct baseline *b)
{
	for (uint32_t g = 0; g < b->groups.n; g++) {
		if (!strcmp(b->groups.at[g].type, "access_node"))
			b->nodes[b->n_nodes++] = g;
		if (b->groups.at[g].members >= K_MIN)
			b->large[b->n_large++] = g;
	}
}

int baseline_init(struct baseline *b, const struct inventory *inventory)
{
	int error = groups_load(&b->groups, inventory);
	size_t n = b->groups.n + 1u, lines = b->groups.n_lines + 1u;

	if (error)
		return error;
	b->nodes = calloc(n, sizeof(uint32_t));
	b->large = calloc(n, sizeof(uint32_t));
	b->bad_since_ns = calloc(lines, sizeof(uint64_t));
	b->explained = calloc(lines, sizeof(bool));
	b->bad = calloc(n, sizeof(uint32_t));
	b->recent = calloc(n, sizeof(uint32_t));
	b->fresh_free = calloc(n, sizeof(uint32_t));
	b->bin = calloc(n, sizeof(uint32_t));
	b->mean = calloc(n, sizeof(double));
	b->var = calloc(n, sizeof(double));
	for (int m = 0; m < METHODS; m++) {
		b->open[m] = calloc(n, sizeof(struct incident));
		if (!b->open[m])
			return -ENOMEM;
	}
	if (!b->nodes || !b->large || !b->bad_since_ns || !b->explained || !b->bad || !b->recent ||
	    !b->fresh_free || !b->bin || !b->mean || !b->var)
		return -ENOMEM;
	choose_groups(b);
	return 0;
}

void baseline_fini(struct baseline *b)
{
	groups_fini(&b->groups);
	free(b->nodes);
	free(b->large);
	free(b->bad_since_ns);
	free(b->explained);
	free(b->bad);
	free(b->recent);
	free(b->fresh_free);
	free(b->bin);
	free(b->mean);
	free(b->var);
	free(b->fresh);
	for (int m = 0; m < METHODS; m++)
		free(b->open[m]);
	*b = (struct baseline){0};
}

/* --- lines --- */

static void count(const struct baseline *b, uint32_t line, uint32_t *counts, int by)
{
	const uint32_t *groups = &b->groups.of_line[(size_t)line * b->groups.columns];

	for (uint32_t c = 0; c < b->groups.columns; c++)
		if (groups[c] != NONE)
			counts[groups[c]] += (uint32_t)by;
}

static bool is_fresh(const struct baseline *b, uint32_t line)
{
	return b->bad_since_ns[line] && b->now_ns < b->bad_since_ns[line] + WINDOW_NS;
}

static void fresh_push(struct baseline *b, uint32_t line)
{
	if (b->fresh_n == b->fresh_room) {
		size_t room = b->fresh_room ? 2 * b->fresh_room : 4096;
		struct fresh *grown = malloc(room * sizeof(*grown));

		if (!grown) {
			fputs("rasad-baseline: out of memory\n", stderr);
			exit(1);
		}
		for (size_t i = 0; i < b->fresh_n; i++)
			grown[i] = b->fresh[(b->fresh_head + i) % b->fresh_room];
		free(b->fresh);
		b->fresh = grown;
		b->fresh_room = room;
		b->fresh_head = 0;
	}
	b->fresh[(b->fresh_head + b->fresh_n++) % b->fresh_room] = (struct fresh){b->now_ns, line};
}

uint32_t fresh_at(const struct baseline *b, size_t i)
{
	const struct fresh *f = &b->fresh[(b->fresh_head + i) % b->fresh_room];

	return b->bad_since_ns[f->line] == f->at_ns ? f->line : NONE;
}

/* What goes bad within the window of an open incident is its own. */
static bool explains(const struct baseline *b, uint32_t group)
{
	const struct incident *incident = &b->open[B4][group];

	return incident->number && b->now_ns < incident->open_ns + WINDOW_NS;
}

static bool is_explained(const struct baseline *b, uint32_t line)
{
	const uint32_t *groups = &b->groups.of_line[(size_t)line * b->groups.columns];

	for (uint32_t c = 0; c < b->groups.columns; c++)
		if (groups[c] != NONE && explains(b, groups[c]))
			return true;
	return false;
}

void baseline_bad(struct baseline *b, uint32_t line, bool drop)
{
	if (drop)
		count(b, line, b->bin, 1);
	if (b->bad_since_ns[line])
		return;
	b->bad_since_ns[line] = b->now_ns;
	b->explained[line] = is_explained(b, line);
	count(b, line, b->bad, 1);
	count(b, line, b->recent, 1);
	if (!b->explained[line])
		count(b, line, b->fresh_free, 1);
	b->bad_events++;
	fresh_push(b, line);
}

static void unfresh(struct baseline *b, uint32_t line)
{
	count(b, line, b->recent, -1);
	if (!b->explained[line])
		count(b, line, b->fresh_free, -1);
}

static void expire(struct baseline *b)
{
	while (b->fresh_n && b->fresh[b->fresh_head].at_ns + WINDOW_NS <= b->now_ns) {
		uint32_t line = fresh_at(b, 0);

		if (line != NONE)
			unfresh(b, line);
		b->fresh_head = (b->fresh_head + 1) % b->fresh_room;
		b->fresh_n--;
	}
}

void baseline_good(struct baseline *b, uint32_t line)
{
	if (!b->bad_since_ns[line])
		return;
	if (is_fresh(b, line))
		unfresh(b, line);
	count(b, line, b->bad, -1);
	b->bad_since_ns[line] = 0;
}

/* Events a little out of order are taken as if they came now. */
void baseline_advance(struct baseline *b, uint64_t now_ns)
{
	if (!b->tick_ns)
		b->now_ns = b->tick_ns = b->bin_ns = now_ns;
	for (; b->tick_ns + TICK_NS <= now_ns; expire(b)) {
		b->tick_ns += TICK_NS;
		b->now_ns = b->tick_ns;
		b->line_seconds += b->groups.n_lines * (double)TICK_NS / SECOND_NS;
		expire(b);
		threshold_tick(b);
		zscore_tick(b);
		cover_tick(b);
	}
	if (now_ns > b->now_ns)
		b->now_ns = now_ns;
	expire(b);
}

/* --- incidents --- */

static void print(const struct baseline *b, enum method method, uint32_t group, const char *state)
{
	const struct group *g = &b->groups.at[group];
	const struct incident *incident = &b->open[method][group];
	size_t t = 0;

	while (*tickets[t].type && strcmp(tickets[t].type, g->type))
		t++;
	printf("{\"type\":\"incident\",\"method\":\"B%d\",\"incident_id\":\"B%d-%u\",\"state\":\"%s\","
	       "\"class\":\"%s\",\"category\":\"%s\",\"group_type\":\"%s\",\"group\":\"%s\","
	       "\"open_unix_ns\":%llu,\"changed_unix_ns\":%llu,\"affected\":%u,\"affected_peak\":%u,"
	       "\"members\":%u}\n",
	       method + 1, method + 1, incident->number, state, tickets[t].class,
	       tickets[t].category, g->type, g->name, (unsigned long long)incident->open_ns,
	       (unsigned long long)b->now_ns, b->bad[group] - incident->before,
	       incident->peak - incident->before, g->members);
}

void incident_open(struct baseline *b, enum method method, uint32_t group, uint32_t affected)
{
	struct incident *incident = &b->open[method][group];

	if (b->bad[group] > incident->peak)
		incident->peak = b->bad[group];
	if (incident->number)
		return;
	*incident =
		(struct incident){b->now_ns, ++b->opened, b->bad[group] - affected, b->bad[group]};
	print(b, method, group, "OPEN");
}

void incident_clear(struct baseline *b, enum method method, uint32_t group)
{
	if (!b->open[method][group].number)
		return;
	print(b, method, group, "CLEARED");
	b->open[method][group] = (struct incident){0};
}
