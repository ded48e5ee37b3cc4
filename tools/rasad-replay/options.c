/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-replay/options.h"

#include <stdio.h>
#include <string.h>

#include "tools/lib/options.h"
#include "version.h"

static const char usage[] = "Usage: rasad-replay [OPTIONS] FILE...\n";

static const char shorts[] = "o:qhV";

static const struct option_row table[] = {
	{{"output", required_argument, NULL, 'o'}, "text|json", "form of the report (text)"},
	{{"flows", no_argument, NULL, 'f'}, NULL, "report every TCP flow too"},
	{{"events", no_argument, NULL, 'e'},
	 NULL,
	 "FILEs hold session events (NDJSON), not packets:\nreport the incidents that they make"},
	{{"members", no_argument, NULL, 'm'},
	 NULL,
	 "with -o json: after each incident, the lines that it affects"},
	{{"top", required_argument, NULL, 't'}, "N", "worst lines in the text report (10)"},
	{{"publish", required_argument, NULL, 'p'},
	 "URL",
	 "also send everything to Redis as if live:\n"
	 "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or unix:PATH"},
	{{"inventory", required_argument, NULL, 'i'},
	 "FILE",
	 "CSV of lines (nodes, cards, cabinets, phones ...)"},
	{{"planned", required_argument, NULL, 'P'},
	 "FILE",
	 "CSV of planned work: group_type,group,from,to"},
	{{"shard", required_argument, NULL, 's'}, "N", "event stream to write, 0..255 (0)"},
	{{"ac", required_argument, NULL, 'a'},
	 "MAC",
	 "MAC of a BRAS; may be given again. Others are learned"},
	{{"workers", required_argument, NULL, 'w'},
	 "N",
	 "threads that measure, 1..16 (1); the report is the same"},
	{{"max-lines", required_argument, NULL, 'L'}, "N", "limit of lines (2000000)"},
	{{"max-flows", required_argument, NULL, 'F'}, "N", "limit of flows (8000000)"},
	{{"quiet", no_argument, NULL, 'q'}, NULL, "no progress bar"},
	{{"help", no_argument, NULL, 'h'}, NULL, "this text"},
	{{"version", no_argument, NULL, 'V'}, NULL, "version"},
};
enum { N_OPTIONS = sizeof table / sizeof *table };

static void print_help(void)
{
	printf("%s\nMeasures latency, loss and sessions of every subscriber line in captures of the "
	       "access\nside of a BRAS: pcap or pcapng, plain, gzip or zstd; \"-\" is standard input; "
	       "several\nfiles are merged by time.\n\n",
	       usage);
	option_help(shorts, table, N_OPTIONS);
	printf("\nExit code: 0, or 1 when something could not be read or sent, or 2 for wrong "
	       "usage.\n");
}

static int read_option(struct options *o, int value)
{
	switch (value) {
	case 'o':
		o->json = strcmp(optarg, "json") == 0;
		return o->json || strcmp(optarg, "text") == 0
			       ? -1
			       : option_wrong("-o", optarg, "text or json");
	case 'f':
		o->flows = true;
		return -1;
	case 'e':
		o->events = true;
		return -1;
	case 'm':
		o->members = true;
		return -1;
	case 't':
		return option_number("--top", optarg, 0, 1000000, &o->top);
	case 'p':
		o->publish = optarg;
		return -1;
	case 'i':
		o->inventory = optarg;
		return -1;
	case 'P':
		o->planned = optarg;
		return -1;
	case 's':
		return option_number("--shard", optarg, 0, 255, &o->shard);
	case 'a':
		return option_mac("--ac", optarg, o->ac_macs, &o->n_ac_macs, OPTIONS_MAX_AC);
	case 'w':
		return option_number("--workers", optarg, 1, 16, &o->workers);
	case 'L':
		return option_number("--max-lines", optarg, 1, 16000000, &o->max_lines);
	case 'F':
		return option_number("--max-flows", optarg, 64, 256000000, &o->max_flows);
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
	int value, code;
	*o = (struct options){.top = 10, .workers = 1, .max_lines = 2000000, .max_flows = 8000000};
	while ((value = option_next(argc, argv, shorts, table, N_OPTIONS)) != -1) {
		code = read_option(o, value);
		if (code >= 0)
			return code;
	}
	o->files = (const char *const *)argv + optind;
	o->n_files = (uint32_t)(argc - optind);
	if (o->n_files)
		return -1;
	fprintf(stderr, "rasad-replay: no capture file given\n%sTry 'rasad-replay --help'.\n",
		usage);
	return 2;
}
