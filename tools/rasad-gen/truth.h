/* SPDX-License-Identifier: BSD-3-Clause */
/* The truth file: one JSON object, one flow or line per text line. Field names as rasad has. */
#ifndef RASAD_GEN_TRUTH_H
#define RASAD_GEN_TRUTH_H

#include <stdio.h>

#include "tools/rasad-gen/world.h"

/* The file beside the capture, open, with the common head written. */
FILE *truth_open(const struct world *w);
void truth_close(FILE *f, const struct options *o);

const char *truth_encap(enum encap encap);
void truth_flows(FILE *f, const struct world *w);
void truth_string(FILE *f, const char *s);
void truth_address(FILE *f, const struct ip_addr *a);
void truth_stats(FILE *f, const char *name, struct samples *s);
void truth_l2(FILE *f, const struct l2 *l2);

/* Flows and lines of scenario "tcp". */
void truth_write_tcp(const struct world *w);

#endif
