/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/match/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "proto/json_read.h"

#define MADE_MAX 4096

static ProtobufCMessage *made[MADE_MAX];
static size_t n_made;

static void *keep(ProtobufCMessage *message)
{
	if (n_made == MADE_MAX)
		abort();
	made[n_made++] = message;
	return message;
}

void *kept(void *message)
{
	return keep(message);
}

void *given_away(void *message)
{
	for (size_t i = 0; i < n_made; i++)
		if (made[i] == message)
			made[i] = NULL;
	return message;
}

void fixture_free(void)
{
	for (size_t i = 0; i < n_made; i++)
		if (made[i])
			protobuf_c_message_free_unpacked(made[i], NULL);
	n_made = 0;
}

/* ' -> ", %T(n) -> nanoseconds. */
static char *expand(const char *json)
{
	char *text;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	for (const char *at = json; *at; at++) {
		if (strncmp(at, "%T(", 3) != 0) {
			fputc(*at == '\'' ? '"' : *at, out);
			continue;
		}
		char *end;
		double minutes = strtod(at + 3, &end);
		fprintf(out, "%lld", NOW_NS + (long long)(minutes * (double)MIN_NS));
		at = end;
	}
	fclose(out);
	return text;
}

/* What `more` (",'name':...") says goes over what the object says. */
static char *merge(const char *json, const char *more)
{
	char *text = expand(json), *addition = expand(more);
	json_t *object = json_loads(text, 0, NULL);
	json_t *added;

	if (*addition)
		*addition = '{';
	addition = realloc(addition, strlen(addition) + 3);
	strcat(addition, *addition ? "}" : "{}");
	added = json_loads(addition, 0, NULL);
	if (!object || !added || json_object_update(object, added))
		abort();
	free(text);
	free(addition);
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	json_decref(added);
	return text;
}

static void *read_as(const ProtobufCMessageDescriptor *type, const char *json, const char *more)
{
	char error[JSON_READ_ERROR_SIZE];
	char *text = merge(json, more);
	ProtobufCMessage *message = json_read(text, strlen(text), &type, 1, error);

	if (!message) {
		fprintf(stderr, "fixture: %s\nin %s\n", error, text);
		abort();
	}
	free(text);
	return keep(message);
}

Rasad__V1__SubscriberCard *card_of(const char *json)
{
	return read_as(&rasad__v1__subscriber_card__descriptor, json, "");
}

Rasad__V1__CallEvent *call_of(const char *json)
{
	return read_as(&rasad__v1__call_event__descriptor, json, "");
}

Rasad__V1__Incident *incident_of(const char *json)
{
	return read_as(&rasad__v1__incident__descriptor, json, "");
}

Rasad__V1__MemberSet *members_of(const char *json)
{
	return read_as(&rasad__v1__member_set__descriptor, json, "");
}

Rasad__V1__NodeSummary *node_of(const char *json)
{
	return read_as(&rasad__v1__node_summary__descriptor, json, "");
}

Rasad__V1__CallMatch *match_of(const char *json)
{
	return read_as(&rasad__v1__call_match__descriptor, json, "");
}

#define VALID "'valid_until_unix_ms':1763203500000"
Rasad__V1__CallEvent *call_with(const char *json, const char *more)
{
	return read_as(&rasad__v1__call_event__descriptor, json, more);
}

#define WHO                                                                                        \
	"'sub_id':'b98c12002e206d3a','phone':'+982188776655','unix_ns':%T(0),"                     \
	"'valid_until_unix_ms':1763203500000"

Rasad__V1__SubscriberCard *healthy_card(const char *more)
{
	return read_as(
		&rasad__v1__subscriber_card__descriptor,
		"{" WHO ",'up_since_unix_ns':%T(-8880),"
		"'summary':{'line':'DSLAM-1 eth 0/1/3:7','subscriber':'u7@isp.test','state':'UP',"
		"'last_upstream_unix_ns':%T(-0.1)},"
		"'recent':{'packets_down':60000,'packets_up':40000,'bytes_down':60000000,"
		"'bytes_up':4000000,'rtt':{'line':{'n':60,'p50_us':9000,'p95_us':14000},"
		"'access':{'n':800,'p50_us':12000,'p95_us':30000},"
		"'internet':{'n':300,'p50_us':40000,'p95_us':80000}},"
		"'loss':{'access_down':{'lost':8,'packets':41000},"
		"'internet_down':{'lost':20,'packets':41000}}},"
		"'usual':{'rtt_line_us':8000,'rtt_access_us':11000,'rtt_internet_us':42000}}",
		more);
}

Rasad__V1__SubscriberCard *down_card(int minutes, const char *more)
{
	char text[1024];

	snprintf(
		text, sizeof(text),
		"{'sub_id':'b98c12002e206d3a','phone':'+982188776655','unix_ns':%%T(0),"
		"'valid_until_unix_ms':1763203500000,'last_down_cause':'LINE_LOST','last_down_unix_ns':%%T(-%d),"
		"'summary':{'line':'DSLAM-1 eth 0/1/3:7','subscriber':'u7@isp.test',"
		"'state':'DOWN','last_upstream_unix_ns':%%T(-%d),'down_since_unix_ns':%%T(-%d)}}",
		minutes, minutes, minutes);
	return read_as(&rasad__v1__subscriber_card__descriptor, text, more);
}
