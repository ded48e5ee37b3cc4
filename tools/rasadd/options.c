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

static const char usage[] =
	"Usage: rasadd --collector pcap:FILE|INTERFACE [OPTIONS]\n"
	"       rasadd --collector xdp:INTERFACE[:access|:core][,...] [--tap drop] [OPTIONS]\n"
	"       rasadd --collector dpdk:[PORT[:access|:core][,...]] [OPTIONS] [-- EAL ARGUMENTS]\n";

static const char shorts[] = "nhV";

static const struct option_row table[] = {
	{{"collector", required_argument, NULL, 'c'},
	 "SOURCE",
	 "pcap:NAME: an interface to listen on, or a capture file to\n"
	 "play; files may be given again and are merged by time.\n"
	 "dpdk:PORTS: by name or number, each with the side of the BRAS\n"
	 "from which it receives; none is all of them.\n"
	 "xdp:INTERFACES: of this kernel, tapped by programs in it"},
	{{"tap", required_argument, NULL, 't'},
	 "pass|drop",
	 "with xdp: let packets pass on, and see what is sent too\n"
	 "(pass); or free them, on a mirror port (drop)"},
	{{"redis", required_argument, NULL, 'r'},
	 "URL",
	 "where to publish: redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]\n"
	 "or unix:PATH; default: $RASAD_REDIS, else " REDIS_DEFAULT},
	{{"inventory", required_argument, NULL, 'i'},
	 "FILE",
	 "CSV of lines: phones, nodes, cards, ports, plans"},
	{{"planned", required_argument, NULL, 'P'},
	 "FILE",
	 "CSV of planned work: group_type,group,from,to"},
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
	{{"queues", required_argument, NULL, 'q'},
	 "N",
	 "receive queues of each DPDK port, or readers of xdp:, 1..16\n"
	 "(1)"},
	{{"busy", no_argument, NULL, 'b'}, NULL, "never sleep while DPDK ports are silent"},
	{{"workers", required_argument, NULL, 'w'},
	 "N",
	 "threads that measure, 1..16 (one for each queue)"},
	{{"max-lines", required_argument, NULL, 'L'}, "N", "limit of lines (2000000)"},
	{{"max-flows", required_argument, NULL, 'F'}, "N", "limit of flows (8000000)"},
	{{"summary", required_argument, NULL, 'o'},
	 "FILE",
	 "at the end, write what is known of every line and node, one\n"
	 "JSON object each, as rasad-replay -o json does"},
	{{"check", no_argument, NULL, 'n'}, NULL, "check options, files and source, and exit"},
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

static int read_xdp(struct options *o, const char *text, const char *interfaces)
{
	if (o->xdp)
		return option_wrong("--collector", text, "xdp: once, with a list of interfaces");
	if (!*interfaces)
		return option_wrong("--collector", text, "xdp:INTERFACE[,...]");
	o->xdp = interfaces;
	return OPTION_OK;
}

static int read_tap(struct options *o, const char *text)
{
	o->tap = text;
	o->drop = strcmp(text, "drop") == 0;
	return o->drop || strcmp(text, "pass") == 0 ? OPTION_OK
						    : option_wrong("--tap", text, "pass or drop");
}

static int read_dpdk(struct options *o, const char *text, const char *ports)
{
	if (o->dpdk)
		return option_wrong("--collector", text, "dpdk: once, with a list of ports");
	o->dpdk = ports;
	return OPTION_OK;
}

static int read_collector(struct options *o, const char *text)
{
	static const char pcap[] = "pcap:", dpdk[] = "dpdk:", xdp[] = "xdp:";

	if (strncmp(text, xdp, sizeof xdp - 1) == 0)
		return read_xdp(o, text, text + sizeof xdp - 1);
	if (strncmp(text, dpdk, sizeof dpdk - 1) == 0)
		return read_dpdk(o, text, text + sizeof dpdk - 1);
	if (strncmp(text, pcap, sizeof pcap - 1) != 0 || !text[sizeof pcap - 1])
		return option_wrong("--collector", text,
				    "pcap:FILE, pcap:INTERFACE, xdp:INTERFACES or dpdk:PORTS");
	if (o->n_inputs == OPTIONS_MAX_INPUTS)
		return option_wrong("--collector", text, "at most 256 of them");
	o->inputs[o->n_inputs++] = text + sizeof pcap - 1;
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
	case 'P':
		o->planned = optarg;
		return OPTION_OK;
	case 's':
		return option_number("--shard", optarg, 0, 255, &o->shard);
	case 'a':
		return option_mac("--ac", optarg, o->ac_macs, &o->n_ac_macs, OPTIONS_MAX_AC);
	case 'S':
		return read_speed(o, optarg);
	case 'B':
		return option_number("--buffer", optarg, 1, 1024, &o->buffer_mib);
	case 'q':
		return option_number("--queues", optarg, 1, 16, &o->queues);
	case 't':
		return read_tap(o, optarg);
	case 'b':
		o->busy = true;
		return OPTION_OK;
	case 'o':
		o->summary = optarg;
		return OPTION_OK;
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

/* What follows "--" is EAL's. Returns how many arguments are ours. */
static int cut_eal(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0) {
			o->eal = argv + i + 1;
			o->n_eal = (uint32_t)(argc - i - 1);
			return i;
		}
	return argc;
}

static int check_collectors(const struct options *o)
{
	int kinds = (o->n_inputs > 0) + !!o->dpdk + !!o->xdp;

	if (!kinds)
		return misused("no --collector given");
	if (kinds > 1)
		return misused("--collector: one kind only, of pcap:, dpdk: and xdp:");
	if (o->n_eal && !o->dpdk)
		return option_wrong("argument", o->eal[0], "those behind -- only with dpdk:");
	if (o->speed && !o->n_inputs)
		return misused("--speed: is for files of pcap: only");
	if (o->tap && !o->xdp)
		return misused("--tap: is for xdp: only");
	return OPTION_OK;
}

int options_read(struct options *o, int argc, char **argv)
{
	const char *redis = getenv("RASAD_REDIS");
	int letter, code;

	*o = (struct options){
		.redis = redis && *redis ? redis : REDIS_DEFAULT,
		.max_lines = 2000000,
		.max_flows = 8000000,
		.buffer_mib = 32,
		.queues = 1,
	};
	argc = cut_eal(o, argc, argv);
	while ((letter = option_next(argc, argv, shorts, table, N_OPTIONS)) != -1) {
		code = read_option(o, letter);
		if (code != OPTION_OK)
			return code;
	}
	if (optind < argc)
		return option_wrong("argument", argv[optind], "options only, like --collector");
	code = check_collectors(o);
	return code == OPTION_OK ? check_redis(o) : code;
}
