/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasadd/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/redis.h"
#include "engine/publish/redis_url.h"
#include "tools/lib/options.h"
#include "version.h"

#define REDIS_DEFAULT "redis://127.0.0.1:6379"

static const char usage[] = "Usage: rasadd --collector pcap:FILE|INTERFACE [OPTIONS]\n";

static const char shorts[] = "nhV";

static const struct option_row table[] = {
	{{"collector", required_argument, NULL, 'c'},
	 "pcap:NAME",
	 "an interface to listen on, or a capture file to play;\n"
	 "files may be given again and are merged by time"},
	{{"redis", required_argument, NULL, 'r'},
	 "URL",
	 "where to publish: redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]\n"
	 "or unix:PATH; default: $RASAD_REDIS, else " REDIS_DEFAULT},
	{{"inventory", required_argument, NULL, 'i'},
	 "FILE",
	 "CSV of lines: phones, nodes, cards, ports, plans"},
	{{"shard", required_argument, NULL, 's'},
	 "N",
	 "event stream to write, 0..255 (0); one rasadd each"},
	{{"ac", required_argument, NULL, 'a'},
	 "MAC",
	 "MAC of a BRAS; may be given again. Others are learned"},
	{{"speed", required_argument, NULL, 'S'},
	 "max|Nx",
	 "how fast to play files: max (default), 1x is their own pace"},
	{{"buffer", required_argument, NULL, 'B'},
	 "MIB",
	 "room for packets in the kernel, 1..1024 (32)"},
	{{"workers", required_argument, NULL, 'w'}, "N", "threads that measure, 1..16 (1)"},
	{{"max-lines", required_argument, NULL, 'L'}, "N", "limit of lines (2000000)"},
	{{"max-flows", required_argument, NULL, 'F'}, "N", "limit of flows (8000000)"},
	{{"check", no_argument, NULL, 'n'}, NULL, "check options, inventory and source, and exit"},
	{{"help", no_argument, NULL, 'h'}, NULL, "this text"},
	{{"version", no_argument, NULL, 'V'}, NULL, "version"},
};
enum { N_OPTIONS = sizeof table / sizeof *table };

static int print_help(void)
{
	printf("%s\nWatches subscriber lines through a tap on the access side of a BRAS, and "
	       "publishes what\nhappens to them, and how they are, to Redis.\n\n",
	       usage);
	option_help(shorts, table, N_OPTIONS);
	printf("\nSIGTERM and SIGINT end it in good order. Exit code: 0, or 1 when something could "
	       "not be\nread or sent, or 2 for wrong usage.\n");
	return 0;
}

static int misused(const char *why)
{
	fprintf(stderr, "rasadd: %s\n%sTry 'rasadd --help'.\n", why, usage);
	return OPTION_WRONG;
}

static int read_collector(struct options *o, const char *text)
{
	static const char kind[] = "pcap:";

	if (strncmp(text, kind, sizeof kind - 1) != 0 || !text[sizeof kind - 1])
		return option_wrong("--collector", text, "pcap:FILE or pcap:INTERFACE");
	if (o->n_inputs == OPTIONS_MAX_INPUTS)
		return option_wrong("--collector", text, "at most 256 of them");
	o->inputs[o->n_inputs++] = text + sizeof kind - 1;
	return OPTION_OK;
}

static int read_speed(struct options *o, const char *text)
{
	char *end;
	unsigned long times;

	o->speed = 0;
	if (strcmp(text, "max") == 0)
		return OPTION_OK;
	times = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || strcmp(end, "x") != 0 || times < 1 || times > 1000)
		return option_wrong("--speed", text, "max, or 1x to 1000x");
	o->speed = (uint32_t)times;
	return OPTION_OK;
}

static int read_option(struct options *o, int letter)
{
	switch (letter) {
	case 'c':
		return read_collector(o, optarg);
	case 'r':
		o->redis = optarg;
		return OPTION_OK;
	case 'i':
		o->inventory = optarg;
		return OPTION_OK;
	case 's':
		return option_number("--shard", optarg, 0, 255, &o->shard);
	case 'a':
		return option_mac("--ac", optarg, o->ac_macs, &o->n_ac_macs, OPTIONS_MAX_AC);
	case 'S':
		return read_speed(o, optarg);
	case 'B':
		return option_number("--buffer", optarg, 1, 1024, &o->buffer_mib);
	case 'w':
		return option_number("--workers", optarg, 1, 16, &o->workers);
	case 'L':
		return option_number("--max-lines", optarg, 1, 16000000, &o->max_lines);
	case 'F':
		return option_number("--max-flows", optarg, 64, 256000000, &o->max_flows);
	case 'n':
		o->check = true;
		return OPTION_OK;
	case 'h':
		return print_help();
	case 'V':
		printf("rasadd %s\n", RASAD_VERSION);
		return 0;
	}
	fprintf(stderr, "%sTry 'rasadd --help'.\n", usage);
	return OPTION_WRONG;
}

/* The address as such; whether anybody is there shows later. It may hold a password: not told. */
static int check_redis(const struct options *o)
{
	struct redis_url url;
	const char *reason;

	if (redis_url_parse(o->redis, &url, &reason) == 0)
		return OPTION_OK;
	fprintf(stderr, "rasadd: --redis: %s; expected " REDIS_URL_FORMS "\n", reason);
	return OPTION_WRONG;
}

int options_read(struct options *o, int argc, char **argv)
{
	const char *redis = getenv("RASAD_REDIS");
	int letter, code;

	*o = (struct options){
		.redis = redis && *redis ? redis : REDIS_DEFAULT,
		.workers = 1,
		.max_lines = 2000000,
		.max_flows = 8000000,
		.buffer_mib = 32,
	};
	while ((letter = option_next(argc, argv, shorts, table, N_OPTIONS)) != -1) {
		code = read_option(o, letter);
		if (code != OPTION_OK)
			return code;
	}
	if (optind < argc)
		return option_wrong("argument", argv[optind], "options only, like --collector");
	if (!o->n_inputs)
		return misused("no --collector given");
	return check_redis(o);
}
