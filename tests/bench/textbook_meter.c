/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bench/textbook.h"

enum { TCP_SYN_OR_FIN = 3 };

/* Log-linear, eight buckets an octave from 128 us on. */
static uint32_t bucket_of(uint32_t us)
{
	uint32_t octave;
	if (us < 128)
		return 0;
	octave = 31 - (uint32_t)__builtin_clz(us);
	octave = (octave - 7) * 8 + (us >> (octave - 3) & 7);
	return octave < PLAIN_BUCKETS ? octave : PLAIN_BUCKETS - 1;
}

/* One outstanding sample per direction, armed by new data, disarmed by a resend (Karn). */
static void answer(struct plain_dir *peer, struct plain_subscriber *s, const struct plain_packet *p,
		   uint32_t now_us)
{
	if (!peer->rtt_us)
		return;
	if (p->timestamps ? p->tsecr != peer->rtt_key : (int32_t)(p->ack - peer->rtt_key) < 0)
		return;
	s->histogram[p->down][bucket_of(now_us - peer->rtt_us)]++;
	peer->rtt_us = 0;
}

static void count_data(struct plain_dir *d, struct plain_subscriber *s,
		       const struct plain_packet *p, uint32_t now_us)
{
	uint32_t end = p->seq + p->payload + (p->tcp_flags & TCP_SYN_OR_FIN ? 1 : 0);
	int32_t ahead = (int32_t)(p->seq - d->next);
	if (ahead < 0 && d->next) {
		d->resends++;
		s->resends[p->down]++;
		d->rtt_us = 0;
		return;
	}
	if (ahead > 0 && d->next) {
		d->holes++;
		s->holes[p->down]++;
	} else if (!d->rtt_us) {
		d->rtt_key = p->timestamps ? p->tsval : end;
		d->rtt_us = now_us | 1;
	}
	d->next = end;
}

void plain_update(struct plain_flow *f, struct plain_subscriber *s, const struct plain_packet *p,
		  uint32_t now_us)
{
	struct plain_dir *d = &f->dir[p->side], *peer = &f->dir[!p->side];
	s->packets[p->down]++;
	s->bytes[p->down] += p->wire_len;
	d->packets++;
	d->bytes += p->wire_len;
	f->used = 1;
	if (!p->tcp)
		return;
	answer(peer, s, p, now_us);
	if (p->payload || p->tcp_flags & TCP_SYN_OR_FIN)
		count_data(d, s, p, now_us);
}
