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

#include "engine/base/map.h"
#include "engine/match/build.h"
#include "engine/match/key.h"
#include "engine/match/texts.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define NS_PER_HOUR	 (3600 * 1000000000ll)
#define HOURS		 168
#define USUAL_PER_HOUR	 10.0
#define PRIOR_HOURS	 24.0 /* weight of the type's mean against the element's own history */
#define PRIOR_HOUR_CALLS 50.0 /* weight of "as any hour" against what an hour has shown */
#define MINOR_CALLS	 20
#define BLIND_MAX	 64 /* open at the same time */
#define HINTS_MAX	 8
#define EVERYBODY	 ":" /* the element that all lines hang on */
#define CALM_TICKS	 5   /* without a surge, then it is over */

#define VERDICT(name)  RASAD__V1__VERDICT__VERDICT_##name
#define INCIDENT(name) RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_##name

struct element {
	char *name;   /* owned: "card:DSLAM-1/3" */
	double calls; /* that were usual */
	/* Of the tick: */
	uint32_t k, explained;
	double mu;
};

struct caller {
	int64_t at_ns;
	uint64_t call, line; /* keys */
	uint32_t *elements;  /* owned; everybody is not among them */
	uint32_t n_elements;
	uint8_t verdict;
	bool explained; /* by an incident of the network */
	bool blind;	/* part of a surge that was told */
	bool taken;	/* of the tick: by a surge that was found before */
};

struct blind_spot {
	Rasad__V1__Incident *incident; /* owned */
	uint32_t element;
	unsigned calm;
	bool seen; /* of the tick */
};

struct surge {
	struct caller *callers; /* owned; in the order of arrival, first .. n-1 */
	size_t first, n, room;
	struct element *elements; /* owned; 0: everybody */
	uint32_t n_elements, elements_room;
	struct map by_name, types; /* name -> element; type -> how many elements it has */
	double hour_calls[HOURS], total;
	int64_t begun_ns, now_ns;
	double usual_per_hour;
	struct blind_spot blind[BLIND_MAX];
	size_t n_blind;
	struct surge_counts counts;
};

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
	map_fini(&surge->types);
	free(surge);
	return NULL;
}

/* --- calls --- */

static struct caller *known_caller(struct surge *surge, uint64_t call)
{
	for (size_t i = surge->n; i > surge->first; i--)
		if (surge->callers[i - 1].call == call)
			return &surge->callers[i - 1];
	return NULL;
}

static bool is_explained(const Rasad__V1__CallMatch *match)
{
	return *match->incident_id && strncmp(match->incident_id, "blind-", 6) != 0 &&
	       (match->verdict == VERDICT(MATCHED) || match->verdict == VERDICT(PROBABLE));
}

static bool make_room(struct surge *surge)
{
	if (surge->first && surge->n == surge->room) {
		memmove(surge->callers, surge->callers + surge->first,
			(surge->n - surge->first) * sizeof(*surge->callers));
		surge->n -= surge->first;
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
	return (unsigned)(unix_ns / NS_PER_HOUR % HOURS);
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
	double expected = surge->total / HOURS;

	if (hours_watched(surge) < HOURS)
		return 1; /* no week yet: nothing to compare an hour with */
	return (PRIOR_HOUR_CALLS + surge->hour_calls[hour_of(surge->now_ns)]) /
	       (PRIOR_HOUR_CALLS + expected);
}

static double usual_in_window(struct surge *surge, const struct element *element)
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
		free(surge->callers[surge->first].elements);
		surge->first++;
	}
}

/* --- finding --- */

/* A line that calls three times is one caller. */
static bool is_repeat(const struct surge *surge, size_t at)
{
	for (size_t i = surge->first; i < at; i++)
		if (surge->callers[i].line == surge->callers[at].line && !surge->callers[i].taken)
			return true;
	return false;
}

static void count_one(struct surge *surge, uint32_t index, const struct caller *caller)
{
	struct element *element = &surge->elements[index];

	element->k++;
	element->explained += caller->explained;
}

