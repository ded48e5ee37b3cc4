/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is usual is learnt from calls that leave the window without having been part of a surge or
 * of an incident: a rate for each element, shrunk by a day's worth of its type's mean, times a
 * factor for the hour of the week that all elements share.
 *
 * One surge shows in many elements at once (the card, its node, the exchange, everybody). They are
 * compared by how far the calls exceed the usual, as a log-likelihood ratio: the element that the
 * callers have in common, and others have not, wins. Its calls are then taken out and the rest is
 * looked at again, so that two blind spots are two.
 */
#include "engine/match/surge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/build.h"
#include "engine/base/key.h"
#include "engine/match/surge_parts.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define NS_PER_HOUR	 (3600 * 1000000000ll)
#define USUAL_PER_HOUR	 10.0
#define PRIOR_HOURS	 24.0 /* weight of the type's mean against the element's own history */
#define PRIOR_HOUR_CALLS 50.0 /* weight of "as any hour" against what an hour has shown */
#define EVERYBODY	 ":"  /* the element that all lines hang on */
#define CALM_TICKS	 5    /* without a surge, then it is over */

#define VERDICT(name)  RASAD__V1__VERDICT__VERDICT_##name
#define INCIDENT(name) RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_##name

double surge_tail(double mean, uint64_t k)
{
	/* 1 - P[X < k] loses all digits where it matters: the tail is summed itself. */
	if (!k)
		return 1;
	if (mean <= 0)
		return 0;
	double term = exp((double)k * log(mean) - mean - lgamma((double)k + 1)), sum = 0;
	for (uint64_t i = k; i < k + 1000 && term > sum * 1e-12; i++) {
		sum += term;
		term *= mean / (double)(i + 1);
	}
	return fmin(sum, 1);
}

/* --- elements --- */

static uint32_t *type_count(struct surge *surge, const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "%.*s", (int)strcspn(name, ":"), name);
	uint64_t key = key_of(type);
	uint32_t *count = map_find(&surge->types, key);
	if (!count && map_put(&surge->types, key, 0))
		count = map_find(&surge->types, key);
	return count;
}

/* UINT32_MAX: refused, and counted. */
static uint32_t element_of(struct surge *surge, const char *name)
{
	uint64_t key = key_of(name);
	const uint32_t *index = map_find(&surge->by_name, key);

	if (index)
		return *index;
	if (surge->n_elements == surge->elements_room && surge->n_elements < SURGE_GROUPS_MAX) {
		uint32_t room = surge->elements_room ? 2 * surge->elements_room : 64;
		struct element *elements = realloc(surge->elements, room * sizeof(*elements));
		if (elements) {
			surge->elements = elements;
			surge->elements_room = room;
		}
	}
	char *copy = strdup(name);
	uint32_t *count = type_count(surge, name);
	if (!copy || !count || surge->n_elements == surge->elements_room ||
	    !map_put(&surge->by_name, key, surge->n_elements)) {
		free(copy);
		surge->counts.refused++;
		return UINT32_MAX;
	}
	++*count;
	surge->elements[surge->n_elements] = (struct element){.name = copy};
	return surge->n_elements++;
}

struct surge *surge_new(double usual_calls_per_hour)
{
	struct surge *surge = calloc(1, sizeof(*surge));

	if (!surge)
		return NULL;
	surge->usual_per_hour = usual_calls_per_hour > 0 ? usual_calls_per_hour : USUAL_PER_HOUR;
	if (element_of(surge, EVERYBODY) != 0)
		return surge_free(surge);
	return surge;
}

struct surge *surge_free(struct surge *surge)
{
	if (!surge)
		return NULL;
	for (size_t i = surge->first; i < surge->n; i++)
		free(surge->callers[i].elements);
	for (uint32_t i = 0; i < surge->n_elements; i++)
		free(surge->elements[i].name);
	for (size_t i = 0; i < surge->n_blind; i++)
		rasad__v1__incident__free_unpacked(surge->blind[i].incident, NULL);
	free(surge->callers);
	free(surge->elements);
	map_fini(&surge->by_name);
	map_fini(&surge->by_call);
	map_fini(&surge->types);
	free(surge);
	return NULL;
}

/* --- calls --- */

static struct caller *known_caller(struct surge *surge, uint64_t call)
{
	const uint32_t *number = map_find(&surge->by_call, call);

	if (!number)
		return NULL;
	/* Numbers go on for ever, places move to the front: `dropped` is the difference. */
	struct caller *caller = &surge->callers[*number - surge->dropped];
	return caller->call == call ? caller : NULL;
}

/* The network shows why: an incident, or surely a trouble of the line's own. */
static bool is_explained(const Rasad__V1__CallMatch *match)
{
	if (!strncmp(match->incident_id, "blind-", strlen("blind-")))
		return false;
	return match->verdict == VERDICT(MATCHED) ||
	       (match->verdict == VERDICT(PROBABLE) && *match->incident_id);
}

