/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether what seems to be the whole network are several faults at about the same time.
 *
 * When two of two BRAS die within a minute, the network explains their lines for less, and better: it has
 * the lines, too, of which nobody knows where they hang. What tells them apart is time. When the network
 * dies, the lines behind each BRAS die at the same times, at once or one after the other; so their last
 * signs of life lie alike, whoever was silent before. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_WAVES_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_WAVES_H

#include <stdbool.h>
#include <stdint.h>

struct mark;
struct outage;

/* Whether the lines of one BRAS went at other times than those of another. */
bool waves_of_bras(const struct outage *outage, const struct mark *marks, uint32_t n);

#endif
