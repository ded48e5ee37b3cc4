/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad-bench: what a packet costs, in one process, against yardsticks that are compiled in.
 *
 *   rasad-bench --course 1000/4000 --course 1000000/4000000 --variants oracle,bulk,ours
 *
 * Courses and variants take turns lap by lap (course.h). Prints a table of medians with the ratio
 * to the first variant of each course, or with --json one object for each course and variant with
 * all its laps. Exit 1 when a variant lost packets: a fast wrong answer does not count.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/closing.h"
#include "tests/bench/course.h"
#include "tests/bench/duo.h"
#include "tests/bench/save.h"
#include "tools/lib/options.h"

enum { MAX_COURSES = 8, MAX_PACKETS = 1 << 24, MAX_SETTLE_S = 100 };

const struct variant *const variant_table[] = {
	&touch_variant, &oracle_variant,   &rolling_variant, &plain_variant, &decode_variant,
	&ours_variant,	&textbook_variant, &bulk_variant,    NULL,
};

struct bench {
	struct course *courses; /* owned */
	uint32_t n_courses;
	const struct variant *variants[COURSE_MAX_VARIANTS];
	uint32_t n_variants;
	uint32_t laps, packets, cpu, skip, settle, files;
	const char *save;
	bool json, pinned, duo, closing, help;
};

static const struct option_row rows[] = {
	{{"course", 1, NULL, 'c'},
	 "L/F[/P]",
	 "L lines, F flows, picked uniform, zipf, flood or fill;\nrepeat it to run several in turn"},
	{{"variants", 1, NULL, 'v'},
	 "A,B",
	 "of touch, oracle, rolling, plain, decode, ours, textbook, bulk\n(default oracle,ours)"},
	{{"laps", 1, NULL, 'l'}, "N", "timed laps (default 5)"},
	{{"skip", 1, NULL, 's'}, "N", "laps to run before, untimed (default 1)"},
	{{"settle", 1, NULL, 't'}, "N", "seconds of packet time before the laps (default 0)"},
	{{"packets", 1, NULL, 'p'}, "N", "packets of a lap (default 524288)"},
	{{"workers", 0, NULL, 'w'}, NULL, "time one worker against two on two cores"},
	{{"windows", 0, NULL, 'W'}, NULL, "time the closing of a window"},
	{{"save", 1, NULL, 'S'}, "FILE", "write traffic of the first course as a capture"},
	{{"files", 1, NULL, 'f'}, "N", "of --save: FILE.0 to FILE.N-1, each with lines of its own"},
	{{"cpu", 1, NULL, 'C'}, "N", "stay on this CPU"},
	{{"json", 0, NULL, 'j'}, NULL, "one JSON object a line"},
	{{"help", 0, NULL, 'h'}, NULL, "this text"},
};

static const size_t n_rows = sizeof rows / sizeof *rows;

static int add_variants(struct bench *b, const char *list)
{
	char copy[128], *rest = copy, *name;
	snprintf(copy, sizeof copy, "%s", list);
	b->n_variants = 0;
	while ((name = strsep(&rest, ","))) {
		const struct variant *const *v = variant_table;
		while (*v && strcmp((*v)->name, name) != 0)
			v++;
		if (!*v || b->n_variants == COURSE_MAX_VARIANTS)
			return option_wrong("--variants", name, "names of variants, see --help");
		b->variants[b->n_variants++] = *v;
	}
	return OPTION_OK;
}

static int add_course(struct bench *b, const char *text)
{
	if (b->n_courses == MAX_COURSES || course_parse(&b->courses[b->n_courses], text))
		return option_wrong("--course", text,
				    "LINES/FLOWS[/uniform|zipf|flood|fill], up to 8");
	b->n_courses++;
	return OPTION_OK;
}

