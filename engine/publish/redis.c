/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/redis.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "engine/publish/redis_url.h"

#define TIMEOUT_S     2 /* a server that takes longer for a batch is as good as away */
#define ARGUMENTS_MAX 600

/*
 * Commands are written into a buffer of our own, which stays: hiredis would format each of them
 * into a new piece of memory, copy it into another, and let go of that after every pipeline. With
 * large values that takes longer than Redis needs for its part.
 */
struct redis {
	redisContext *context;
	char *out;
	size_t n_out, out_capacity;
	int error; /* errno of a write that failed, or 0 */
};

static const redisReply *raw(const struct redis_reply *reply)
{
	return (const redisReply *)reply;
}

/* --- replies --- */

enum redis_type redis_type(const struct redis_reply *reply)
{
	if (!reply)
		return REDIS_NIL;
	switch (raw(reply)->type) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		return REDIS_TEXT;
	case REDIS_REPLY_INTEGER:
		return REDIS_INTEGER;
	case REDIS_REPLY_ARRAY:
		return REDIS_ARRAY;
	case REDIS_REPLY_ERROR:
		return REDIS_REFUSED;
	default:
		return REDIS_NIL;
	}
}

const char *redis_text(const struct redis_reply *reply, size_t *n)
{
	bool is_text = redis_type(reply) == REDIS_TEXT || redis_type(reply) == REDIS_REFUSED;

	if (n)
		*n = is_text ? (size_t)raw(reply)->len : 0;
	return is_text ? raw(reply)->str : "";
}

long long redis_integer(const struct redis_reply *reply)
{
	return redis_type(reply) == REDIS_INTEGER ? raw(reply)->integer : 0;
}

size_t redis_count(const struct redis_reply *reply)
{
	return redis_type(reply) == REDIS_ARRAY ? raw(reply)->elements : 0;
}

const struct redis_reply *redis_element(const struct redis_reply *reply, size_t index)
{
	if (index >= redis_count(reply))
		return NULL;
	return (const struct redis_reply *)raw(reply)->element[index];
}

void redis_reply_free(struct redis_reply *reply)
{
	if (reply)
		freeReplyObject(reply);
}

/* --- commands --- */

#define LENGTH_MAX 24 /* "$18446744073709551615\r\n" */

static bool make_room(struct redis *redis, size_t n, const size_t *lengths)
{
	size_t wanted = redis->n_out + LENGTH_MAX;

	for (size_t i = 0; i < n; i++)
		wanted += LENGTH_MAX + lengths[i] + 2;
	if (wanted <= redis->out_capacity)
		return true;
	char *larger = realloc(redis->out, 2 * wanted);
	if (!larger)
		return false;
	redis->out = larger;
	redis->out_capacity = 2 * wanted;
	return true;
}

/* The head of an array or a text: its kind, its length, CR LF. */
static char *write_head(char *at, char kind, size_t length)
{
	char digits[LENGTH_MAX];
	size_t n = 0;

	*at++ = kind;
	do
		digits[n++] = (char)('0' + length % 10);
	while (length /= 10);
	while (n)
		*at++ = digits[--n];
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

int redis_append(struct redis *redis, size_t n, const char *const *arguments, const size_t *lengths)
{
	if (!make_room(redis, n, lengths))
		return -ENOMEM;
	char *at = write_head(redis->out + redis->n_out, '*', n);
	for (size_t i = 0; i < n; i++) {
		at = write_head(at, '$', lengths[i]);
		memcpy(at, arguments[i], lengths[i]);
		at += lengths[i];
		*at++ = '\r';
		*at++ = '\n';
	}
	redis->n_out = (size_t)(at - redis->out);
	return 0;
}

int redis_flush(struct redis *redis)
{
	for (size_t sent = 0; sent < redis->n_out;) {
		ssize_t n = write(redis->context->fd, redis->out + sent, redis->n_out - sent);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			redis->error = errno;
			return -EIO;
		}
		sent += (size_t)n;
	}
	redis->n_out = 0;
	return 0;
}

int redis_next(struct redis *redis, struct redis_reply **reply)
{
	void *got = NULL;

	*reply = NULL;
	if (redis_flush(redis) || redisGetReply(redis->context, &got) != REDIS_OK)
		return -EIO;
	*reply = got;
	return 0;
}

int redis_ask(struct redis *redis, struct redis_reply **reply, const char *const *arguments)
{
	size_t lengths[ARGUMENTS_MAX];
	size_t n = 0;

	*reply = NULL;
	for (; arguments[n] && n < ARGUMENTS_MAX; n++)
		lengths[n] = strlen(arguments[n]);
	int status = redis_append(redis, n, arguments, lengths);
	return status ? status : redis_next(redis, reply);
}

