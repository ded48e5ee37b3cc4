/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The report of single TCP flows, for whoever replays a capture with --flows.
 *
 * Quantiles are exact here: each sample of the flow was kept (measurement.md, definition 3).
 * PROMPT samples are published; bare SINGLE ones unless they are so late that a delayed-ACK timer
 * can have held them back and they stick out above the PROMPT ones, whose excess is then the host
 * delay; those that ride on data only when they do not stick out.
 */
#ifndef RASAD_ENGINE_ANALYSIS_FLOWS_H
#define RASAD_ENGINE_ANALYSIS_FLOWS_H

#include <stdint.h>

struct analysis;
struct worker;

/* Reports every kept flow of `n` workers that have ended, in order of its first packet. */
void flows_report(const struct worker *const *workers, uint32_t n, struct analysis *analysis);

#endif
