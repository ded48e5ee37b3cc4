/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one room of hiredis: a blocking connection, pipelining, replies.
 *
 * A connection belongs to one thread. After -EIO it is dead: close it and open another. The
 * thread that uses it must have SIGPIPE blocked or ignored.
 */
#ifndef RASAD_ENGINE_PUBLISH_REDIS_H
#define RASAD_ENGINE_PUBLISH_REDIS_H

#include <stddef.h>

#define REDIS_URL_FORMS	 "redis://[[user]:password@]host[:port][/db] or unix:/path[?db=N]"
#define REDIS_ERROR_SIZE 256

struct redis;
struct redis_reply;

enum redis_type {
	REDIS_NIL,
	REDIS_TEXT, /* bulk or simple string */
	REDIS_INTEGER,
	REDIS_ARRAY,
	REDIS_REFUSED, /* an error reply; its text is redis_text */
};

/*
 * Connects, logs in, selects the database, and makes sure that commands are answered. Returns
 * NULL with a sentence in error that says where (never with the password in it) and why.
 * unix: also takes user= and password= after the question mark.
 */
struct redis *redis_open(const char *url, char error[REDIS_ERROR_SIZE]);
struct redis *redis_close(struct redis *redis);

/* Queues a command in the output buffer. Returns 0 or -ENOMEM. */
int redis_append(struct redis *redis, size_t n, const char *const *arguments,
		 const size_t *lengths);
/* Sends what is queued and reads the next reply. Returns 0; or -EIO, see redis_error. */
int redis_next(struct redis *redis, struct redis_reply **reply);
/* One command of texts, NULL at the end, and its reply. Returns 0, -EIO or -ENOMEM. */
int redis_ask(struct redis *redis, struct redis_reply **reply, const char *const *arguments);
/* Waits for the server to speak. Returns 1, 0 after timeout_ms, -EINTR after a signal. */
int redis_wait(struct redis *redis, int timeout_ms);
/* Sends what is queued. Returns 0 or -EIO. */
int redis_flush(struct redis *redis);

const char *redis_error(const struct redis *redis);

enum redis_type redis_type(const struct redis_reply *reply);
/* Binary safe and NUL-terminated; "" and 0 for what is no text. n may be NULL. */
const char *redis_text(const struct redis_reply *reply, size_t *n);
long long redis_integer(const struct redis_reply *reply);
size_t redis_count(const struct redis_reply *reply);
/* NULL when there is no such element; all questions take NULL for nil. */
const struct redis_reply *redis_element(const struct redis_reply *reply, size_t index);
void redis_reply_free(struct redis_reply *reply);

/* Makes a sentence of an error reply: what it means to rasad, and what to do. */
void redis_explain(const char *text, char out[REDIS_ERROR_SIZE]);

#endif
