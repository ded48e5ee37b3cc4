/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines: a program's options are one table, for getopt and for its help. Errors are told
 * on stderr under the program's name.
 */
#ifndef RASAD_TOOLS_LIB_OPTIONS_H
#define RASAD_TOOLS_LIB_OPTIONS_H

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTION_OK = -1, OPTION_WRONG = 2 }; /* go on, or the exit code for wrong usage */

struct option_row {
	struct option option; /* val: a letter, which is a short option too if `shorts` has it */
	const char *argument; /* as in the help, or NULL */
	const char *help;     /* further lines begin under the first one */
};

/* getopt_long on the table: the letter of the next option, '?' (told), or -1. */
int option_next(int argc, char **argv, const char *shorts, const struct option_row *rows, size_t n);

/* One line an option, on stdout. */
void option_help(const char *shorts, const struct option_row *rows, size_t n);

/* These return OPTION_OK; or OPTION_WRONG after telling what was expected. */
int option_wrong(const char *what, const char *value, const char *expected);
int option_number(const char *name, const char *text, uint32_t min, uint32_t max, uint32_t *to);
/* Appends to `macs`, of which there are *n and may be `max`. */
int option_mac(const char *name, const char *text, uint8_t (*macs)[6], uint32_t *n, uint32_t max);

#endif
