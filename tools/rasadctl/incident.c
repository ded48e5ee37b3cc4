/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One incident, for whoever must decide what to do about it: what and where first, then why rasad
 * thinks so and what speaks against it, its story, and who is affected.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

#define LABEL	      "  %-10s "
#define MEMBERS_SHOWN 20
#define CURVE_COLUMNS 60

typedef Rasad__V1__Incident Incident;
typedef Rasad__V1__IncidentEvidence Evidence;
typedef Rasad__V1__MemberSet Members;

static void label(const char *text)
{
	printf(LABEL, text);
}

/* --- what, where, how much --- */

static void print_title(struct ctl *ctl, const Incident *incident)
{
	const char *words = class_words((int)incident->class_);

	printf("%s%s%s %s", colour_of_severity(ctl, (int)incident->severity),
	       severity_name((int)incident->severity), colour_end(ctl),
	       class_name((int)incident->class_));
	printf("%s%s (%s)%s\n", *words ? ": " : "", words, category_name((int)incident->category),
	       incident->planned ? ", planned work" : "");
	if (*incident->text) {
		label("");
		puts(tidy(incident->text));
	}
}

static void print_place(const Incident *incident)
{
	label("where");
	print_where(incident);
	putchar('\n');
	for (size_t i = 0; i < incident->n_equivalent_groups; i++) {
		label(i ? "" : "or");
		print_group(incident->equivalent_groups[i]);
		puts(": the very same lines");
	}
}

static void print_state(struct ctl *ctl, const Incident *incident)
{
	char time[TIME_SIZE];

	label("state");
	printf("%s, revision %u of %s", incident_state_name((int)incident->state),
	       incident->revision, format_time(incident->changed_unix_ns, time));
	if (*incident->superseded_by)
		printf(", by %s", tidy(incident->superseded_by));
	if (incident->reopen_count)
		printf(", opened again %u times", incident->reopen_count);
	putchar('\n');
	if (incident_is_open(incident) && !incident_is_watched(ctl, incident)) {
		label("");
		printf("nobody watches it now: %s does not report, this is what it said last\n",
		       *incident->collector ? tidy(incident->collector) : "its collector");
	}
	for (size_t i = 0; i < incident->n_supersedes; i++) {
		label(i ? "" : "instead of");
		puts(tidy(incident->supersedes[i]));
	}
}

static void print_times(const Incident *incident)
{
	char time[TIME_SIZE], span[TIME_SIZE];

	label("since");
	printf("%s", format_time(incident->onset_unix_ns, time));
	printf(", opened %s later",
	       format_span(ns_between(incident->onset_unix_ns, incident->open_unix_ns), span));
	if (incident->has_clear_unix_ns_case) {
		printf(", until %s", format_time(incident->clear_unix_ns, time));
		printf(" (%s)",
		       format_span(ns_between(incident->onset_unix_ns, incident->clear_unix_ns),
				   span));
	}
	putchar('\n');
	if (incident_is_open(incident) && incident->has_eta_90_unix_ns_case) {
		label("back");
		printf("90 %% about %s\n", format_time(incident->eta_90_unix_ns, time));
	}
}

static void print_lines(const Incident *incident)
{
	char share[TIME_SIZE];

	label("lines");
	printf("%" PRIu64 " affected now, %" PRIu64 " at the worst, %" PRIu64 " in all, of %" PRIu64
	       "\n",
	       incident->affected, incident->affected_peak, incident->affected_total,
	       incident->members);
	label("sure");
	puts(format_share(incident->confidence, share));
	if (!*incident->recommended_action)
		return;
	label("to do");
	puts(tidy(incident->recommended_action));
}

/* --- evidence --- */

static void print_numbers(const Evidence *evidence)
{
	label("evidence");
	printf("%8s %8s %10s %7s %9s %8s\n", "k", "n", "expected", "share", "p", "LLR");
	label("");
	printf("%8.1f %8.0f %10.3g %5.0f %% %5s%-4.1f %8.1f\n", evidence->k, evidence->n,
	       evidence->mu, 100 * evidence->fraction, "10^-", evidence->neg_log10_p,
	       evidence->llr);
}

/* Why the second best explanation is not the first. */
static void print_runner_up(const Evidence *evidence)
{
	double less = evidence->llr - evidence->runner_up_llr;

	label("");
	if (!*evidence->runner_up) {
		puts("no other element explains it");
		return;
	}
	fputs("runner-up ", stdout);
	print_group(evidence->runner_up);
	printf(": LLR %.1f, ", evidence->runner_up_llr);
	if (less > 0)
		printf("it explains the lines e^%.1f times less well\n", less);
	else
		puts("it explains the lines as well, but is larger or less often at fault");
}

