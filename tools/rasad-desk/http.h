/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one room of libmicrohttpd: requests in, responses out, and all limits on what a peer may do.
 *
 * A pool of threads serves all connections; the answer function is called on them, several at a
 * time, and may wait for Redis. A connection that says nothing for 10 s is closed; 512 may be open,
 * with 32 KiB of header each and a body of at most HTTP_BODY_MAX.
 *
 * Without a token only loopback may be bound, and a request must then name the host by a loopback
 * name: a web page that points its own name to 127.0.0.1 gets nothing.
 */
#ifndef RASAD_TOOLS_RASAD_DESK_HTTP_H
#define RASAD_TOOLS_RASAD_DESK_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/json.h"

#define HTTP_BODY_MAX	16384
#define HTTP_ERROR_SIZE 256

struct http;

struct http_request {
	const char *method, *path; /* as sent: still percent-encoded */
	const char *body;
	size_t n_body;
	bool body_too_large, has_json; /* has_json: Content-Type says so */
	void *connection;	       /* for http_argument */
};

/* The value of ?name=, or NULL. */
const char *http_argument(const struct http_request *request, const char *name);

struct http_response {
	unsigned status;
	const char *content_type; /* NULL: application/json */
	const char *allow;	  /* for 405, or NULL */
	unsigned retry_after_s;	  /* 0: none */
	struct json_buffer body;  /* given away */
};

struct http_settings {
	struct sockaddr_storage address;
	unsigned threads;
	const char *token; /* NULL: none is asked for */
	void (*answer)(void *context, const struct http_request *request,
		       struct http_response *response);
	/* Of a request that the settings refuse: status is 401, 403, 413 or 415. */
	void (*refuse)(void *context, unsigned status, struct http_response *response);
	void *context;
};

/* "127.0.0.1:8470", "[::1]:0", "0.0.0.0:80". false: it is no such thing. */
bool http_parse_address(const char *text, struct sockaddr_storage *address);
bool http_is_loopback(const struct sockaddr_storage *address);

/* NULL with a sentence in error. */
struct http *http_start(const struct http_settings *settings, char error[HTTP_ERROR_SIZE]);
/* The port that is bound: the one asked for, or any when that was 0. */
uint16_t http_port(const struct http *http);
/* Answers what is under way, and ends. */
struct http *http_stop(struct http *http);

#endif
