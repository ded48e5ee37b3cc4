/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/truth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/tcp.h"

static const char *const encap_names[] = {"plain", "vlan", "qinq", "pppoe", "qinq-pppoe", "mpls"};

const char *truth_encap(enum encap encap)
{
	return encap_names[encap];
}

FILE *truth_open(const struct world *w)
{
	const struct options *o = w->options;
	FILE *f = fopen(o->truth, "w");

	if (!f)
		die("%s: cannot create: %s", o->truth, strerror(errno));
	setvbuf(f, NULL, _IOFBF, 1 << 18);
	fprintf(f, "{\"scenario\":\"%s\",\"seed\":%" PRIu64 ",\"encap\":\"%s\",\"snaplen\":%u,",
		o->scenario, o->seed, truth_encap(o->encap), o->snaplen);
	fprintf(f, "\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"t_start\":%.9f,\"t_stop\":%.9f",
		w->out.packets, w->out.bytes, world_unix_s(0), world_unix_s(w->sim.now_ns));
	return f;
}

void truth_close(FILE *f, const struct options *o)
{
	bool bad = ferror(f);

	if (fclose(f) || bad)
		die("%s: cannot write: %s", o->truth, strerror(errno));
}

void truth_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc('"', f);
}

void truth_address(FILE *f, const struct ip_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->byte, text, sizeof(text));
	fprintf(f, "\"%s\"", text);
}

void truth_stats(FILE *f, const char *name, struct samples *s)
{
	struct sample_stats r = samples_stats(s);

	fprintf(f, "\"%s\":{\"n\":%u", name, r.n);
	if (r.n)
		fprintf(f,
			",\"min_us\":%.1f,\"p50_us\":%.1f,\"mean_us\":%.1f,\"p90_us\":%.1f,"
			"\"p95_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f",
			r.min_us, r.p50_us, r.mean_us, r.p90_us, r.p95_us, r.p99_us, r.max_us);
	fputc('}', f);
}

static void write_direction(FILE *f, const char *name, const struct tcp_tap *t)
{
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{"packets", t->packets},
		{"data_packets", t->data_packets},
		{"bytes", t->bytes},
		{"ip_bytes", t->ip_bytes},
		{"retransmit_seen", t->retransmit_seen},
		{"hole_fill", t->hole_fill},
		{"reordered", t->reordered},
		{"spurious", t->spurious},
		{"lost_before_tap", t->lost_before_tap},
		{"lost_before_tap_all", t->lost_before_tap_all},
		{"lost_after_tap", t->retransmit_seen - t->spurious},
		{"lost_after_tap_all", t->lost_after_tap_all},
		{"suspected_tail_loss", t->tail_loss_before_tap},
		{"keepalive", t->keepalive},
		{"zero_window_probe", t->zero_window_probe},
		{"duplicate", t->duplicate},
		{"syn_retransmit", t->syn_retransmit},
		{"fin_retransmit", t->fin_retransmit},
	};

	fprintf(f, "\"%s\":", name);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fprintf(f, "%c\"%s\":%" PRIu64, i ? ',' : '{', fields[i].name, fields[i].value);
	fputc('}', f);
}

void truth_l2(FILE *f, const struct l2 *l2)
{
	bool pppoe = l2->encap == ENCAP_PPPOE || l2->encap == ENCAP_QINQ_PPPOE;
	bool qinq = l2->encap == ENCAP_QINQ || l2->encap == ENCAP_QINQ_PPPOE;

	if (qinq)
		fprintf(f, ",\"svlan\":%u", l2->svlan);
	if (qinq || l2->encap == ENCAP_VLAN)
		fprintf(f, ",\"cvlan\":%u", l2->cvlan);
	if (pppoe)
		fprintf(f, ",\"pppoe_session_id\":%u", l2->pppoe_session_id);
	fprintf(f, ",\"cpe_mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", l2->cpe_mac[0], l2->cpe_mac[1],
		l2->cpe_mac[2], l2->cpe_mac[3], l2->cpe_mac[4], l2->cpe_mac[5]);
}

static void write_flow(FILE *f, struct tcp_flow *t)
{
	fputs("{\"line\":", f);
	truth_string(f, t->line->name);
	truth_l2(f, &t->l2);
	fputs(",\"client\":", f);
	truth_address(f, &t->client_addr);
	fprintf(f, ",\"client_port\":%u,\"server\":", t->client_port);
	truth_address(f, &t->server_addr);
	fprintf(f, ",\"server_port\":%u,\"start_unix_ns\":%" PRIu64, t->server_port,
		(uint64_t)WORLD_EPOCH_UNIX_NS + t->start_ns);
	fprintf(f, ",\"mid_stream\":%s,\"timestamps\":%s,\"sack\":%s,",
		t->mid_stream ? "true" : "false", t->timestamps ? "true" : "false",
		t->sack ? "true" : "false");
	write_direction(f, "down", &t->tap[DIR_DOWN]);
	fputc(',', f);
	write_direction(f, "up", &t->tap[DIR_UP]);
	fputc(',', f);
	truth_stats(f, "rtt_access", &t->tap[DIR_DOWN].rtt);
	fputc(',', f);
	truth_stats(f, "rtt_internet", &t->tap[DIR_UP].rtt);
	fputc('}', f);
}

void truth_flows(FILE *f, const struct world *w)
{
	bool first = true;

	fputs(",\n\"flows\":[", f);
	for (uint32_t i = 0; i < w->n_flows; i++) {
		struct tcp_flow *t = w->flows[i];

		if (t->tap[DIR_DOWN].packets + t->tap[DIR_UP].packets == 0)
			continue; /* nothing of it reached the capture */
		fputs(first ? "\n" : ",\n", f);
		first = false;
		write_flow(f, t);
	}
	fputs("\n]", f);
}

static void write_line(FILE *f, const struct line *l)
{
	fputs("{\"line\":", f);
	truth_string(f, l->name);
	truth_l2(f, &l->l2);
	fputs(",\"ipv4\":[", f);
	truth_address(f, &l->ipv4);
	fputs("],\"ipv6\":[", f);
	truth_address(f, &l->ipv6);
	fprintf(f, "],\"access_down_dropped\":%" PRIu64 ",\"access_down_sent\":%" PRIu64,
		l->access[DIR_DOWN].dropped, l->access[DIR_DOWN].packets);
	fprintf(f, ",\"access_up_dropped\":%" PRIu64 ",\"access_up_sent\":%" PRIu64 "}",
		l->access[DIR_UP].dropped, l->access[DIR_UP].packets);
}

void truth_write_tcp(const struct world *w)
{
	FILE *f = truth_open(w);

	truth_flows(f, w);
	fputs(",\n\"lines\":[", f);
	for (uint32_t i = 0; i < w->n_lines; i++) {
		fputs(i ? ",\n" : "\n", f);
		write_line(f, &w->lines[i]);
	}
	fputs("\n]}\n", f);
	truth_close(f, w->options);
}
