/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/street.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "ebpf/parse.h"
#include "tests/ebpf/frame.h"

enum { STEPS_TO_DIAL = 10, MSS = 1400, PACE = 500 };

struct house {
	uint32_t step;		  /* of dialling; then one more with each frame */
	uint16_t session;	  /* PPPoE */
	uint32_t sent, acked, up; /* sequence numbers */
	uint8_t echo;
	bool asked;
};

static struct street_frame frames[STREET_FRAMES];

static uint32_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 20);
}

static bool is_shared(uint32_t line)
{
	return street_svlan(line) >= 4;
}

static void ethernet(struct frame *f, uint32_t line, bool up, uint32_t ethertype)
{
	const uint8_t cpe[6] = {2, 0, 0, 0, 1, (uint8_t)line};
	frame_put(f, up ? frame_ac : cpe, 6);
	frame_put(f, up ? cpe : frame_ac, 6);
	if (!is_shared(line))
		frame_tag(f, 0x88a8, 100 + street_svlan(line));
	frame_tag(f, 0x8100, is_shared(line) ? 100 + street_svlan(line) : 1000 + line);
	frame_u16(f, ethertype);
}

/* PADI and PADR carry the circuit-id, which the DSLAM has put in. */
static void discovery(struct frame *f, struct house *h, uint32_t line, uint8_t code)
{
	bool up = code == 0x09 || code == 0x19;
	ethernet(f, line, up, 0x8863);
	frame_pppoe(f, code, code == 0x65 || code == 0xa7 ? h->session : 0u, up ? 20 : 0);
	if (!up)
		return;
	frame_hex(f, "0105 0010 00000de9 01 0a");
	frame_text(f, "eth 1/0/");
	FRAME_BYTES(f, (uint8_t)('0' + line / 10), (uint8_t)('0' + line % 10));
}

static void ppp(struct frame *f, const struct house *h, uint32_t line, bool up, uint32_t protocol,
		uint32_t len)
{
	ethernet(f, line, up, 0x8864);
	frame_pppoe(f, 0, h->session, len + 2);
	frame_u16(f, protocol);
}

static void control(struct frame *f, const struct house *h, uint32_t line, bool up,
		    uint32_t protocol, uint8_t code, uint8_t id)
{
	ppp(f, h, line, up, protocol, 8);
	FRAME_BYTES(f, code, id, 0, 8);
	frame_u32(f, up ? 0x1000 + line : 0x2000u + h->session);
}

static void ipv4(struct frame *f, uint32_t line, bool up, uint32_t proto, uint32_t len)
{
	const uint8_t own[4] = {100, 64, 7, (uint8_t)line}, server[4] = {93, 184, 216, 34};
	static uint16_t id;
	FRAME_BYTES(f, 0x45, 0);
	frame_u16(f, 20 + len);
	frame_u16(f, ++id);
	FRAME_BYTES(f, 0x40, 0, 64, (uint8_t)proto, 0, 0);
	frame_put(f, up ? own : server, 4);
	frame_put(f, up ? server : own, 4);
}

static void tcp(struct frame *f, const struct house *h, uint32_t line, bool up, uint32_t seq,
		uint32_t ack, uint32_t payload)
{
	uint32_t port = 40000 + h->session;
	ppp(f, h, line, up, 0x0021, 40 + payload);
	ipv4(f, line, up, 6, 20 + payload);
	frame_u16(f, up ? port : 443);
	frame_u16(f, up ? 443 : port);
	frame_u32(f, seq);
	frame_u32(f, ack);
	frame_hex(f, "50 10 4321 c5c5 0000");
}

/* The steps of dialling, a frame each. */
static void dial(struct frame *f, struct house *h, uint32_t line)
{
	static const struct {
		uint16_t protocol;
		uint8_t code, up;
	} steps[STEPS_TO_DIAL] = {{0, 0x09, 1},	  {0, 0x07, 0},	  {0, 0x19, 1},	  {0, 0x65, 0},
				  {0xc021, 1, 1}, {0xc021, 2, 0}, {0xc023, 1, 1}, {0xc023, 2, 0},
				  {0x8021, 2, 1}, {0x8021, 2, 0}};
	if (h->step == 3)
		h->session = (uint16_t)(h->session + STREET_LINES);
	if (steps[h->step].protocol)
		control(f, h, line, steps[h->step].up, steps[h->step].protocol, steps[h->step].code,
			1);
	else
		discovery(f, h, line, steps[h->step].code);
	if (h->step == 3)
		h->sent = h->acked = h->up = 1;
}