int redis_wait(struct redis *redis, int timeout_ms)
{
	struct pollfd readable = {.fd = redis->context->fd, .events = POLLIN};
	int n = poll(&readable, 1, timeout_ms);

	return n < 0 ? -errno : n > 0;
}

const char *redis_error(const struct redis *redis)
{
	/* hiredis says "Resource temporarily unavailable" for its own timeout. */
	if (redis->error == EAGAIN || (redis->context->err == REDIS_ERR_IO && errno == EAGAIN))
		return "no answer in time";
	if (redis->error)
		return strerror(redis->error);
	return redis->context->err ? redis->context->errstr : "connection lost";
}

void redis_explain(const char *text, char out[REDIS_ERROR_SIZE])
{
	static const struct {
		const char *code, *meaning;
	} codes[] = {
		{"NOAUTH", "it needs a password"},
		{"WRONGPASS", "wrong user or password"},
		{"NOPERM", "the user may not do that"},
		{"MOVED", "it is a Redis Cluster, and rasad speaks to a single server"},
		{"ASK", "it is a Redis Cluster, and rasad speaks to a single server"},
		{"CLUSTERDOWN", "it is a Redis Cluster, and rasad speaks to a single server"},
		{"READONLY", "it is a read-only replica"},
		{"OOM", "its memory is full"},
		{"LOADING", "it is still loading its data"},
		{"MISCONF", "it cannot write to its disk"},
		{"DENIED", "its protected mode keeps other hosts out"},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		size_t n = strlen(codes[i].code);
		if (!strncmp(text, codes[i].code, n) && (text[n] == ' ' || !text[n])) {
			snprintf(out, REDIS_ERROR_SIZE, "%s (%.150s)", codes[i].meaning, text);
			return;
		}
	}
	snprintf(out, REDIS_ERROR_SIZE, "%.200s", text);
}

/* --- open --- */

static redisContext *connect_to(const struct redis_url *url)
{
	struct timeval timeout = {.tv_sec = TIMEOUT_S};
	redisContext *context = *url->path ? redisConnectUnixWithTimeout(url->path, timeout)
					   : redisConnectWithTimeout(url->host, url->port, timeout);

	if (context && !context->err) {
		redisSetTimeout(context, timeout);
		if (!*url->path)
			redisEnableKeepAlive(context);
	}
	return context;
}

/* One command of the greeting. Returns 0, or -EIO with the reason in why. */
static int greet(struct redis *redis, const char *const *arguments, char why[REDIS_ERROR_SIZE])
{
	struct redis_reply *reply;

	if (redis_ask(redis, &reply, arguments)) {
		snprintf(why, REDIS_ERROR_SIZE, "%.200s", redis_error(redis));
		return -EIO;
	}
	bool refused = redis_type(reply) == REDIS_REFUSED;
	if (refused)
		redis_explain(redis_text(reply, NULL), why);
	redis_reply_free(reply);
	return refused ? -EIO : 0;
}

static int log_in(struct redis *redis, const struct redis_url *url, char why[REDIS_ERROR_SIZE])
{
	const char *user_login[] = {"AUTH", url->user, url->password, NULL};
	const char *login[] = {"AUTH", url->password, NULL};
	char db[16];

	if (*url->password && greet(redis, *url->user ? user_login : login, why))
		return -EIO;
	snprintf(db, sizeof(db), "%d", url->db);
	if (url->db && greet(redis, (const char *[]){"SELECT", db, NULL}, why))
		return -EIO;
	return greet(redis, (const char *[]){"PING", NULL}, why);
}

struct redis *redis_open(const char *text, char error[REDIS_ERROR_SIZE])
{
	struct redis_url url;
	const char *reason;
	char why[REDIS_ERROR_SIZE] = "out of memory";
	struct redis redis = {0};

	if (redis_url_parse(text, &url, &reason)) {
		snprintf(error, REDIS_ERROR_SIZE, "Redis address: %s; expected " REDIS_URL_FORMS,
			 reason);
		return NULL;
	}
	redis.context = connect_to(&url);
	if (redis.context && redis.context->err)
		snprintf(why, sizeof(why), "%.200s", redis.context->errstr);
	else if (redis.context && !log_in(&redis, &url, why)) {
		struct redis *opened = malloc(sizeof(*opened));
		if (opened)
			return *opened = redis, opened;
	}
	if (redis.context)
		redisFree(redis.context);
	free(redis.out);
	snprintf(error, REDIS_ERROR_SIZE, "Redis at %.80s: %.160s", url.shown, why);
	return NULL;
}

struct redis *redis_close(struct redis *redis)
{
	if (redis) {
		redisFree(redis->context);
		free(redis->out);
	}
	free(redis);
	return NULL;
}
