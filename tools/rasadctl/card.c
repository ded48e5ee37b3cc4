/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A card as text, for someone with a caller on the phone: the verdict in the first line, then the
 * evidence, who it is last. Spans are counted to the time of the card, which may be a capture's.
 */
#include <stdio.h>
#include <string.h>

#include "tools/rasadctl/ctl.h"

#define BAR_COLUMNS 48
#define HISTORY_MAX 5

typedef Rasad__V1__SubscriberCard Card;
typedef Rasad__V1__SubscriberSummary Summary;

/* --- state --- */

static void print_since(const char *word, int64_t since, int64_t now)
{
	char time[TIME_SIZE], span[TIME_SIZE];

	printf(" %s %s (%s)", word, format_time(since, time), format_span(now - since, span));
}

static void print_up(const Card *card)
{
	if (card->has_up_since_unix_ns_case)
		print_since("since", card->up_since_unix_ns, card->unix_ns);
	else
		printf(", since before it was watched");
}

static void print_down(const Card *card)
{
	const Summary *summary = card->summary;

	if (summary->has_down_since_unix_ns_case)
		print_since("since", summary->down_since_unix_ns, card->unix_ns);
	else if (card->has_last_down_unix_ns_case)
		print_since("since", card->last_down_unix_ns, card->unix_ns);
	if (card->last_down_cause)
		printf(": %s", cause_words(card->last_down_cause));
}

static void print_state(struct ctl *ctl, const Card *card)
{
	const Summary *summary = card->summary;

	printf("%s%s", colour_of_state(ctl, (int)summary->state), state_name((int)summary->state));
	switch (summary->state) {
	case RASAD__V1__LINE_STATE__LINE_STATE_UP:
		print_up(card);
		break;
	case RASAD__V1__LINE_STATE__LINE_STATE_DOWN:
		print_down(card);
		break;
	case RASAD__V1__LINE_STATE__LINE_STATE_SUSPECT:
		printf(": does not answer");
		if (summary->has_last_upstream_unix_ns_case)
			print_since("since", summary->last_upstream_unix_ns, card->unix_ns);
		break;
	default:
		printf(": no session was seen come or go");
	}
	printf("%s%s\n", summary->flapping ? ", FLAPPING" : "", colour_end(ctl));
}

/* --- history --- */

static void print_session(const Rasad__V1__Session *session, int64_t now)
{
	char time[TIME_SIZE], span[TIME_SIZE];
	int64_t end = session->has_down_unix_ns_case ? session->down_unix_ns : now;
	bool came_up = session->has_up_unix_ns_case;

	if (session->failed_stage) {
		printf("set-up failed");
		if (session->has_down_unix_ns_case)
			printf(" %s", format_time(session->down_unix_ns, time));
		printf(": %s\n", stage_words((int)session->failed_stage));
		return;
	}
	if (came_up)
		printf("up   %s", format_time(session->up_unix_ns, time));
	else
		printf("up   %-19s",
		       session->has_pads_unix_ns_case ? "not yet" : "before the watch");
	if (!session->has_down_unix_ns_case)
		printf("  still there");
	else
		printf("  down %s", format_time(session->down_unix_ns, time));
	if (came_up)
		printf(", %s", format_span(end - session->up_unix_ns, span));
	if (session->cause)
		printf(": %s", cause_words((int)session->cause));
	putchar('\n');
}

static void print_history(const Card *card)
{
	const Summary *summary = card->summary;

	for (size_t i = 0; i < summary->n_sessions && i < HISTORY_MAX; i++) {
		print_label(i ? "" : "sessions");
		print_session(summary->sessions[summary->n_sessions - 1 - i], card->unix_ns);
	}
	if (summary->sessions_total > HISTORY_MAX) {
		print_label("");
		printf("%llu in all\n", (unsigned long long)summary->sessions_total);
	}
	if (summary->auth_failures || summary->setup_failures) {
		print_label("failed");
		printf("%llu logins refused, %llu set-ups failed\n",
		       (unsigned long long)summary->auth_failures,
		       (unsigned long long)summary->setup_failures);
	}
}

/* --- latency --- */

struct segment {
	const char *name, *colour;
	char mark;
	const Rasad__V1__Distribution *distribution;
};

static void print_bar(struct ctl *ctl, const struct segment *segments, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += segments[i].distribution ? segments[i].distribution->p50_us : 0;
	if (!(sum > 0))
		return;
	print_label("");
	putchar('[');
	for (size_t i = 0; i < n; i++) {
		if (!segments[i].distribution)
			continue;
		double share = segments[i].distribution->p50_us / sum;
		int columns = share > 0 && share <= 1 ? (int)(share * BAR_COLUMNS + 0.5) : 0;
		printf("%s", ctl->colour ? segments[i].colour : "");
		for (int k = 0; k < columns; k++)
			putchar(segments[i].mark);
		printf("%s", colour_end(ctl));
	}
	puts("]");
}

