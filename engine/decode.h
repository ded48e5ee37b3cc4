/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frame -> record, with what the parser alone cannot know: the direction, and the counters.
 *
 * Direction (DESIGN 3): the access concentrator's MAC, learned from PADO, PADS, PAP and CHAP
 * answers; else the private side of an IP packet. What stays unknown is decided once per flow by
 * the worker. Used by every collector; belongs to the thread that decodes.
 */
#ifndef RASAD_ENGINE_DECODE_H
#define RASAD_ENGINE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/source.h"

enum { DECODE_MAX_AC = 64, DECODE_KINDS = 10 };

/* Control-plane messages seen, by kind. */
enum decode_control {
	CONTROL_PADI,
	CONTROL_PADO,
	CONTROL_PADR,
	CONTROL_PADS,
	CONTROL_PADT,
	CONTROL_LCP_CONFREQ,
	CONTROL_LCP_TERMREQ,
	CONTROL_LCP_ECHO_REQ,
	CONTROL_LCP_ECHO_REP,
	CONTROL_PAP_REQ,
	CONTROL_PAP_ACK,
	CONTROL_PAP_NAK,
	CONTROL_CHAP_CHAL,
	CONTROL_CHAP_RESP,
	CONTROL_CHAP_SUCC,
	CONTROL_CHAP_FAIL,
	CONTROL_IPCP,
	CONTROL_IPV6CP,
	CONTROL_DHCP,
	CONTROL_DHCP6,
	CONTROL_COUNT,
};

extern const char *const decode_verdict_names[VERDICT_COUNT];
extern const char *const decode_control_names[CONTROL_COUNT];

/* What decode_frames leaves to decode_burst: packets of the burst by kind (engine/access.h). */
struct decode_sorted {
	uint8_t n[DECODE_KINDS];
	uint8_t at[DECODE_KINDS][BURST_MAX];
	uint16_t caplen[BURST_MAX];
};
_Static_assert(BURST_MAX < 256, "a byte numbers the packets of a burst");

struct decoder {
	uint64_t ac[DECODE_MAX_AC]; /* MACs of access concentrators */
	uint32_t n_ac;
	uint64_t only_ac;     /* ac[0] when there is one, else 0 */
	uint64_t ac_folds[4]; /* a set of 256: a MAC whose fold is not here is none of them */
	bool ac_configured;   /* then nothing is learned */
	uint64_t not_ac[DECODE_MAX_AC]; /* MACs that played the concentrator and then dialled */
	uint32_t n_not_ac;
	uint8_t side; /* enum pkt_dir of all that is received here, where a port has one side */
	struct decode_sorted sorted;
	struct source_stats stats;
};

/* Declares a concentrator's MAC (configuration); from then on none is learned. */
void decode_add_ac(struct decoder *decoder, const uint8_t mac[6]);

/* Packets of this LINKTYPE_ can be decoded. */
bool decode_knows_link(uint32_t link);

/* A frame as a collector has it: `link` is the LINKTYPE_ number, `ts_ns` Unix time. */
struct raw_frame {
	uint64_t ts_ns;
	const uint8_t *bytes;
	uint32_t caplen, wire_len, link;
};

/*
 * Decodes `n` frames into the next slots of `burst`, which must have room: the first look, in the
 * order of the packets. When the last has been looked at, decode_burst completes them all.
 */
void decode_frames(struct decoder *decoder, struct burst *burst, const struct raw_frame *frames,
		   uint32_t n);

/* The bytes of the frames are there until the burst has been worked on. */
void decode_burst(struct decoder *decoder, struct burst *burst);

/* The same for one frame, whose bytes may go but for those of a control message. */
void decode_frame(struct decoder *decoder, struct burst *burst, const uint8_t *frame,
		  uint32_t caplen, uint32_t wire_len, uint32_t link, uint64_t ts_ns);

/*
 * Finishes the record in the next slot of `burst`, which ebpf/parse.h has made elsewhere: gives it
 * its direction and counts it. `frame` holds a control message, else it is NULL. Where the frame was
 * too short for MACs, those in the record are 0. The bytes are the caller's to count.
 */
void decode_parsed(struct decoder *decoder, struct burst *burst, const uint8_t *frame,
		   uint32_t link);

#endif
