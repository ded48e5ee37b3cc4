/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The report for a person: the summary first, then groups, the worst lines, and the events that
 * matter. Keeps the few figures that it prints; a report that was taken is not needed any more.
 */
#ifndef RASAD_TOOLS_RASAD_REPLAY_TEXT_H
#define RASAD_TOOLS_RASAD_REPLAY_TEXT_H

#include <stdint.h>
#include <stdio.h>

struct report;
struct text;

struct text *text_new(uint32_t top);
struct text *text_free(struct text *text); /* returns NULL */

/* Takes one report. */
void text_take(struct text *text, const struct report *report);

/* Prints what was taken. */
void text_print(struct text *text, const char *const *files, uint32_t n_files, double elapsed_s,
		FILE *out);

#endif
