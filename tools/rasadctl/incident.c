/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One incident, for whoever must decide what to do about it: what and where first, then why rasad
 * thinks so and what speaks against it, its story, and who is affected.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

#define MEMBERS_SHOWN 20

typedef Rasad__V1__Incident Incident;
typedef Rasad__V1__MemberSet Members;

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
		print_label("");
		puts(tidy(incident->text));
	}
}

static void print_place(const Incident *incident)
{
	print_label("where");
	print_where(incident);
	putchar('\n');
	for (size_t i = 0; i < incident->n_equivalent_groups; i++) {
		print_label(i ? "" : "or");
		print_group(incident->equivalent_groups[i]);
		puts(": the very same lines");
	}
}

static void print_state(struct ctl *ctl, const Incident *incident)
{
	char time[TIME_SIZE];

	print_label("state");
	printf("%s, revision %u of %s", incident_state_name((int)incident->state),
	       incident->revision, format_time(incident->changed_unix_ns, time));
	if (*incident->superseded_by)
		printf(", by %s", tidy(incident->superseded_by));
	if (incident->reopen_count)
		printf(", opened again %u times", incident->reopen_count);
	putchar('\n');
	if (incident_is_open(incident) && !incident_is_watched(ctl, incident)) {
		print_label("");
		printf("nobody watches it now: %s does not report, this is what it said last\n",
		       *incident->collector ? tidy(incident->collector) : "its collector");
	}
	for (size_t i = 0; i < incident->n_supersedes; i++) {
		print_label(i ? "" : "instead of");
		puts(tidy(incident->supersedes[i]));
	}
}

static void print_times(const Incident *incident)
{
	char time[TIME_SIZE], span[TIME_SIZE];

	print_label("since");
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
		print_label("back");
		printf("90 %% about %s\n", format_time(incident->eta_90_unix_ns, time));
	}
}

static void print_lines(const Incident *incident)
{
	char share[TIME_SIZE];

	print_label("lines");
	printf("%" PRIu64 " affected now, %" PRIu64 " at the worst, %" PRIu64 " in all, of %" PRIu64
	       "\n",
	       incident->affected, incident->affected_peak, incident->affected_total,
	       incident->members);
	print_label("sure");
	puts(format_share(incident->confidence, share));
	if (!*incident->recommended_action)
		return;
	print_label("to do");
	puts(tidy(incident->recommended_action));
}

/* --- members --- */

static void print_member(const struct ctl *ctl, const Members *members, size_t at,
			 const char *sub_id, const Rasad__V1__SubscriberCard *card)
{
	bool down = at < members->n_down;
	size_t back = at - members->n_down;
	char span[TIME_SIZE];

	print_label("");
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

	print_label("members");
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
	print_story(incident);
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
