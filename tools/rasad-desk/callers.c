/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/callers.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/book.h"
#include "engine/publish/keyspace.h"
#include "proto/rasad/v1/call.pb-c.h"

static uint64_t hash_of(const char *incident_id)
{
	return *incident_id ? keyspace_hash(incident_id, strlen(incident_id)) | 1 : 0;
}

static uint64_t kept(const struct callers *callers)
{
	return callers->n < CALLERS_MAX ? callers->n : CALLERS_MAX;
}

/* i = 0 is the newest. */
static const struct caller *at(const struct callers *callers, uint64_t i)
{
	return &callers->ring[(callers->n - 1 - i) % CALLERS_MAX];
}

void callers_fini(struct callers *callers)
{
	free(callers->ring);
	*callers = (struct callers){0};
}

void callers_add(struct callers *callers, const Rasad__V1__CallMatch *match)
{
	uint64_t incident = hash_of(match->incident_id), sub_id = book_sub_id(match->sub_id);

	if (!callers->ring)
		callers->ring = calloc(CALLERS_MAX, sizeof(*callers->ring));
	if (!incident || !sub_id || !callers->ring)
		return;
	callers->overwritten += callers->n >= CALLERS_MAX;
	struct caller *caller = &callers->ring[callers->n++ % CALLERS_MAX];
	*caller = (struct caller){
		.incident = incident, .sub_id = sub_id, .call_unix_ns = match->call_unix_ns};
	snprintf(caller->call_id, sizeof(caller->call_id), "%s", match->call_id);
}

static int by_line_and_time(const void *a, const void *b)
{
	const struct caller *l = a, *r = b;

	if (l->sub_id != r->sub_id)
		return l->sub_id < r->sub_id ? -1 : 1;
	return (l->call_unix_ns > r->call_unix_ns) - (l->call_unix_ns < r->call_unix_ns);
}

static size_t keep_first(struct caller *copy, size_t n)
{
	size_t kept_n = 0;

	for (size_t i = 0; i < n; i++)
		if (!kept_n || copy[kept_n - 1].sub_id != copy[i].sub_id)
			copy[kept_n++] = copy[i];
	return kept_n;
}

struct caller *callers_copy(const struct callers *callers, const char *incident_id, size_t *n)
{
	uint64_t incident = hash_of(incident_id);
	size_t wanted = 0;

	*n = 0;
	for (uint64_t i = 0; i < kept(callers); i++)
		wanted += at(callers, i)->incident == incident;
	struct caller *copy = wanted ? calloc(wanted, sizeof(*copy)) : NULL;
	if (!copy)
		return NULL;
	for (uint64_t i = 0; i < kept(callers); i++)
		if (at(callers, i)->incident == incident)
			copy[(*n)++] = *at(callers, i);
	qsort(copy, *n, sizeof(*copy), by_line_and_time);
	*n = keep_first(copy, *n);
	return copy;
}

static int by_line(const void *key, const void *element)
{
	uint64_t wanted = *(const uint64_t *)key, here = ((const struct caller *)element)->sub_id;

	return (wanted > here) - (wanted < here);
}

int64_t callers_find(const struct caller *copy, size_t n, uint64_t sub_id)
{
	const struct caller *found = n ? bsearch(&sub_id, copy, n, sizeof(*copy), by_line) : NULL;

	return found ? found->call_unix_ns : 0;
}

static bool is_listed(const struct caller **list, size_t n, const char *call_id)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i]->call_id, call_id))
			return true;
	return false;
}

size_t callers_list(const struct callers *callers, const char *incident_id,
		    const struct caller **out, size_t room)
{
	uint64_t incident = hash_of(incident_id);
	size_t n = 0;

	for (uint64_t i = 0; i < kept(callers) && n < room; i++) {
		const struct caller *caller = at(callers, i);
		if (caller->incident == incident && !is_listed(out, n, caller->call_id))
			out[n++] = caller;
	}
	return n;
}
