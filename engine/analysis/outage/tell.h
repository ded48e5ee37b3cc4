/* SPDX-License-Identifier: BSD-3-Clause */
/* Says an incident: gathers what people want to know of it into a report. */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_TELL_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_TELL_H

#include "engine/analysis/outage/incident.h"

void tell_incident(struct outage *outage, uint32_t incident, enum incident_state state);

#endif
