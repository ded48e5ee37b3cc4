/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"

#if __has_include("version.h")
#include "version.h" /* written by the makefile */
#else
#define RASAD_VERSION "unknown"
#endif

#define EXIT_USAGE	 2
#define SNAPLEN_MIN	 64
#define MAX_LINES	 180000
#define MAX_LINES_LOAD	 3500000
#define MAX_FLOWS	 2000000
#define MAX_FLOWS_LOAD	 64000000
#define PACKET_BYTES_MIN 160 /* all headers of the longest packet, and some payload */
#define PACKET_BYTES_MAX 1522

static const char help[] =
	"Usage: rasad-gen [OPTIONS] -o OUT.pcap\n"
	"       rasad-gen --scenario load [OPTIONS] --interface IF\n"
	"Write a synthetic capture and the exact truth about it, or send it.\n"
	"\n"
	"  -o, --output FILE          the capture (pcap, nanosecond times)\n"
	"      --truth FILE           the truth (default: OUT.truth.json)\n"
	"      --scenario NAME        tcp (default), lines, demo, outage or load\n"
	"      --seed N               random seed (default 1)\n"
	"      --snaplen N            keep N bytes of each frame (default: all; load: 128)\n"
	"      --packets N            stop after N packets; sizes flows to reach about N\n"
	"      --lines N              subscriber lines (default: flows/8; lines: 24; demo: 48;\n"
	"                             outage: 48; load: 1000)\n"
	"      --duration S           tcp: flows start within S seconds (default 60);\n"
	"                             lines: length of the capture (default 300; demo: 600;\n"
	"                             outage: 270; load: until --packets)\n"
	"\n"
	"Scenarios tcp and load:\n"
	"      --flows N              TCP flows (default 200; load: all flows, 4 a line)\n"
	"      --encap NAME           plain, vlan, qinq, pppoe, qinq-pppoe (default) or mpls\n"
	"      --ipv6-share R         share of flows over IPv6 (default 0.25; load: 0.20)\n"
	"      --loss-before-tap R    mean loss between sender and tap (default 0.004; load: 0.005)\n"
	"      --loss-after-tap R     mean loss between tap and receiver (default 0.002;\n"
	"                             load: 0.005)\n"
	"\n"
	"Scenario tcp:\n"
	"      --no-timestamps-share R  share of flows without TCP timestamps (default 0.30)\n"
	"      --reorder R            share of data packets delayed before the tap (default 0.001)\n"
	"      --mirror-duplicates R  share of packets that the mirror port copies twice (default 0)\n"
	"\n"
	"Scenarios lines, demo and outage:\n"
	"      --dslams D             access nodes (default 3; demo and outage: 4)\n"
	"      --inventory FILE       write the inventory CSV of the lines\n"
	"\n"
	"Scenario outage:\n"
	"      --fault NAME           none, flaps, svlan, power, card, uplink, blackhole, dns, servfail,\n"
	"                             radius, reject, bras, hang, blind or upstream (default none)\n"
	"      --fault-at S           begins S seconds after the capture (default 90)\n"
	"      --fault-for S          and lasts S seconds (default 75)\n"
	"\n"
	"Scenario load:\n"
	"      --interface IF         send the packets on an interface instead of writing a file\n"
	"      --rate PPS             packets a second (default 1000000; on an interface 100000,\n"
	"                             0: as fast as it takes them)\n"
	"      --zipf S               how uneven the flows are: 0 all alike, 1 (default) Zipf\n"
	"      --train N              mean packets of a flow in a row (default 1)\n"
	"      --packet-bytes N       frames with data have N bytes (default: a mix, mean 900)\n"
	"      --udp-share R          share of packets that are UDP (default 0.15)\n"
	"      --jitter R             RTTs vary by this share of themselves (default 0.05)\n"
	"      --echo S               LCP echo of each line every S seconds, 0: none (default 10,\n"
	"                             or what is 5 % of the packets)\n"
	"      --sessions             each line dials first, from PADI to its address\n"
	"      --new-flows P          percent of packets that are a SYN of a new, spoofed flow\n"
	"      --padi P               percent of packets that are a PADI of a new MAC\n"
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
	OPT_FAULT,
	OPT_FAULT_AT,
	OPT_FAULT_FOR,
	OPT_INTERFACE,
	OPT_RATE,
	OPT_ZIPF,
	OPT_TRAIN,
	OPT_PACKET_BYTES,
	OPT_UDP_SHARE,
	OPT_JITTER,
	OPT_ECHO,
	OPT_SESSIONS,
	OPT_NEW_FLOWS,
	OPT_PADI,
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
	{"fault", required_argument, NULL, OPT_FAULT},
	{"fault-at", required_argument, NULL, OPT_FAULT_AT},
	{"fault-for", required_argument, NULL, OPT_FAULT_FOR},
	{"interface", required_argument, NULL, OPT_INTERFACE},
	{"rate", required_argument, NULL, OPT_RATE},
	{"zipf", required_argument, NULL, OPT_ZIPF},
	{"train", required_argument, NULL, OPT_TRAIN},
	{"packet-bytes", required_argument, NULL, OPT_PACKET_BYTES},
	{"udp-share", required_argument, NULL, OPT_UDP_SHARE},
	{"jitter", required_argument, NULL, OPT_JITTER},
	{"echo", required_argument, NULL, OPT_ECHO},
	{"sessions", no_argument, NULL, OPT_SESSIONS},
	{"new-flows", required_argument, NULL, OPT_NEW_FLOWS},
	{"padi", required_argument, NULL, OPT_PADI},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
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

