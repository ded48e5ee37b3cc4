/* SPDX-License-Identifier: BSD-3-Clause */
/* A redis-server of the test's own: unix socket in a temporary folder, appendonly. */
#ifndef RASAD_TESTS_ENGINE_PUBLISH_SERVER_H
#define RASAD_TESTS_ENGINE_PUBLISH_SERVER_H

#include <stddef.h>
#include <sys/types.h>

struct redis;
struct redis_reply;

struct server {
	char folder[64], url[128];
	const char *password; /* or NULL */
	pid_t pid;
};

/* Starts, and waits until it answers. Fails the test if it does not. */
void server_start(struct server *server);
/* SIGKILL, as when the power fails; the folder stays, so that server_start finds its data. */
void server_kill(struct server *server);
/* Kills it and removes the folder. */
void server_fini(struct server *server);

/* One command of texts, NULL at the end; the test fails when it is refused. */
struct redis_reply *server_ask(struct redis *redis, const char *const *arguments);

/* `protoc --decode=rasad.v1.<type>` of the bytes, by the .proto files alone. Static text. */
const char *protoc_decode(const char *type, const char *bytes, size_t n);

#endif
