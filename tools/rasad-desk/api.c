/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/rasad/v1/desk.pb-c.h"
#include "tools/rasad-desk/request.h"

#define PATH_MAX_BYTES 2048
#define SEGMENTS_MAX   8
#define RETRY_AFTER_S  1
#define TEXT	       "text/plain; version=0.0.4; charset=utf-8"

const struct api_route api_routes[] = {
	{"POST", "/v1/calls",
	 "A caller names a subscriber and complains; the answer is what is wrong. With 200 it is "
	 "stored; the same call_id again gets the same answer. With 503 nothing is stored, and the "
	 "body is what to say meanwhile",
	 api_post_call, &rasad__v1__call_event__descriptor, &rasad__v1__call_match__descriptor,
	 .errors = {400, 415, 503}},
	{"GET", "/v1/calls/{call_id}", "The latest answer to a call, for seven days", api_get_call,
	 NULL, &rasad__v1__call_match__descriptor, .errors = {404, 503}},
	{"GET", "/v1/subscribers/{key}",
	 "Lines by phone, user name, circuit-id, address, MAC or sub_id, and how they are",
	 api_get_subscriber, NULL, &rasad__v1__subscriber_answer__descriptor, .errors = {404, 503}},
	{"GET", "/v1/incidents", "Incidents that are open or were cleared in the last two hours",
	 api_list_incidents, NULL, &rasad__v1__incident_list__descriptor,
	 .parameters = {{"state", "open, cleared or all (default)"}}, .errors = {400, 503}},
	{"GET", "/v1/incidents/{incident_id}", "An incident and who called about it",
	 api_get_incident, NULL, &rasad__v1__incident_answer__descriptor, .errors = {404, 503}},
	{"GET", "/v1/incidents/{incident_id}/callbacks",
	 "After the repair: whom to call back, as the lines are now", api_get_callbacks, NULL,
	 &rasad__v1__callback_list__descriptor,
	 .parameters = {{"state", "instead, the lines not to call: WAIT, VERIFYING, STILL_DOWN, "
				  "UNSTABLE, DEGRADED, UP_NO_TRAFFIC or UNKNOWN"},
			{"limit", "1 to 1000 (100)"}},
	 .errors = {400, 404, 503}},
	{"GET", "/v1/nodes", "Elements of the network, as published in the last five minutes",
	 api_list_nodes, NULL, &rasad__v1__node_list__descriptor, .errors = {503}},
	{"GET", "/v1/health", "How this desk and the collectors are doing; 503: do not ask here",
	 api_get_health, NULL, &rasad__v1__desk_health__descriptor, .errors = {503}},
	{"GET", "/metrics", "Counters, for Prometheus", api_get_metrics, .gives_type = TEXT},
	{"GET", "/v1/openapi.json", "This document", api_get_openapi,
	 .gives_type = "application/json"},
};
const size_t api_n_routes = sizeof(api_routes) / sizeof(*api_routes);

/* --- responses --- */

void api_give(struct api_call *call, unsigned status, const ProtobufCMessage *message)
{
	call->response->status = status;
	json_append_line(&call->response->body, message);
}

static void fail(struct http_response *response, unsigned status, const char *what,
		 const char *expected)
{
	Rasad__V1__ApiError error = RASAD__V1__API_ERROR__INIT;

	error.error = (char *)what;
	error.expected = (char *)expected;
	response->status = status;
	response->body.length = 0;
	json_append_line(&response->body, &error.base);
}

void api_fail(struct api_call *call, unsigned status, const char *expected, const char *what, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, what);
	vsnprintf(text, sizeof(text), what, arguments);
	va_end(arguments);
	fail(call->response, status, text, expected);
	if (status == 503)
		call->response->retry_after_s = RETRY_AFTER_S;
}

void api_refuse(void *context, unsigned status, struct http_response *response)
{
	static const struct {
		unsigned status;
		const char *what, *expected;
	} refusals[] = {
		{401, "no token, or a wrong one", "Authorization: Bearer TOKEN"},
		{403, "the Host header names another machine",
		 "localhost or a loopback address, since no token is set"},
		{413, "the body is too large", "at most 16384 bytes"},
	};
	struct desk *desk = context;

	count(&desk->counters.statuses[4]);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (refusals[i].status == status)
			fail(response, status, refusals[i].what, refusals[i].expected);
}

struct redis *api_redis(struct api_call *call)
{
	char why[REDIS_ERROR_SIZE];
	struct redis *redis = links_take(&call->desk->links);

	if (redis)
		return redis;
	links_error(&call->desk->links, why);
	api_fail(call, 503, "", "monitoring unavailable: %s", *why ? why : "Redis is away");
	return NULL;
}

/* --- routing --- */

/* Does the path fit? name is set to what stands for {…}. */
static bool fits(const char *pattern, char *const *segments, size_t n, const char **name)
{
	size_t at = 0;

	*name = NULL;
	for (const char *part = pattern; *part == '/' && at < n; at++) {
		const char *end = strchrnul(++part, '/');
		size_t length = (size_t)(end - part);
		if (*part == '{')
			*name = segments[at];
		else if (strlen(segments[at]) != length || memcmp(segments[at], part, length))
			return false;
		part = end;
		if (!*part)
			return at + 1 == n;
	}
	return false;
}

static void refuse_method(struct api_call *call, const char *allow)
{
	api_fail(call, 405, allow, "%.20s is not possible here", call->request->method);
	call->response->allow = allow;
}

static void route(struct api_call *call, char *const *segments, size_t n)
{
	const char *allow = NULL;

	for (size_t i = 0; i < api_n_routes && n; i++) {
		if (!fits(api_routes[i].path, segments, n, &call->name))
			continue;
		if (!strcmp(api_routes[i].method, call->request->method)) {
			if (api_routes[i].gives_type)
				call->response->content_type = api_routes[i].gives_type;
			api_routes[i].run(call);
			return;
		}
		allow = api_routes[i].method;
	}
	if (allow)
		refuse_method(call, allow);
	else
		api_fail(call, 404, "a path of /v1/openapi.json", "no such path");
}

void api_answer(void *context, const struct http_request *request, struct http_response *response)
{
	struct desk *desk = context;
	struct api_call call = {.desk = desk, .request = request, .response = response};
	char path[PATH_MAX_BYTES];
	char *segments[SEGMENTS_MAX];
	size_t n = 0;

	if (strlen(request->path) < sizeof(path)) {
		strcpy(path, request->path);
		n = request_split_path(path, segments, SEGMENTS_MAX);
	}
	route(&call, segments, n);
	count(&desk->counters.statuses[response->status / 100 % COUNTERS_STATUSES]);
}
