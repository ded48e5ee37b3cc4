/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of the text report share. */
#ifndef RASAD_TOOLS_RASAD_REPLAY_TEXT_PARTS_H
#define RASAD_TOOLS_RASAD_REPLAY_TEXT_PARTS_H

#include <stddef.h>
#include <stdint.h>

enum { TEXT_TIME = 32 };

/* Room for one more element, zeroed; NULL without memory, and the row is left out. */
void *text_add_row(void **rows, size_t *n, size_t *room, size_t size);

/* Names may hold any byte, and NULL is none; a terminal gets printable text. */
void text_copy(char *to, size_t room, const char *from);

/* UTC: "15:04:05", "2026-11-23 15:04:05" */
const char *text_time(int64_t unix_ns, char to[TEXT_TIME]);
const char *text_date(int64_t unix_ns, char to[TEXT_TIME]);

#endif
