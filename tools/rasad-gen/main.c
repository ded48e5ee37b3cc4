/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad-gen: captures with exact ground truth, for testing what claims to measure them.
 *
 * It shares no code with the rest of rasad: checksums, frames and TCP are its own, so that one
 * mistake cannot hide in both. One thread; the same options and seed give the same bytes.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/scenario.h"

#if __has_include("version.h")
#include "version.h" /* written by the makefile */
#else
#define RASAD_VERSION "unknown"
#endif

#define EXIT_USAGE  2
#define SNAPLEN_MIN 64
#define MAX_LINES   180000
#define MAX_FLOWS   2000000

static const char help[] =
	"Usage: rasad-gen [OPTIONS] -o OUT.pcap\n"
	"Write a synthetic capture and the exact truth about it.\n"
	"\n"
	"  -o, --output FILE          the capture (pcap, nanosecond times)\n"
	"      --truth FILE           the truth (default: OUT.truth.json)\n"
	"      --scenario NAME        tcp (default), lines or demo\n"
	"      --seed N               random seed (default 1)\n"
	"      --snaplen N            keep N bytes of each frame (default: all)\n"
	"      --packets N            stop after N packets; sizes flows to reach about N\n"
	"      --lines N              subscriber lines (default: flows/8; lines: 24; demo: 48)\n"
	"      --duration S           tcp: flows start within S seconds (default 60);\n"
	"                             lines: length of the capture (default 300; demo: 600)\n"
	"\n"
	"Scenario tcp:\n"
	"      --flows N              TCP flows (default 200)\n"
	"      --encap NAME           plain, vlan, qinq, pppoe, qinq-pppoe (default) or mpls\n"
	"      --ipv6-share R         share of flows over IPv6 (default 0.25)\n"
	"      --no-timestamps-share R  share of flows without TCP timestamps (default 0.30)\n"
	"      --loss-before-tap R    mean loss between sender and tap (default 0.004)\n"
	"      --loss-after-tap R     mean loss between tap and receiver (default 0.002)\n"
	"      --reorder R            share of data packets delayed before the tap (default 0.001)\n"
	"      --mirror-duplicates R  share of packets that the mirror port copies twice (default 0)\n"
	"\n"
	"Scenarios lines and demo:\n"
	"      --dslams D             access nodes (default 3; demo: 4)\n"
	"      --inventory FILE       write the inventory CSV of the lines\n"
	"\n"
	"      --help                 this text\n"
	"      --version              the version\n"
	"\n"
	"Exit status: 0 success, 1 failure, 2 wrong usage.\n";

enum option_code {
	OPT_OUTPUT = 'o',
	OPT_TRUTH = 256,
	OPT_SCENARIO,
	OPT_SEED,
	OPT_SNAPLEN,
	OPT_PACKETS,
	OPT_LINES,
	OPT_DURATION,
	OPT_FLOWS,
	OPT_ENCAP,
	OPT_IPV6_SHARE,
	OPT_NO_TIMESTAMPS_SHARE,
	OPT_LOSS_BEFORE,
	OPT_LOSS_AFTER,
	OPT_REORDER,
	OPT_DUPLICATES,
	OPT_DSLAMS,
	OPT_INVENTORY,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"output", required_argument, NULL, OPT_OUTPUT},
	{"truth", required_argument, NULL, OPT_TRUTH},
	{"scenario", required_argument, NULL, OPT_SCENARIO},
	{"seed", required_argument, NULL, OPT_SEED},
	{"snaplen", required_argument, NULL, OPT_SNAPLEN},
	{"packets", required_argument, NULL, OPT_PACKETS},
	{"lines", required_argument, NULL, OPT_LINES},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"flows", required_argument, NULL, OPT_FLOWS},
	{"encap", required_argument, NULL, OPT_ENCAP},
	{"ipv6-share", required_argument, NULL, OPT_IPV6_SHARE},
	{"no-timestamps-share", required_argument, NULL, OPT_NO_TIMESTAMPS_SHARE},
	{"loss-before-tap", required_argument, NULL, OPT_LOSS_BEFORE},
	{"loss-after-tap", required_argument, NULL, OPT_LOSS_AFTER},
	{"reorder", required_argument, NULL, OPT_REORDER},
	{"mirror-duplicates", required_argument, NULL, OPT_DUPLICATES},
	{"dslams", required_argument, NULL, OPT_DSLAMS},
	{"inventory", required_argument, NULL, OPT_INVENTORY},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

static const struct {
	const char *name;
	void (*run)(const struct options *o);
} scenarios[] = {
	{"tcp", scenario_tcp},
	{"lines", scenario_lines},
	{"demo", scenario_demo},
};

static const struct {
	const char *name;
	enum encap encap;
} encaps[] = {
	{"plain", ENCAP_PLAIN},
	{"vlan", ENCAP_VLAN},
	{"qinq", ENCAP_QINQ},
	{"pppoe", ENCAP_PPPOE},
	{"qinq-pppoe", ENCAP_QINQ_PPPOE},
	{"mpls", ENCAP_MPLS},
};

