/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/redis_url.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Copies n bytes with %xx decoded. Returns false when it does not fit. */
static bool decode(char *out, size_t size, const char *from, size_t n)
{
	size_t length = 0;

	for (size_t i = 0; i < n; i++) {
		char c = from[i];
		if (c == '%' && i + 2 < n && isxdigit((unsigned char)from[i + 1]) &&
		    isxdigit((unsigned char)from[i + 2])) {
			c = (char)(hex_value(from[i + 1]) << 4 | hex_value(from[i + 2]));
			i += 2;
		}
		if (length + 1 >= size || !c)
			return false;
		out[length++] = c;
	}
	out[length] = 0;
	return true;
}

/* A whole number of at most max, the entire text; -1: not so. */
static int number(const char *text, int max)
{
	char *end;
	long value = strtol(text, &end, 10);

	return isdigit((unsigned char)*text) && !*end && value <= max ? (int)value : -1;
}

static const char *parse_login(struct redis_url *url, const char *text, const char *at)
{
	const char *colon = memchr(text, ':', (size_t)(at - text));

	if (!colon)
		return "expected user:password or :password before the @";
	if (!decode(url->user, sizeof(url->user), text, (size_t)(colon - text)) ||
	    !decode(url->password, sizeof(url->password), colon + 1, (size_t)(at - colon - 1)))
		return "user or password is too long";
	return NULL;
}

/* host, host:port, [v6], [v6]:port */
static const char *parse_place(struct redis_url *url, const char *text, size_t n)
{
	const char *end = text + n;
	const char *close = *text == '[' ? memchr(text, ']', n) : NULL;
	const char *host = close ? text + 1 : text;
	const char *colon = close ? close + 1 : memchr(text, ':', n);
	const char *host_end = close ? close : colon ? colon : end;

	if (!decode(url->host, sizeof(url->host), host, (size_t)(host_end - host)) || !*url->host)
		return "expected a host";
	if (!colon || colon == end)
		return NULL;
	char port[8];
	if (*colon != ':' || !decode(port, sizeof(port), colon + 1, (size_t)(end - colon - 1)) ||
	    (url->port = number(port, 65535)) <= 0)
		return "expected a port from 1 to 65535 after the host";
	return NULL;
}

static const char *parse_tcp(struct redis_url *url, const char *text)
{
	const char *slash = strrchr(text, '/');
	const char *at = strrchr(text, '@');
	const char *end = slash && (!at || slash > at) ? slash : text + strlen(text);
	const char *reason = at ? parse_login(url, text, at) : NULL;

	if (at)
		text = at + 1;
	if (!reason)
		reason = parse_place(url, text, (size_t)(end - text));
	if (!reason && *end == '/' && end[1] && (url->db = number(end + 1, 65535)) < 0)
		reason = "expected the number of a database after the /";
	return reason;
}

static const char *parse_setting(struct redis_url *url, const char *text, size_t n)
{
	if (n > 3 && !strncmp(text, "db=", 3)) {
		char db[8];
		if (decode(db, sizeof(db), text + 3, n - 3) && (url->db = number(db, 65535)) >= 0)
			return NULL;
	} else if (n > 5 && !strncmp(text, "user=", 5)) {
		if (decode(url->user, sizeof(url->user), text + 5, n - 5))
			return NULL;
	} else if (n > 9 && !strncmp(text, "password=", 9)) {
		if (decode(url->password, sizeof(url->password), text + 9, n - 9))
			return NULL;
	}
	return "expected db=N, user=NAME or password=TEXT after the ?";
}

static const char *parse_unix(struct redis_url *url, const char *text)
{
	size_t n = strcspn(text, "?");
	const char *reason = NULL;

	if (!strncmp(text, "//", 2))
		text += 2, n -= 2;
	if (*text != '/' || !decode(url->path, sizeof(url->path), text, n))
		return "expected an absolute path of at most 107 bytes";
	for (text += n; *text && !reason; text += n) {
		text++;
		n = strcspn(text, "&");
		reason = parse_setting(url, text, n);
	}
	return reason;
}

int redis_url_parse(const char *text, struct redis_url *url, const char **reason)
{
	*url = (struct redis_url){.port = 6379};
	if (!strncmp(text, "redis://", 8))
		*reason = parse_tcp(url, text + 8);
	else if (!strncmp(text, "unix:", 5))
		*reason = parse_unix(url, text + 5);
	else if (!strncmp(text, "rediss://", 9))
		*reason = "TLS is not spoken here: put stunnel in front, or use a unix socket";
	else
		*reason = "no such form";
	if (*url->path)
		snprintf(url->shown, sizeof(url->shown), "unix:%s", url->path);
	else
		snprintf(url->shown, sizeof(url->shown), "%s:%d", url->host, url->port);
	return *reason ? -EINVAL : 0;
}
