/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#define CONNECTIONS_MAX	  512
#define CONNECTION_MEMORY ((size_t)32 * 1024)
#define TIMEOUT_S	  10u
#define SWALLOW_MAX	  (1024 * 1024) /* of a body that is too large, before we hang up */

struct http {
	struct MHD_Daemon *daemon;
	struct http_settings settings;
	bool loopback;
};

/* A request while it comes in. */
struct incoming {
	char *body; /* owned */
	size_t n, capacity, seen;
	bool too_large;
};

/* --- addresses --- */

static bool parse_port(const char *text, in_port_t *port)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*port = htons((uint16_t)value);
	return *text >= '0' && *text <= '9' && !*end && value <= 65535;
}

bool http_parse_address(const char *text, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	size_t n = colon ? (size_t)(colon - text) : 0;

	memset(address, 0, sizeof(*address));
	if (!n || n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = 0;
	if (*host == '[' && host[n - 1] == ']') {
		host[n - 1] = 0;
		v6->sin6_family = AF_INET6;
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 &&
		       parse_port(colon + 1, &v6->sin6_port);
	}
	v4->sin_family = AF_INET;
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 && parse_port(colon + 1, &v4->sin_port);
}

bool http_is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

/* --- who may ask --- */

/* Takes as long for a wrong token as for the right one. */
static bool same_secret(const char *given, const char *secret)
{
	size_t n = strlen(secret), n_given = strlen(given);
	unsigned char differs = n != n_given;

	for (size_t i = 0; i < n; i++)
		differs |= (unsigned char)(secret[i] ^ given[n_given ? i % n_given : 0]);
	return !differs;
}

static bool has_token(struct MHD_Connection *connection, const char *token)
{
	static const char scheme[] = "Bearer ";
	const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							MHD_HTTP_HEADER_AUTHORIZATION);

	return given && !strncasecmp(given, scheme, sizeof(scheme) - 1) &&
	       same_secret(given + sizeof(scheme) - 1, token);
}

/* "localhost", "127.0.0.1:8470", "[::1]"; a program need not say any. */
static bool names_loopback(struct MHD_Connection *connection)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	const char *host =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);

	if (!host)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i]);
		if (!strncasecmp(host, names[i], n) && (!host[n] || host[n] == ':'))
			return true;
	}
	return !strncmp(host, "127.", 4) && strspn(host, "0123456789.:") == strlen(host);
}

/* 0, or the status of the refusal. */
static unsigned judge(const struct http *http, struct MHD_Connection *connection)
{
	if (http->settings.token)
		return has_token(connection, http->settings.token) ? 0 : MHD_HTTP_UNAUTHORIZED;
	return names_loopback(connection) ? 0 : MHD_HTTP_FORBIDDEN;
}

static bool is_json(struct MHD_Connection *connection)
{
	static const char json[] = "application/json";
	const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						       MHD_HTTP_HEADER_CONTENT_TYPE);
	size_t n = sizeof(json) - 1;

	return type && !strncasecmp(type, json, n) && (!type[n] || strchr("; \t", type[n]));
}

/* --- responses --- */

