/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <jansson.h>

#include "proto/utf8.h"
#include "tools/lib/call_keys.h"

typedef Rasad__V1__CallEvent Call;

__attribute__((format(printf, 3, 4))) static bool fail(struct request_error *error,
						       const char *expected, const char *what, ...)
{
	va_list arguments;

	va_start(arguments, what);
	vsnprintf(error->what, sizeof(error->what), what, arguments);
	va_end(arguments);
	snprintf(error->expected, sizeof(error->expected), "%s", expected);
	return false;
}

/* --- values --- */

static bool read_string(const json_t *value, char **to)
{
	char *copy = json_is_string(value) ? strdup(json_string_value(value)) : NULL;

	if (copy)
		*to = copy;
	return copy;
}

/* The proto3 mapping writes 64-bit integers as strings, rasad as numbers; both are read. */
static bool read_int64(const json_t *value, int64_t *to)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_integer(value)) {
		*to = json_integer_value(value);
		return true;
	}
	if (!text || !*text || strspn(text, "-0123456789") != strlen(text))
		return false;
	errno = 0;
	*to = strtoll(text, &end, 10);
	return !errno && !*end;
}

static bool read_complaint(const json_t *value, Rasad__V1__Complaint *to)
{
	static const char prefix[] = "COMPLAINT_";
	const ProtobufCEnumDescriptor *type = &rasad__v1__complaint__descriptor;
	const char *text = json_string_value(value);
	char name[64];

	if (!text)
		return false;
	bool has_prefix = !strncmp(text, prefix, sizeof(prefix) - 1);
	snprintf(name, sizeof(name), "%s%.40s", has_prefix ? "" : prefix, text);
	const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value_by_name(type, name);
	if (found)
		*to = (Rasad__V1__Complaint)found->value;
	return found;
}

/* --- the call --- */

static bool read_reported_start(const json_t *value, Call *call)
{
	call->has_reported_start_unix_ns_case =
		RASAD__V1__CALL_EVENT__HAS_REPORTED_START_UNIX_NS_REPORTED_START_UNIX_NS;
	return read_int64(value, &call->reported_start_unix_ns);
}

static char **string_field(Call *call, const char *name)
{
	const struct {
		const char *name;
		char **to;
	} fields[] = {
		{"call_id", &call->call_id},	     {"phone", &call->phone},
		{"line_number", &call->line_number}, {"account", &call->account},
		{"free_text", &call->free_text},     {"agent", &call->agent},
		{"channel", &call->channel},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strcmp(name, fields[i].name))
			return fields[i].to;
	return NULL;
}

static bool read_field(const char *name, const json_t *value, Call *call,
		       struct request_error *error)
{
	char **text = string_field(call, name);

	if (text)
		return read_string(value, text) || fail(error, "a string", "%s", name);
	if (!strcmp(name, "unix_ns"))
		return read_int64(value, &call->unix_ns) ||
		       fail(error, "an integer, nanoseconds since 1970", "%s", name);
	if (!strcmp(name, "reported_start_unix_ns"))
		return read_reported_start(value, call) ||
		       fail(error, "an integer, nanoseconds since 1970", "%s", name);
	if (!strcmp(name, "complaint"))
		return read_complaint(value, &call->complaint) ||
		       fail(error, "OUTAGE, SLOW, PING, FLAP or OTHER", "%s", name);
	if (!strcmp(name, "type")) {
		const char *type = json_string_value(value);
		return (type && !strcmp(type, "call_event")) || fail(error, "call_event", "type");
	}
	return fail(error, "the fields of call_event", "unknown field \"%.100s\"", name);
}

static bool read_fields(json_t *object, Call *call, struct request_error *error)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return fail(error, "one object", "the body is no JSON object");
	json_object_foreach(object, name, value)
		if (!json_is_null(value) && !read_field(name, value, call, error))
			return false;
	return true;
}

Call *request_parse_call(const char *json, size_t n, struct request_error *error)
{
	json_error_t where;
	json_t *object = json_loadb(json, n, JSON_REJECT_DUPLICATES, &where);
	Call *call = malloc(sizeof(*call));

	if (!object || !call) {
		fail(error, "a JSON object", "line %d, column %d: %.150s", where.line, where.column,
		     where.text);
		json_decref(object);
		free(call);
		return NULL;
	}
	rasad__v1__call_event__init(call);
	bool good = read_fields(object, call, error);
	json_decref(object);
	if (good)
		return call;
	rasad__v1__call_event__free_unpacked(call, NULL);
	return NULL;
}

/* --- what any way in must check --- */

bool request_is_call_id(const char *text)
{
	size_t left = strlen(text);

	if (!left || left > CALL_ID_MAX)
		return false;
	for (size_t length; left; text += length, left -= length) {
		length = utf8_length(text, left);
		bool c1 = length == 2 && *text == '\xC2' && (unsigned char)text[1] < 0xA0;
		if (!length || c1 || (unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

static char *random_id(void)
{
	uint64_t words[2];
	char *id = malloc(33);

	if (id && getrandom(words, sizeof(words), 0) == sizeof(words))
		snprintf(id, 33, "%016" PRIx64 "%016" PRIx64, words[0], words[1]);
	else if (id)
		*id = 0;
	return id;
}

static int64_t unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

bool request_complete_call(Call *call, struct request_error *error)
{
	if (!*call->call_id) {
		char *id = random_id();
		if (!id)
			return fail(error, "", "out of memory");
		call->call_id = id;
	}
	if (!call->unix_ns)
		call->unix_ns = unix_ns();
	if (!request_is_call_id(call->call_id))
		return fail(error, "1 to 128 bytes of UTF-8 without controls", "call_id");
	if (call->unix_ns < 0)
		return fail(error, "nanoseconds since 1970", "unix_ns");
	return *call->phone || *call->line_number || *call->account ||
	       fail(error, "phone, line_number or account", "the call names no subscriber");
}

/* --- paths --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || !(high | low))
			return false;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = 0;
	return true;
}

size_t request_split_path(char *path, char **segments, size_t max)
{
	size_t n = 0;
	char *rest = *path == '/' ? path + 1 : NULL;

	for (char *part; (part = strsep(&rest, "/"));) {
		if (n == max || !decode(part) || !utf8_is_valid(part, strlen(part)))
			return 0;
		segments[n++] = part;
	}
	return n;
}
