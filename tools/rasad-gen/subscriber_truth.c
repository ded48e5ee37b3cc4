/* SPDX-License-Identifier: BSD-3-Clause */
/* The truth about lines and their sessions, and the inventory that an ISP would have of them. */
#include <errno.h>
#include <string.h>

#include "tools/rasad-gen/fault.h"
#include "tools/rasad-gen/mem.h"
#include "tools/rasad-gen/subscriber.h"
#include "tools/rasad-gen/truth.h"

#define FLAP_GAP_NS (600 * NS_PER_S)

struct loss {
	uint64_t lost, packets; /* packets: those seen plus those lost before the tap */
};

/* Of one line: indexed by direction. */
struct losses {
	struct loss access[2], internet[2];
};

static struct losses sum_losses(const struct world *w, const struct line *l)
{
	struct losses s = {0};

	for (uint32_t i = 0; i < w->n_flows; i++) {
		const struct tcp_flow *f = w->flows[i];

		if (f->line != l)
			continue;
		for (int d = 0; d < 2; d++) {
			const struct tcp_tap *t = &f->tap[d];
			struct loss *before = d == DIR_DOWN ? &s.internet[d] : &s.access[d];
			struct loss *after = d == DIR_DOWN ? &s.access[d] : &s.internet[d];

			before->lost += t->lost_before_tap_all;
			before->packets += t->data_packets + t->lost_before_tap_all;
			after->lost += t->lost_after_tap_all;
			after->packets += t->data_packets;
		}
	}
	return s;
}

static void write_loss(FILE *f, const char *name, const struct loss *l)
{
	fprintf(f, "\"%s\":{\"lost\":%llu,\"packets\":%llu}", name, (unsigned long long)l->lost,
		(unsigned long long)l->packets);
}

static void write_losses(FILE *f, const struct losses *s)
{
	fputs(",\"loss\":{", f);
	write_loss(f, "access_down", &s->access[DIR_DOWN]);
	fputc(',', f);
	write_loss(f, "access_up", &s->access[DIR_UP]);
	fputc(',', f);
	write_loss(f, "internet_down", &s->internet[DIR_DOWN]);
	fputc(',', f);
	write_loss(f, "internet_up", &s->internet[DIR_UP]);
	fputc('}', f);
}

static void write_time(FILE *f, const char *name, uint64_t ns)
{
	if (ns)
		fprintf(f, ",\"%s\":%.9f", name, world_unix_s(ns));
}

static void write_session(FILE *f, const struct session *b)
{
	fprintf(f, "{\"pppoe_session_id\":%u", b->id);
	write_time(f, "pads_s", b->pads_ns);
	write_time(f, "up_s", b->up_ns);
	write_time(f, "down_s", b->down_ns);
	write_time(f, "last_up_s", b->down_ns ? b->last_up_ns : 0);
	write_time(f, "end_s", b->end_ns);
	if (b->cause)
		fprintf(f, ",\"cause\":\"%s\",\"event\":\"%s\"", b->cause, b->event);
	fputc('}', f);
}

static void write_sessions(FILE *f, const struct session *newest)
{
	if (!newest)
		return;
	write_sessions(f, newest->next);
	if (newest->next)
		fputc(',', f);
	write_session(f, newest);
}

static bool counts_as_flap(const char *cause)
{
	return cause && (!strcmp(cause, "LINE_LOST") || !strcmp(cause, "CPE_TERM"));
}

/* A flap is an involuntary end after which the line is up again within ten minutes. */
static unsigned count_flaps(const struct subscriber *s)
{
	const struct session *up = NULL;
	unsigned n = 0;

	for (const struct session *b = s->sessions; b; b = b->next) {
		if (!b->up_ns)
			continue;
		if (up && counts_as_flap(b->cause) && up->up_ns - b->down_ns <= FLAP_GAP_NS)
			n++;
		up = b;
	}
	return n;
}

static void write_configured(FILE *f, const struct subscriber *s)
{
	const struct link *access = s->line->access, *home = s->line->home;

	fprintf(f,
		",\"configured\":{\"line_rtt_us\":%.1f,\"line_jitter_us\":%.1f,"
		"\"home_extra_us\":%.1f,\"home_jitter_us\":%.1f,"
		"\"loss_access_down\":%g,\"loss_access_up\":%g,"
		"\"loss_internet_down\":%g,\"loss_internet_up\":%g,"
		"\"internet_rtt_us\":{\"near\":%.1f,\"distant\":%.1f,\"dns\":%.1f}}",
		(access[0].delay_ns + access[1].delay_ns) / 1e3,
		(access[0].jitter_ns + access[1].jitter_ns) / 1e3,
		(home[0].delay_ns + home[1].delay_ns) / 1e3,
		(home[0].jitter_ns + home[1].jitter_ns) / 1e3, access[DIR_DOWN].loss,
		access[DIR_UP].loss, s->loss_internet_down, s->loss_internet_up,
		2 * s->far[FAR_NEAR][0].delay_ns / 1e3, 2 * s->far[FAR_DISTANT][0].delay_ns / 1e3,
		2 * s->far[FAR_RESOLVER][0].delay_ns / 1e3);
}

static void write_rtts(FILE *f, struct subscriber *s)
{
	fputs(",\"rtt\":{", f);
	truth_stats(f, "line", &s->rtt_line);
	fputc(',', f);
	truth_stats(f, "access", &s->line->rtt_access);
	fputc(',', f);
	truth_stats(f, "internet", &s->line->rtt_internet);
	fputc(',', f);
	truth_stats(f, "dns", &s->rtt_dns);
	fputc(',', f);
	truth_stats(f, "icmp_internet", &s->rtt_icmp);
	fputc('}', f);
}

