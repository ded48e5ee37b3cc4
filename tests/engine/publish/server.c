/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/publish/server.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/publish/redis.h"

#define PATIENCE_S 15

static void run_server(const struct server *server, const char *socket)
{
	int null = open("/dev/null", O_WRONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves no server behind */
	dup2(null, STDOUT_FILENO);
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket, "--dir",
	       server->folder, "--appendonly", "yes", "--save", "", "--requirepass",
	       server->password ? server->password : "", (char *)NULL);
	_exit(127);
}

/* Answering, with or without "log in first". */
static bool answers(const struct server *server)
{
	char error[REDIS_ERROR_SIZE];
	struct redis *redis = redis_open(server->url, error);
	bool ready = redis || strstr(error, "password");

	redis_close(redis);
	return ready;
}

void server_start(struct server *server)
{
	char socket[96];
	time_t start = time(NULL);

	if (!*server->folder) {
		strcpy(server->folder, "/tmp/rasad-test-XXXXXX");
		assert_non_null(mkdtemp(server->folder));
	}
	snprintf(socket, sizeof(socket), "%s/redis.sock", server->folder);
	snprintf(server->url, sizeof(server->url), "unix:%s", socket);
	unlink(socket);
	server->pid = fork();
	assert_true(server->pid >= 0);
	if (!server->pid)
		run_server(server, socket);
	while (!answers(server)) {
		if (waitpid(server->pid, NULL, WNOHANG) || time(NULL) - start > PATIENCE_S)
			fail_msg("redis-server does not start");
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

void server_kill(struct server *server)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	server->pid = 0;
}

void server_fini(struct server *server)
{
	char command[128];

	server_kill(server);
	if (!strncmp(server->folder, "/tmp/rasad-test-", 16)) {
		snprintf(command, sizeof(command), "rm -r '%s'", server->folder);
		assert_int_equal(system(command), 0);
	}
	*server->folder = 0;
}

struct redis_reply *server_ask(struct redis *redis, const char *const *arguments)
{
	struct redis_reply *reply;

	assert_int_equal(redis_ask(redis, &reply, arguments), 0);
	if (redis_type(reply) == REDIS_REFUSED)
		fail_msg("%s: %s", arguments[0], redis_text(reply, NULL));
	return reply;
}

const char *protoc_decode(const char *type, const char *bytes, size_t n)
{
	static char text[256 * 1024];
	char path[] = "/tmp/rasad-test-XXXXXX", command[256];
	int file = mkstemp(path);

	assert_int_equal(write(file, bytes, n), n);
	close(file);
	snprintf(command, sizeof(command),
		 "protoc --decode=rasad.v1.%s -Iproto proto/rasad/v1/*.proto <%s 2>&1", type, path);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	text[fread(text, 1, sizeof(text) - 1, pipe)] = 0;
	int status = pclose(pipe);
	unlink(path);
	if (status)
		fail_msg("%s: %s", command, text);
	return text;
}
