/* SPDX-License-Identifier: BSD-3-Clause */
/* The truth of scenario "load": totals, and the figures of a sample of lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/rasad-gen/load.h"
#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/truth.h"

struct figure {
	const char *name;
	uint64_t value;
};

static void figures(FILE *f, const struct figure *figure, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\"%s\":%" PRIu64, i ? "," : "", figure[i].name, figure[i].value);
}

#define FIGURES(f, ...)                                                                            \
	do {                                                                                       \
		const struct figure list_[] = {__VA_ARGS__};                                       \
		figures(f, list_, sizeof(list_) / sizeof(list_[0]));                               \
	} while (0)

static void write_direction(FILE *f, const char *name, const struct load_direction *d)
{
	fprintf(f, ",\"%s\":{", name);
	FIGURES(f, {"packets", d->packets}, {"data_packets", d->data_packets},
		{"retransmit_seen", d->retransmit_seen}, {"lost_after_tap", d->retransmit_seen},
		{"hole_fill", d->hole_fill}, {"lost_before_tap", d->hole_fill}, {"acks", d->acks});
	fputc('}', f);
}

static void write_head(FILE *f, const struct load *l)
{
	const struct options *o = l->options;
	const struct load_totals *t = &l->total;

	fprintf(f, "{\"scenario\":\"load\",\"encap\":\"%s\",\"rate_pps\":%.0f,\"zipf\":%g,",
		truth_encap(o->encap), o->rate_pps, o->zipf);
	fprintf(f, "\"t_start\":%.9f,\"t_stop\":%.9f,", (double)l->epoch_ns / 1e9,
		(double)(l->epoch_ns + l->stamp_ns) / 1e9);
	fprintf(f, "\"echo_s\":%.3f,\"duration_s\":%.9f,", (double)l->echo_ns / 1e9,
		(double)l->stamp_ns / 1e9);
	FIGURES(f, {"seed", o->seed}, {"snaplen", o->snaplen}, {"packets", l->wire_packets},
		{"bytes", l->wire_bytes}, {"lines_total", l->lines}, {"lines_seen", t->lines},
		{"flows_total", l->flows}, {"flows_seen", t->flows},
		{"tcp_flows_seen", t->tcp_flows}, {"tcp", t->tcp}, {"udp", t->udp},
		{"ipv6", t->ipv6}, {"syn_flood", t->syn_flood}, {"padi_flood", t->padi_flood},
		{"echo_requests", t->echo_requests}, {"echo_replies", t->echo_replies},
		{"control", t->control}, {"lines_up", l->up},
		{"lost_before_tap_all", t->lost_before_tap_all},
		{"lost_after_tap_all", t->lost_after_tap_all}, {"sent", l->send.packets},
		{"refused", l->send.refused}, {"left_out", l->left_out});
}

static void write_line(FILE *f, const struct load *l, uint32_t number)
{
	const struct load_direction *d = l->sample[number >> l->sample_shift];
	struct load_line line = load_line(l, number);
	struct ip_addr v4 = load_line_address(number, false), v6 = load_line_address(number, true);

	fprintf(f, "{\"line\":%u", number);
	truth_l2(f, &line.l2);
	fputs(",\"ipv4\":[", f);
	truth_address(f, &v4);
	fputs("],\"ipv6\":[", f);
	truth_address(f, &v6);
	fprintf(f, "],\"rtt_line_us\":%u,\"rtt_access_us\":%u,\"rtt_internet_us\":%u",
		line.line_rtt_ns / 1000, line.access_rtt_ns / 1000, line.internet_rtt_ns / 1000);
	write_direction(f, "down", &d[DIR_DOWN]);
	write_direction(f, "up", &d[DIR_UP]);
	fputc('}', f);
}

void load_truth(struct load *l)
{
	const char *name = l->options->truth;
	FILE *f = strcmp(name, "-") ? fopen(name, "w") : stdout;
	uint32_t step = l->sample_mask + 1;

	if (!f)
		die("%s: cannot create: %s", name, strerror(errno));
	write_head(f, l);
	write_direction(f, "down", &l->total.dir[DIR_DOWN]);
	write_direction(f, "up", &l->total.dir[DIR_UP]);
	fputs(",\n\"lines\":[", f);
	for (uint64_t i = 0; i < l->lines; i += step) {
		fputs(i ? ",\n" : "\n", f);
		write_line(f, l, (uint32_t)i);
	}
	fputs("\n]}\n", f);
	truth_close(f, l->options);
}
