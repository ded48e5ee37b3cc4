/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one localisation costs in a large network, and what outage detection holds of a line:
 *
 *   outage_bench [LINES [LAPS]]
 *
 * The network: cards of 40 lines, nodes of 8 cards, exchanges of 12 nodes; a VLAN for each node, ports
 * of a BRAS for 24 nodes, a BRAS for 8 ports, 8 pools of each; cabinets of 240 lines, feeders of two;
 * three vendors of modems; three lines of a hundred are somewhere else by the books. Numbers of lines,
 * their rates and the order in which they fail have nothing to do with their places. Each lap fails
 * elements of a kind, among drops of single lines all over the network, and asks where the fault is,
 * then how sure that is. One line a figure: name, value, unit; times are CPU time, the longest of all
 * laps but the first, in which memory is taken.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/analysis/outage/state.h"
#include "engine/analysis/outage/watch.h"
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
	NOISE = 5000,  /* one drop for so many lines */
	WRONG = 33,    /* one line of so many is somewhere else */
	SPREAD = 7919, /* a prime: steps of it go through all, far apart */
};
#define NOW_NS	    (1700000000 * SECOND_IN_NS)
#define REFRESHED_S 21600 /* rates are as of some moment within so long */

static const struct {
	const char *name;
	uint32_t lines, elements; /* lines 0: all of the network */
} faults[] = {{"card", CARD, 1},	 {"cards", CARD, 8}, {"node", NODE, 1},
	      {"exchange", EXCHANGE, 1}, {"bras", BRAS, 1},  {"three_bras", BRAS, 3},
	      {"network", 0, 1}};
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

/* The number of the line at a place, and what place the books have for it. */
static uint32_t number_of(uint32_t place, uint32_t lines)
{
	return (uint32_t)((uint64_t)place * SPREAD % lines) + 1;
}

static uint32_t booked(uint32_t place, uint32_t lines)
{
	return place % WRONG ? place : (uint32_t)(map_hash(place + 1) % lines);
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
	for (uint32_t place = 0; place < lines; place++) {
		uint32_t i = booked(place, lines);
		n += (size_t)snprintf(text + n, ROW_BYTES,
				      "L%u,E%u,N%u,N%u/%u,%u,B%u,B%u:%u,P%u-%u,K%u,F%u,V%u\n",
				      number_of(place, lines), i / EXCHANGE, i / NODE, i / NODE,
				      i % NODE / CARD, i / NODE, i / BRAS, i / BRAS,
				      i % BRAS / BRAS_PORT, i / BRAS,
				      (i * 2654435761u >> 16) % POOLS, i / CABINET, i / FEEDER,
				      (i * 40503u >> 8) % VENDORS);
	}
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
		watch_refresh(o, &o->lines[i], (uint32_t)(map_hash(i) % 1000 / 990 * 40),
			      NOW_NS + map_hash(i) % REFRESHED_S * SECOND_IN_NS);
	}
}

/* The lines of some elements, and single ones all over the network. */
static uint32_t fail(struct mark *marks, uint32_t lines, int fault, uint32_t lap)
{
	uint32_t size = faults[fault].lines ? faults[fault].lines : lines, n = 0;
	uint32_t all = lines / size;
	for (uint32_t e = 0; e < faults[fault].elements; e++)
		for (uint32_t i = 0; i < size; i++) {
			uint32_t element =
				(lap * SPREAD + e * (all / faults[fault].elements)) % all;
			uint32_t place = element * size + (uint32_t)((uint64_t)i * SPREAD % size);
			marks[n++] = (struct mark){number_of(place, lines), QUARTERS, NOW_NS};
		}
	for (uint32_t i = lap * SPREAD % NOISE; i < lines && n < lines; i += NOISE)
		marks[n++] = (struct mark){number_of(i, lines), QUARTERS, NOW_NS};
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
	struct mark *marks = malloc((2 * (size_t)lines) * sizeof *marks);
	struct outage *o;
	double before;
	if (lines < 3 * BRAS || laps < 1 || !marks) {
		fprintf(stderr, "outage_bench: at least %d lines and one lap\n", 3 * BRAS);
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
		if (argc > 3 && strcmp(argv[3], faults[f].name) != 0)
			continue;
		struct longest longest;
		for (int lap = 0; lap <= laps; lap++) {
			longest = lap > 1 ? longest : (struct longest){0};
			measure(o, marks, fail(marks, lines, f, (uint32_t)lap), &longest);
		}
		printf("localise_%s %.3f ms\n", faults[f].name, longest.localise_ms);
		printf("judge_%s %.3f ms\n", faults[f].name, longest.judge_ms);
	}
	return 0;
}