static void write_interruptions(FILE *f, const struct subscriber *s)
{
	fputs(",\"interruptions\":[", f);
	for (uint32_t i = 0; i < s->interruptions; i++)
		fprintf(f, "%s{\"from_s\":%.9f,\"to_s\":%.9f}", i ? "," : "",
			world_unix_s(s->interrupted_ns[i][0]),
			world_unix_s(s->interrupted_ns[i][1]));
	fputc(']', f);
}

static void write_subscriber(FILE *f, const struct world *w, struct subscriber *s)
{
	struct losses losses = sum_losses(w, s->line);
	const struct session *last = s->sessions;

	fputs("{\"line\":", f);
	truth_string(f, s->line->name);
	fprintf(f, ",\"node\":\"DSLAM-%u\",\"svlan\":%u,\"cvlan\":%u,\"outer_tpid\":\"0x%04x\"",
		s->node, s->line->l2.svlan, s->line->l2.cvlan, s->line->l2.outer_tpid);
	const uint8_t *mac = s->line->l2.cpe_mac;
	fprintf(f, ",\"cpe_mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
	fprintf(f, ",\"subscriber\":\"%s\",\"circuit_id\":\"%s\",\"remote_id\":\"%s\"", s->username,
		s->circuit_id, s->remote_id);
	fprintf(f, ",\"auth\":\"%s\",\"ipv4\":[", s->cpe.pap ? "pap" : "chap");
	truth_address(f, &s->line->ipv4);
	fputs("],\"ipv6\":[", f);
	if (s->ipv6)
		truth_address(f, &s->line->ipv6);
	fprintf(f, "],\"state\":\"%s\",\"flaps\":%u,\"auth_failures\":%u,\"sessions\":[",
		last && last->up_ns && !last->down_ns ? "UP" : "DOWN", count_flaps(s),
		s->auth_failures);
	write_sessions(f, s->sessions);
	fputc(']', f);
	write_interruptions(f, s);
	write_configured(f, s);
	write_rtts(f, s);
	write_losses(f, &losses);
	fputc('}', f);
}

static void write_faults(FILE *f, const struct fault *faults, uint32_t n)
{
	const char *comma = "";

	fputs(",\n\"events\":[", f);
	for (uint32_t i = 0; i < n; i++) {
		const struct fault *x = &faults[i];

		if (!x->happened)
			continue;
		fprintf(f, "%s\n{\"t\":%.9f,\"duration_s\":%.3f,\"kind\":\"%s\",\"line\":", comma,
			world_unix_s(x->at_ns), (double)x->for_ns / 1e9, fault_name(x->kind));
		truth_string(f, x->sub->line->name);
		fputc('}', f);
		comma = ",";
	}
	fputs("\n]", f);
}

static void write_outage(FILE *f, const struct world *w, const struct subscriber *subs)
{
	const struct outage *o = &w->outage;
	const char *comma = "";

	if (o->kind == OUTAGE_NONE)
		return;
	fprintf(f, ",\n\"outage\":{\"fault\":\"%s\",\"from_s\":%.9f,\"to_s\":%.9f,\"lines\":[",
		outage_name(o->kind), world_unix_s(o->from_ns), world_unix_s(o->to_ns));
	for (uint32_t i = 0; i < w->n_lines; i++) {
		if (!subs[i].hit)
			continue;
		fputs(comma, f);
		truth_string(f, subs[i].line->name);
		comma = ",";
	}
	fputs("]}", f);
}

void subscriber_truth(const struct world *w, struct subscriber *subs, const struct fault *faults,
		      uint32_t n_faults)
{
	FILE *f = truth_open(w);

	truth_flows(f, w);
	fputs(",\n\"lines\":[", f);
	for (uint32_t i = 0; i < w->n_lines; i++) {
		fputs(i ? ",\n" : "\n", f);
		write_subscriber(f, w, &subs[i]);
	}
	fputs("\n]", f);
	write_faults(f, faults, n_faults);
	write_outage(f, w, subs);
	fputs("}\n", f);
	truth_close(f, w->options);
}

void subscriber_inventory(const struct options *o, const struct subscriber *subs, uint32_t n)
{
	FILE *f;
	bool bad;

	if (!o->inventory)
		return;
	f = fopen(o->inventory, "w");
	if (!f)
		die("%s: cannot create: %s", o->inventory, strerror(errno));
	fputs("line,subscriber,phone,exchange,node,card,port,cabinet,feeder,bras,bras_port,svlan,pool,"
	      "cpe_vendor,plan_down_kbps,plan_up_kbps\n",
	      f);
	for (uint32_t i = 0; i < n; i++) {
		const struct subscriber *s = &subs[i];
		const struct link *a = s->line->access;

		fprintf(f,
			"%s,%s,%s,EX-%u,DSLAM-%u,%u,%u,CAB-%u-%u,,BRAS-GEN-1,0/1,%u,pool-1,,%.0f,%.0f\n",
			s->line->name, s->username, s->remote_id, 1 + (s->node - 101u) / 2, s->node,
			s->card, s->port, s->node, (s->port - 1) / 6 + 1, s->line->l2.svlan,
			8e6 / a[DIR_DOWN].ns_per_byte, 8e6 / a[DIR_UP].ns_per_byte);
	}
	bad = ferror(f);
	if (fclose(f) || bad)
		die("%s: cannot write: %s", o->inventory, strerror(errno));
}
