/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The JSON face of any message in proto/: one object per line (NDJSON), by descriptor.
 *
 * A builder of our own and not a JSON tree, because a replay ends with a line for each of 100,000
 * subscribers: a tree costs an allocation a field, this costs one growing buffer for all lines.
 */
#ifndef RASAD_PROTO_JSON_H
#define RASAD_PROTO_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct ProtobufCMessage;

/* {0} is an empty buffer. Text is not NUL-terminated: use length. */
struct json_buffer {
	char *text;
	size_t length, capacity;
	bool out_of_memory; /* sticky: what was appended since is not there */
};

/* Frees the memory and leaves an empty buffer. */
void json_buffer_fini(struct json_buffer *buffer);

/* Appends one object without a newline; "type" comes first when with_type. */
void json_append_message(struct json_buffer *buffer, const struct ProtobufCMessage *message,
			 bool with_type);

/* Appends one NDJSON line. Returns 0, or -ENOMEM and nothing of the line is left in the buffer. */
int json_append_line(struct json_buffer *buffer, const struct ProtobufCMessage *message);

/* Appends a JSON string of n bytes: invalid UTF-8 becomes U+FFFD, controls are escaped. */
void json_append_string(struct json_buffer *buffer, const char *text, size_t n);

#endif
