/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * jansson checks the text (syntax, UTF-8, depth); what it gives is put into the message field by
 * field. Nothing is allocated that the text did not pay for: the tree is bounded by its bytes.
 */
#include "proto/json_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#define DEPTH_MAX     32
#define ENUM_NAME_MAX 64 /* of an enum value, its prefix included */

struct reader {
	char *error; /* JSON_READ_ERROR_SIZE */
};

[[gnu::format(printf, 2, 3)]] static bool fail(struct reader *reader, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->error, JSON_READ_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return false;
}

static bool wrong(struct reader *reader, const ProtobufCFieldDescriptor *field,
		  const char *expected)
{
	return fail(reader, "\"%s\": expected %s", field->name, expected);
}

/* --- numbers --- */

/* "123", "-5", or for a fixed64 16 hex digits. */
static bool number_of_text(const char *text, bool hex_allowed, bool negative_allowed,
			   uint64_t *bits)
{
	bool hex = hex_allowed && strlen(text) == 16;
	bool negative = negative_allowed && *text == '-';
	const char *digits = text + negative;

	if (!*digits ||
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	if (!hex && strlen(digits) > 20)
		return false;
	__uint128_t value = 0;
	for (; !hex && *digits; digits++)
		value = value * 10 + (unsigned)(*digits - '0');
	if (hex)
		value = strtoull(text, NULL, 16);
	if (value > (negative_allowed ? (__uint128_t)INT64_MAX + negative : UINT64_MAX))
		return false;
	*bits = negative ? -(uint64_t)value : (uint64_t)value;
	return true;
}

/* An integer of any of the kinds, as 64 bits of two's complement. */
static bool integer_of(const json_t *value, ProtobufCType type, uint64_t *bits)
{
	bool is_signed = type == PROTOBUF_C_TYPE_INT32 || type == PROTOBUF_C_TYPE_SINT32 ||
			 type == PROTOBUF_C_TYPE_SFIXED32 || type == PROTOBUF_C_TYPE_INT64 ||
			 type == PROTOBUF_C_TYPE_SINT64 || type == PROTOBUF_C_TYPE_SFIXED64;

	if (json_is_string(value))
		return number_of_text(json_string_value(value), type == PROTOBUF_C_TYPE_FIXED64,
				      is_signed, bits);
	if (json_is_integer(value)) {
		*bits = (uint64_t)json_integer_value(value);
		return is_signed || json_integer_value(value) >= 0;
	}
	double real = json_is_real(value) ? json_real_value(value) : NAN;
	if (!(fabs(real) < 9e15) || real != floor(real) || (!is_signed && real < 0))
		return false;
	*bits = (uint64_t)(int64_t)real;
	return true;
}

static bool read_integer(struct reader *reader, const ProtobufCFieldDescriptor *field,
			 const json_t *value, void *at)
{
	uint64_t bits;

	if (!integer_of(value, field->type, &bits))
		return wrong(reader, field, "a whole number in range");
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		if ((int64_t)bits < INT32_MIN || (int64_t)bits > INT32_MAX)
			return wrong(reader, field, "a whole number of 32 bits");
		*(int32_t *)at = (int32_t)bits;
		return true;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		if (bits > UINT32_MAX)
			return wrong(reader, field, "a whole number of 32 bits");
		*(uint32_t *)at = (uint32_t)bits;
		return true;
	default:
		*(uint64_t *)at = bits;
		return true;
	}
}

/* --- enums: the name with or without its type in front, or the number --- */

static bool read_enum(struct reader *reader, const ProtobufCFieldDescriptor *field,
		      const json_t *value, int *at)
{
	const ProtobufCEnumDescriptor *type = field->descriptor;
	const char *name = json_string_value(value);
	size_t n = name ? strlen(name) : 0;

	if (json_is_integer(value) && llabs(json_integer_value(value)) <= INT32_MAX) {
		*at = (int)json_integer_value(value); /* a newer writer's value keeps its number */
		return true;
	}
	if (!name || !n || n > ENUM_NAME_MAX)
		return wrong(reader, field, "the name of a value");
	for (unsigned i = 0; i < type->n_values; i++) {
		const char *full = type->values[i].name;
		size_t length = strlen(full);
		bool ends = length >= n && !strcmp(full + length - n, name) &&
			    (length == n || full[length - n - 1] == '_');
		/* CPE_TERM may not stand for "...X_CPE_TERM": what is before must be the prefix of all. */
		if (ends && (length == n || !strncmp(full, type->values[0].name, length - n))) {
			*at = type->values[i].value;
			return true;
		}
	}
	return fail(reader, "\"%s\": no value is called \"%.40s\"", field->name, name);
}

