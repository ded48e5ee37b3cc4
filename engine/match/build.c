/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/match/build.h"

#include <stdlib.h>
#include <string.h>

#include "engine/match/draft.h"
#include "proto/rasad/v1/call.pb-c.h"

static void replace(char **field, char *text)
{
	if (*field && *field != protobuf_c_empty_string)
		free(*field);
	*field = text;
}

void build_text(struct build *build, char **field, const char *text)
{
	char *copy = text && *text ? strdup(text) : (char *)protobuf_c_empty_string;

	if (copy)
		replace(field, copy);
	else
		build->failed = true;
}

/* Grows by doubling at powers of two, which is where a list of n is full. */
void build_append(struct build *build, void *list_field, size_t *n, void *element)
{
	void ***list = list_field;

	if (!element || build->failed) {
		build->failed = true;
		return;
	}
	if (!(*n & (*n - 1))) {
		void **grown = realloc(*list, (*n ? 2 * *n : 1) * sizeof(void *));
		if (!grown) {
			build->failed = true;
			return;
		}
		*list = grown;
	}
	(*list)[(*n)++] = element;
}

void build_append_text(struct build *build, char ***list, size_t *n, const char *text)
{
	char *copy = strdup(text);
	size_t before = *n;

	build_append(build, list, n, copy);
	if (*n == before)
		free(copy);
}

FILE *build_open(struct build *build, struct build_stream *stream)
{
	stream->file = open_memstream(&stream->bytes, &stream->length);
	build->failed |= !stream->file;
	return stream->file;
}

void build_close(struct build *build, struct build_stream *stream, char **field)
{
	if (!stream->file)
		return;
	bool bad = ferror(stream->file);
	if (fclose(stream->file) || bad || !stream->bytes) {
		free(stream->bytes);
		build->failed = true;
		return;
	}
	replace(field, stream->bytes);
}

Rasad__V1__Reason *build_reason(struct build *build, const struct draft_term *term)
{
	Rasad__V1__Reason *reason = malloc(sizeof(*reason));

	if (!reason) {
		build->failed = true;
		return NULL;
	}
	rasad__v1__reason__init(reason);
	build_text(build, &reason->code, term->code);
	build_text(build, &reason->unit, term->unit);
	reason->weight = term->weight;
	if (term->value.known) {
		reason->value = term->value.is;
		reason->has_value_case = RASAD__V1__REASON__HAS_VALUE_VALUE;
	}
	if (term->baseline.known) {
		reason->baseline = term->baseline.is;
		reason->has_baseline_case = RASAD__V1__REASON__HAS_BASELINE_BASELINE;
	}
	if (term->n.known) {
		reason->n = (uint64_t)term->n.is;
		reason->has_n_case = RASAD__V1__REASON__HAS_N_N;
	}
	return reason;
}
