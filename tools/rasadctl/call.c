/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * call: asks the desks, as a ticket system would: by the stream, and waits for the answer.
 * callbacks: whom to call back after a repair, looked at again as they are now.
 * export: an incident or an answer in the words of a ticket system.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "engine/match/call_json.h"
#include "engine/match/card_text.h"
#include "engine/match/export.h"
#include "engine/match/verify.h"
#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "proto/rasad/v1/desk.pb-c.h"
#include "tools/lib/call_keys.h"
#include "tools/rasadctl/ctl.h"

#define POLL_MS		  20
#define CALLBACKS_DEFAULT 50

/* --- options --- */

static const char *take_complaint(struct ctl *ctl, const char *value)
{
	static const char *const names[] = {"", "outage", "slow", "ping", "flap", "other"};

	for (int i = 1; i < 6; i++)
		if (!strcasecmp(value, names[i])) {
			ctl->call.complaint = i;
			return NULL;
		}
	return "outage, slow, ping, flap or other";
}

static const char *take_format(struct ctl *ctl, const char *value)
{
	ctl->call.format = export_format_of(value);
	return ctl->call.format < 0 ? "tmf642, tmf621, servicenow, znuny or jira" : NULL;
}

static const char *take_wait(struct ctl *ctl, const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	ctl->call.wait_s = (unsigned)seconds;
	return *value >= '0' && *value <= '9' && !*end && seconds <= 3600 ? NULL : "0 to 3600";
}

const char *take_call_option(struct ctl *ctl, int option, const char *value)
{
	switch (option) {
	case 'p':
		ctl->call.phone = value;
		return NULL;
	case 'N':
		ctl->call.line_number = value;
		return NULL;
	case 'u':
		ctl->call.account = value;
		return NULL;
	case 'x':
		ctl->call.text = value;
		return NULL;
	case 'i':
		ctl->call.id = value;
		return NULL;
	case 'c':
		return take_complaint(ctl, value);
	case 'A':
		return parse_since(value, &ctl->call.at_unix_ns) ? NULL : "a time as for --since";
	case 'w':
		return take_wait(ctl, value);
	case 'F':
		return take_format(ctl, value);
	default:
		ctl->english = !strcmp(value, "en");
		return ctl->english || !strcmp(value, "fa") ? NULL : "fa or en";
	}
}

/* NULL when there is none, or after complaining (then *failed). */
static ProtobufCMessage *get(struct ctl *ctl, const char *key,
			     const ProtobufCMessageDescriptor *type, bool *failed)
{
	struct redis_reply *reply =
		ctl_send(ctl, (const char *[]){"GET", key, NULL}) ? ctl_next(ctl) : NULL;

	*failed = !reply;
	ProtobufCMessage *message = reply ? ctl_unpack(type, reply) : NULL;
	redis_reply_free(reply);
	return message;
}

static struct card_text_options text_options(const struct ctl *ctl, int64_t now_unix_ns)
{
	return (struct card_text_options){
		.language = ctl->english ? TEXT_EN : TEXT_FA,
		.colour = ctl->colour,
		.now_unix_ns = now_unix_ns,
		.wall_unix_ms = ctl->redis_now_ms ? ctl->redis_now_ms : now_unix_ns / 1000000,
	};
}

void print_spoken(struct ctl *ctl, const Rasad__V1__SubscriberCard *card)
{
	const struct card_text_options options = text_options(ctl, card->unix_ns);

	card_text(stdout, card, NULL, &options);
	putchar('\n');
}

/* --- call --- */

static bool new_call(const struct ctl *ctl, Rasad__V1__CallEvent *call, char id[40])
{
	uint64_t words[2] = {0};

	rasad__v1__call_event__init(call);
	if (getrandom(words, sizeof(words), 0) != sizeof(words))
		return false;
	snprintf(id, 40, "ctl-%016" PRIx64 "%08" PRIx64, words[0], words[1] & 0xffffffff);
	call->call_id = ctl->call.id ? (char *)ctl->call.id : id;
	call->unix_ns = ctl->call.at_unix_ns;
	call->phone = (char *)(ctl->call.phone ? ctl->call.phone : "");
	call->line_number = (char *)(ctl->call.line_number ? ctl->call.line_number : "");
	call->account = (char *)(ctl->call.account ? ctl->call.account : "");
	call->free_text = (char *)(ctl->call.text ? ctl->call.text : "");
	call->channel = "rasadctl";
	call->complaint = (Rasad__V1__Complaint)ctl->call.complaint;
	if (ctl->since_unix_ns != INT64_MIN) {
		call->has_reported_start_unix_ns_case =
			RASAD__V1__CALL_EVENT__HAS_REPORTED_START_UNIX_NS_REPORTED_START_UNIX_NS;
		call->reported_start_unix_ns = ctl->since_unix_ns;
	}
	return true;
}

