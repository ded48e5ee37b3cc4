/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "tools/rasadctl/ctl.h"

static bool is_wanted(const struct ctl *ctl, int64_t unix_ns, const char *line, const char *user)
{
	return unix_ns >= ctl->since_unix_ns &&
	       (!ctl->line || !strcmp(ctl->line, line) || !strcmp(ctl->line, user));
}

static void print_head(int64_t unix_ns, const char *kind, const char *line, const char *user)
{
	char time[TIME_SIZE];

	printf("%s  %-12s ", format_time(unix_ns, time), kind);
	print_cell(line, 32);
	putchar(' ');
	print_cell(user, 24);
	putchar(' ');
}

static const char *kind_name(int kind)
{
	static const char *const names[] = {"?",	 "UP",	 "SUSPECT",
					    "RECOVERED", "DOWN", "SETUP_FAILED"};

	return kind >= 0 && kind < 6 ? names[kind] : "?";
}

static void print_session_event(const Rasad__V1__SessionEvent *event)
{
	char span[TIME_SIZE];
	const char *why = event->stage	 ? stage_words((int)event->stage)
			  : event->cause ? cause_words((int)event->cause)
					 : "";

	print_head(event->unix_ns, kind_name((int)event->kind), event->line, event->subscriber);
	printf("%s", why);
	if (event->has_down_since_unix_ns_case && event->down_since_unix_ns < event->unix_ns)
		printf("%ssilent for %s", *why ? ", " : "",
		       format_span(ns_between(event->down_since_unix_ns, event->unix_ns), span));
	if (event->has_setup_ms_case)
		printf("set-up took %" PRId64 " ms", event->setup_ms);
	if (*event->text)
		printf(" \"%s\"", tidy(event->text));
	putchar('\n');
}

static void show_session_event(struct ctl *ctl, const ProtobufCMessage *message)
{
	const Rasad__V1__SessionEvent *event = (const Rasad__V1__SessionEvent *)message;

	if (!is_wanted(ctl, event->unix_ns, event->line, event->subscriber))
		return;
	if (ctl->json)
		ctl_print_json(ctl, &event->base);
	else
		print_session_event(event);
}

static void show_flaps(struct ctl *ctl, const ProtobufCMessage *message)
{
	const Rasad__V1__FlapSummary *flaps = (const Rasad__V1__FlapSummary *)message;

	if (!is_wanted(ctl, flaps->unix_ns, flaps->line, flaps->subscriber))
		return;
	if (ctl->json) {
		ctl_print_json(ctl, &flaps->base);
		return;
	}
	print_head(flaps->unix_ns, flaps->flapping ? "FLAPPING" : "FLAPS_ENDED", flaps->line,
		   flaps->subscriber);
	printf("%u flaps since the last word, %u in 1 h, %u in 24 h\n", flaps->flaps,
	       flaps->flaps_1h, flaps->flaps_24h);
}

/* What a tap did not see is of every line: --line does not keep it. */
static void show_gap(struct ctl *ctl, const ProtobufCMessage *message)
{
	const Rasad__V1__GapNotice *gap = (const Rasad__V1__GapNotice *)message;
	char time[TIME_SIZE], span[TIME_SIZE];
	bool ended = gap->has_until_unix_ns_case;

	if (ctl->line || gap->unix_ns < ctl->since_unix_ns)
		return;
	if (ctl->json) {
		ctl_print_json(ctl, &gap->base);
		return;
	}
	print_head(gap->unix_ns, ended ? "GAP_ENDED" : "GAP", *gap->tap ? gap->tap : "all taps",
		   "");
	printf("not seen (%s) %s %s", tidy(gap->reason), ended ? "from" : "since",
	       format_time(gap->since_unix_ns, time));
	if (ended)
		printf(" for %s",
		       format_span(ns_between(gap->since_unix_ns, gap->until_unix_ns), span));
	printf("; %" PRIu64 " lines unknown", gap->lines);
	if (gap->dropped)
		printf(", %" PRIu64 " packets lost", gap->dropped);
	putchar('\n');
}

static const struct kind {
	const char *type;
	const ProtobufCMessageDescriptor *descriptor;
	void (*show)(struct ctl *ctl, const ProtobufCMessage *message);
} kinds[] = {
	{"SessionEvent", &rasad__v1__session_event__descriptor, show_session_event},
	{"FlapSummary", &rasad__v1__flap_summary__descriptor, show_flaps},
	{"GapNotice", &rasad__v1__gap_notice__descriptor, show_gap},
};

/* An entry that is no event of ours, or of a later schema, is named and passed over. */
static bool show_entry(struct ctl *ctl, const struct redis_reply *entry)
{
	const char *type = redis_text(stream_field(entry, "t"), NULL);
	const struct kind *kind = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].type, type))
			kind = &kinds[i];
	ProtobufCMessage *message =
		kind ? ctl_unpack(kind->descriptor, stream_field(entry, "p")) : NULL;
	if (!message) {
		complain("entry %s: expected SessionEvent, FlapSummary or GapNotice, found \"%s\"",
			 tidy(redis_text(redis_element(entry, 0), NULL)), tidy(type));
		return true;
	}
	kind->show(ctl, message);
	protobuf_c_message_free_unpacked(message, NULL);
	return true;
}

int run_events(struct ctl *ctl)
{
	static const struct stream_reader reader = {KEYSPACE_SHARDS, keyspace_events, "1000",
						    show_entry};
	bool listed = !ctl->follow || ctl->since_unix_ns != INT64_MIN;
	bool good = !listed || streams_list(ctl, &reader);

	if (good && ctl->follow)
		good = streams_follow(ctl, &reader, listed);
	return good ? EXIT_OK : EXIT_TROUBLE;
}
