/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an incident is (algorithms.md 2.3.9, 2.4): its class by the element that failed, by the
 * symptom and by what its lines died of; then category, alarm, severity and what to do, by class.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_CLASSIFY_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_CLASSIFY_H

#include "engine/analysis/outage/incident.h"

struct class_row {
	enum category category;
	enum alarm_type alarm_type;
	uint32_t probable_cause; /* IANAItuProbableCause */
	const char *action;
};

const struct class_row *class_row(enum incident_class class);

/* Sets class, severity and planned. */
void classify(const struct outage *outage, struct incident *incident);

/* The group by which people know it: among those with the same lines the one of lowest rank, or
 * the kind that the symptom points at. */
uint32_t classify_group(const struct outage *outage, const struct incident *incident);

/* Groups with the same lines as `group`, without it. */
uint32_t classify_equivalents(const struct outage *outage, const struct incident *incident,
			      uint32_t group, uint32_t *groups, uint32_t room);

#endif
