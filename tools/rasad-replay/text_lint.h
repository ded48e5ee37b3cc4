/* SPDX-License-Identifier: BSD-3-Clause */
/* What is wrong with the inventory, in the report for a person. */
#ifndef RASAD_TOOLS_RASAD_REPLAY_TEXT_LINT_H
#define RASAD_TOOLS_RASAD_REPLAY_TEXT_LINT_H

#include <stddef.h>
#include <stdio.h>

struct report_topology_lint;

struct text_lint { /* {0} is empty */
	struct lint_row *rows;
	size_t n, room;
};

void text_lint_take(struct text_lint *text, const struct report_topology_lint *lint);
void text_lint_print(const struct text_lint *text, FILE *out);
void text_lint_fini(struct text_lint *text);

#endif
