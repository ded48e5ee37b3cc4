/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The report of single TCP flows, for whoever replays a capture with --flows.
 *
 * Quantiles are exact here: each sample of the flow was kept. PROMPT samples are published, and
 * SINGLE ones unless they stick out above the PROMPT ones: those waited for the receiver's
 * delayed-ACK timer, and their excess is the host delay (measurement.md, definition 3).
 */
#ifndef RASAD_ENGINE_ANALYSIS_FLOWS_H
#define RASAD_ENGINE_ANALYSIS_FLOWS_H

struct analysis;
struct worker;

/* Reports every kept flow, in order of its first packet. */
void flows_report(const struct worker *worker, struct analysis *analysis);

#endif