void options_bad(const char *what, const char *got, const char *expected)
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
		options_bad(name, text, expected);
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
		options_bad(name, text, expected);
	}
	return v;
}

static enum encap encap_of(const char *text)
{
	for (size_t i = 0; i < sizeof(encaps) / sizeof(encaps[0]); i++)
		if (!strcmp(encaps[i].name, text))
			return encaps[i].encap;
	options_bad("--encap", text, "plain, vlan, qinq, pppoe, qinq-pppoe or mpls");
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

static void set_load(struct options *o, int code, const char *text)
{
	o->has_load_option = true;
	switch (code) {
	case OPT_INTERFACE:
		o->interface = text;
		break;
	case OPT_RATE:
		o->rate_pps = real("--rate", text, 0, 1e9);
		break;
	case OPT_ZIPF:
		o->zipf = real("--zipf", text, 0, 10);
		break;
	case OPT_TRAIN:
		o->train = real("--train", text, 1, 1e6);
		break;
	case OPT_PACKET_BYTES:
		o->packet_bytes =
			(uint32_t)whole("--packet-bytes", text, PACKET_BYTES_MIN, PACKET_BYTES_MAX);
		break;
	case OPT_UDP_SHARE:
		o->udp_share = real("--udp-share", text, 0, 1);
		break;
	case OPT_JITTER:
		o->jitter = real("--jitter", text, 0, 0.5);
		break;
	case OPT_ECHO:
		o->echo_s = real("--echo", text, 0, 86400);
		break;
	case OPT_SESSIONS:
		o->sessions = true;
		break;
	case OPT_NEW_FLOWS:
		o->new_flows = real("--new-flows", text, 0, 100) / 100;
		break;
	case OPT_PADI:
		o->padi = real("--padi", text, 0, 100) / 100;
		break;
	}
}

static void set_fault(struct options *o, int code, const char *text)
{
	o->has_fault_option = true;
	if (code == OPT_FAULT_AT)
		o->fault_at_s = real("--fault-at", text, 0, 86400);
	else if (code == OPT_FAULT_FOR)
		o->fault_for_s = real("--fault-for", text, 0.1, 86400);
	else if ((o->fault = outage_of(text)) == OUTAGE_COUNT)
		options_bad("--fault", text, "a fault that --help names");
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
		o->lines = (uint32_t)whole("--lines", text, 1, MAX_LINES_LOAD);
		break;
	case OPT_FLOWS:
		o->flows = (uint32_t)whole("--flows", text, 1, MAX_FLOWS_LOAD);
		break;
	case OPT_DSLAMS:
		o->dslams = (uint32_t)whole("--dslams", text, 1, 900);
		break;
	case OPT_DURATION:
		o->duration_s = real("--duration", text, 0.001, 86400);
		break;
	case OPT_FAULT:
	case OPT_FAULT_AT:
	case OPT_FAULT_FOR:
		set_fault(o, code, text);
		break;
	case OPT_ENCAP:
		o->encap = encap_of(text);
		break;
	default:
		if (code >= OPT_INTERFACE)
			set_load(o, code, text);
		else
			set_share(o, code, text);
	}
}