/* Traffic of a line that is up; returns the payload, which is on the wire but not in the capture. */
static uint32_t live(struct frame *f, struct house *h, uint32_t line, uint64_t *random)
{
	uint32_t what = next_random(random) % 20;
	if (what < 8) { /* data down, now and then with a gap before it or again */
		uint32_t seq = h->sent + (what == 0 && next_random(random) % 4 == 0 ? MSS : 0);
		if (what == 1 && h->sent - h->acked >= MSS && next_random(random) % 4 == 0)
			seq = h->sent - MSS;
		tcp(f, h, line, false, seq, h->up, MSS);
		h->sent = seq + MSS;
		return MSS;
	}
	if (what < 14) {
		h->acked = h->sent;
		tcp(f, h, line, true, h->up, h->acked, 0);
	} else if (what < 15) {
		tcp(f, h, line, true, h->up, h->acked, 300);
		h->up += 300;
		return 300;
	} else if (what < 19) {
		control(f, h, line, h->asked, 0xc021, h->asked ? 10 : 9, h->echo);
		h->echo += h->asked;
		h->asked = !h->asked;
	} else if (next_random(random) % 10 == 0) {
		discovery(f, h, line, 0xa7);
		h->step = 0;
	} else {
		tcp(f, h, line, false, h->sent, h->up, 0);
	}
	return 0;
}

static void next_frame(struct street_frame *to, struct house *h, uint64_t *random)
{
	struct frame f = {0};
	uint32_t payload = 0;
	if (h->step < STEPS_TO_DIAL) {
		dial(&f, h, to->line);
		h->step++;
	} else {
		payload = live(&f, h, to->line, random);
	}
	assert(f.len <= STREET_FRAME_MAX);
	memcpy(to->bytes, f.bytes, f.len);
	to->len = (uint16_t)f.len;
	to->wire_len = (uint16_t)(f.len + payload);
}

const struct street_frame *street_frames(void)
{
	struct house houses[STREET_LINES] = {0};
	uint64_t random = 88172645463325252ull, ts_ns = STREET_START;
	if (frames[0].len)
		return frames;
	for (uint32_t i = 0; i < STREET_LINES; i++)
		houses[i].session = (uint16_t)i;
	for (uint32_t i = 0; i < STREET_FRAMES; i++) {
		struct street_frame *to = &frames[i];
		uint32_t what = next_random(&random) % 1000;
		ts_ns += what < 2     ? next_random(&random) % 20000 * 1000000ull
			 : what < 100 ? next_random(&random) % 100 * 1000000ull
				      : 1000 + next_random(&random) % 5000000;
		to->ts_ns = ts_ns;
		to->line = next_random(&random) % STREET_LINES;
		if (next_random(&random) % 2) /* some speak more often */
			to->line %= 7;
		next_frame(to, &houses[to->line], &random);
	}
	return frames;
}

/* --- sources ------------------------------------------------------------------------------------- */

static bool is_own(const struct street_source *s, uint32_t i)
{
	if (s->by_packet)
		return i % s->parts == s->part;
	return street_svlan(frames[i].line) % s->parts == s->part;
}

/* How far it may go now: not far ahead of the others. */
static uint32_t reach(const struct street_source *s)
{
	uint32_t least = s->end;
	for (uint32_t i = 0; s->others && i < s->parts; i++) {
		uint32_t at = atomic_load(&s->others[i]);
		least = at < least ? at : least;
	}
	return s->others && least + PACE < s->end ? least + PACE : s->end;
}

static int next(struct source *source, struct burst *burst)
{
	struct street_source *s = (struct street_source *)source;
	uint32_t most = 1 + next_random(&s->random) % BURST_MAX, until = reach(s);
	burst->n = 0;
	if (next_random(&s->random) % 16 == 0)
		return SOURCE_IDLE;
	for (; s->at < until && burst->n < most; s->at++)
		if (is_own(s, s->at))
			decode_frame(&s->decoder, burst, frames[s->at].bytes, frames[s->at].len,
				     frames[s->at].wire_len, LINK_ETHERNET, frames[s->at].ts_ns);
	if (s->others)
		atomic_store(&s->others[s->part], s->at);
	atomic_fetch_add(&s->served, burst->n);
	if (burst->n)
		return SOURCE_MORE;
	if (s->at < s->end || s->stays)
		return SOURCE_IDLE;
	return s->fails ? s->fails : SOURCE_END;
}

static void close_source(struct source *source)
{
	(void)source;
}

static const struct source_stats *stats(struct source *source)
{
	return &((struct street_source *)source)->decoder.stats;
}

void street_source(struct street_source *s, uint32_t end, uint64_t seed)
{
	street_frames();
	memset(s, 0, sizeof *s);
	s->source = (struct source){.next = next, .close = close_source, .stats = stats};
	s->end = end;
	s->parts = 1;
	s->random = seed;
	decode_add_ac(&s->decoder, frame_ac);
}
