/* SPDX-License-Identifier: BSD-3-Clause */
/* Incidents in words: how bad, where, and whether anybody watches. */
#include <stdio.h>
#include <string.h>

#include "engine/publish/keyspace.h"
#include "engine/publish/redis.h"
#include "proto/rasad/v1/health.pb-c.h"
#include "tools/rasadctl/ctl.h"

#define COLLECTORS_MAX 64

const char *colour_of_severity(const struct ctl *ctl, int severity)
{
	static const char *const colours[] = {"",	  "\033[32m", "\033[35m", "\033[1;31m",
					      "\033[31m", "\033[33m", "\033[36m"};

	return ctl->colour && severity >= 0 && severity < 7 ? colours[severity] : "";
}

bool incident_is_open(const Rasad__V1__Incident *incident)
{
	return incident->state <= RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_UPDATED;
}

/* --- where --- */

/* The type is what stands before the first colon; names have colons of their own. */
void print_group(const char *typed)
{
	const char *clean = tidy(typed), *colon = strchr(clean, ':');

	if (colon)
		printf("%.*s %s", (int)(colon - clean), clean, colon + 1);
	else
		fputs(clean, stdout);
}

void print_where(const Rasad__V1__Incident *incident)
{
	for (size_t i = 0; i < incident->n_path; i++) {
		print_group(incident->path[i]);
		fputs(" > ", stdout);
	}
	printf("%s %s", tidy(incident->group_type), tidy(incident->group));
}

/* --- is it watched --- */

static struct answer {
	char collector[256];
	uint64_t epoch; /* of the one that reports; 0: none */
} answers[COLLECTORS_MAX];
static size_t n_answers;

static uint64_t ask_epoch(struct ctl *ctl, const char *collector)
{
	keyspace_key key;

	keyspace_health(collector, key);
	struct redis_reply *reply =
		ctl_send(ctl, (const char *[]){"GET", key, NULL}) ? ctl_next(ctl) : NULL;
	Rasad__V1__CollectorHealth *health =
		reply ? (Rasad__V1__CollectorHealth *)ctl_unpack(
				&rasad__v1__collector_health__descriptor, reply)
		      : NULL;
	uint64_t epoch = health && health->running ? health->epoch : 0;

	redis_reply_free(reply);
	if (health)
		protobuf_c_message_free_unpacked(&health->base, NULL);
	return epoch;
}

bool incident_is_watched(struct ctl *ctl, const Rasad__V1__Incident *incident)
{
	struct answer *answer = NULL;

	for (size_t i = 0; i < n_answers && !answer; i++)
		if (!strcmp(answers[i].collector, incident->collector))
			answer = &answers[i];
	if (!answer && n_answers < COLLECTORS_MAX && strlen(incident->collector) < 256) {
		answer = &answers[n_answers++];
		strcpy(answer->collector, incident->collector);
		answer->epoch = ask_epoch(ctl, incident->collector);
	}
	uint64_t epoch = answer ? answer->epoch : ask_epoch(ctl, incident->collector);
	return epoch && epoch == incident->epoch;
}
