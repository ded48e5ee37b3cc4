/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the inventory does not agree with the packets, or with itself: one pass over lines and rows
 * at the end of a replay, nothing per packet. Wrong books are what makes localisation wrong.
 */
#ifndef RASAD_ENGINE_ANALYSIS_LINT_H
#define RASAD_ENGINE_ANALYSIS_LINT_H

struct analysis;

/* Reports (REPORT_TOPOLOGY_LINT) each kind of disagreement of which there is any. */
void lint_topology(struct analysis *analysis);

#endif
