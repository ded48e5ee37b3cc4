/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The HTTP API: one table of routes, from which requests are routed and the OpenAPI document is
 * written, so that the two cannot differ. Every body is a message of proto/ as JSON, but for
 * /metrics and the document itself.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_API_H
#define RASAD_TOOLS_RASAD_DESK_API_H

#include <protobuf-c/protobuf-c.h>

#include "tools/rasad-desk/desk.h"
#include "tools/rasad-desk/http.h"

#define API_STATUSES_MAX 8

/* What a handler works with. */
struct api_call {
	struct desk *desk;
	const struct http_request *request;
	struct http_response *response;
	const char *name; /* what stands for {…} in the path, decoded; or NULL */
};

struct api_parameter {
	const char *name, *about;
};

struct api_route {
	const char *method, *path; /* "/v1/calls/{id}": at most one {…} */
	const char *summary;
	void (*run)(struct api_call *call);
	const ProtobufCMessageDescriptor *takes, *gives; /* NULL: no body; no message */
	const char *gives_type;				 /* Content-Type without a message */
	struct api_parameter parameters[2];		 /* of the query */
	unsigned errors[API_STATUSES_MAX];		 /* besides 401, 403, 405 and 413 */
};

extern const struct api_route api_routes[];
extern const size_t api_n_routes;

/* For http_settings. context is the desk. */
void api_answer(void *context, const struct http_request *request, struct http_response *response);
void api_refuse(void *context, unsigned status, struct http_response *response);

/* For handlers: a message as the body; an error with what was expected ("" nothing to say). */
void api_give(struct api_call *call, unsigned status, const ProtobufCMessage *message);
__attribute__((format(printf, 4, 5))) void api_fail(struct api_call *call, unsigned status,
						    const char *expected, const char *what, ...);
/* A connection; or NULL, and 503 has been answered. */
struct redis *api_redis(struct api_call *call);

/* --- handlers, by file --- */

void api_post_call(struct api_call *call); /* api_calls.c */
void api_get_call(struct api_call *call);
void api_get_subscriber(struct api_call *call); /* api_subscribers.c */
void api_list_incidents(struct api_call *call); /* api_incidents.c */
void api_get_incident(struct api_call *call);
void api_get_callbacks(struct api_call *call);
void api_list_nodes(struct api_call *call); /* api_health.c */
void api_get_health(struct api_call *call);
void api_get_metrics(struct api_call *call); /* metrics.c */
void api_get_openapi(struct api_call *call); /* openapi.c */

#endif
