/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture at its own pace: a source around another, which lets each packet through when its
 * time has come, counted from the first one.
 *
 * The inner source reads ahead by up to a burst, so counters may be that far ahead of what was
 * let through. A packet older than the one before it is due at once. One thread.
 */
#ifndef RASAD_TOOLS_RASADD_PACE_H
#define RASAD_TOOLS_RASADD_PACE_H

#include <stdint.h>

#include "engine/source.h"

/* `speed` times the pace. Owns `inner` from here on, even when it returns NULL (no memory). */
struct source *pace_new(struct source *inner, uint32_t speed);

/* The time that has come in the capture: later than all packets let through, not after the next. */
uint64_t pace_now_ns(const struct source *source);

#endif
