/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * protobuf-c message -> JSON, walked by descriptor, so that a new field needs no line here.
 *
 * The rules (docs: the JSON face): names as in the .proto; what was not measured is left out
 * (unset oneof member, empty string, absent message, an enum at UNSPECIFIED); counters are
 * printed even at zero; arrays and maps always. Names come from the network and may hold any
 * byte, so every string is checked. The schema has no recursive message; the depth is bounded
 * all the same. Numbers are exact: 64-bit integers in full, doubles to three decimals.
 */
#include "proto/json.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <protobuf-c/protobuf-c.h>

#include "proto/utf8.h"

#define DEPTH_MAX 16

void json_buffer_fini(struct json_buffer *buffer)
{
	free(buffer->text);
	*buffer = (struct json_buffer){0};
}

static bool reserve(struct json_buffer *buffer, size_t n)
{
	if (buffer->out_of_memory)
		return false;
	if (buffer->capacity - buffer->length >= n)
		return true;
	size_t capacity = buffer->capacity ? buffer->capacity : 4096;
	while (capacity - buffer->length < n)
		capacity *= 2;
	char *text = realloc(buffer->text, capacity);
	if (!text) {
		buffer->out_of_memory = true;
		return false;
	}
	buffer->text = text;
	buffer->capacity = capacity;
	return true;
}

static void append(struct json_buffer *buffer, const char *text, size_t n)
{
	if (!reserve(buffer, n))
		return;
	memcpy(buffer->text + buffer->length, text, n);
	buffer->length += n;
}

static void append_char(struct json_buffer *buffer, char c)
{
	append(buffer, &c, 1);
}

static void append_text(struct json_buffer *buffer, const char *text)
{
	append(buffer, text, strlen(text));
}

/* --- numbers --- */

static void append_u64(struct json_buffer *buffer, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	append(buffer, digits + at, sizeof(digits) - at);
}

