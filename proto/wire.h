/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Protobuf bytes, written straight down: for the few messages of which there are millions.
 *
 * The bytes are those that protobuf-c packs: fields in the order of their numbers, proto3's zeroes
 * left out. A nested message is written in place after one byte for its length, and moved up when
 * that does not do. Nobody checks for room here: the caller knows a bound for what it writes.
 * Field numbers stay below 2048 (two bytes of tag), which the compiler sees.
 */
#ifndef RASAD_PROTO_WIRE_H
#define RASAD_PROTO_WIRE_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "proto/utf8.h"

enum wire_type { WIRE_VARINT, WIRE_FIXED64, WIRE_LENGTH };

/* The most that one call writes: tag, length or number. A text takes three bytes for each wrong one. */
#define WIRE_FIELD_MAX	      12
#define WIRE_TEXT_MAX(length) (WIRE_FIELD_MAX + 3 * (length) + 1)

static inline uint8_t *wire_varint(uint8_t *at, uint64_t value)
{
	for (; value > 127; value >>= 7)
		*at++ = (uint8_t)(value | 128);
	*at++ = (uint8_t)value;
	return at;
}

static inline uint8_t *wire_tag(uint8_t *at, unsigned field, enum wire_type type)
{
	return wire_varint(at, field << 3 | type);
}

static inline uint8_t *wire_uint(uint8_t *at, unsigned field, uint64_t value)
{
	return value ? wire_varint(wire_tag(at, field, WIRE_VARINT), value) : at;
}

static inline uint8_t *wire_fixed64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
	return at + sizeof(value);
}

static inline uint8_t *wire_double(uint8_t *at, unsigned field, double value)
{
	uint64_t bits;

	if (value == 0)
		return at;
	memcpy(&bits, &value, sizeof(bits));
	return wire_fixed64(wire_tag(at, field, WIRE_FIXED64), bits);
}

/* Opens a nested message or text; what is written from the return value on is its inside. */
static inline uint8_t *wire_open(uint8_t *at, unsigned field)
{
	return wire_tag(at, field, WIRE_LENGTH) + 1;
}

/* Closes what was opened at `inside`. Returns the end. */
static inline uint8_t *wire_close(uint8_t *inside, uint8_t *end)
{
	size_t length = (size_t)(end - inside), more = 0;

	for (size_t left = length; left > 127; left >>= 7)
		more++;
	if (more)
		memmove(inside + more, inside, length);
	wire_varint(inside - 1, length);
	return end + more;
}

/* The inside of what was opened at `at`, once it is closed. */
static inline const uint8_t *wire_inside(const uint8_t *at, unsigned field)
{
	for (at += field > 15 ? 2 : 1; *at & 128; at++)
		;
	return at + 1;
}

/* A number that is written even if it is zero: proto3 `optional`, where absent is not 0. */
static inline uint8_t *wire_set(uint8_t *at, unsigned field, uint64_t value)
{
	return wire_varint(wire_tag(at, field, WIRE_VARINT), value);
}

/* An element of a repeated text. What is no UTF-8 is cleaned: strict readers want no other. */
static inline uint8_t *wire_element(uint8_t *at, unsigned field, const char *text, size_t length)
{
	if (!utf8_is_valid(text, length)) {
		uint8_t *inside = wire_open(at, field);
		return wire_close(inside, inside + utf8_clean(text, length, (char *)inside));
	}
	at = wire_varint(wire_tag(at, field, WIRE_LENGTH), length);
	memcpy(at, text, length);
	return at + length;
}

/* NULL is an empty text, and an empty text is left out. */
static inline uint8_t *wire_text(uint8_t *at, unsigned field, const char *text)
{
	return text && *text ? wire_element(at, field, text, strlen(text)) : at;
}

#endif
