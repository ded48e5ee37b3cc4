/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "proto/rasad/v1/health.pb-c.h"
#include "tools/rasadctl/ctl.h"

#define COLLECTORS_MAX 256

struct keys {
	char list[COLLECTORS_MAX][KEYSPACE_KEY_MAX];
	size_t n;
};

static bool take_health_key(struct ctl *ctl, const char *key, void *context)
{
	struct keys *keys = context;

	(void)ctl;
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->list[i], key))
			return true;
	if (keys->n == COLLECTORS_MAX) {
		complain("more than %d collectors, the rest is left out", COLLECTORS_MAX);
		return false;
	}
	snprintf(keys->list[keys->n++], KEYSPACE_KEY_MAX, "%s", key);
	return true;
}

static void print_shed(const Rasad__V1__CollectorHealth *health)
{
	bool any = false;

	for (size_t i = 0; i < health->n_shed; i++) {
		if (!health->shed[i]->value)
			continue;
		printf("%s%s %" PRIu64, any ? ", " : "  shed       ", tidy(health->shed[i]->key),
		       health->shed[i]->value);
		any = true;
	}
	if (any)
		putchar('\n');
}

static void print_refusals(const Rasad__V1__CollectorHealth *health)
{
	bool any = false;

	for (size_t i = 0; i < health->n_refusals; i++) {
		if (!health->refusals[i]->value)
			continue;
		printf("%s%s %" PRIu64, any ? ", " : "  refused    ",
		       tidy(health->refusals[i]->key), health->refusals[i]->value);
		any = true;
	}
	if (any)
		putchar('\n');
}

static void print_health(struct ctl *ctl, const Rasad__V1__CollectorHealth *health)
{
	char time[TIME_SIZE], span[TIME_SIZE];

	printf("%s%s%s %s", colour_of_state(ctl, health->running ? 1 : 3),
	       health->running ? "RUNNING" : "STOPPED", colour_end(ctl), tidy(health->collector));
	printf("  version %s\n", *health->version ? tidy(health->version) : "unknown");
	printf("  as of      %s, %s ago\n", format_time(health->unix_ns, time),
	       format_span(now_unix_ns() - health->unix_ns, span));
	printf("  packets    %" PRIu64 ", %" PRIu64 " bytes, %" PRIu64
	       " dropped before rasad saw them\n",
	       health->packets, health->bytes, health->dropped);
	printf("  lines      %" PRIu64 ", %" PRIu64 " flows\n", health->lines, health->flows);
	printf("  published  %" PRIu64 " events, %" PRIu64 " cards, %" PRIu64 " minutes; %" PRIu64
	       " events waiting\n",
	       health->events_published, health->cards_published, health->minutes_published,
	       health->events_queued);
	print_shed(health);
	print_refusals(health);
	putchar('\n');
}

/* Returns false after complaining of the connection; a key that expired meanwhile is no matter. */
static bool show(struct ctl *ctl, const char *key, size_t *shown)
{
	struct redis_reply *reply =
		ctl_send(ctl, (const char *[]){"GET", key, NULL}) ? ctl_next(ctl) : NULL;

	if (!reply)
		return false;
	Rasad__V1__CollectorHealth *health = (Rasad__V1__CollectorHealth *)ctl_unpack(
		&rasad__v1__collector_health__descriptor, reply);
	redis_reply_free(reply);
	if (!health)
		return true;
	++*shown;
	if (ctl->json)
		ctl_print_json(ctl, &health->base);
	else
		print_health(ctl, health);
	protobuf_c_message_free_unpacked(&health->base, NULL);
	return true;
}

int run_health(struct ctl *ctl)
{
	static struct keys keys;
	size_t shown = 0;
	bool good = ctl_scan(ctl, KEYSPACE_ALL_HEALTH, take_health_key, &keys);

	for (size_t i = 0; i < keys.n && good; i++)
		good = show(ctl, keys.list[i], &shown);
	if (good && !shown)
		complain("no collector has reported within 30 s: monitoring unavailable");
	return good && shown ? EXIT_OK : EXIT_TROUBLE;
}
