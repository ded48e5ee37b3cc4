/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line. Wrong usage ends the program with status 2. */
#ifndef RASAD_GEN_OPTIONS_H
#define RASAD_GEN_OPTIONS_H

#include "tools/rasad-gen/world.h"

struct options options_parse(int argc, char **argv);
/* Names the truth after the capture if nobody did; returns what to free afterwards. */
char *options_default_truth(struct options *o);
__attribute__((noreturn)) void options_bad(const char *what, const char *got, const char *expected);

#endif
