/* SPDX-License-Identifier: BSD-3-Clause */
/* What was measured, as reports: one a line, one a group of lines. */
#ifndef RASAD_ENGINE_ANALYSIS_SUMMARY_H
#define RASAD_ENGINE_ANALYSIS_SUMMARY_H

#include <stdint.h>

struct analysis;
struct minute;

/* Reports the line of a subject that is known. */
void summary_line(struct analysis *analysis, uint32_t number, uint64_t now_ns);

/* Reports one minute of it. */
void summary_minute(struct analysis *analysis, uint32_t number, const struct minute *minute);

/* Reports every access node and every S-VLAN, in order of their names. */
void summary_nodes(struct analysis *analysis);

#endif