static void count_callers(struct surge *surge)
{
	for (uint32_t i = 0; i < surge->n_elements; i++)
		surge->elements[i].k = surge->elements[i].explained = 0;
	for (size_t i = surge->first; i < surge->n; i++) {
		const struct caller *caller = &surge->callers[i];
		if (caller->taken || is_repeat(surge, i))
			continue;
		count_one(surge, 0, caller);
		for (uint32_t j = 0; j < caller->n_elements; j++)
			count_one(surge, caller->elements[j], caller);
	}
}

static bool is_surge(struct surge *surge, struct element *element)
{
	uint32_t unexplained = element->k - element->explained;

	if (unexplained < SURGE_CALLS_MIN || element->explained >= SURGE_EXPLAINED * element->k)
		return false;
	element->mu = usual_in_window(surge, element);
	return surge_tail(element->mu, unexplained) <= SURGE_PROBABILITY;
}

static double excess(const struct element *element)
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
		     excess(&surge->elements[i]) > excess(&surge->elements[best])))
			best = i;
	return best;
}

static bool hangs_on(const struct caller *caller, uint32_t element)
{
	for (uint32_t i = 0; i < caller->n_elements; i++)
		if (caller->elements[i] == element)
			return true;
	return element == 0;
}

/* --- telling --- */

static void split(const char *name, char type[64], const char **rest)
{
	size_t n = strcspn(name, ":");

	snprintf(type, 64, "%.*s", (int)n, name);
	*rest = name[n] ? name + n + 1 : name + n;
}

static void add_hint(struct build *build, Rasad__V1__IncidentEvidence *evidence,
		     const struct element *element, uint32_t callers)
{
	Rasad__V1__GroupShare *share = malloc(sizeof(*share));
	char type[64];
	const char *name;

	if (!share) {
		build->failed = true;
		return;
	}
	rasad__v1__group_share__init(share);
	split(element->name, type, &name);
	build_text(build, &share->group_type, type);
	build_text(build, &share->group, name);
	share->bad = element->k - element->explained;
	share->members = callers;
	build_append(build, &evidence->children, &evidence->n_children, share);
}

/* What callers have in common, best first: by excess over the usual. */
static void add_hints(struct build *build, struct surge *surge,
		      Rasad__V1__IncidentEvidence *evidence, uint32_t callers)
{
	uint32_t chosen[HINTS_MAX];

	for (size_t n = 0; n < HINTS_MAX; n++) {
		uint32_t best = UINT32_MAX;
		for (uint32_t i = 1; i < surge->n_elements; i++) {
			struct element *one = &surge->elements[i];
			bool taken = one->k - one->explained < 2;
			for (size_t j = 0; j < n && !taken; j++)
				taken = chosen[j] == i;
			if (taken)
				continue;
			one->mu = usual_in_window(surge, one);
			if (best == UINT32_MAX || excess(one) > excess(&surge->elements[best]))
				best = i;
		}
		if (best == UINT32_MAX)
			return;
		chosen[n] = best;
		add_hint(build, evidence, &surge->elements[best], callers);
	}
}

/* Of the callers: how many are not seen well, which is where a blind spot hides. */
static void describe(struct build *build, struct surge *surge, Rasad__V1__Incident *incident,
		     uint32_t element)
{
	unsigned callers = 0, unwatched = 0, unmeasured = 0, strangers = 0;
	struct build_stream stream;
	FILE *out = build_open(build, &stream);

	for (size_t i = surge->first; i < surge->n; i++) {
		const struct caller *caller = &surge->callers[i];
		if (caller->explained || caller->taken || !hangs_on(caller, element))
			continue;
		callers++;
		unwatched += caller->verdict == VERDICT(MONITORING_UNAVAILABLE);
		unmeasured += caller->verdict == VERDICT(INSUFFICIENT_DATA);
		strangers += caller->verdict == VERDICT(UNKNOWN_SUBSCRIBER);
	}
	if (out) {
		fprintf(out, "%u calls without a network symptom", callers);
		if (!element)
			fputs("; the callers have no element in common: look outside", out);
		fprintf(out, "; %u not watched, %u without enough traffic, %u unknown", unwatched,
			unmeasured, strangers);
	}
	build_close(build, &stream, &incident->text);
}

