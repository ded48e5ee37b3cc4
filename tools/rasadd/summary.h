/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What rasadd saw, as a file: the lines of `rasad-replay -o json`, so that two runs over the same
 * packets, whichever way these came in, can be compared by diff. Events are written as they
 * happen; lines and nodes once, at the end; the last line tells the counters.
 */
#ifndef RASAD_TOOLS_RASADD_SUMMARY_H
#define RASAD_TOOLS_RASADD_SUMMARY_H

#include <stdbool.h>

struct report;
struct summary;

/* NULL, and told on stderr, when the file cannot be made. `collector` is kept. */
struct summary *summary_open(const char *path, const char *collector);

void summary_take(struct summary *summary, const struct report *report);

/* From now on reports are the last word. */
void summary_end(struct summary *summary);

/* False, and told, when not all could be written. NULL is fine, and true. */
bool summary_close(struct summary *summary);

#endif