static bool make_room(struct surge *surge)
{
	if (surge->first && surge->n == surge->room) {
		memmove(surge->callers, surge->callers + surge->first,
			(surge->n - surge->first) * sizeof(*surge->callers));
		surge->n -= surge->first;
		surge->dropped += (uint32_t)surge->first;
		surge->first = 0;
	}
	if (surge->n < surge->room)
		return true;
	if (surge->room >= SURGE_CALLS_MAX)
		return false;
	size_t room = surge->room ? 2 * surge->room : 64;
	struct caller *callers = realloc(surge->callers, room * sizeof(*callers));
	if (!callers)
		return false;
	surge->callers = callers;
	surge->room = room;
	return true;
}

void surge_call(struct surge *surge, const Rasad__V1__CallMatch *match)
{
	uint64_t key = key_of(match->call_id);
	struct caller *caller = known_caller(surge, key);

	if (!surge->begun_ns)
		surge->begun_ns = match->call_unix_ns;
	if (!caller && !make_room(surge)) {
		surge->counts.refused++;
		return;
	}
	if (!caller) {
		map_put(&surge->by_call, key, surge->dropped + (uint32_t)surge->n);
		caller = &surge->callers[surge->n++];
		*caller = (struct caller){
			.at_ns = match->call_unix_ns,
			.call = key,
			/* Whom nobody knows is a line of his own. */
			.line = *match->sub_id ? key_of(match->sub_id) : key,
			.elements = calloc(match->n_groups + 1, sizeof(uint32_t)),
		};
		for (size_t i = 0; caller->elements && i < match->n_groups; i++) {
			uint32_t element = element_of(surge, match->groups[i]);
			if (element != UINT32_MAX)
				caller->elements[caller->n_elements++] = element;
		}
	}
	caller->verdict = (uint8_t)match->verdict;
	caller->explained = is_explained(match);
}

/* --- what is usual --- */

static unsigned hour_of(int64_t unix_ns)
{
	return (unsigned)(unix_ns / NS_PER_HOUR % SURGE_HOURS);
}

static double hours_watched(const struct surge *surge)
{
	return fmax(0, (double)(surge->now_ns - surge->begun_ns) / (double)NS_PER_HOUR);
}

/* Calls an hour, of all: what was configured, and more and more what was seen. */
static double total_rate(const struct surge *surge)
{
	return (surge->usual_per_hour * PRIOR_HOURS + surge->total) /
	       (PRIOR_HOURS + hours_watched(surge));
}

static double hour_factor(const struct surge *surge)
{
	double expected = surge->total / SURGE_HOURS;

	if (hours_watched(surge) < SURGE_HOURS)
		return 1; /* no week yet: nothing to compare an hour with */
	return (PRIOR_HOUR_CALLS + surge->hour_calls[hour_of(surge->now_ns)]) /
	       (PRIOR_HOUR_CALLS + expected);
}

double surge_usual(struct surge *surge, const struct element *element)
{
	double window_h = (double)SURGE_WINDOW_NS / (double)NS_PER_HOUR;
	double factor = hour_factor(surge) * window_h;

	if (element == surge->elements)
		return total_rate(surge) * factor;
	/* Of a type with few elements that ever called, each could be a fourth of all. */
	const uint32_t *count = type_count(surge, element->name);
	double prior = total_rate(surge) / fmax(4, count ? *count : 0);
	double rate = (prior * PRIOR_HOURS + element->calls) / (PRIOR_HOURS + hours_watched(surge));
	return rate * factor;
}

static void learn(struct surge *surge, const struct caller *caller)
{
	if (caller->explained || caller->blind)
		return;
	surge->total++;
	surge->hour_calls[hour_of(caller->at_ns)]++;
	surge->elements[0].calls++;
	for (uint32_t i = 0; i < caller->n_elements; i++)
		surge->elements[caller->elements[i]].calls++;
}

static void leave_window(struct surge *surge)
{
	while (surge->first < surge->n &&
	       surge->now_ns - surge->callers[surge->first].at_ns > SURGE_WINDOW_NS) {
		learn(surge, &surge->callers[surge->first]);
		map_remove(&surge->by_call, surge->callers[surge->first].call);
		free(surge->callers[surge->first].elements);
		surge->first++;
	}
}

/* --- finding --- */

static void count_one(struct surge *surge, uint32_t index, const struct caller *caller)
{
	struct element *element = &surge->elements[index];

	element->k++;
	element->explained += caller->explained;
}

/* A line that calls three times is one caller. */
static void count_callers(struct surge *surge)
{
	struct map lines = {0};

	for (uint32_t i = 0; i < surge->n_elements; i++)
		surge->elements[i].k = surge->elements[i].explained = 0;
	for (size_t i = surge->first; i < surge->n; i++) {
		const struct caller *caller = &surge->callers[i];
		if (caller->taken || map_find(&lines, caller->line) ||
		    !map_put(&lines, caller->line, 1))
			continue;
		count_one(surge, 0, caller);
		for (uint32_t j = 0; j < caller->n_elements; j++)
			count_one(surge, caller->elements[j], caller);
	}
	map_fini(&lines);
}