/* --- fields --- */

static bool read_object(struct reader *reader, const json_t *object, ProtobufCMessage *message,
			unsigned depth);

static bool read_text(struct reader *reader, const ProtobufCFieldDescriptor *field,
		      const json_t *value, char **at)
{
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return wrong(reader, field, "a text");
	char *copy = strdup(json_string_value(value));
	if (!copy)
		return fail(reader, "out of memory");
	if (*at && *at != protobuf_c_empty_string)
		free(*at);
	*at = copy;
	return true;
}

static bool read_message(struct reader *reader, const ProtobufCFieldDescriptor *field,
			 const json_t *value, ProtobufCMessage **at, unsigned depth)
{
	const ProtobufCMessageDescriptor *type = field->descriptor;

	if (!json_is_object(value))
		return wrong(reader, field, "an object");
	ProtobufCMessage *inner = malloc(type->sizeof_message);
	if (!inner)
		return fail(reader, "out of memory");
	protobuf_c_message_init(type, inner);
	*at = inner;
	return read_object(reader, value, inner, depth + 1);
}

static bool read_value(struct reader *reader, const ProtobufCFieldDescriptor *field,
		       const json_t *value, void *at, unsigned depth)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return read_text(reader, field, value, at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return read_message(reader, field, value, at, depth);
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(reader, field, value, at);
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(value))
			return wrong(reader, field, "true or false");
		*(protobuf_c_boolean *)at = json_is_true(value);
		return true;
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FLOAT:
		if (!json_is_number(value))
			return wrong(reader, field, "a number");
		if (field->type == PROTOBUF_C_TYPE_DOUBLE)
			*(double *)at = json_number_value(value);
		else
			*(float *)at = (float)json_number_value(value);
		return true;
	case PROTOBUF_C_TYPE_BYTES:
		return wrong(reader, field, "no bytes in JSON");
	default:
		return read_integer(reader, field, value, at);
	}
}

static size_t element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(int);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return 4;
	default:
		return 8;
	}
}

static bool read_repeated(struct reader *reader, const ProtobufCFieldDescriptor *field,
			  const json_t *array, ProtobufCMessage *message, unsigned depth)
{
	char *base = (char *)message;
	size_t size = element_size(field->type), n = json_array_size(array);

	if (!json_is_array(array))
		return wrong(reader, field, "a list");
	if (!n)
		return true;
	char *elements = calloc(n, size);
	if (!elements)
		return fail(reader, "out of memory");
	*(char **)(base + field->offset) = elements;
	for (size_t i = 0; i < n; i++) {
		/* Counted once its pointer is there, so that a failure frees what was read. */
		bool good = read_value(reader, field, json_array_get(array, i), elements + i * size,
				       depth);
		if (good || *(void **)(void *)(elements + i * size) || size < sizeof(void *))
			*(size_t *)(base + field->quantifier_offset) = i + 1;
		if (!good)
			return false;
	}
	return true;
}