static void print_causes(const Evidence *evidence)
{
	for (size_t i = 0; i < evidence->n_causes; i++) {
		const char *words = cause_words((int)evidence->causes[i]->cause);
		label("");
		printf("%" PRIu64 " lines: %s\n", evidence->causes[i]->lines,
		       *words ? words : "cause not told");
	}
	if (evidence->suspect_only || evidence->redialled) {
		label("");
		printf("%" PRIu64 " only silent yet, %" PRIu64
		       " came back over a session that still lived (the modem had lost power)\n",
		       evidence->suspect_only, evidence->redialled);
	}
	label("");
	printf("frames from the subscribers: %s; to them: %s\n",
	       evidence->upstream_seen ? "still seen" : "none",
	       evidence->downstream_seen ? "still seen" : "none");
}

static void print_shares(const char *name, Rasad__V1__GroupShare *const *shares, size_t n)
{
	char time[TIME_SIZE];

	for (size_t i = 0; i < n; i++) {
		label(i ? "" : name);
		printf("%s %s", tidy(shares[i]->group_type), tidy(shares[i]->group));
		printf(": %" PRIu64 " of %" PRIu64 " bad", shares[i]->bad, shares[i]->members);
		if (shares[i]->has_recovered_unix_ns_case)
			printf(", 90 %% back %s", format_time(shares[i]->recovered_unix_ns, time));
		putchar('\n');
	}
}

static void print_evidence(const Evidence *evidence)
{
	if (!evidence)
		return;
	print_numbers(evidence);
	print_runner_up(evidence);
	print_causes(evidence);
	print_shares("parts", evidence->children, evidence->n_children);
	print_shares("fine", evidence->healthy_siblings, evidence->n_healthy_siblings);
}

/* --- story --- */

static void print_timeline(const Incident *incident)
{
	char time[TIME_SIZE];

	for (size_t i = 0; i < incident->n_timeline; i++) {
		const Rasad__V1__TimelineEntry *entry = incident->timeline[i];
		label(i ? "" : "timeline");
		printf("%s  %s%s%s\n", format_time(entry->unix_ns, time), tidy(entry->what),
		       *entry->text ? ": " : "", tidy(entry->text));
	}
}

/* Each column is the largest of its points: a peak must not fall between two of them. */
static uint64_t column(const Incident *incident, size_t at, size_t columns)
{
	size_t n = incident->n_recovery, start = at * n / columns, end = (at + 1) * n / columns;
	uint64_t most = 0;

	for (size_t i = start; i < end; i++)
		if (incident->recovery[i]->down > most)
			most = incident->recovery[i]->down;
	return most;
}

static void print_curve(const Incident *incident)
{
	static const char *const blocks[] = {"_",
					     "\xE2\x96\x81",
					     "\xE2\x96\x82",
					     "\xE2\x96\x83",
					     "\xE2\x96\x84",
					     "\xE2\x96\x85",
					     "\xE2\x96\x86",
					     "\xE2\x96\x87",
					     "\xE2\x96\x88"};
	size_t n = incident->n_recovery, columns = n < CURVE_COLUMNS ? n : CURVE_COLUMNS;
	uint64_t most = n ? column(incident, 0, 1) : 0;
	char first[TIME_SIZE], last[TIME_SIZE];

	if (!most)
		return;
	label("curve");
	for (size_t i = 0; i < columns; i++) {
		double part = (double)column(incident, i, columns) / (double)most;
		fputs(blocks[(int)ceil(part * 8)], stdout);
	}
	printf("  most %" PRIu64 ", now %" PRIu64 "; %s to %s\n", most,
	       incident->recovery[n - 1]->down, format_time(incident->recovery[0]->unix_ns, first),
	       format_clock(incident->recovery[n - 1]->unix_ns, last));
}

/* --- members --- */