/* The modem answers LCP echoes itself; without them, modem and home are one: access. */
static void print_latency(struct ctl *ctl, const Summary *summary)
{
	const Rasad__V1__RttSegments *rtt = summary->rtt;
	const struct segment split[] = {{"modem", "\033[36m", '=', rtt ? rtt->line : NULL},
					{"home", "\033[33m", '-', rtt ? rtt->home : NULL},
					{"internet", "\033[34m", '~', rtt ? rtt->internet : NULL}};
	const struct segment joint[] = {{"access", "\033[36m", '=', rtt ? rtt->access : NULL},
					{"internet", "\033[34m", '~', rtt ? rtt->internet : NULL}};
	bool is_split = rtt && rtt->line;
	const struct segment *segments = is_split ? split : joint;
	size_t n = is_split ? 3 : 2;

	print_label("latency");
	for (size_t i = 0; i < n; i++) {
		const Rasad__V1__Distribution *d = segments[i].distribution;
		if (d)
			printf("%s%s %c %.1f ms (95 %%: %.1f)", i ? "   " : "", segments[i].name,
			       segments[i].mark, d->p50_us / 1000, d->p95_us / 1000);
		else
			printf("%s%s not measured", i ? "   " : "", segments[i].name);
	}
	putchar('\n');
	print_bar(ctl, segments, n);
}

/* --- loss, flaps --- */

static void print_loss_count(const char *name, const Rasad__V1__LossCount *count)
{
	if (count && count->packets)
		printf("%s %.2f %% (%llu of %llu)", name,
		       100.0 * (double)count->lost / (double)count->packets,
		       (unsigned long long)count->lost, (unsigned long long)count->packets);
	else
		printf("%s not measured", name);
}

static void print_loss_side(const char *name, const Rasad__V1__LossCount *down,
			    const Rasad__V1__LossCount *up)
{
	printf("%-9s", name);
	print_loss_count("down", down);
	print_loss_count(", up", up);
	putchar('\n');
}

static void print_loss(const Summary *summary)
{
	const Rasad__V1__LossSides *loss = summary->loss;

	print_label("loss");
	print_loss_side("access", loss ? loss->access_down : NULL, loss ? loss->access_up : NULL);
	print_label("");
	print_loss_side("internet", loss ? loss->internet_down : NULL,
			loss ? loss->internet_up : NULL);
}

static void print_flaps(const Card *card)
{
	print_label("flaps");
	printf("%u in 5 min, %u in 1 h, %u in 24 h; %llu in all, %llu longer outages\n",
	       card->flaps_5m, card->flaps_1h, card->flaps_24h,
	       (unsigned long long)card->summary->flaps,
	       (unsigned long long)card->summary->outages);
}

/* --- identity --- */

static void print_field(const char *name, const char *text)
{
	if (!*text)
		return;
	print_label(name);
	puts(tidy(text));
}

static void print_addresses(const Summary *summary)
{
	if (!summary->n_ipv4 && !summary->n_ipv6)
		return;
	print_label("addresses");
	for (size_t i = 0; i < summary->n_ipv4; i++)
		printf("%s%s", i ? " " : "", tidy(summary->ipv4[i]));
	for (size_t i = 0; i < summary->n_ipv6; i++)
		printf("%s%s", i || summary->n_ipv4 ? " " : "", tidy(summary->ipv6[i]));
	putchar('\n');
}

static void print_part(const char *name, const char *text, bool *any)
{
	if (!*text)
		return;
	if (!*any)
		print_label("place");
	printf("%s%s %s", *any ? ", " : "", name, tidy(text));
	*any = true;
}

static void print_place(const Card *card)
{
	bool any = false;

	print_part("exchange", card->exchange, &any);
	print_part("node", card->node, &any);
	print_part("card", card->card, &any);
	print_part("port", card->port, &any);
	print_part("cabinet", card->cabinet, &any);
	if (any)
		putchar('\n');
}

static void print_rate(const char *name, bool known, uint32_t rate)
{
	if (known)
		printf("%s %u ", name, rate);
}

static void print_rates(const Card *card)
{
	const Summary *summary = card->summary;

	if (card->has_plan_down_kbps_case || card->has_plan_up_kbps_case) {
		print_label("plan");
		print_rate("down", card->has_plan_down_kbps_case, card->plan_down_kbps);
		print_rate("up", card->has_plan_up_kbps_case, card->plan_up_kbps);
		puts("kbit/s");
	}
	if (summary->has_line_rate_down_case || summary->has_line_rate_up_case) {
		print_label("line rate");
		print_rate("down", summary->has_line_rate_down_case, summary->line_rate_down);
		print_rate("up", summary->has_line_rate_up_case, summary->line_rate_up);
		puts("as the access node says, normally kbit/s");
	}
}

static void print_vlan(const Summary *summary)
{
	if (!summary->has_svlan_case && !summary->has_cvlan_case)
		return;
	print_label("VLAN");
	if (summary->has_svlan_case)
		printf("%u%s", summary->svlan, summary->has_cvlan_case ? "." : "");
	if (summary->has_cvlan_case)
		printf("%u", summary->cvlan);
	putchar('\n');
}

static void print_identity(const Card *card)
{
	const Summary *summary = card->summary;
	char time[TIME_SIZE], span[TIME_SIZE];

	print_field("line", summary->line);
	print_field("user", summary->subscriber);
	if (strcmp(card->booked_subscriber, summary->subscriber))
		print_field("booked for", card->booked_subscriber);
	print_field("phone", card->phone);
	print_place(card);
	print_rates(card);
	print_field("modem", summary->cpe_mac);
	print_addresses(summary);
	print_vlan(summary);
	print_label("as of");
	printf("%s, %s ago\n\n", format_time(card->unix_ns, time),
	       format_span(now_unix_ns() - card->unix_ns, span));
}

void print_card(struct ctl *ctl, const Card *card)
{
	print_state(ctl, card);
	print_history(card);
	print_latency(ctl, card->summary);
	print_loss(card->summary);
	print_flaps(card);
	print_identity(card);
}
