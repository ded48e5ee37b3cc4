/* SPDX-License-Identifier: BSD-3-Clause */
/* The access side of scenario "load": identities, round trips, LCP echoes. */
#include <string.h>

#include "tools/rasad-gen/load.h"

#define US	  1000u
#define LCP_BYTES 8 /* code, id, length, magic number */

enum { LCP_ECHO_REQUEST = 9, LCP_ECHO_REPLY = 10 };

struct load_line load_line(const struct load *l, uint32_t number)
{
	uint64_t h = rng_hash(l->options->seed ^ (uint64_t)RNG_LINE << 56, number);
	uint32_t line_us = 4000 + (uint32_t)(h & 0xffff) * 36000 / 0x10000;
	uint32_t home_us = 1000 + (uint32_t)(h >> 16 & 0xffff) * 9000 / 0x10000;
	uint32_t internet_us = 8000 + (uint32_t)((h >> 32 & 0xffff) * 72000 / 0x10000);

	return (struct load_line){
		.number = number,
		.l2 =
			{
				.encap = l->options->encap,
				.cpe_mac = {0x02, 0x5a, (uint8_t)(number >> 24),
					    (uint8_t)(number >> 16), (uint8_t)(number >> 8),
					    (uint8_t)number},
				.ac_mac = {0x02, 0xb0, 0, 0, 0, 0x01},
				.outer_tpid = 0x88a8,
				.svlan = (uint16_t)(LOAD_FIRST_SVLAN +
						    number / LOAD_LINES_PER_SVLAN),
				.cvlan = (uint16_t)(LOAD_FIRST_CVLAN +
						    number % LOAD_LINES_PER_SVLAN),
				.pppoe_session_id = (uint16_t)(1 + number % 65534),
				.mpls_label = 16 + number % 1000000,
			},
		.line_rtt_ns = line_us * US,
		.access_rtt_ns = (line_us + home_us) * US,
		.internet_rtt_ns = internet_us * US,
	};
}

struct ip_addr load_line_address(uint32_t line, bool v6)
{
	uint32_t a = 0x64400100u + line; /* 100.64.1.0 on */

	if (!v6)
		return (struct ip_addr){.byte = {(uint8_t)(a >> 24), (uint8_t)(a >> 16),
						 (uint8_t)(a >> 8), (uint8_t)a}};
	return (struct ip_addr){
		.v6 = true,
		.byte = {0x20, 0x01, 0x0d, 0xb8, 0x40, (uint8_t)(line >> 16), (uint8_t)(line >> 8),
			 (uint8_t)line, [15] = 2},
	};
}

struct load_direction *load_line_sample(struct load *l, uint32_t line)
{
	return line & l->sample_mask ? NULL : l->sample[line >> l->sample_shift];
}

uint64_t load_jitter(struct load *l, uint32_t rtt_ns)
{
	double j = l->options->jitter;

	if (j == 0)
		return rtt_ns;
	return (uint64_t)(rtt_ns * (1 + j * (2 * rng_unit(&l->rng) - 1)));
}

static void lcp(struct load *l, const struct load_line *line, enum dir dir, uint8_t code,
		uint8_t id)
{
	frame_begin_ppp(l->frame, &line->l2, dir, PPP_LCP, LCP_BYTES);
	frame_bytes(l->frame, (uint8_t[]){code, id, 0, LCP_BYTES}, 4);
	frame_be32(l->frame, dir == DIR_DOWN ? 0xb4a50000u : 0xc0e00000u + line->number);
	load_emit(l, line->number, dir);
}

bool load_echo_is_due(const struct load *l)
{
	return l->echo_ns && l->echo_due_ns <= l->slot_ns;
}

void load_echo_request(struct load *l)
{
	struct load_line line = load_line(l, l->echo_line);

	l->total.echo_requests++;
	lcp(l, &line, DIR_DOWN, LCP_ECHO_REQUEST, l->echo_id);
	load_events_plan(&l->events, l->stamp_ns,
			 &(struct load_event){
				 .kind = EVENT_ECHO_REPLY,
				 .who = l->echo_line,
				 .ack = l->echo_id,
				 .due_ns = l->stamp_ns + load_jitter(l, line.line_rtt_ns),
			 });
	l->echo_due_ns += l->echo_ns / l->lines;
	if (++l->echo_line == l->lines) {
		l->echo_line = 0;
		l->echo_id++;
	}
}

void load_echo_reply(struct load *l, const struct load_event *e)
{
	struct load_line line = load_line(l, e->who);

	l->total.echo_replies++;
	lcp(l, &line, DIR_UP, LCP_ECHO_REPLY, (uint8_t)e->ack);
}
