/* SPDX-License-Identifier: BSD-3-Clause */
/* What sessions and subjects mean to the detection of outages: news becomes symptoms, identity
 * becomes a place. */
#ifndef RASAD_ENGINE_ANALYSIS_WATCHER_H
#define RASAD_ENGINE_ANALYSIS_WATCHER_H

#include "engine/analysis/outage/outage.h"
#include "engine/analysis/session.h"

/* Tells where the subject hangs, as far as is known by now. */
void watcher_place(struct outage *outage, uint32_t number, const struct subject *subject);

/* What the news says of the line in the channels of drops and set-ups. */
void watcher_news(struct outage *outage, uint32_t number, const struct session_news *news,
		  uint64_t now_ns);

#endif