static void append_i64(struct json_buffer *buffer, int64_t value)
{
	if (value < 0)
		append_char(buffer, '-');
	append_u64(buffer, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* Thousandths as decimals, without trailing zeros: 12100 -> 12.1 */
static void append_thousandths(struct json_buffer *buffer, uint64_t thousandths)
{
	unsigned fraction = (unsigned)(thousandths % 1000);

	append_u64(buffer, thousandths / 1000);
	if (!fraction)
		return;
	char digits[4] = {'.', (char)('0' + fraction / 100), (char)('0' + fraction / 10 % 10),
			  (char)('0' + fraction % 10)};
	size_t n = 4;
	while (digits[n - 1] == '0')
		n--;
	append(buffer, digits, n);
}

static void append_double(struct json_buffer *buffer, double value)
{
	double magnitude = fabs(value);

	if (magnitude < 9e15) { /* the product below stays an exact int64 */
		uint64_t thousandths = (uint64_t)llround(magnitude * 1000.0);
		if (value < 0 && thousandths)
			append_char(buffer, '-');
		append_thousandths(buffer, thousandths);
		return;
	}
	char text[32];
	append(buffer, text, (size_t)snprintf(text, sizeof(text), "%.17g", value));
}

/* --- strings --- */

static void append_escape(struct json_buffer *buffer, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		append(buffer, (char[]){'\\', (char)c}, 2);
		return;
	}
	if (c == '\n' || c == '\r' || c == '\t') {
		append(buffer, (char[]){'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'}, 2);
		return;
	}
	append(buffer, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* C1 controls too are escaped: a terminal that shows a line obeys them. */
static bool is_c1(const char *text, size_t length)
{
	return length == 2 && text[0] == '\xC2' && (unsigned char)text[1] < 0xA0;
}

void json_append_string(struct json_buffer *buffer, const char *text, size_t n)
{
	append_char(buffer, '"');
	for (size_t i = 0; i < n;) {
		size_t run = i;
		while (run < n && is_plain((unsigned char)text[run]))
			run++;
		append(buffer, text + i, run - i);
		i = run;
		if (i == n)
			break;
		size_t length = utf8_length(text + i, n - i);
		if (!length)
			append_text(buffer, UTF8_REPLACEMENT);
		else if (length == 1)
			append_escape(buffer, (unsigned char)text[i]);
		else if (is_c1(text + i, length))
			append_escape(buffer, (unsigned char)text[i + 1]);
		else
			append(buffer, text + i, length);
		i += length ? length : 1;
	}
	append_char(buffer, '"');
}

static void append_c_string(struct json_buffer *buffer, const char *text)
{
	json_append_string(buffer, text ? text : "", text ? strlen(text) : 0);
}

/* The proto3 JSON mapping of bytes. */
static void append_base64(struct json_buffer *buffer, const ProtobufCBinaryData *bytes)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	append_char(buffer, '"');
	for (size_t i = 0; i < bytes->len; i += 3) {
		size_t left = bytes->len - i;
		uint32_t word = (uint32_t)bytes->data[i] << 16 |
				(left > 1 ? (uint32_t)bytes->data[i + 1] << 8 : 0) |
				(left > 2 ? bytes->data[i + 2] : 0);
		append(buffer,
		       (char[]){digits[word >> 18], digits[word >> 12 & 63],
				left > 1 ? digits[word >> 6 & 63] : '=',
				left > 2 ? digits[word & 63] : '='},
		       4);
	}
	append_char(buffer, '"');
}

/* --- enums --- */

static const char *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(type, value);

	return found ? found->name : NULL;
}

/* SessionEventKind and SESSION_EVENT_KIND_UP -> UP: the prefix is the type in upper snake case. */
static const char *without_prefix(const ProtobufCEnumDescriptor *type, const char *name)
{
	const char *at = name;

	for (const char *c = type->short_name; *c; c++) {
		bool upper = *c >= 'A' && *c <= 'Z';
		if (upper && c != type->short_name && *at++ != '_')
			return name;
		if (*at++ != (upper || *c < 'a' ? *c : *c - 'a' + 'A'))
			return name;
	}
	return *at == '_' ? at + 1 : name;
}

static bool is_unspecified(const ProtobufCEnumDescriptor *type, int value)
{
	static const char word[] = "UNSPECIFIED";
	const char *name = value ? NULL : enum_name(type, value);
	size_t n = name ? strlen(name) : 0;

	return n >= sizeof(word) - 1 && !strcmp(name + n - (sizeof(word) - 1), word);
}

static void append_enum(struct json_buffer *buffer, const ProtobufCEnumDescriptor *type, int value)
{
	const char *name = enum_name(type, value);

	if (!name) { /* from a newer schema: the number is what we know */
		append_i64(buffer, value);
		return;
	}
	append_c_string(buffer, without_prefix(type, name));
}

/* --- fields --- */

static void append_object(struct json_buffer *buffer, const ProtobufCMessage *message,
			  bool with_type, unsigned depth);

static void append_value(struct json_buffer *buffer, const ProtobufCFieldDescriptor *field,
			 const void *at, unsigned depth)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		append_i64(buffer, *(const int32_t *)at);
		return;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		append_i64(buffer, *(const int64_t *)at);
		return;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		append_u64(buffer, *(const uint32_t *)at);
		return;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		append_u64(buffer, *(const uint64_t *)at);
		return;
	case PROTOBUF_C_TYPE_FLOAT:
		append_double(buffer, (double)*(const float *)at);
		return;
	case PROTOBUF_C_TYPE_DOUBLE:
		append_double(buffer, *(const double *)at);
		return;
	case PROTOBUF_C_TYPE_BOOL:
		append_text(buffer, *(const protobuf_c_boolean *)at ? "true" : "false");
		return;
	case PROTOBUF_C_TYPE_ENUM:
		append_enum(buffer, field->descriptor, *(const int *)at);
		return;
	case PROTOBUF_C_TYPE_STRING:
		append_c_string(buffer, *(char *const *)at);
		return;
	case PROTOBUF_C_TYPE_BYTES:
		append_base64(buffer, at);
		return;
	case PROTOBUF_C_TYPE_MESSAGE:
		append_object(buffer, *(const ProtobufCMessage *const *)at, false, depth + 1);
		return;
	}
}

/* JSON has no NaN and no infinity: not a number is not measured. */
static bool is_finite(const ProtobufCFieldDescriptor *field, const void *at)
{
	if (field->type == PROTOBUF_C_TYPE_DOUBLE)
		return isfinite(*(const double *)at);
	return field->type != PROTOBUF_C_TYPE_FLOAT || isfinite(*(const float *)at);
}

