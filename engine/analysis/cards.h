/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When the card of a line is told: in the first round after it changed, and else in its turn, once in
 * CARDS_PERIOD_NS, before its TTL of 900 s is half gone.
 *
 * Cards that are kept in one place are written there for a third of the work when they come
 * together. So lines are told in groups (analysis_options.card_group says of which one a line is),
 * in each round one group after the other, and each group has its turn at a time of its own: what
 * is due goes out evenly over the period, a few whole groups a round. What changed is told besides.
 */
#ifndef RASAD_ENGINE_ANALYSIS_CARDS_H
#define RASAD_ENGINE_ANALYSIS_CARDS_H

struct analysis;

#define CARDS_PERIOD_NS 240000000000ull

enum { CARDS_GROUPS = 256 };

/* A round, when a window has closed. Nothing where nobody asked for cards. */
void cards_tell(struct analysis *analysis);

#endif
