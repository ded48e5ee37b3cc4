/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The JSON face, read: one object -> the message of its "type", by descriptor. For calls over HTTP
 * and for files of events, so within bounds: 1 MiB, 32 levels, and every text valid UTF-8.
 *
 * Unknown names are passed over (a newer writer); maps are not read. A value of the wrong kind, an unknown enum name or
 * a number out of range is an error that names the field. 64-bit numbers may be strings, as the
 * proto3 mapping has them; a fixed64 may be 16 hex digits, as sub_ids are written.
 */
#ifndef RASAD_PROTO_JSON_READ_H
#define RASAD_PROTO_JSON_READ_H

#include <stddef.h>

struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

#define JSON_READ_BYTES_MAX  (1024 * 1024)
#define JSON_READ_ERROR_SIZE 160

/*
 * The message, or NULL with the reason in `error`. With several types, the object's "type" picks
 * one; with one, "type" may be left out. Free with protobuf_c_message_free_unpacked(message, NULL).
 */
struct ProtobufCMessage *json_read(const char *text, size_t n,
				   const struct ProtobufCMessageDescriptor *const *types,
				   size_t n_types, char error[JSON_READ_ERROR_SIZE]);

#endif