static void add_headers(struct MHD_Response *out, const struct http_response *response)
{
	char seconds[16];

	MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE,
				response->content_type ? response->content_type
						       : "application/json");
	MHD_add_response_header(out, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
	if (response->allow)
		MHD_add_response_header(out, MHD_HTTP_HEADER_ALLOW, response->allow);
	if (response->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(out, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (!response->retry_after_s)
		return;
	snprintf(seconds, sizeof(seconds), "%u", response->retry_after_s);
	MHD_add_response_header(out, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

static enum MHD_Result send_response(struct MHD_Connection *connection,
				     struct http_response *response)
{
	struct MHD_Response *out = MHD_create_response_from_buffer(
		response->body.length, response->body.text, MHD_RESPMEM_MUST_FREE);

	if (!out) {
		json_buffer_fini(&response->body);
		return MHD_NO;
	}
	add_headers(out, response);
	enum MHD_Result result = MHD_queue_response(connection, response->status, out);
	MHD_destroy_response(out);
	return result;
}

static enum MHD_Result refuse(struct http *http, struct MHD_Connection *connection, unsigned status)
{
	struct http_response response = {0};

	http->settings.refuse(http->settings.context, status, &response);
	return send_response(connection, &response);
}

/* --- requests --- */

static bool announces_too_much(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length && strtoull(length, NULL, 10) > HTTP_BODY_MAX;
}

static enum MHD_Result begin(struct http *http, struct MHD_Connection *connection, void **state)
{
	unsigned refused = judge(http, connection);

	if (!refused && announces_too_much(connection))
		refused = MHD_HTTP_CONTENT_TOO_LARGE;
	if (refused)
		return refuse(http, connection, refused);
	*state = calloc(1, sizeof(struct incoming));
	return *state ? MHD_YES : MHD_NO;
}

static bool make_room(struct incoming *in, size_t n)
{
	size_t wanted = in->n + n;

	if (wanted <= in->capacity)
		return true;
	char *larger = realloc(in->body, 2 * wanted);
	if (!larger)
		return false;
	in->body = larger;
	in->capacity = 2 * wanted;
	return true;
}

static enum MHD_Result take_part(struct incoming *in, const char *data, size_t *n)
{
	in->seen += *n;
	in->too_large |= in->seen > HTTP_BODY_MAX;
	if (in->seen > SWALLOW_MAX || (!in->too_large && !make_room(in, *n)))
		return MHD_NO;
	if (!in->too_large) {
		memcpy(in->body + in->n, data, *n);
		in->n += *n;
	}
	*n = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *n, void **state)
{
	struct http *http = context;
	struct incoming *in = *state;
	struct http_response response = {.status = MHD_HTTP_OK};

	(void)version;
	if (!in)
		return begin(http, connection, state);
	if (*n)
		return take_part(in, data, n);
	if (in->too_large)
		return refuse(http, connection, MHD_HTTP_CONTENT_TOO_LARGE);
	const struct http_request request = {
		.method = method,
		.path = url,
		.body = in->body ? in->body : "",
		.n_body = in->n,
		.has_json = is_json(connection),
		.connection = connection,
	};
	http->settings.answer(http->settings.context, &request, &response);
	return send_response(connection, &response);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	struct incoming *in = *state;

	(void)context, (void)connection, (void)code;
	if (in)
		free(in->body);
	free(in);
	*state = NULL;
}

const char *http_argument(const struct http_request *request, const char *name)
{
	return request->connection ? MHD_lookup_connection_value(request->connection,
								 MHD_GET_ARGUMENT_KIND, name)
				   : NULL;
}

/* Paths are decoded by segment, or an encoded slash would be one. Arguments are decoded here. */
static size_t unescape(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context, (void)connection;
	return strlen(text);
}

static void log_nothing(void *context, const char *format, va_list arguments)
{
	(void)context, (void)format, (void)arguments;
}

/* --- start, stop --- */

struct http *http_start(const struct http_settings *settings, char error[HTTP_ERROR_SIZE])
{
	bool is_v6 = settings->address.ss_family == AF_INET6;
	struct http *http = calloc(1, sizeof(*http));

	if (!http) {
		snprintf(error, HTTP_ERROR_SIZE, "out of memory");
		return NULL;
	}
	http->settings = *settings;
	errno = 0;
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG | (is_v6 ? MHD_USE_IPv6 : 0), 0,
		NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
		MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&http->settings.address,
		MHD_OPTION_THREAD_POOL_SIZE, settings->threads, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_UNESCAPE_CALLBACK, unescape,
		NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (http->daemon)
		return http;
	snprintf(error, HTTP_ERROR_SIZE, "%s", errno ? strerror(errno) : "libmicrohttpd would not");
	free(http);
	return NULL;
}

uint16_t http_port(const struct http *http)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

struct http *http_stop(struct http *http)
{
	if (http)
		MHD_stop_daemon(http->daemon);
	free(http);
	return NULL;
}
