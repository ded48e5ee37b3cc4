/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cards, incidents and lists of members as somebody else wrote them into Redis, given to everything
 * that reads them. Parts of the input, each behind its length (2 bytes): a card, a call, an incident,
 * its members.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/book.h"
#include "engine/match/card_text.h"
#include "engine/match/export.h"
#include "engine/match/score.h"
#include "engine/match/verify.h"
#include "proto/bounded.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define NOW 1763202900000000000ll

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void *part(const ProtobufCMessageDescriptor *type, const uint8_t **bytes, size_t *n)
{
	size_t length = *n >= 2 ? (size_t)((*bytes)[0] | (*bytes)[1] << 8) : 0;

	if (*n < 2)
		return NULL;
	*bytes += 2;
	*n -= 2;
	length = length < *n ? length : *n;
	ProtobufCMessage *message = bounded_unpack(type, *bytes, length);
	*bytes += length;
	*n -= length;
	return message;
}

static void show(const Rasad__V1__SubscriberCard *card, const Rasad__V1__CallMatch *match)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);
	struct card_text_options options = {.now_unix_ns = NOW, .wall_unix_ms = NOW / 1000000};

	for (options.language = TEXT_FA; options.language <= TEXT_EN; options.language++) {
		card_text(out, card, match, &options);
		match_text(out, match, &options);
	}
	fclose(out);
	free(text);
}

static void examine(const Rasad__V1__CallMatch *match)
{
	double sum = 0;

	if (!match)
		abort();
	for (size_t i = 0; i < match->n_hypotheses; i++)
		sum += match->hypotheses[i]->posterior;
	if (match->n_hypotheses && !(fabs(sum - 1) < 1e-6))
		abort();
	for (int format = 0; format < EXPORT_FORMATS; format++)
		free(export_match(format, match, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	Rasad__V1__SubscriberCard *card = part(&rasad__v1__subscriber_card__descriptor, &bytes, &n);
	Rasad__V1__CallEvent *call = part(&rasad__v1__call_event__descriptor, &bytes, &n);
	Rasad__V1__Incident *incident = part(&rasad__v1__incident__descriptor, &bytes, &n);
	Rasad__V1__MemberSet *members = part(&rasad__v1__member_set__descriptor, &bytes, &n);
	struct book *book = book_new();
	struct score_incident found[SCORE_INCIDENTS_MAX];

	for (int format = 0; incident && format < EXPORT_FORMATS; format++)
		free(export_incident(format, incident));
	if (card && call) {
		struct verify_input verify = {.incident = incident,
					      .sub_id = "b98c12002e206d3a",
					      .card = card,
					      .now_unix_ns = NOW,
					      .wall_unix_ms = NOW / 1000000};
		Rasad__V1__VerifyResult *result = incident ? verify_line(&verify) : NULL;
		if (result)
			rasad__v1__verify_result__free_unpacked(result, NULL);
		if (incident)
			book_take_incident(book, incident);
		if (members)
			book_take_members(book, members);
		incident = NULL;
		members = NULL;
		struct score_input input = {
			.call = call,
			.card = card,
			.now_unix_ns = NOW,
			.wall_unix_ms = NOW / 1000000,
			.incidents = found,
			.n_incidents =
				book_candidates(book, card, book_sub_id(card->sub_id), found),
		};
		Rasad__V1__CallMatch *match = score_call(&input);
		examine(match);
		show(card, match);
		rasad__v1__call_match__free_unpacked(match, NULL);
		book_advance(book, NOW);
	}
	if (card)
		rasad__v1__subscriber_card__free_unpacked(card, NULL);
	if (call)
		rasad__v1__call_event__free_unpacked(call, NULL);
	if (incident)
		rasad__v1__incident__free_unpacked(incident, NULL);
	if (members)
		rasad__v1__member_set__free_unpacked(members, NULL);
	book_free(book);
	return 0;
}
