/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events of sessions that others saw (RADIUS accounting, a BRAS log, a simulator), as they come in
 * beside packets.
 */
#ifndef RASAD_ENGINE_FEED_H
#define RASAD_ENGINE_FEED_H

#include <stdint.h>

/* Kind, cause, stage and evidence carry the numbers of proto/rasad/v1/session.proto. Texts are ""
 * when unknown, and the caller's. */
struct session_event {
	uint64_t unix_ns;
	uint64_t down_since_unix_ns; /* 0: not told */
	const char *line;	     /* its name, the key into the inventory */
	const char *subscriber, *cpe_mac, *text;
	uint8_t kind, cause, stage, evidence;
	uint16_t svlan, cvlan, pppoe_session_id; /* 0: not told */
};

#endif