static bool send_call(struct ctl *ctl, const Rasad__V1__CallEvent *call)
{
	size_t n = rasad__v1__call_event__get_packed_size(call);
	uint8_t *bytes = malloc(n + 1);
	bool sent = false;

	if (bytes) {
		rasad__v1__call_event__pack(call, bytes);
		const char *arguments[] = {
			"XADD",	     CALLS_IN, "MAXLEN", "~", CALLS_MAXLEN,  "*", "t",
			"CallEvent", "v",      "1",	 "k", call->call_id, "p", (char *)bytes};
		size_t lengths[14];
		for (size_t i = 0; i < 13; i++)
			lengths[i] = strlen(arguments[i]);
		lengths[13] = n;
		sent = !redis_append(ctl->redis, 14, arguments, lengths);
	}
	free(bytes);
	struct redis_reply *reply = sent ? ctl_next(ctl) : NULL;
	sent = reply;
	redis_reply_free(reply);
	return sent;
}

static Rasad__V1__CallMatch *wait_for_answer(struct ctl *ctl, const char *call_id)
{
	char key[CALL_KEY_SIZE];
	int64_t end = now_unix_ns() + (int64_t)ctl->call.wait_s * 1000000000;
	bool failed;

	snprintf(key, sizeof(key), CALL_KEY, call_id);
	do {
		ProtobufCMessage *match =
			get(ctl, key, &rasad__v1__call_match__descriptor, &failed);
		if (match || failed)
			return (Rasad__V1__CallMatch *)match;
		nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
	} while (now_unix_ns() < end);
	complain("no answer within %u s: does a rasad-desk run? The call %s waits for one",
		 ctl->call.wait_s, tidy(call_id));
	return NULL;
}

int run_call(struct ctl *ctl)
{
	Rasad__V1__CallEvent call;
	char id[40];
	const char *wrong = new_call(ctl, &call, id) ? call_check(&call) : "no random numbers";

	if (wrong) {
		complain("%s", wrong);
		return EXIT_USAGE;
	}
	Rasad__V1__CallMatch *match =
		send_call(ctl, &call) ? wait_for_answer(ctl, call.call_id) : NULL;
	if (!match)
		return EXIT_TROUBLE;
	const struct card_text_options options = text_options(ctl, match->unix_ns);
	if (ctl->json)
		ctl_print_json(ctl, &match->base);
	else
		match_text(stdout, match, &options);
	rasad__v1__call_match__free_unpacked(match, NULL);
	return EXIT_OK;
}

/* --- callbacks --- */

static Rasad__V1__Incident *get_incident(struct ctl *ctl, const char *id, bool *failed)
{
	keyspace_key key;

	*failed = false;
	if (!keyspace_is_incident_id(id))
		return NULL;
	keyspace_incident(id, key);
	return (Rasad__V1__Incident *)get(ctl, key, &rasad__v1__incident__descriptor, failed);
}

static void print_states(const Rasad__V1__CallbackList *list)
{
	for (size_t i = 0; list && i < list->n_states; i++)
		printf("%s%" PRIu64 " %s", i ? ", " : "", list->states[i]->value,
		       tidy(list->states[i]->key));
	puts(list && list->n_states ? "" : "no line has been looked at yet");
}

static void print_result(struct ctl *ctl, const Rasad__V1__VerifyResult *result)
{
	if (ctl->json) {
		ctl_print_json(ctl, &result->base);
		return;
	}
	const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(
		&rasad__v1__verify_state__descriptor, (int)result->state);
	printf("%-15s ", *result->phone ? tidy(result->phone) : "no phone");
	print_cell(result->line, 28);
	printf(" %s\n    %s\n", state ? state->name + sizeof("VERIFY_STATE_") - 1 : "?",
	       tidy(ctl->english ? result->text_en : result->text_fa));
}

