/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether what seems to be one fault are several at about the same time.
 *
 * When two of two BRAS die within a minute, the network explains their lines for less, and better: it has
 * the lines, too, of which nobody knows where they hang. When both cabinets of a feeder go within
 * seconds, the feeder explains their lines for less. What tells them apart is time. When one thing dies,
 * the lines behind each of its parts die at the same times, at once or one after the other; so their last
 * signs of life lie alike, however long each of them had been silent. One thread.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_WAVES_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_WAVES_H

#include <stdbool.h>
#include <stdint.h>

struct evidence;
struct outage;

/* Whether a few parts of the group, a shared risk or the network, went at times of their own. Of a group
 * of the tree parts are blamed as soon as they explain more: never. Nor of a shared risk where a line of
 * the evidence stands for several: small parts are told apart later, once the large ones are explained. */
bool waves_apart(struct outage *outage, const struct evidence *evidence, uint32_t group);

#endif
