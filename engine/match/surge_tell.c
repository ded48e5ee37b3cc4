/* SPDX-License-Identifier: BSD-3-Clause */
/* Blind spots as incidents: what the callers have in common, and what we did not see of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/match/build.h"
#include "engine/base/key.h"
#include "engine/match/surge_parts.h"
#include "engine/match/texts.h"
#include "proto/rasad/v1/call.pb-c.h"
#include "proto/rasad/v1/incident.pb-c.h"

#define MINOR_CALLS    20
#define HINTS_MAX      8
#define VERDICT(name)  RASAD__V1__VERDICT__VERDICT_##name
#define INCIDENT(name) RASAD__V1__INCIDENT_STATE__INCIDENT_STATE_##name

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
			one->mu = surge_usual(surge, one);
			if (best == UINT32_MAX ||
			    surge_excess(one) > surge_excess(&surge->elements[best]))
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
		if (caller->explained || caller->taken || !surge_hangs_on(caller, element))
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

Rasad__V1__Incident *surge_incident(struct build *build, const struct surge *surge,
				    uint32_t element)
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

void surge_update(struct build *build, struct surge *surge, struct blind_spot *blind)
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
	evidence->mu = element->mu = surge_usual(surge, element);
	evidence->fraction = element->k ? (double)k / element->k : 0;
	evidence->neg_log10_p = -log10(fmax(surge_tail(element->mu, k), 1e-300));
	evidence->llr = surge_excess(element);
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
