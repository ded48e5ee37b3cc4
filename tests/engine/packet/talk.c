/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/packet/talk.h"

#include <assert.h>
#include <string.h>

#include "engine/packet/loss.h"
#include "engine/packet/rtt.h"
#include "engine/packet/tcp.h"

static uint64_t random_state;

uint32_t talk_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20);
}

void talk_seed(uint64_t seed)
{
	random_state = seed;
}

void talk_start(struct talk *t)
{
	struct meter *m = &t->meter;
	memset(t, 0, sizeof *t);
	talk_seed(88172645463325252ull);
	meter_init(m, 10, 10, true);
	t->flow.line = pool_take(&m->lines.lines);
	memset(line_at(&m->lines, t->flow.line), 0, sizeof(struct line));
	t->flow.flags = FLOW_USED;
	t->flow.kind = KIND_TCP;
	t->now_ns = 1700000000000000000ull;
	t->flow.first_ns = t->flow.last_ns = t->now_ns;
	t->base[TALK_UP] = 1000;
	t->base[TALK_DOWN] = 5000;
	t->ip_id[TALK_DOWN] = 30000;
}

void talk_stop(struct talk *t)
{
	meter_fini(&t->meter);
}

void talk_wait(struct talk *t, uint32_t ms)
{
	t->now_ns += ms * TALK_MS;
}

void talk_packet(struct talk *t, int dir, struct pkt p, const struct pkt_extra *x)
{
	static const struct pkt_extra none;
	p.ts_ns = t->now_ns;
	p.ip_id = ++t->ip_id[dir];
	p.tcp_checksum = (uint16_t)(p.ip_id * 40503u);
	p.kind = KIND_TCP;
	p.verdict = VERDICT_OK;
	p.flags |= PKT_IP | (dir ? PKT_SRC_IS_B : 0);
	if (!p.window)
		p.window = 500;
	tcp_packet(&t->meter, &t->flow, dir, &p, x ? x : &none);
	t->flow.last_ns = t->now_ns;
}

void talk_handshake(struct talk *t, uint32_t internet_ms, uint32_t access_ms)
{
	struct pkt_extra x = {.mss = 1460};
	uint32_t up = t->base[TALK_UP] - 1, down = t->base[TALK_DOWN] - 1;
	talk_packet(t, TALK_UP, (struct pkt){.seq = up, .tcp_flags = TCP_SYN}, &x);
	talk_wait(t, internet_ms);
	talk_packet(t, TALK_DOWN,
		    (struct pkt){.seq = down, .ack = up + 1, .tcp_flags = TCP_SYN | TCP_ACK}, &x);
	talk_wait(t, access_ms);
	talk_ack(t, TALK_UP, 0);
}

void talk_data(struct talk *t, int dir, uint32_t offset, uint32_t len)
{
	struct pkt p = {
		.seq = t->base[dir] + offset,
		.payload_len = (uint16_t)len,
		.tcp_flags = TCP_ACK,
	};
	const struct flow_dir *peer = &t->flow.dir[!dir];
	p.ack = peer->flags & DIR_SEEN ? peer->una : t->base[!dir];
	talk_packet(t, dir, p, NULL);
}

void talk_ack(struct talk *t, int dir, uint32_t offset)
{
	talk_sack(t, dir, offset, NULL, 0);
}

void talk_sack(struct talk *t, int dir, uint32_t offset, const uint32_t *blocks, uint32_t n)
{
	const struct flow_dir *own = &t->flow.dir[dir];
	struct pkt_extra x = {.n_sack = (uint8_t)n};
	struct pkt p = {
		.seq = own->flags & DIR_SEEN ? own->nxt : t->base[dir],
		.ack = t->base[!dir] + offset,
		.tcp_flags = TCP_ACK,
		.flags = n ? PKT_SACK : 0,
	};
	for (uint32_t i = 0; i < 2 * n; i++)
		x.sack[i] = t->base[!dir] + blocks[i];
	talk_packet(t, dir, p, &x);
}

struct flow_dir_rare talk_rare(const struct talk *t, int dir)
{
	struct flow_dir_rare none = {0};
	if (!t->flow.rare[dir])
		return none;
	return *(const struct flow_dir_rare *)pool_at(&t->meter.rares, t->flow.rare[dir]);
}

uint32_t talk_samples(const struct talk *t, int dir, uint32_t *ticks, uint32_t room)
{
	uint32_t n = 0;
	for (uint32_t i = t->flow.samples[dir]; i;) {
		const struct sample_chunk *c = pool_at(&t->meter.samples, i);
		for (uint32_t k = c->n; k-- > 0;) {
			assert(n < room);
			ticks[n++] = c->value[k] >> 2;
		}
		i = c->prev;
	}
	for (uint32_t i = 0; i < n / 2; i++) {
		uint32_t v = ticks[i];
		ticks[i] = ticks[n - 1 - i];
		ticks[n - 1 - i] = v;
	}
	return n;
}

void talk_retire(struct talk *t)
{
	for (int dir = 0; dir < 2; dir++) {
		rtt_forget(&t->meter, &t->flow.dir[dir]);
		loss_forget(&t->meter, &t->flow.dir[dir]);
		if (t->flow.rare[dir])
			loss_forget_resends(&t->meter, pool_at(&t->meter.rares, t->flow.rare[dir]));
	}
}