static bool is_present(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
	const char *base = (const char *)message;
	const void *at = base + field->offset;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		if (*(const uint32_t *)(base + field->quantifier_offset) != field->id)
			return false;
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return *(const ProtobufCMessage *const *)at;
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return *(char *const *)at && **(char *const *)at;
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return ((const ProtobufCBinaryData *)at)->len;
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return !is_unspecified(field->descriptor, *(const int *)at);
	return is_finite(field, at);
}

static size_t element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	default:
		return 8;
	}
}

/* map<K, V> is on the wire and in C a repeated message …Entry of key and value. */
static bool is_map(const ProtobufCFieldDescriptor *field)
{
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	const ProtobufCMessageDescriptor *entry = field->descriptor;
	size_t n = strlen(entry->short_name);
	return entry->n_fields == 2 && n > 5 && !strcmp(entry->short_name + n - 5, "Entry") &&
	       !strcmp(entry->fields[0].name, "key") && !strcmp(entry->fields[1].name, "value");
}

static void append_map_entry(struct json_buffer *buffer, const ProtobufCMessage *entry,
			     unsigned depth)
{
	const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
	const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
	bool quote = key->type != PROTOBUF_C_TYPE_STRING; /* a JSON key is a string */

	if (quote)
		append_char(buffer, '"');
	append_value(buffer, key, (const char *)entry + key->offset, depth);
	append_text(buffer, quote ? "\":" : ":");
	append_value(buffer, value, (const char *)entry + value->offset, depth);
}

static void append_repeated(struct json_buffer *buffer, const ProtobufCFieldDescriptor *field,
			    const ProtobufCMessage *message, unsigned depth)
{
	const char *base = (const char *)message;
	size_t n = *(const size_t *)(base + field->quantifier_offset);
	const char *elements = *(const char *const *)(base + field->offset);
	size_t size = element_size(field->type);
	bool map = is_map(field);

	append_char(buffer, map ? '{' : '[');
	for (size_t i = 0; i < n; i++) {
		const void *at = elements + i * size;
		if (i)
			append_char(buffer, ',');
		if (map)
			append_map_entry(buffer, *(const ProtobufCMessage *const *)at, depth);
		else
			append_value(buffer, field, at, depth);
	}
	append_char(buffer, map ? '}' : ']');
}

static void append_name(struct json_buffer *buffer, const char *name, bool first)
{
	append_text(buffer, first ? "\"" : ",\"");
	append_text(buffer, name);
	append_text(buffer, "\":");
}

/* SessionEvent -> "session_event" */
static void append_type(struct json_buffer *buffer, const char *short_name)
{
	append_text(buffer, "\"type\":\"");
	for (const char *c = short_name; *c; c++) {
		bool upper = *c >= 'A' && *c <= 'Z';
		if (upper && c != short_name)
			append_char(buffer, '_');
		append_char(buffer, upper ? (char)(*c - 'A' + 'a') : *c);
	}
	append_char(buffer, '"');
}

static void append_object(struct json_buffer *buffer, const ProtobufCMessage *message,
			  bool with_type, unsigned depth)
{
	const ProtobufCMessageDescriptor *type = message ? message->descriptor : NULL;
	bool first = !with_type;

	append_char(buffer, '{');
	if (with_type)
		append_type(buffer, type->short_name);
	for (unsigned i = 0; type && depth < DEPTH_MAX && i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
		if (!repeated && !is_present(field, message))
			continue;
		append_name(buffer, field->name, first);
		first = false;
		if (repeated)
			append_repeated(buffer, field, message, depth);
		else
			append_value(buffer, field, (const char *)message + field->offset, depth);
	}
	append_char(buffer, '}');
}

void json_append_message(struct json_buffer *buffer, const ProtobufCMessage *message,
			 bool with_type)
{
	append_object(buffer, message, with_type, 0);
}

int json_append_line(struct json_buffer *buffer, const ProtobufCMessage *message)
{
	size_t start = buffer->length;

	json_append_message(buffer, message, true);
	append_char(buffer, '\n');
	if (!buffer->out_of_memory)
		return 0;
	buffer->length = start;
	buffer->out_of_memory = false;
	return -ENOMEM;
}