__attribute__((noreturn)) static void bad_usage(const char *what, const char *got,
						const char *expected)
{
	fprintf(stderr, "rasad-gen: %s: got '%s', expected %s\n", what, got, expected);
	fputs("Try 'rasad-gen --help'.\n", stderr);
	exit(EXIT_USAGE);
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
		bad_usage(name, text, expected);
	}
	return v;
}

static double real(const char *name, const char *text, double low, double high)
{
	char expected[80], *end;
	double v;

	errno = 0;
	v = strtod(text, &end);
	if (errno || *end || end == text || !(v >= low && v <= high)) {
		snprintf(expected, sizeof(expected), "a number from %g to %g", low, high);
		bad_usage(name, text, expected);
	}
	return v;
}

static enum encap encap_of(const char *text)
{
	for (size_t i = 0; i < sizeof(encaps) / sizeof(encaps[0]); i++)
		if (!strcmp(encaps[i].name, text))
			return encaps[i].encap;
	bad_usage("--encap", text, "plain, vlan, qinq, pppoe, qinq-pppoe or mpls");
}

static void set_share(struct options *o, int code, const char *text)
{
	switch (code) {
	case OPT_IPV6_SHARE:
		o->ipv6_share = real("--ipv6-share", text, 0, 1);
		break;
	case OPT_NO_TIMESTAMPS_SHARE:
		o->no_timestamps_share = real("--no-timestamps-share", text, 0, 1);
		break;
	case OPT_LOSS_BEFORE:
		o->loss_before_tap = real("--loss-before-tap", text, 0, 0.5);
		break;
	case OPT_LOSS_AFTER:
		o->loss_after_tap = real("--loss-after-tap", text, 0, 0.5);
		break;
	case OPT_REORDER:
		o->reorder = real("--reorder", text, 0, 0.5);
		break;
	case OPT_DUPLICATES:
		o->mirror_duplicates = real("--mirror-duplicates", text, 0, 1);
		break;
	}
}

static void set_option(struct options *o, int code, const char *text)
{
	switch (code) {
	case OPT_OUTPUT:
		o->output = text;
		break;
	case OPT_TRUTH:
		o->truth = text;
		break;
	case OPT_SCENARIO:
		o->scenario = text;
		break;
	case OPT_INVENTORY:
		o->inventory = text;
		break;
	case OPT_SEED:
		o->seed = whole("--seed", text, 0, UINT64_MAX);
		break;
	case OPT_SNAPLEN:
		o->snaplen = (uint32_t)whole("--snaplen", text, SNAPLEN_MIN, PCAP_OUT_SNAPLEN_FULL);
		break;
	case OPT_PACKETS:
		o->packets = whole("--packets", text, 1, 1000000000);
		break;
	case OPT_LINES:
		o->lines = (uint32_t)whole("--lines", text, 1, MAX_LINES);
		break;
	case OPT_FLOWS:
		o->flows = (uint32_t)whole("--flows", text, 1, MAX_FLOWS);
		break;
	case OPT_DSLAMS:
		o->dslams = (uint32_t)whole("--dslams", text, 1, 900);
		break;
	case OPT_DURATION:
		o->duration_s = real("--duration", text, 1, 86400);
		break;
	case OPT_ENCAP:
		o->encap = encap_of(text);
		break;
	default:
		set_share(o, code, text);
	}
}

static const char *truth_name(const char *output)
{
	size_t n = strlen(output);
	char *name = mem_new(n + sizeof(".truth.json"), 1);

	if (n > 5 && !strcmp(output + n - 5, ".pcap"))
		n -= 5;
	memcpy(name, output, n);
	strcpy(name + n, ".truth.json");
	return name;
}

static struct options parse(int argc, char **argv)
{
	struct options o = {
		.scenario = "tcp",
		.seed = 1,
		.flows = 200,
		.snaplen = PCAP_OUT_SNAPLEN_FULL,
		.ipv6_share = 0.25,
		.no_timestamps_share = 0.30,
		.loss_before_tap = -1, /* the scenario's own */
		.loss_after_tap = -1,
		.reorder = -1,
		.encap = ENCAP_QINQ_PPPOE,
	};
	int code;

	while ((code = getopt_long(argc, argv, "o:", long_options, NULL)) != -1) {
		if (code == OPT_HELP) {
			fputs(help, stdout);
			exit(0);
		}
		if (code == OPT_VERSION) {
			puts("rasad-gen " RASAD_VERSION);
			exit(0);
		}
		if (code == '?') {
			fputs("Try 'rasad-gen --help'.\n", stderr);
			exit(EXIT_USAGE);
		}
		set_option(&o, code, optarg);
	}
	if (optind < argc)
		bad_usage("arguments", argv[optind], "options only");
	if (strcmp(o.scenario, "tcp") && o.encap != ENCAP_PPPOE && o.encap != ENCAP_QINQ_PPPOE)
		bad_usage("--encap", "no PPPoE", "pppoe or qinq-pppoe in this scenario");
	if (!o.output)
		bad_usage("--output", "", "the name of the capture to write");
	return o;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	char *name = NULL;

	if (!o.truth)
		o.truth = name = (char *)truth_name(o.output);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!strcmp(scenarios[i].name, o.scenario)) {
			scenarios[i].run(&o);
			free(name);
			return 0;
		}
	bad_usage("--scenario", o.scenario, "tcp, lines or demo");
}
