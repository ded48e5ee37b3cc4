/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-sim/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include("version.h")
#include "version.h" /* written by the makefile */
#else
#define RASAD_VERSION "unknown"
#endif

#define EXIT_USAGE 2

static const char help[] =
	"Usage: rasad-sim [OPTIONS] -o DIR\n"
	"Simulate the session events of an access network with faults, and the truth about them.\n"
	"\n"
	"  -o, --output DIR     write events.ndjson, inventory.csv and truth.jsonl (and calls.ndjson)\n"
	"                       there; the folder is made if it is missing\n"
	"      --seed N         random seed (default 1)\n"
	"      --lines N        subscriber lines, 100 to 1000000 (default 20000)\n"
	"      --days N         days from a Saturday midnight, 1 to 60 (default 1)\n"
	"      --faults MIX     none, single, siblings, independent, nested, overlap or all (default)\n"
	"      --per-day N      faults a day (default 28)\n"
	"      --misfit S       sigma of an exchange's hour against the usual (default: 0.2, 0.4 or\n"
	"                       0.8, by the seed)\n"
	"      --columns WHICH  inventory columns: all, some (default: a few are missing, by the seed)\n"
	"                       or none\n"
	"      --no-benign      without the events that look like faults and are none\n"
	"      --radius         what accounting records alone would tell: no suspects, late\n"
	"      --calls          calls to support, too\n"
	"      --help           this text\n"
	"      --version        the version\n"
	"\n"
	"Exit status: 0 success, 1 failure, 2 wrong usage.\n";

enum option_code {
	OPT_SEED = 256,
	OPT_LINES,
	OPT_DAYS,
	OPT_FAULTS,
	OPT_PER_DAY,
	OPT_MISFIT,
	OPT_COLUMNS,
	OPT_NO_BENIGN,
	OPT_RADIUS,
	OPT_CALLS,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'},
	{"seed", required_argument, NULL, OPT_SEED},
	{"lines", required_argument, NULL, OPT_LINES},
	{"days", required_argument, NULL, OPT_DAYS},
	{"faults", required_argument, NULL, OPT_FAULTS},
	{"per-day", required_argument, NULL, OPT_PER_DAY},
	{"misfit", required_argument, NULL, OPT_MISFIT},
	{"columns", required_argument, NULL, OPT_COLUMNS},
	{"no-benign", no_argument, NULL, OPT_NO_BENIGN},
	{"radius", no_argument, NULL, OPT_RADIUS},
	{"calls", no_argument, NULL, OPT_CALLS},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

__attribute__((noreturn)) static void try_help(void)
{
	fputs("Try 'rasad-sim --help'.\n", stderr);
	exit(EXIT_USAGE);
}

__attribute__((noreturn)) static void bad(const char *what, const char *got, const char *expected)
{
	fprintf(stderr, "rasad-sim: %s: got '%s', expected %s\n", what, got, expected);
	try_help();
}

static uint64_t whole(const char *name, const char *text, uint64_t low, uint64_t high)
{
	char expected[80], *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || v < low || v > high) {
		snprintf(expected, sizeof(expected), "a whole number from %llu to %llu",
			 (unsigned long long)low, (unsigned long long)high);
		bad(name, text, expected);
	}
	return v;
}

static double real(const char *name, const char *text, double low, double high)
{
	char expected[80], *end;
	double v = strtod(text, &end);

	if (*end || end == text || !(v >= low && v <= high)) {
		snprintf(expected, sizeof(expected), "a number from %g to %g", low, high);
		bad(name, text, expected);
	}
	return v;
}

static enum mix mix_of(const char *text)
{
	for (int i = 0; i <= MIX_ALL; i++)
		if (!strcmp(mix_names[i], text))
			return (enum mix)i;
	bad("--faults", text, "none, single, siblings, independent, nested, overlap or all");
}

static void set_option(struct options *o, int code, const char *text)
{
	switch (code) {
	case 'o':
		o->output = text;
		break;
	case OPT_SEED:
		o->seed = whole("--seed", text, 0, UINT64_MAX);
		break;
	case OPT_LINES:
		o->lines = (uint32_t)whole("--lines", text, 100, 1000000);
		break;
	case OPT_DAYS:
		o->days = (uint32_t)whole("--days", text, 1, 60);
		break;
	case OPT_FAULTS:
		o->faults = mix_of(text);
		break;
	case OPT_PER_DAY:
		o->per_day = real("--per-day", text, 0, 200);
		break;
	case OPT_MISFIT:
		o->misfit = real("--misfit", text, 0, 2);
		break;
	case OPT_COLUMNS:
		o->columns = text;
		if (strcmp(text, "all") && strcmp(text, "some") && strcmp(text, "none"))
			bad("--columns", text, "all, some or none");
		break;
	case OPT_NO_BENIGN:
		o->no_benign = true;
		break;
	case OPT_RADIUS:
		o->radius = true;
		break;
	case OPT_CALLS:
		o->calls = true;
		break;
	case OPT_HELP:
		fputs(help, stdout);
		exit(0);
	case OPT_VERSION:
		puts("rasad-sim " RASAD_VERSION);
		exit(0);
	default:
		try_help();
	}
}

struct options options_parse(int argc, char **argv)
{
	struct options o = {.seed = 1,
			    .lines = 20000,
			    .days = 1,
			    .faults = MIX_ALL,
			    .per_day = 28,
			    .misfit = -1,
			    .columns = "some"};
	int code;

	while ((code = getopt_long(argc, argv, "o:", long_options, NULL)) != -1)
		set_option(&o, code, optarg);
	if (optind < argc)
		bad("arguments", argv[optind], "options only");
	if (!o.output || !*o.output)
		bad("--output", "", "the folder to write into");
	return o;
}