static Rasad__V1__Incident *new_incident(struct build *build, struct surge *surge, uint32_t element)
{
	Rasad__V1__Incident *incident = malloc(sizeof(*incident));
	char id[64], type[64], key[512];
	const char *name;

	if (!incident)
		return NULL;
	rasad__v1__incident__init(incident);
	split(surge->elements[element].name, type, &name);
	/* The same on every desk that sees the same calls. */
	snprintf(id, sizeof(id), "blind-%011llx-%016llx",
		 (unsigned long long)(surge->now_ns / 60000000000ll),
		 (unsigned long long)key_of(surge->elements[element].name));
	build_text(build, &incident->incident_id, id);
	build_text(build, &incident->group_type, type);
	build_text(build, &incident->group, name);
	snprintf(key, sizeof(key), "CALLS_WITHOUT_NETWORK_SYMPTOM:%s:%s", type, name);
	build_text(build, &incident->dedupe_key, key);
	incident->class_ = RASAD__V1__INCIDENT_CLASS__INCIDENT_CLASS_CALLS_WITHOUT_NETWORK_SYMPTOM;
	incident->channel = RASAD__V1__SYMPTOM_CHANNEL__SYMPTOM_CHANNEL_CALLS;
	incident->alarm_type = RASAD__V1__ALARM_TYPE__ALARM_TYPE_QUALITY_OF_SERVICE;
	incident->probable_cause = 532; /* performanceDegraded */
	incident->state = INCIDENT(OPEN);
	incident->open_unix_ns = surge->now_ns;
	incident->confidence = 0.6;
	incident->service_affecting = true;
	build_text(build, &incident->recommended_action, text_template(TEXT_EN, "ACTION_CORE_NOC"));
	return incident;
}

static void free_evidence(Rasad__V1__Incident *incident)
{
	if (incident->evidence)
		rasad__v1__incident_evidence__free_unpacked(incident->evidence, NULL);
	incident->evidence = NULL;
}

static void update(struct build *build, struct surge *surge, struct blind_spot *blind)
{
	Rasad__V1__Incident *incident = blind->incident;
	struct element *element = &surge->elements[blind->element];
	Rasad__V1__IncidentEvidence *evidence = malloc(sizeof(*evidence));
	uint32_t k = element->k - element->explained;

	if (!evidence) {
		build->failed = true;
		return;
	}
	rasad__v1__incident_evidence__init(evidence);
	evidence->k = k;
	evidence->n = element->k;
	evidence->mu = element->mu = usual_in_window(surge, element);
	evidence->fraction = element->k ? (double)k / element->k : 0;
	evidence->neg_log10_p = -log10(fmax(surge_tail(element->mu, k), 1e-300));
	evidence->llr = excess(element);
	add_hints(build, surge, evidence, k);
	free_evidence(incident);
	incident->evidence = evidence;
	incident->affected = k;
	if (k > incident->affected_peak)
		incident->affected_peak = k;
	incident->severity = incident->affected_peak >= MINOR_CALLS
				     ? RASAD__V1__SEVERITY__SEVERITY_MINOR
				     : RASAD__V1__SEVERITY__SEVERITY_WARNING;
	incident->changed_unix_ns = surge->now_ns;
	incident->revision++;
	describe(build, surge, incident, blind->element);
}

static void take(struct surge *surge, struct blind_spot *blind)
{
	for (size_t i = surge->first; i < surge->n; i++) {
		struct caller *caller = &surge->callers[i];
		if (caller->taken || caller->explained || !hangs_on(caller, blind->element))
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
	if (surge->n_blind == BLIND_MAX) {
		surge->counts.refused++;
		return NULL;
	}
	Rasad__V1__Incident *incident = new_incident(build, surge, element);
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
	update(&build, surge, blind);
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
	for (int i = 0; i < BLIND_MAX; i++) {
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
