/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time that a tap did not see (engine/tap.h), decided before any timer ran through it: what was open
 * of its lines is void, what the silence seemed to show is taken back, and the notice goes out. When
 * the tap sees again, timers go on where they stood.
 */
#ifndef RASAD_ENGINE_ANALYSIS_BLIND_H
#define RASAD_ENGINE_ANALYSIS_BLIND_H

#include <stdbool.h>
#include <stdint.h>

struct analysis;
struct out_tap;
struct signal;
struct subject;

/* A record OUT_TAP. */
void blind_take(struct analysis *analysis, const struct out_tap *record);

/* The line was heard by this tap. */
void blind_heard_by(struct analysis *analysis, uint32_t number, uint32_t tap);

/* Its tap sees nothing now: no timer of it runs. */
bool blind_is(const struct analysis *analysis, const struct subject *subject);

/* What ended since then may have ended while the tap saw nothing: of a line that dials again by now
 * nobody knows how, and when. */
bool blind_hid(const struct analysis *analysis, const struct subject *subject, uint64_t since_ns);

/* The signal counts a wait that the tap did not see in full: it shows nothing. */
bool blind_voids(const struct analysis *analysis, const struct subject *subject,
		 const struct signal *signal);

/* The collector of a tap loses too many packets since `since_ns`, or no longer: its lines go on, but
 * nobody concludes anything from several of them. */
void blind_drops(struct analysis *analysis, uint32_t tap, bool too_many, uint64_t since_ns);

#endif