char *options_default_truth(struct options *o)
{
	size_t n = o->output ? strlen(o->output) : 0;
	char *name;

	if (o->truth || !n || !strcmp(o->output, "-"))
		return NULL;
	name = mem_new(n + sizeof(".truth.json"), 1);
	if (n > 5 && !strcmp(o->output + n - 5, ".pcap"))
		n -= 5;
	memcpy(name, o->output, n);
	strcpy(name + n, ".truth.json");
	o->truth = name;
	return name;
}

static void check_load(const struct options *o)
{
	if (!o->output == !o->interface)
		options_bad("--output", o->output ? o->output : "",
			    "either --output FILE or --interface IF");
	if (o->interface && o->snaplen)
		options_bad("--snaplen", "--interface", "--output: what is sent is whole");
	if (!o->interface && o->rate_pps == 0)
		options_bad("--rate", "0", "more than 0 for a file: it has no speed of its own");
	if (o->rate_pps > 0 && o->rate_pps < 1)
		options_bad("--rate", "less than 1", "0, or at least 1 packet a second");
	if (o->encap != ENCAP_PPPOE && o->encap != ENCAP_QINQ_PPPOE &&
	    (o->echo_s > 0 || o->sessions))
		options_bad("--encap", "no PPPoE", "pppoe or qinq-pppoe for --echo and --sessions");
	if (o->new_flows + o->padi > 1)
		options_bad("--new-flows and --padi", "more than 100",
			    "at most 100 percent together");
}

/* What only scenario load can do. */
static void check_others(const struct options *o)
{
	if (o->has_load_option)
		options_bad("--scenario", o->scenario, "load, which one of the options asks for");
	if (o->has_fault_option && strcmp(o->scenario, "outage"))
		options_bad("--scenario", o->scenario, "outage, which one of the options asks for");
	if (o->duration_s > 0 && o->duration_s < 1)
		options_bad("--duration", "less than 1", "at least a second in this scenario");
	if (o->lines > MAX_LINES)
		options_bad("--lines", "more than 180000", "scenario load for so many");
	if (o->flows > MAX_FLOWS)
		options_bad("--flows", "more than 2000000", "scenario load for so many");
	if (strcmp(o->scenario, "tcp") && o->encap != ENCAP_PPPOE && o->encap != ENCAP_QINQ_PPPOE)
		options_bad("--encap", "no PPPoE", "pppoe or qinq-pppoe in this scenario");
	if (!o->output || !strcmp(o->output, "-"))
		options_bad("--output", o->output ? o->output : "",
			    "the name of the capture to write");
}

static void check(struct options *o)
{
	if (!strcmp(o->scenario, "load")) {
		check_load(o);
		return;
	}
	check_others(o);
	if (!o->snaplen)
		o->snaplen = PCAP_OUT_SNAPLEN_FULL;
	if (!o->flows)
		o->flows = 200;
}

struct options options_parse(int argc, char **argv)
{
	struct options o = {
		.scenario = "tcp",
		.seed = 1,
		.ipv6_share = -1, /* -1: the scenario's own */
		.no_timestamps_share = 0.30,
		.loss_before_tap = -1,
		.loss_after_tap = -1,
		.reorder = -1,
		.encap = ENCAP_QINQ_PPPOE,
		.fault_at_s = 90,
		.fault_for_s = 75,
		.rate_pps = -1,
		.zipf = 1,
		.train = 1,
		.udp_share = 0.15,
		.jitter = 0.05,
		.echo_s = -1,
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
		options_bad("arguments", argv[optind], "options only");
	check(&o);
	return o;
}
