/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one localisation costs in a large network, and what outage detection holds of a line:
 *
 *   outage_bench [LINES [LAPS]]
 *
 * The network: cards of 40 lines, nodes of 8 cards, exchanges of 12 nodes; a VLAN for each node, ports
 * of a BRAS for 24 nodes, a BRAS for 8 ports, 8 pools of each; cabinets of 240 lines, feeders of two;
 * three vendors of modems. Each lap fails one element of a kind, among drops of single lines all over
 * the network, and asks where the fault is, then how sure that is. One line a figure: name, value,
 * unit; times are CPU time, the longest of all laps.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/analysis/outage/state.h"
#include "engine/base/inventory.h"

enum {
	CARD = 40,
	NODE = 8 * CARD,
	EXCHANGE = 12 * NODE,
	BRAS_PORT = 24 * NODE,
	BRAS = 8 * BRAS_PORT,
	CABINET = 240,
	FEEDER = 2 * CABINET,
	POOLS = 8,
	VENDORS = 3,
	ROW_BYTES = 160,
	NOISE = 5000, /* one drop for so many lines */
};
#define NOW_NS (1700000000 * SECOND_IN_NS)

static const struct {
	const char *name;
	uint32_t lines;
} faults[] = {{"card", CARD}, {"node", NODE}, {"exchange", EXCHANGE}, {"bras", BRAS}};
enum { N_FAULTS = sizeof faults / sizeof *faults };

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double resident_bytes(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f && fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void ignore(void *context, const struct report *report)
{
	(void)context;
	(void)report;
}

static struct inventory *books(uint32_t lines)
{
	char *text = malloc((size_t)(lines + 1) * ROW_BYTES);
	struct inventory *inventory = NULL;
	size_t n;
	if (!text)
		return NULL;
	n = (size_t)sprintf(text, "line,exchange,node,card,svlan,bras,bras_port,pool,cabinet,"
				  "feeder,cpe_vendor\n");
	for (uint32_t i = 0; i < lines; i++)
		n += (size_t)snprintf(text + n, ROW_BYTES,
				      "L%u,E%u,N%u,N%u/%u,%u,B%u,B%u:%u,P%u-%u,K%u,F%u,V%u\n",
				      i + 1, i / EXCHANGE, i / NODE, i / NODE, i % NODE / CARD,
				      i / NODE, i / BRAS, i / BRAS, i % BRAS / BRAS_PORT, i / BRAS,
				      (i * 2654435761u >> 16) % POOLS, i / CABINET, i / FEEDER,
				      (i * 40503u >> 8) % VENDORS);
	inventory = inventory_parse(text, n, "books", stderr);
	free(text);
	return inventory;
}

static void fill(struct outage *o, uint32_t lines)
{
	outage_advance(o, NOW_NS);
	for (uint32_t i = 1; i <= lines; i++) {
		char name[16];
		const struct outage_place place = {.line = name};
		const struct symptom up = {.line = i, .channel = CHANNEL_DROP, .at_ns = NOW_NS};
		snprintf(name, sizeof name, "L%u", i);
		outage_line(o, i, &place);
		outage_take(o, &up);
	}
}

/* The lines of one element, and single ones all over the network. */
static uint32_t fail(struct mark *marks, uint32_t lines, uint32_t size, uint32_t element)
{
	uint32_t n = 0, from = element % (lines / size) * size;
	for (uint32_t i = from; i < from + size; i++)
		marks[n++] = (struct mark){i + 1, QUARTERS, NOW_NS};
	for (uint32_t i = element * 131 % NOISE; i < lines; i += NOISE)
		if (i < from || i >= from + size)
			marks[n++] = (struct mark){i + 1, QUARTERS, NOW_NS};
	return n;
}

struct longest {
	double localise_ms, judge_ms;
};

static void measure(struct outage *o, const struct mark *marks, uint32_t n, struct longest *longest)
{
	struct finding findings[FINDINGS_MAX];
	double start = cpu_ms(), ms;
	if (!localise(o, CHANNEL_DROP, marks, n, findings)) {
		fprintf(stderr, "outage_bench: nothing found in %" PRIu32 " marks\n", n);
		exit(1);
	}
	ms = cpu_ms() - start;
	longest->localise_ms = ms > longest->localise_ms ? ms : longest->localise_ms;
	start = cpu_ms();
	localise_judge(o, &findings[0]);
	ms = cpu_ms() - start;
	longest->judge_ms = ms > longest->judge_ms ? ms : longest->judge_ms;
}

int main(int argc, char **argv)
{
	uint32_t lines = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
	int laps = argc > 2 ? atoi(argv[2]) : 20;
	struct outage_options options = {.max_lines = lines};
	struct mark *marks = malloc((BRAS + lines / NOISE + 2u) * sizeof *marks);
	struct outage *o;
	double before;
	if (lines < BRAS || laps < 1 || !marks) {
		fprintf(stderr, "outage_bench: at least %d lines and one lap\n", BRAS);
		return 2;
	}
	options.inventory = books(lines);
	before = resident_bytes();
	o = outage_new(&options, (struct report_sink){ignore, NULL});
	if (!options.inventory || !o)
		return 1;
	fill(o, lines);
	printf("outage_line %.0f bytes\n", (resident_bytes() - before) / lines);
	for (int f = 0; f < N_FAULTS; f++) {
		struct longest longest = {0};
		for (int lap = 0; lap < laps; lap++)
			measure(o, marks,
				fail(marks, lines, faults[f].lines, (uint32_t)lap * 7919u),
				&longest);
		printf("localise_%s %.3f ms\n", faults[f].name, longest.localise_ms);
		printf("judge_%s %.3f ms\n", faults[f].name, longest.judge_ms);
	}
	return 0;
}
