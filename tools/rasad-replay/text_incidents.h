/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Incidents and monitoring gaps in the report for a person: the last word on each, by onset. An
 * incident that became part of another one is only counted: one fault, one entry.
 */
#ifndef RASAD_TOOLS_RASAD_REPLAY_TEXT_INCIDENTS_H
#define RASAD_TOOLS_RASAD_REPLAY_TEXT_INCIDENTS_H

#include <stddef.h>
#include <stdio.h>

struct report_gap;
struct report_incident;

struct text_incidents { /* {0} is empty */
	struct incident_row *rows;
	struct gap_row *gaps;
	size_t n, room, n_gaps, gaps_room;
};

void text_incidents_take(struct text_incidents *text, const struct report_incident *incident);
void text_gaps_take(struct text_incidents *text, const struct report_gap *gap);
void text_incidents_print(const struct text_incidents *text, FILE *out);
void text_incidents_fini(struct text_incidents *text);

#endif