static int take_option(struct bench *b, int letter, const char *value)
{
	switch (letter) {
	case 'c':
		return add_course(b, value);
	case 'v':
		return add_variants(b, value);
	case 'l':
		return option_number("--laps", value, 1, COURSE_MAX_LAPS, &b->laps);
	case 's':
		return option_number("--skip", value, 0, COURSE_MAX_LAPS, &b->skip);
	case 't':
		return option_number("--settle", value, 0, MAX_SETTLE_S, &b->settle);
	case 'p':
		return option_number("--packets", value, 64, MAX_PACKETS, &b->packets);
	case 'C':
		b->pinned = true;
		return option_number("--cpu", value, 0, CPU_SETSIZE - 1, &b->cpu);
	case 'S':
		b->save = value;
		return OPTION_OK;
	case 'f':
		return option_number("--files", value, 1, SAVE_MAX_FILES, &b->files);
	case 'W':
		b->closing = true;
		return OPTION_OK;
	case 'w':
		b->duo = true;
		return OPTION_OK;
	case 'j':
		b->json = true;
		return OPTION_OK;
	case 'h':
		b->help = true;
		return OPTION_OK;
	default:
		return OPTION_WRONG;
	}
}

static int read_options(struct bench *b, int argc, char **argv)
{
	int letter, result = add_variants(b, "oracle,ours");
	while (result == OPTION_OK && (letter = option_next(argc, argv, "", rows, n_rows)) != -1)
		result = take_option(b, letter, optarg);
	if (result == OPTION_OK && optind < argc)
		return option_wrong("argument", argv[optind], "options only");
	if (result == OPTION_OK && b->n_courses == 0)
		return add_course(b, "1000/4000");
	return result;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(const double *values, uint32_t n)
{
	double sorted[COURSE_MAX_LAPS], middle;
	memcpy(sorted, values, n * sizeof *values);
	qsort(sorted, n, sizeof *sorted, compare);
	middle = n ? sorted[n / 2] : 0;
	return n && n % 2 == 0 ? (middle + sorted[n / 2 - 1]) / 2 : middle;
}

static double median_ratio(const struct entrant *e, const struct entrant *base)
{
	double ratios[COURSE_MAX_LAPS];
	uint32_t n = e->n_laps < base->n_laps ? e->n_laps : base->n_laps;
	for (uint32_t i = 0; i < n; i++)
		ratios[i] = e->ns[i] / base->ns[i];
	return median(ratios, n);
}

static void print_json(const struct course *c, const struct entrant *e)
{
	uint64_t bytes[VARIANT_MEMORIES] = {0};
	if (e->state && e->variant->memory)
		e->variant->memory(e->state, bytes);
	printf("{\"course\":\"%s\",\"variant\":\"%s\",\"packets\":%" PRIu64 ",\"ns\":[", c->name,
	       e->variant->name, e->fed);
	for (uint32_t i = 0; i < e->n_laps; i++)
		printf("%s%.2f", i ? "," : "", e->ns[i]);
	printf("],\"samples_kb\":%" PRIu64 ",\"pools_kb\":%" PRIu64 ",\"totals_kb\":%" PRIu64
	       ",\"kb\":{\"before\":%" PRIu64 ",\"open\":%" PRIu64 ",\"lines\":%" PRIu64
	       ",\"warm\":%" PRIu64 ",\"end\":%" PRIu64 ",\"end_huge\":%" PRIu64 "}}\n",
	       bytes[MEMORY_SAMPLES] >> 10, bytes[MEMORY_POOLS] >> 10, bytes[MEMORY_TOTALS] >> 10,
	       c->before.resident_kb, c->opened.resident_kb, c->with_lines.resident_kb,
	       c->warm.resident_kb, c->end.resident_kb, c->end.huge_kb);
}

static void print_text(const struct course *c, const struct entrant *e)
{
	double low = e->n_laps ? e->ns[0] : 0;
	for (uint32_t i = 1; i < e->n_laps; i++)
		low = e->ns[i] < low ? e->ns[i] : low;
	printf("%-26s %-9s %8.1f %8.1f %8.2f\n", c->name, e->variant->name,
	       median(e->ns, e->n_laps), low, median_ratio(e, &c->entrants[0]));
}

static void print_memory(const struct course *c)
{
	printf("%-26s resident MB: open %" PRIu64 ", lines %" PRIu64 ", warm %" PRIu64
	       ", end %" PRIu64 " (%" PRIu64 " in 2 MB pages)\n",
	       c->name, c->opened.resident_kb >> 10, c->with_lines.resident_kb >> 10,
	       c->warm.resident_kb >> 10, c->end.resident_kb >> 10, c->end.huge_kb >> 10);
}

/* Did every packet that was fed reach a counter? */
static int check(const struct course *c, const struct entrant *e)
{
	uint64_t counted;
	if (!e->state || !e->variant->counted)
		return 0;
	counted = e->variant->counted(e->state);
	if (counted == e->fed)
		return 0;
	fprintf(stderr, "rasad-bench: %s: %s counted %" PRIu64 " of %" PRIu64 " packets\n", c->name,
		e->variant->name, counted, e->fed);
	return 1;
}

static int report(const struct bench *b)
{
	int failed = 0;
	if (!b->json)
		printf("%-26s %-9s %8s %8s %8s\n", "lines/flows", "variant", "ns", "min",
		       "x first");
	for (uint32_t i = 0; i < b->n_courses; i++) {
		const struct course *c = &b->courses[i];
		for (uint32_t k = 0; k < c->n_entrants; k++) {
			(b->json ? print_json : print_text)(c, &c->entrants[k]);
			failed |= check(c, &c->entrants[k]);
		}
		if (!b->json)
			print_memory(c);
	}
	return failed;
}

static int run(struct bench *b)
{
	struct slot *slots = course_slots(b->packets);
	int failed = slots == NULL;
	for (uint32_t i = 0; i < b->n_courses && !failed; i++) {
		failed = course_open(&b->courses[i], b->variants, b->n_variants) != 0;
		if (failed)
			break;
		course_warm(&b->courses[i], slots, b->packets);
		course_settle(&b->courses[i], slots, b->packets, b->settle);
	}
	for (uint32_t lap = 0; lap < b->skip + b->laps && !failed; lap++)
		for (uint32_t i = 0; i < b->n_courses; i++)
			course_lap(&b->courses[i], slots, b->packets, lap >= b->skip);
	if (!failed)
		failed = report(b);
	for (uint32_t i = 0; i < b->n_courses; i++)
		course_close(&b->courses[i]);
	course_slots_free(slots, b->packets);
	return failed;
}

/* Neighbours must not win the CPU in the middle of a lap; without the right to it, so be it. */
static void keep_cpu(const struct bench *b)
{
	cpu_set_t set;
	if (setpriority(PRIO_PROCESS, 0, -15))
		setpriority(PRIO_PROCESS, 0, 0);
	if (!b->pinned)
		return;
	CPU_ZERO(&set);
	CPU_SET(b->cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		perror("rasad-bench: --cpu");
}

static int act(struct bench *b)
{
	if (b->help) {
		puts("Usage: rasad-bench [OPTIONS]");
		option_help("", rows, n_rows);
		return 0;
	}
	keep_cpu(b);
	if (b->save)
		return save_course(&b->courses[0], b->save, b->files, b->packets);
	if (b->closing)
		return closing_run(b->courses, b->n_courses, b->laps, b->packets, b->json);
	if (b->duo)
		return duo_run(&(struct duo){b->skip, b->laps, b->packets, b->json}, b->courses,
			       b->n_courses);
	return run(b);
}

int main(int argc, char **argv)
{
	struct bench b = {.laps = 5, .packets = 1 << 19, .skip = 1, .files = 1};
	int result;
	b.courses = calloc(MAX_COURSES, sizeof *b.courses);
	if (!b.courses)
		return 1;
	result = read_options(&b, argc, argv);
	if (result == OPTION_OK)
		result = act(&b);
	free(b.courses);
	return result;
}
