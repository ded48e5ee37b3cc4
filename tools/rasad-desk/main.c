/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rasad-desk: answers calls from what is in Redis. It needs no privilege, keeps nothing that is not
 * in Redis, and may run many times side by side. desk.h says which thread does what.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/lib/options.h"
#include "tools/rasad-desk/api.h"
#include "tools/rasad-desk/desk.h"
#include "tools/rasad-desk/duty.h"
#include "tools/rasad-desk/follow.h"
#include "tools/rasad-desk/http.h"
#include "tools/rasad-desk/intake.h"
#include "tools/rasad-desk/offline.h"
#include "tools/rasad-desk/options.h"

#define LOOK_MS 500

static void *(*const parts[])(void *) = {follow_run, intake_run, duty_run};
enum { N_PARTS = sizeof(parts) / sizeof(*parts) };

/* All threads but this one let signals pass. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static struct http *serve(struct desk *desk, const struct options *options)
{
	const struct http_settings settings = {
		.address = options->listen,
		.threads = options->threads,
		.token = *options->token ? options->token : NULL,
		.answer = api_answer,
		.refuse = api_refuse,
		.context = desk,
	};
	char error[HTTP_ERROR_SIZE];
	struct http *http = http_start(&settings, error);

	if (!http)
		fprintf(stderr, "rasad-desk: %s: %s\n", options->listen_text, error);
	return http;
}

static void take_name(struct desk *desk, const struct options *options, const struct http *http)
{
	char host[32] = "desk";

	gethostname(host, sizeof(host) - 1);
	if (options->name)
		snprintf(desk->name, sizeof(desk->name), "%s", options->name);
	else if (http)
		snprintf(desk->name, sizeof(desk->name), "%s-%u", host, http_port(http));
}

/* Says each time that Redis is away, and that it is back, even if both were within one look. */
static void look_at_redis(struct desk *desk, uint64_t *absences, bool *away)
{
	char why[REDIS_ERROR_SIZE];
	bool was_away = *away;

	if (atomic_load(&desk->links.absences) != *absences) {
		*absences = atomic_load(&desk->links.absences);
		links_error(&desk->links, why);
		fprintf(stderr, "rasad-desk: %s; \"monitoring unavailable\" until it is back\n",
			*why ? why : "Redis was away");
		was_away = true;
	}
	*away = atomic_load(&desk->links.away);
	if (was_away && !*away)
		fprintf(stderr, "rasad-desk: Redis is back\n");
}

static void wait_for_end(struct desk *desk, const sigset_t *set)
{
	const struct timespec patience = {.tv_nsec = LOOK_MS * 1000000};
	uint64_t absences = 0;
	bool away = false;

	while (sigtimedwait(set, NULL, &patience) < 0)
		look_at_redis(desk, &absences, &away);
}

static void tell_start(const struct desk *desk, const struct http *http)
{
	if (http)
		fprintf(stderr, "rasad-desk: %s serves HTTP on port %u\n", desk->name,
			http_port(http));
	else
		fprintf(stderr, "rasad-desk: %s serves the stream\n", desk->name);
}

static int run(struct desk *desk, const struct options *options, const sigset_t *set)
{
	pthread_t threads[N_PARTS];
	size_t n = 0;
	struct http *http = options->no_http ? NULL : serve(desk, options);

	if (!http && !options->no_http)
		return 1;
	take_name(desk, options, http);
	while (n < N_PARTS && !pthread_create(&threads[n], NULL, parts[n], desk))
		n++;
	bool good = n == N_PARTS;
	if (good) {
		tell_start(desk, http);
		wait_for_end(desk, set);
	} else
		fprintf(stderr, "rasad-desk: no more threads\n");
	http_stop(http);
	atomic_store(&desk->stop, true);
	while (n)
		pthread_join(threads[--n], NULL);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct desk desk;
	struct options options;
	sigset_t set;
	int status = options_read(&options, argc, argv);

	if (status != OPTION_OK)
		return status;
	if (options.offline)
		return offline_run(options.offline);
	block_signals(&set);
	if (!desk_init(&desk, options.redis)) {
		fprintf(stderr, "rasad-desk: out of memory\n");
		return 1;
	}
	desk.packet_clock = options.packet_clock;
	desk.verify_every_ms = options.verify_every_s * 1000;
	status = run(&desk, &options, &set);
	desk_fini(&desk);
	return status;
}
