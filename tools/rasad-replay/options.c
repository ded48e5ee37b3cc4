/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "version.h"

static const char usage[] = "Usage: rasad-replay [OPTIONS] FILE...\n";

/* One table: getopt's, and the help that is printed. */
static const struct {
	struct option option;
	const char *argument, *help;
} table[] = {
	{ { "output", required_argument, NULL, 'o' }, "text|json", "form of the report (text)" },
	{ { "flows", no_argument, NULL, 'f' }, NULL, "report every TCP flow too" },
	{ { "top", required_argument, NULL, 't' }, "N", "worst lines in the text report (10)" },
	{ { "publish", required_argument, NULL, 'p' }, "URL",
	  "also send everything to Redis as if live:\n"
	  "                           redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or unix:PATH" },
	{ { "inventory", required_argument, NULL, 'i' }, "FILE",
	  "CSV of lines (phones, nodes, cards ...) for what is published" },
	{ { "shard", required_argument, NULL, 's' }, "N", "event stream to write, 0..255 (0)" },
	{ { "ac", required_argument, NULL, 'a' }, "MAC",
	  "MAC of a BRAS; may be given again. Others are learned" },
	{ { "max-lines", required_argument, NULL, 'L' }, "N", "limit of lines (2000000)" },
	{ { "max-flows", required_argument, NULL, 'F' }, "N", "limit of flows (8000000)" },
	{ { "quiet", no_argument, NULL, 'q' }, NULL, "no progress bar" },
	{ { "help", no_argument, NULL, 'h' }, NULL, "this text" },
	{ { "version", no_argument, NULL, 'V' }, NULL, "version" },
};
enum { N_OPTIONS = sizeof table / sizeof *table };

static void print_help(void)
{
	printf("%s\nMeasures latency, loss and sessions of every subscriber line in captures of the "
	       "access\nside of a BRAS: pcap or pcapng, plain, gzip or zstd; \"-\" is standard input; "
	       "several\nfiles are merged by time.\n\n",
	       usage);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		char left[40];
		bool is_short = strchr("ohqV", table[i].option.val) != NULL;
		snprintf(left, sizeof left, "%c%c%s--%s%s%s", is_short ? '-' : ' ',
			 is_short ? table[i].option.val : ' ', is_short ? ", " : "  ",
			 table[i].option.name, table[i].argument ? " " : "",
			 table[i].argument ? table[i].argument : "");
		printf("  %-24s %s\n", left, table[i].help);
	}
	printf("\nExit code: 0, or 1 when something could not be read or sent, or 2 for wrong "
	       "usage.\n");
}

static int wrong(const char *what, const char *value, const char *expected)
{
	fprintf(stderr, "rasad-replay: %s '%s': expected %s\n", what, value, expected);
	return 2;
}

static int read_number(const char *name, const char *text, uint32_t min, uint32_t max, uint32_t *to)
{
	char *end, range[64];
	unsigned long long v;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || v < min || v > max) {
		snprintf(range, sizeof range, "a number from %u to %u", min, max);
		return wrong(name, text, range);
	}
	*to = (uint32_t)v;
	return -1;
}

static int read_mac(struct options *o, const char *text)
{
	unsigned m[6];
	int n = 0;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5], &n) !=
		    6 ||
	    text[n])
		return wrong("--ac", text, "a MAC like 02:b0:00:00:00:01");
	if (o->n_ac_macs == OPTIONS_MAX_AC)
		return wrong("--ac", text, "at most 64 of them");
	for (int i = 0; i < 6; i++)
		o->ac_macs[o->n_ac_macs][i] = (uint8_t)m[i];
	o->n_ac_macs++;
	return -1;
}

static int read_option(struct options *o, int value)
{
	switch (value) {
	case 'o':
		o->json = strcmp(optarg, "json") == 0;
		return o->json || strcmp(optarg, "text") == 0 ? -1 : wrong("-o", optarg, "text or json");
	case 'f':
		o->flows = true;
		return -1;
	case 't':
		return read_number("--top", optarg, 0, 1000000, &o->top);
	case 'p':
		o->publish = optarg;
		return -1;
	case 'i':
		o->inventory = optarg;
		return -1;
	case 's':
		return read_number("--shard", optarg, 0, 255, &o->shard);
	case 'a':
		return read_mac(o, optarg);
	case 'L':
		return read_number("--max-lines", optarg, 1, 16000000, &o->max_lines);
	case 'F':
		return read_number("--max-flows", optarg, 64, 256000000, &o->max_flows);
	case 'q':
		o->quiet = true;
		return -1;
	case 'h':
		print_help();
		return 0;
	case 'V':
		printf("rasad-replay %s\n", RASAD_VERSION);
		return 0;
	}
	fprintf(stderr, "%sTry 'rasad-replay --help'.\n", usage);
	return 2;
}

int options_read(struct options *o, int argc, char **argv)
{
	struct option options[N_OPTIONS + 1] = { 0 };
	int value, code;
	*o = (struct options){ .top = 10, .max_lines = 2000000, .max_flows = 8000000 };
	for (size_t i = 0; i < N_OPTIONS; i++)
		options[i] = table[i].option;
	while ((value = getopt_long(argc, argv, "o:qhV", options, NULL)) != -1) {
		code = read_option(o, value);
		if (code >= 0)
			return code;
	}
	o->files = (const char *const *)argv + optind;
	o->n_files = (uint32_t)(argc - optind);
	if (o->n_files)
		return -1;
	fprintf(stderr, "rasad-replay: no capture file given\n%sTry 'rasad-replay --help'.\n", usage);
	return 2;
}
