/* SPDX-License-Identifier: BSD-3-Clause */
#include "proto/bounded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/rasad/v1/card.pb-c.h"
#include "proto/rasad/v1/session.pb-c.h"

static bool is_taken(const ProtobufCMessageDescriptor *type, const void *bytes, size_t n)
{
	ProtobufCMessage *message = bounded_unpack(type, bytes, n);

	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
	return message;
}

static void test_good_bytes(void **state)
{
	(void)state;
	Rasad__V1__SubscriberCard card = RASAD__V1__SUBSCRIBER_CARD__INIT;
	Rasad__V1__SubscriberSummary summary = RASAD__V1__SUBSCRIBER_SUMMARY__INIT;
	uint8_t bytes[256];
	card.summary = &summary;
	card.phone = summary.line = (char *)"name";
	size_t n = rasad__v1__subscriber_card__pack(&card, bytes);
	assert_true(is_taken(&rasad__v1__subscriber_card__descriptor, bytes, n));
	assert_true(is_taken(&rasad__v1__subscriber_card__descriptor, NULL, 0));
	/* Cut off anywhere but between fields it is refused, and never read beyond. */
	for (size_t cut = 1; cut < n; cut++) {
		uint8_t *exact = malloc(cut);
		memcpy(exact, bytes, cut);
		is_taken(&rasad__v1__subscriber_card__descriptor, exact, cut);
		free(exact);
	}
	assert_false(is_taken(&rasad__v1__subscriber_card__descriptor, bytes, n - 1));
}

/* A field that a later schema has is no fault. */
static void test_unknown_field(void **state)
{
	(void)state;
	static const uint8_t later[] = {0xfa, 0x3f, 3, 1, 2, 3, 0x08, 5};
	assert_true(is_taken(&rasad__v1__session_event__descriptor, later, sizeof(later)));
}

/* A varint of three bytes. */
static void write_length(uint8_t *at, size_t length)
{
	at[0] = (uint8_t)(length | 128);
	at[1] = (uint8_t)(length >> 7 | 128);
	at[2] = (uint8_t)(length >> 14);
}

static void test_too_big(void **state)
{
	(void)state;
	size_t n = BOUNDED_BYTES_MAX + 1;
	uint8_t *bytes = calloc(1, n);
	/* One unknown field that fills everything. */
	bytes[0] = 0xfa, bytes[1] = 0x3f;
	size_t content = n - 2 - 3;
	write_length(bytes + 2, content);
	assert_false(is_taken(&rasad__v1__session_event__descriptor, bytes, n));
	content--;
	write_length(bytes + 2, content);
	assert_true(is_taken(&rasad__v1__session_event__descriptor, bytes, n - 1));
	free(bytes);
}

/* Two bytes make an empty session of 100: many of them are refused before they are made. */
static void test_too_many_fields(void **state)
{
	(void)state;
	size_t n = 2 * (BOUNDED_FIELDS_MAX + 1);
	uint8_t *bytes = malloc(n);
	for (size_t i = 0; i < n; i += 2)
		bytes[i] = 13 << 3 | 2, bytes[i + 1] = 0;
	assert_false(is_taken(&rasad__v1__subscriber_summary__descriptor, bytes, n));
	assert_true(is_taken(&rasad__v1__subscriber_summary__descriptor, bytes, n - 2));
	free(bytes);
}

static void test_groups_are_refused(void **state)
{
	(void)state;
	static const uint8_t group[] = {0x0b, 0x0c};
	assert_false(is_taken(&rasad__v1__session_event__descriptor, group, sizeof(group)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_bytes),
		cmocka_unit_test(test_unknown_field),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_groups_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
