/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The OpenAPI 3.0 document, written from the table of routes and the descriptors of the messages,
 * so that it says what is done. A message is closed (no other fields), and nothing of it is
 * required: what was not measured is left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/rasad/v1/desk.pb-c.h"
#include "tools/rasad-desk/api.h"
#include "version.h"

#define TYPES_MAX 64

/* Messages that are referred to, each described once. */
struct types {
	const ProtobufCMessageDescriptor *list[TYPES_MAX];
	size_t n;
};

static void refer(FILE *out, struct types *types, const ProtobufCMessageDescriptor *type)
{
	size_t at = 0;

	while (at < types->n && types->list[at] != type)
		at++;
	if (at == types->n && types->n < TYPES_MAX)
		types->list[types->n++] = type;
	fprintf(out, "{\"$ref\":\"#/components/schemas/%s\"}", type->short_name);
}

/* --- schemas --- */

/* COMPLAINT_OUTAGE of Complaint is OUTAGE, as in proto/json.c. */
static const char *short_value(const ProtobufCEnumDescriptor *type, const char *name)
{
	size_t n = 0;

	for (const char *c = type->short_name; *c; c++)
		n += 1 + (c != type->short_name && *c >= 'A' && *c <= 'Z');
	return strlen(name) > n + 1 && name[n] == '_' ? name + n + 1 : name;
}

static void write_enum(FILE *out, const ProtobufCEnumDescriptor *type)
{
	fputs("{\"type\":\"string\",\"enum\":[", out);
	for (unsigned i = 0; i < type->n_values; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", short_value(type, type->values[i].name));
	fputs("]}", out);
}

static const char *number_schema(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BOOL:
		return "{\"type\":\"boolean\"}";
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		return "{\"type\":\"number\"}";
	case PROTOBUF_C_TYPE_STRING:
		return "{\"type\":\"string\"}";
	case PROTOBUF_C_TYPE_BYTES:
		return "{\"type\":\"string\",\"format\":\"byte\"}";
	default:
		return "{\"type\":\"integer\"}";
	}
}

static bool is_map(const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *entry = field->descriptor;
	size_t n = field->type == PROTOBUF_C_TYPE_MESSAGE ? strlen(entry->short_name) : 0;

	return n > 5 && !strcmp(entry->short_name + n - 5, "Entry") && entry->n_fields == 2 &&
	       !strcmp(entry->fields[0].name, "key") && !strcmp(entry->fields[1].name, "value");
}

static void write_value(FILE *out, struct types *types, const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		refer(out, types, field->descriptor);
	else if (field->type == PROTOBUF_C_TYPE_ENUM)
		write_enum(out, field->descriptor);
	else
		fputs(number_schema(field->type), out);
}

static void write_field(FILE *out, struct types *types, const ProtobufCFieldDescriptor *field)
{
	fprintf(out, ",\"%s\":", field->name);
	if (is_map(field)) {
		const ProtobufCMessageDescriptor *entry = field->descriptor;
		fputs("{\"type\":\"object\",\"additionalProperties\":", out);
		write_value(out, types, &entry->fields[1]);
		fputc('}', out);
	} else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		fputs("{\"type\":\"array\",\"items\":", out);
		write_value(out, types, field);
		fputc('}', out);
	} else
		write_value(out, types, field);
}

/* "type" stands in the outermost object only. */
static void write_schema(FILE *out, struct types *types, const ProtobufCMessageDescriptor *type)
{
	fprintf(out, "\"%s\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{",
		type->short_name);
	fputs("\"type\":{\"type\":\"string\"}", out);
	for (unsigned i = 0; i < type->n_fields; i++)
		write_field(out, types, &type->fields[i]);
	fputs("}}", out);
}

/* --- paths --- */

static void write_text(FILE *out, const char *text)
{
	struct json_buffer buffer = {0};

	json_append_string(&buffer, text, strlen(text));
	fwrite(buffer.text, buffer.length, 1, out);
	json_buffer_fini(&buffer);
}

