/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/packet/talk.h"

#include <assert.h>
#include <string.h>

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

static void start(struct talk *t, bool keep_log)
{
	const struct pkt p = {.flags = PKT_TWO_TAGS, .key = {pkt_key0(300, 1517, 6, 0)}};
	const struct pkt_extra x = {.svlan = 300, .cvlan = 1517};
	struct meter *m = &t->meter;
	memset(t, 0, sizeof *t);
	talk_seed(88172645463325252ull);
	assert(meter_init(m, 10, 10, keep_log) == 0);
	t->flow.line = line_of(&m->lines, &p, &x, true) & 0xffffff;
	t->now_ns = 1700000000000000000ull;
	t->flow.last = flow_age(t->now_ns);
	t->base[TALK_UP] = 1000;
	t->base[TALK_DOWN] = 5000;
	t->ip_id[TALK_DOWN] = 30000;
}

void talk_start(struct talk *t)
{
	struct flow_log none = {0};
	struct flow_extra *e;
	start(t, true);
	assert(extra_need(&t->meter, &t->flow, 0));
	e = extra_of(&t->meter, &t->flow);
	e->log = pool_take(&t->meter.logs);
	memcpy(pool_at(&t->meter.logs, e->log), &none, sizeof none);
}

void talk_start_without_log(struct talk *t)
{
	start(t, false);
}

void talk_stop(struct talk *t)
{
	meter_fini(&t->meter);
}

void talk_wait(struct talk *t, uint32_t ms)
{
	t->now_ns += ms * TALK_MS;
}

/* What the worker does after a burst. */
static void hear(struct talk *t)
{
	assert(t->n_heard + t->meter.n_queue <= TALK_MAX_HEARD);
	memcpy(t->heard + t->n_heard, t->meter.queue, t->meter.n_queue * sizeof *t->heard);
	t->n_heard += t->meter.n_queue;
	t->meter.n_queue = 0;
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
	tcp_packet(&t->meter, &t->flow, dir, &p, x ? x : &none,
		   mirror_identity(&p, flow_hash(t->flow.key, 0)));
	t->flow.last = flow_age(t->now_ns);
	hear(t);
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

struct dir_log *talk_log(const struct talk *t, int dir)
{
	return extra_log(&t->meter, &t->flow, dir);
}

struct dir_extra talk_extra(const struct talk *t, int dir)
{
	const struct dir_extra *e = extra_dir(&t->meter, &t->flow, dir);
	return e ? *e : (struct dir_extra){0};
}

const struct line *talk_line(const struct talk *t)
{
	return line_at(&t->meter.lines, t->flow.line);
}

uint32_t talk_samples(const struct talk *t, int dir, uint32_t *ticks, uint32_t room)
{
	uint32_t n = 0;
	for (uint32_t i = talk_log(t, dir)->samples; i;) {
		const struct sample_chunk *c = pool_at(&t->meter.log_samples, i);
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
	extra_forget(&t->meter, &t->flow);
}