static bool show_line(struct ctl *ctl, const Rasad__V1__Incident *incident, const char *sub_id,
		      int64_t now_unix, size_t *shown)
{
	struct redis_reply *reply = ctl_next(ctl);
	Rasad__V1__SubscriberCard *card = reply ? ctl_unpack_card(ctl, reply) : NULL;
	const struct verify_input input = {.incident = incident,
					   .sub_id = sub_id,
					   .card = card,
					   .now_unix_ns = now_unix,
					   .wall_unix_ms = ctl->redis_now_ms};
	Rasad__V1__VerifyResult *result = reply ? verify_line(&input) : NULL;

	if (result && result->call_back) { /* it may have gone down since it was listed */
		print_result(ctl, result);
		++*shown;
	}
	if (result)
		rasad__v1__verify_result__free_unpacked(result, NULL);
	if (card)
		rasad__v1__subscriber_card__free_unpacked(card, NULL);
	redis_reply_free(reply);
	return reply;
}

static bool list_lines(struct ctl *ctl, const Rasad__V1__Incident *incident, int64_t now_unix,
		       size_t *shown)
{
	char key[CALL_KEY_SIZE], number[24];
	struct found found = {0};

	snprintf(key, sizeof(key), VERIFY_LIST, incident->incident_id);
	snprintf(number, sizeof(number), "%zu", ctl->number ? ctl->number : CALLBACKS_DEFAULT);
	bool good = ctl_send(ctl, (const char *[]){"ZRANGEBYSCORE", key, "-inf", "+inf", "LIMIT",
						   "0", number, NULL});
	struct redis_reply *lines = good ? ctl_next(ctl) : NULL;
	for (size_t i = 0; i < redis_count(lines); i++)
		found_add(&found, redis_text(redis_element(lines, i), NULL));
	good = lines && ctl_ask_cards(ctl, &found);
	redis_reply_free(lines);
	for (size_t i = 0; i < found.n && good; i++)
		good = show_line(ctl, incident, found.sub_ids[i], now_unix, shown);
	free(found.sub_ids);
	return good;
}

int run_callbacks(struct ctl *ctl)
{
	char key[CALL_KEY_SIZE];
	size_t shown = 0;
	bool failed;
	Rasad__V1__Incident *incident = get_incident(ctl, ctl->arguments[0], &failed);

	if (!incident) {
		if (!failed)
			complain("%s: no such incident", tidy(ctl->arguments[0]));
		return EXIT_TROUBLE;
	}
	snprintf(key, sizeof(key), VERIFY_STATES, incident->incident_id);
	Rasad__V1__CallbackList *list = (Rasad__V1__CallbackList *)get(
		ctl, key, &rasad__v1__callback_list__descriptor, &failed);
	if (!failed && !ctl->json)
		print_states(list);
	int64_t now_unix = list && list->verified_unix_ns ? list->verified_unix_ns : now_unix_ns();
	bool good = !failed && list_lines(ctl, incident, now_unix, &shown);
	if (good && !shown)
		complain("%s: nobody to call back now", tidy(incident->incident_id));
	if (list)
		rasad__v1__callback_list__free_unpacked(list, NULL);
	rasad__v1__incident__free_unpacked(incident, NULL);
	return good && shown ? EXIT_OK : EXIT_TROUBLE;
}

/* --- export --- */

static char *export_call(struct ctl *ctl, const char *id, bool *failed)
{
	char key[CALL_KEY_SIZE];
	bool lost = false;

	snprintf(key, sizeof(key), CALL_KEY, id);
	Rasad__V1__CallMatch *match =
		(Rasad__V1__CallMatch *)get(ctl, key, &rasad__v1__call_match__descriptor, failed);
	if (!match)
		return NULL;
	Rasad__V1__Incident *parent =
		*match->incident_id ? get_incident(ctl, match->incident_id, &lost) : NULL;
	char *text = export_match((enum export_format)ctl->call.format, match, parent);
	if (!text)
		complain("%s: a call is nothing that this format knows", tidy(id));
	*failed = !text;
	if (parent)
		rasad__v1__incident__free_unpacked(parent, NULL);
	rasad__v1__call_match__free_unpacked(match, NULL);
	return text;
}

int run_export(struct ctl *ctl)
{
	const char *id = ctl->arguments[0];
	bool failed;
	Rasad__V1__Incident *incident = get_incident(ctl, id, &failed);
	char *text =
		incident ? export_incident((enum export_format)ctl->call.format, incident) : NULL;

	if (!incident && !failed)
		text = export_call(ctl, id, &failed);
	if (incident)
		rasad__v1__incident__free_unpacked(incident, NULL);
	if (text)
		puts(text);
	else if (!failed)
		complain("%s: no such incident, and no such call in the last seven days", tidy(id));
	free(text);
	return text ? EXIT_OK : EXIT_TROUBLE;
}
