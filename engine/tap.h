/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does the tap see anything? Watched where the stream of packets is still whole, so what is found
 * does not depend on how many lanes share it, nor on how it was cut into bursts.
 *
 * A tap is lively when in most of the last ten seconds lines were heard, and not always the same. A
 * lively tap without any packet, for so long that tens of lines should have spoken, sees nothing:
 * nobody can tell its lines' silence from its own. That is said before a packet of a later time
 * is worked on, so that no timer runs through the blind time. A quiet tap is never called blind, and
 * neither is one whose capture file has ended, nor a queue with a part of its tap's packets. A clock
 * that steps is a time that nobody saw, too.
 *
 * Only upstream packets count as lines heard: a BRAS that talks to an access node without power is
 * no sign of life, and its silence when it has given up is none of the tap's. Nor do PADIs: modems
 * that dial and hear nothing, as of a BRAS that has crashed, wait longer each time, many in step.
 */
#ifndef RASAD_ENGINE_TAP_H
#define RASAD_ENGINE_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/packet/control.h"
#include "engine/source.h"

#define TAP_LEAST_NS  2000000000ull /* no shorter silence is one */
#define TAP_SECOND_NS 1000000000ull

enum { TAP_MAX = 32, TAP_SECONDS = 10 };

struct tap_watch {
	uint64_t last_ns, second_ns; /* its last packet; the second that the newest mask is of */
	uint64_t heard[TAP_SECONDS]; /* lines by hash, by second; the one at `at` is the newest */
	uint32_t at;
	bool silent;
};

struct taps {
	struct tap_watch all;	      /* the whole stream */
	struct tap_watch of[TAP_MAX]; /* each tap, where the source has several */
	const struct source *source;  /* of the stream, for that; or NULL */
};

/* The bit of the packet's line; 0: the packet is no sign of life. */
static inline uint64_t tap_bit(const struct pkt *p)
{
	uint32_t mac = (uint32_t)p->cpe_mac[4] << 8 | p->cpe_mac[5];
	uint32_t name = (p->key[0] >> 8) * 2654435769u + mac * 2246822507u;
	bool dials = p->kind == KIND_PPPOE && p->seq == PADI;
	return (uint64_t)(p->dir != DIR_DOWN && !dials) << (name >> 26);
}

/* Packet `i` of the burst comes at its clock_ns, after the clock had stood at `before_ns`. What is
 * found goes into the burst's news. */
void taps_follow(struct taps *taps, struct burst *burst, uint32_t i, uint64_t before_ns);

/* The source is idle, and it is `now_ns`; true: *news is to be told. */
bool taps_idle(struct taps *taps, uint64_t now_ns, struct tap_news *news);

#endif
