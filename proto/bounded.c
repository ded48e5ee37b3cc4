/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * protobuf-c allocates as it reads, so the bytes are walked once before: each field is counted,
 * messages are entered by descriptor, and nothing is allocated. The walk skips what it does not
 * know; whether the bytes are well-formed is then protobuf-c's to say.
 */
#include "proto/bounded.h"

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

struct cursor {
	const uint8_t *at, *end;
};

static bool read_varint(struct cursor *cursor, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
		uint8_t byte = *cursor->at++;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool skip(struct cursor *cursor, uint64_t n)
{
	if (n > (uint64_t)(cursor->end - cursor->at))
		return false;
	cursor->at += n;
	return true;
}

static bool is_within(const ProtobufCMessageDescriptor *type, struct cursor cursor, unsigned depth,
		      unsigned *fields_left);

static bool enter(const ProtobufCMessageDescriptor *type, uint64_t tag, struct cursor inner,
		  unsigned depth, unsigned *fields_left)
{
	const ProtobufCFieldDescriptor *field =
		tag >> 3 <= UINT32_MAX
			? protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3))
			: NULL;

	if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	return is_within(field->descriptor, inner, depth + 1, fields_left);
}

static bool is_within(const ProtobufCMessageDescriptor *type, struct cursor cursor, unsigned depth,
		      unsigned *fields_left)
{
	uint64_t tag, value;

	if (depth >= BOUNDED_DEPTH_MAX)
		return false;
	while (cursor.at < cursor.end) {
		if (!*fields_left || !read_varint(&cursor, &tag))
			return false;
		--*fields_left;
		switch (tag & 7) {
		case 0:
			if (!read_varint(&cursor, &value))
				return false;
			break;
		case 1:
		case 5:
			if (!skip(&cursor, (tag & 7) == 1 ? 8 : 4))
				return false;
			break;
		case 2: {
			if (!read_varint(&cursor, &value))
				return false;
			struct cursor inner = {cursor.at, cursor.at};
			if (!skip(&cursor, value))
				return false;
			inner.end = cursor.at;
			if (!enter(type, tag, inner, depth, fields_left))
				return false;
			break;
		}
		default: /* groups are no part of proto3 */
			return false;
		}
	}
	return true;
}

ProtobufCMessage *bounded_unpack(const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
				 size_t n)
{
	unsigned fields_left = BOUNDED_FIELDS_MAX;

	if (n > BOUNDED_BYTES_MAX)
		return NULL;
	if (n && !is_within(type, (struct cursor){bytes, bytes + n}, 0, &fields_left))
		return NULL;
	return protobuf_c_message_unpack(type, NULL, n, bytes);
}
