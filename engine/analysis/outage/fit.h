/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From evidence to incidents: on each tick groups whose evidence grew are tested; when one stays
 * significant the whole evidence is localised, and what is blamed is held against the incidents
 * that are open. While an incident is young its lines are evidence again, so that it may turn out
 * to be a part of something larger, and there is still one incident for one fault.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_FIT_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_FIT_H

#include "engine/analysis/outage/state.h"

void fit_tick(struct outage *outage);

#endif