static bool read_field(struct reader *reader, const ProtobufCFieldDescriptor *field,
		       const json_t *value, ProtobufCMessage *message, unsigned depth)
{
	char *base = (char *)message;

	if (json_is_null(value)) /* absent, as proto3 has it */
		return true;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return read_repeated(reader, field, value, message, depth);
	bool good = read_value(reader, field, value, base + field->offset, depth);
	if (good && field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		*(uint32_t *)(void *)(base + field->quantifier_offset) = field->id;
	return good;
}

static bool read_object(struct reader *reader, const json_t *object, ProtobufCMessage *message,
			unsigned depth)
{
	const char *name;
	json_t *value;

	if (depth >= DEPTH_MAX)
		return fail(reader, "deeper than %d levels", DEPTH_MAX);
	json_object_foreach((json_t *)object, name, value)
	{
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
		if (field && !read_field(reader, field, value, message, depth))
			return false;
	}
	return true;
}

/* --- the whole --- */

/*
 * jansson's integers end at 2^63 - 1, sub_ids at 2^64 - 1: a run of 19 digits and more outside of
 * texts is put between quotes, as the proto3 mapping has 64-bit numbers anyway. NULL: no memory.
 */
static char *quote_long_numbers(const char *text, size_t n, size_t *length)
{
	char *out = malloc(n + n / 9 + 1); /* two quotes for at least 19 bytes */
	bool in_text = false;

	*length = 0;
	for (size_t i = 0; out && i < n; i++) {
		size_t digits = 0;
		while (!in_text && i + digits < n && text[i + digits] >= '0' &&
		       text[i + digits] <= '9')
			digits++;
		bool whole = digits >= 19 && !(i + digits < n && strchr(".eE", text[i + digits])) &&
			     !(i && strchr(".eE+-", text[i - 1]));
		if (whole)
			out[(*length)++] = '"';
		memcpy(out + *length, text + i, digits ? digits : 1);
		*length += digits ? digits : 1;
		if (whole)
			out[(*length)++] = '"';
		if (digits) {
			i += digits - 1;
			continue;
		}
		if (text[i] == '"')
			in_text = !in_text;
		else if (in_text && text[i] == '\\' && i + 1 < n)
			out[(*length)++] = text[++i];
	}
	return out;
}

/* "session_event" is SessionEvent. */
static bool is_called(const ProtobufCMessageDescriptor *type, const char *snake)
{
	for (const char *c = type->short_name; *c; c++) {
		bool upper = *c >= 'A' && *c <= 'Z';
		if (upper && c != type->short_name && *snake++ != '_')
			return false;
		if (*snake++ != (upper ? *c - 'A' + 'a' : *c))
			return false;
	}
	return !*snake;
}

static const ProtobufCMessageDescriptor *pick(struct reader *reader, const json_t *object,
					      const ProtobufCMessageDescriptor *const *types,
					      size_t n_types)
{
	const json_t *type = json_object_get(object, "type");

	if (!type && n_types == 1)
		return types[0];
	for (size_t i = 0; json_is_string(type) && i < n_types; i++)
		if (is_called(types[i], json_string_value(type)))
			return types[i];
	fail(reader, "\"type\": %s", type ? "not one that is expected here" : "missing");
	return NULL;
}

static ProtobufCMessage *read_message_of(struct reader *reader, const json_t *object,
					 const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = malloc(type->sizeof_message);

	if (!message) {
		fail(reader, "out of memory");
		return NULL;
	}
	protobuf_c_message_init(type, message);
	if (read_object(reader, object, message, 0))
		return message;
	protobuf_c_message_free_unpacked(message, NULL);
	return NULL;
}

ProtobufCMessage *json_read(const char *text, size_t n,
			    const ProtobufCMessageDescriptor *const *types, size_t n_types,
			    char error[JSON_READ_ERROR_SIZE])
{
	struct reader reader = {.error = error};
	json_error_t where;

	if (n > JSON_READ_BYTES_MAX) {
		fail(&reader, "longer than %d bytes", JSON_READ_BYTES_MAX);
		return NULL;
	}
	size_t length;
	char *quoted = quote_long_numbers(text, n, &length);
	if (!quoted) {
		fail(&reader, "out of memory");
		return NULL;
	}
	json_t *root = json_loadb(quoted, length, JSON_REJECT_DUPLICATES, &where);
	free(quoted);
	if (!json_is_object(root)) {
		fail(&reader, root ? "expected an object" : "no JSON: %.120s", where.text);
		json_decref(root);
		return NULL;
	}
	const ProtobufCMessageDescriptor *type = pick(&reader, root, types, n_types);
	ProtobufCMessage *message = type ? read_message_of(&reader, root, type) : NULL;
	json_decref(root);
	return message;
}
