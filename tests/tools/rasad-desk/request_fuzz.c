/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the path of a request and as its body: taken or refused; what is taken is in order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/call_json.h"
#include "proto/json.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/utf8.h"
#include "tools/rasad-desk/call.h"
#include "tools/rasad-desk/request.h"

#define SEGMENTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_path(const uint8_t *data, size_t len)
{
	char *path = malloc(len + 1), *segments[SEGMENTS_MAX];

	memcpy(path, data, len);
	path[len] = 0;
	size_t end = strlen(path), n = request_split_path(path, segments, SEGMENTS_MAX);
	for (size_t i = 0; i < n; i++)
		if (segments[i] < path || segments[i] + strlen(segments[i]) > path + end ||
		    !utf8_is_valid(segments[i], strlen(segments[i])))
			abort();
	free(path);
}

static void try_body(const uint8_t *data, size_t len)
{
	char error[CALL_JSON_ERROR_SIZE] = "";
	struct json_buffer said = {0};
	Rasad__V1__CallEvent *call = call_from_json((const char *)data, len, 1, error);

	if (!call && !*error)
		abort(); /* whoever is refused must be told why */
	if (!call)
		return;
	call_refused(call);
	json_append_line(&said, &call->base);
	json_buffer_fini(&said);
	rasad__v1__call_event__free_unpacked(call, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_path(data, len);
	try_body(data, len);
	return 0;
}