static void print_member(const struct ctl *ctl, const Members *members, size_t at,
			 const char *sub_id, const Rasad__V1__SubscriberCard *card)
{
	bool down = at < members->n_down;
	size_t back = at - members->n_down;
	char span[TIME_SIZE];

	label("");
	print_cell(card ? card->summary->line : sub_id, 32);
	putchar(' ');
	print_cell(card ? card->summary->subscriber : "", 24);
	if (card)
		printf(" %s%-8s%s", colour_of_state(ctl, (int)card->summary->state),
		       state_name((int)card->summary->state), colour_end(ctl));
	else
		printf(" %-8s", "no card");
	if (down && at < members->n_down_after_s)
		printf(" bad %s after the onset",
		       format_span(members->down_after_s[at] * (int64_t)1000000000, span));
	else if (!down && back < members->n_recovered_after_s)
		printf(" back %s after the onset",
		       format_span(members->recovered_after_s[back] * (int64_t)1000000000, span));
	if (card && card->last_down_cause && down)
		printf(": %s", cause_words((int)card->last_down_cause));
	putchar('\n');
}

/* Those that are bad first; the names and states are the cards'. false: complained. */
static bool print_members(struct ctl *ctl, const Members *members)
{
	size_t all = members->n_down + members->n_recovered;
	size_t n = ctl->number ? ctl->number : MEMBERS_SHOWN;
	struct found found = {.n = n < all ? n : all};

	label("members");
	printf("%zu bad, %zu back", members->n_down, members->n_recovered);
	if (members->left_out)
		printf(", %" PRIu64 " more are not told", members->left_out);
	puts(all > found.n ? "; the first of them (-n N for more):" : ":");
	found.sub_ids = calloc(found.n + 1, sizeof(*found.sub_ids));
	bool good = found.sub_ids;
	for (size_t i = 0; i < found.n && good; i++)
		keyspace_sub_id_of(i < members->n_down ? members->down[i]
						       : members->recovered[i - members->n_down],
				   found.sub_ids[i]);
	good = good && ctl_ask_cards(ctl, &found);
	for (size_t i = 0; i < found.n && good; i++) {
		struct redis_reply *reply = ctl_next(ctl);
		good = reply;
		if (!good)
			break;
		Rasad__V1__SubscriberCard *card = ctl_unpack_card(ctl, reply);
		print_member(ctl, members, i, found.sub_ids[i], card);
		redis_reply_free(reply);
		if (card)
			protobuf_c_message_free_unpacked(&card->base, NULL);
	}
	free(found.sub_ids);
	return good;
}

/* --- the command --- */

static bool print_incident(struct ctl *ctl, const Incident *incident, const Members *members)
{
	print_title(ctl, incident);
	print_place(incident);
	print_state(ctl, incident);
	print_times(incident);
	print_lines(incident);
	print_evidence(incident->evidence);
	print_timeline(incident);
	print_curve(incident);
	return !members || print_members(ctl, members);
}

/* The message of a key, or NULL; *good is false after complaining of the connection. */
static ProtobufCMessage *read_key(struct ctl *ctl, const ProtobufCMessageDescriptor *type,
				  bool *good)
{
	struct redis_reply *reply = *good ? ctl_next(ctl) : NULL;
	ProtobufCMessage *message = reply ? ctl_unpack(type, reply) : NULL;

	*good = reply;
	redis_reply_free(reply);
	return message;
}

static bool show(struct ctl *ctl, const Incident *incident, const Members *members)
{
	if (!ctl->json)
		return print_incident(ctl, incident, members);
	ctl_print_json(ctl, &incident->base);
	if (members)
		ctl_print_json(ctl, &members->base);
	return true;
}

int run_incident(struct ctl *ctl)
{
	const char *id = ctl->arguments[0];
	keyspace_key key, members_key;
	bool good = keyspace_is_incident_id(id);

	if (!good) {
		complain("\"%s\": expected the id of an incident", tidy(id));
		return EXIT_TROUBLE;
	}
	keyspace_incident(id, key);
	keyspace_incident_members(id, members_key);
	good = ctl_send(ctl, (const char *[]){"GET", key, NULL}) &&
	       ctl_send(ctl, (const char *[]){"GET", members_key, NULL});
	Incident *incident = (Incident *)read_key(ctl, &rasad__v1__incident__descriptor, &good);
	Members *members = (Members *)read_key(ctl, &rasad__v1__member_set__descriptor, &good);
	bool found = incident;
	if (good && !found)
		complain("%s: no such incident, or it ended more than 30 days ago", tidy(id));
	good = good && found && show(ctl, incident, members);
	if (incident)
		protobuf_c_message_free_unpacked(&incident->base, NULL);
	if (members)
		protobuf_c_message_free_unpacked(&members->base, NULL);
	return good ? EXIT_OK : EXIT_TROUBLE;
}
