/* SPDX-License-Identifier: BSD-3-Clause */
/* What the --collector arguments name, opened as sources, and the clock that goes with them. */
#ifndef RASAD_TOOLS_RASADD_TAP_H
#define RASAD_TOOLS_RASADD_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct options;
struct source;

enum tap_kind {
	TAP_FILES, /* as fast as they can be read: time is that of the packets alone */
	TAP_PACED, /* files at a multiple of their own pace */
	TAP_LIVE,  /* interfaces or ports: time is that of the wall clock */
};

struct tap {
	enum tap_kind kind;
	struct source *sources[ENGINE_MAX_SOURCES]; /* owned */
	uint32_t n_sources;
	struct source *files; /* the capture files within sources[0], or NULL */
	uint64_t margin_ns;   /* live: how far behind the clock timers run */
	bool failed;	      /* not all of the files could be opened */
	char collector[128];  /* names it in health: "pcap:eth1", "pcap:access.pcap" */
};

/* Returns 0, or -1 when there is nothing to read; the reason was told on stderr. */
int tap_open(struct tap *tap, const struct options *options);
void tap_close(struct tap *tap);

/* The time up to which timers may run while the sources are idle. */
uint64_t tap_now_ns(const struct tap *tap);

/* Was everything there, and whole, as far as it was read? */
bool tap_is_good(const struct tap *tap);

#endif