static void write_content(FILE *out, struct types *types, const ProtobufCMessageDescriptor *type)
{
	fputs("\"content\":{\"application/json\":{\"schema\":", out);
	refer(out, types, type);
	fputs("}}", out);
}

static void write_parameters(FILE *out, const struct api_route *route)
{
	const char *open = strchr(route->path, '{'), *comma = "";

	fputs("\"parameters\":[", out);
	if (open) {
		fprintf(out,
			"{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,"
			"\"schema\":{\"type\":\"string\"}}",
			(int)strcspn(open + 1, "}"), open + 1);
		comma = ",";
	}
	for (size_t i = 0; i < 2 && route->parameters[i].name; i++, comma = ",") {
		fprintf(out, "%s{\"name\":\"%s\",\"in\":\"query\",\"description\":", comma,
			route->parameters[i].name);
		write_text(out, route->parameters[i].about);
		fputs(",\"schema\":{\"type\":\"string\"}}", out);
	}
	fputc(']', out);
}

/* Of 503, POST /v1/calls and GET /v1/health answer with their own message, too. */
static void write_error(FILE *out, struct types *types, const struct api_route *route,
			unsigned status)
{
	fprintf(out, ",\"%u\":{\"description\":\"%s\",", status,
		status == 503 ? "ask again after Retry-After seconds" : "see error and expected");
	if (status == 503 && route->gives) {
		fputs("\"content\":{\"application/json\":{\"schema\":{\"oneOf\":[", out);
		refer(out, types, &rasad__v1__api_error__descriptor);
		fputc(',', out);
		refer(out, types, route->gives);
		fputs("]}}}", out);
	} else
		write_content(out, types, &rasad__v1__api_error__descriptor);
	fputc('}', out);
}

static void write_responses(FILE *out, struct types *types, const struct api_route *route)
{
	static const unsigned always[] = {401, 403, 405, 413};

	fputs("\"responses\":{\"200\":{\"description\":\"done\",", out);
	if (route->gives)
		write_content(out, types, route->gives);
	else
		fprintf(out, "\"content\":{\"%.*s\":{}}", (int)strcspn(route->gives_type, ";"),
			route->gives_type);
	fputc('}', out);
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		write_error(out, types, route, always[i]);
	for (size_t i = 0; i < API_STATUSES_MAX && route->errors[i]; i++)
		write_error(out, types, route, route->errors[i]);
	fputc('}', out);
}

static void write_route(FILE *out, struct types *types, const struct api_route *route)
{
	fprintf(out, "\"%s\":{\"%s\":{\"summary\":", route->path,
		strcmp(route->method, "POST") ? "get" : "post");
	write_text(out, route->summary);
	fputc(',', out);
	write_parameters(out, route);
	if (route->takes) {
		fputs(",\"requestBody\":{\"required\":true,", out);
		write_content(out, types, route->takes);
		fputc('}', out);
	}
	fputc(',', out);
	write_responses(out, types, route);
	fputs("}}", out);
}

/* No path has two methods. */
static void write_document(FILE *out)
{
	struct types types = {.n = 0};

	fputs("{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"rasad-desk\",\"version\":\"" RASAD_VERSION
	      "\"},\"security\":[{},{\"token\":[]}],\"paths\":{",
	      out);
	for (size_t i = 0; i < api_n_routes; i++) {
		fputs(i ? "," : "", out);
		write_route(out, &types, &api_routes[i]);
	}
	fputs("},\"components\":{\"securitySchemes\":{\"token\":{\"type\":\"http\","
	      "\"scheme\":\"bearer\"}},\"schemas\":{",
	      out);
	for (size_t i = 0; i < types.n; i++) { /* grows while it is written */
		fputs(i ? "," : "", out);
		write_schema(out, &types, types.list[i]);
	}
	fputs("}}}\n", out);
}

void api_get_openapi(struct api_call *call)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out) {
		api_fail(call, 503, "", "out of memory");
		return;
	}
	write_document(out);
	fclose(out);
	call->response->status = 200;
	call->response->body = (struct json_buffer){.text = text, .length = n, .capacity = n};
}
