/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A street of subscriber lines, as frames: lines with two tags and lines in a shared VLAN that dial,
 * download, are asked by the BRAS, fall silent and dial again. And sources that serve the frames, cut
 * into bursts at random.
 */
#ifndef RASAD_TESTS_ENGINE_STREET_H
#define RASAD_TESTS_ENGINE_STREET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/decode.h"

#define STREET_START 1700000000000000000ull

enum { STREET_LINES = 48, STREET_FRAMES = 24000, STREET_SVLANS = 6, STREET_FRAME_MAX = 192 };

struct street_frame {
	uint64_t ts_ns;
	uint32_t line; /* 0..STREET_LINES */
	uint16_t len, wire_len;
	uint8_t bytes[STREET_FRAME_MAX];
};

/* All frames in order of time, the same on every call; no two at the same time. */
const struct street_frame *street_frames(void);

/* The S-VLAN of a line is 100 and this. */
static inline uint32_t street_svlan(uint32_t line)
{
	return line % STREET_SVLANS;
}

/* Serves frames [at, end), of those lines that are its own: line % parts == part in its S-VLAN. */
struct street_source {
	struct source source;
	struct decoder decoder;
	uint32_t at, end, part, parts;
	bool by_packet; /* parts take frames in turns, whatever their line */
	uint64_t random;
	int fails;		  /* -errno at the end instead of SOURCE_END; 0: no */
	bool stays;		  /* is idle at the end */
	_Atomic uint32_t *others; /* where all sources are, by part; NULL: no pace */
	_Atomic uint64_t served;  /* frames */
};

void street_source(struct street_source *s, uint32_t end, uint64_t seed);

#endif
