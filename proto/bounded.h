/* SPDX-License-Identifier: BSD-3-Clause */
/* Foreign bytes -> message, within bounds: whoever can write to Redis must not fill our memory. */
#ifndef RASAD_PROTO_BOUNDED_H
#define RASAD_PROTO_BOUNDED_H

#include <stddef.h>
#include <stdint.h>

struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

#define BOUNDED_BYTES_MAX (1024 * 1024)
#define BOUNDED_FIELDS_MAX                                                                         \
	65536 /* over all levels: an empty message is 2 bytes, and 200 unpacked */
#define BOUNDED_DEPTH_MAX 16

/* NULL: too big, too deep, or not such a message. Free with protobuf_c_message_free_unpacked. */
struct ProtobufCMessage *bounded_unpack(const struct ProtobufCMessageDescriptor *type,
					const uint8_t *bytes, size_t n);

#endif