static bool is_surge(struct surge *surge, struct element *element)
{
	uint32_t unexplained = element->k - element->explained;

	if (unexplained < SURGE_CALLS_MIN || element->explained >= SURGE_EXPLAINED * element->k)
		return false;
	element->mu = surge_usual(surge, element);
	return surge_tail(element->mu, unexplained) <= SURGE_PROBABILITY;
}

double surge_excess(const struct element *element)
{
	double k = element->k - element->explained;

	return k * log(k / element->mu) - (k - element->mu);
}

/* UINT32_MAX: none. */
static uint32_t best_surge(struct surge *surge)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < surge->n_elements; i++)
		if (is_surge(surge, &surge->elements[i]) &&
		    (best == UINT32_MAX ||
		     surge_excess(&surge->elements[i]) > surge_excess(&surge->elements[best])))
			best = i;
	return best;
}

bool surge_hangs_on(const struct caller *caller, uint32_t element)
{
	for (uint32_t i = 0; i < caller->n_elements; i++)
		if (caller->elements[i] == element)
			return true;
	return element == 0;
}

static void take(struct surge *surge, struct blind_spot *blind)
{
	for (size_t i = surge->first; i < surge->n; i++) {
		struct caller *caller = &surge->callers[i];
		if (caller->taken || caller->explained || !surge_hangs_on(caller, blind->element))
			continue;
		caller->taken = caller->blind = true;
		if (!blind->incident->onset_unix_ns ||
		    caller->at_ns < blind->incident->onset_unix_ns)
			blind->incident->onset_unix_ns = caller->at_ns;
	}
}

static struct blind_spot *blind_of(struct surge *surge, struct build *build, uint32_t element)
{
	for (size_t i = 0; i < surge->n_blind; i++)
		if (surge->blind[i].element == element)
			return &surge->blind[i];
	if (surge->n_blind == SURGE_BLIND_MAX) {
		surge->counts.refused++;
		return NULL;
	}
	Rasad__V1__Incident *incident = surge_incident(build, surge, element);
	if (!incident)
		return NULL;
	struct blind_spot *blind = &surge->blind[surge->n_blind++];
	*blind = (struct blind_spot){.incident = incident, .element = element};
	return blind;
}

typedef void surge_say(void *context, const Rasad__V1__Incident *incident);

static void tell(struct surge *surge, struct blind_spot *blind, surge_say *say, void *context)
{
	struct build build = {0};
	Rasad__V1__Incident *incident = blind->incident;
	const struct element *element = &surge->elements[blind->element];
	bool fresh = !incident->revision;
	bool changed = fresh || incident->affected != element->k - element->explained;

	blind->seen = true;
	blind->calm = 0;
	if (!changed) {
		take(surge, blind);
		return;
	}
	if (!fresh)
		incident->state = INCIDENT(UPDATED);
	surge_update(&build, surge, blind);
	take(surge, blind);
	if (!build.failed)
		say(context, incident);
}

static void clear(struct surge *surge, size_t at, surge_say *say, void *context)
{
	struct blind_spot *blind = &surge->blind[at];
	Rasad__V1__Incident *incident = blind->incident;

	incident->state = INCIDENT(CLEARED);
	incident->severity = RASAD__V1__SEVERITY__SEVERITY_CLEARED;
	incident->clear_unix_ns = incident->changed_unix_ns = surge->now_ns;
	incident->has_clear_unix_ns_case = RASAD__V1__INCIDENT__HAS_CLEAR_UNIX_NS_CLEAR_UNIX_NS;
	incident->affected = 0;
	incident->revision++;
	say(context, incident);
	rasad__v1__incident__free_unpacked(incident, NULL);
	surge->blind[at] = surge->blind[--surge->n_blind];
}

void surge_tick(struct surge *surge, int64_t now_unix_ns, surge_say *say, void *context)
{
	struct build build = {0};
	uint32_t element;

	if (!surge->begun_ns)
		surge->begun_ns = now_unix_ns;
	surge->now_ns = now_unix_ns;
	leave_window(surge);
	for (size_t i = surge->first; i < surge->n; i++)
		surge->callers[i].taken = false;
	for (size_t i = 0; i < surge->n_blind; i++)
		surge->blind[i].seen = false;
	for (int i = 0; i < SURGE_BLIND_MAX; i++) {
		count_callers(surge);
		element = best_surge(surge);
		struct blind_spot *blind =
			element != UINT32_MAX ? blind_of(surge, &build, element) : NULL;
		if (!blind || blind->seen)
			break;
		tell(surge, blind, say, context);
	}
	for (size_t i = surge->n_blind; i > 0; i--)
		if (!surge->blind[i - 1].seen && ++surge->blind[i - 1].calm >= CALM_TICKS)
			clear(surge, i - 1, say, context);
}

struct surge_counts surge_counts(const struct surge *surge)
{
	struct surge_counts counts = surge->counts;

	counts.calls = surge->n - surge->first;
	for (size_t i = surge->first; i < surge->n; i++)
		counts.unexplained += !surge->callers[i].explained;
	counts.groups = surge->n_elements;
	counts.open = surge->n_blind;
	return counts;
}
