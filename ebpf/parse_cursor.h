/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cursor of the frame parser: where it stands, how much the wire had, and the reads that are
 * checked against the end. Part of ebpf/parse.h, and bound by its rules.
 */
#ifndef RASAD_EBPF_PARSE_CURSOR_H
#define RASAD_EBPF_PARSE_CURSOR_H

#include "ebpf/pkt.h"

#define PARSE_INLINE static inline __attribute__((always_inline))

/* What the usual frame does not need; the verifier wants it in line. */
#ifdef __bpf__
#define PARSE_SELDOM PARSE_INLINE
#else
#define PARSE_SELDOM static __attribute__((noinline, unused))
#endif

enum { PARSE_MAX_TAGS = 3, PARSE_MAX_LABELS = 8, PARSE_MAX_EXT_HEADERS = 8 };

/* The layers, in the only order in which they follow each other. Each is parsed in one place. */
enum parse_next {
	PARSE_DONE,
	PARSE_ETHERTYPE, /* type: EtherType */
	PARSE_PPPOE_SESSION,
	PARSE_PPPOE_DISCOVERY,
	PARSE_PPP,
	PARSE_MPLS,
	PARSE_IP, /* version in the first nibble */
	PARSE_IPV4,
	PARSE_IPV6,
	PARSE_L4, /* type: IP protocol */
};

struct parse {
	const pkt_u8 *start, *at, *end;
	pkt_u32 wire_end; /* where the current layer ended on the wire, from `start` */
	pkt_u16 svlan, cvlan;
	pkt_u8 flags;		 /* of the packet */
	pkt_u32 type;		 /* EtherType or IP protocol, for the next layer */
	pkt_u8 cut;		 /* the capture holds fewer bytes than the wire had */
	pkt_u8 next;		 /* enum parse_next */
	pkt_u8 past;		 /* in the kernel: it wanted to look behind `end` */
	const pkt_u8 *addresses; /* IP: source and destination */
	struct pkt *pkt;
	struct pkt_extra *extra;
};

/* Between the order of the wire and that of this machine. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PARSE_BE16(v) __builtin_bswap16(v)
#define PARSE_BE32(v) __builtin_bswap32(v)
#else
#define PARSE_BE16(v) (v)
#define PARSE_BE32(v) (v)
#endif

/*
 * Bytes as they lie in memory: for keys, where only equality and any fixed order matter. Of bytes
 * that may stand anywhere clang makes one load each where the target is BPF, though the kernel's
 * machine can load them together (and the verifier knows): there they are said to be aligned.
 */
#ifndef __bpf__

PARSE_INLINE void parse_copy(void *to, const pkt_u8 *from, pkt_u32 n)
{
	__builtin_memcpy(to, from, n);
}

PARSE_INLINE pkt_u16 parse_raw16(const pkt_u8 *p)
{
	pkt_u16 v;
	__builtin_memcpy(&v, p, 2);
	return v;
}

PARSE_INLINE pkt_u32 parse_raw32(const pkt_u8 *p)
{
	pkt_u32 v;
	__builtin_memcpy(&v, p, 4);
	return v;
}

PARSE_INLINE pkt_u64 parse_raw64(const pkt_u8 *p)
{
	pkt_u64 v;
	__builtin_memcpy(&v, p, 8);
	return v;
}

#else

typedef pkt_u16 __attribute__((may_alias)) parse_word16;
typedef pkt_u32 __attribute__((may_alias)) parse_word32;
typedef pkt_u64 __attribute__((may_alias)) parse_word64;

PARSE_INLINE pkt_u16 parse_raw16(const pkt_u8 *p)
{
	return *(const parse_word16 *)p;
}

PARSE_INLINE pkt_u32 parse_raw32(const pkt_u8 *p)
{
	return *(const parse_word32 *)p;
}

PARSE_INLINE pkt_u64 parse_raw64(const pkt_u8 *p)
{
	return *(const parse_word64 *)p;
}

/* `n` is a constant, and even. */
PARSE_INLINE void parse_copy(void *to, const pkt_u8 *from, pkt_u32 n)
{
	pkt_u8 *byte = to;
	pkt_u32 i = 0;
#pragma unroll
	for (; i + 8 <= n; i += 8)
		*(parse_word64 *)(byte + i) = parse_raw64(from + i);
	if (i + 4 <= n) {
		*(parse_word32 *)(byte + i) = parse_raw32(from + i);
		i += 4;
	}
	if (i + 2 <= n)
		*(parse_word16 *)(byte + i) = parse_raw16(from + i);
}

#endif

PARSE_INLINE pkt_u16 parse_u16(const pkt_u8 *p)
{
	return PARSE_BE16(parse_raw16(p));
}

PARSE_INLINE pkt_u32 parse_u32(const pkt_u8 *p)
{
	return PARSE_BE32(parse_raw32(p));
}

/* The type of a tag, as it lies in memory. */
PARSE_INLINE int parse_is_tag(pkt_u16 raw)
{
	return raw == PARSE_BE16(0x8100) || raw == PARSE_BE16(0x88a8) ||
	       raw == PARSE_BE16(0x9100) || raw == PARSE_BE16(0x9200);
}

/* Both MACs of an Ethernet frame; `cpe` is the one that is taken for the subscriber's. */
PARSE_INLINE void parse_macs(const pkt_u8 *h, const pkt_u8 *cpe, struct pkt *p, struct pkt_extra *x)
{
	pkt_u32 pair = parse_raw32(h) ^ parse_raw32(h + 6);
	parse_copy(x->dmac, h, 12); /* and smac */
	parse_copy(p->cpe_mac, cpe, 6);
	x->wire_pair = (pkt_u16)(pair ^ pair >> 16 ^ parse_raw16(h + 4) ^ parse_raw16(h + 10));
}

PARSE_INLINE enum pkt_verdict parse_short(const struct parse *c)
{
	return c->cut ? VERDICT_TRUNCATED : VERDICT_MALFORMED;
}

/*
 * parse_has: `n` bytes are there, in the capture and in the layer. parse_skip: they were read.
 *
 * The kernel's frames are at most PARSE_MASK bytes long and lie in an object of fixed size. There
 * the cursor is masked, which changes nothing, for it never stands behind the end; but it makes all
 * places look alike to the verifier, which gives up when it has to follow each of them.
 */
#ifndef __bpf__

PARSE_INLINE pkt_u32 parse_at(const struct parse *c)
{
	return (pkt_u32)(c->at - c->start);
}

PARSE_INLINE int parse_has(const struct parse *c, pkt_u32 n)
{
	return c->at + n <= c->end && parse_at(c) + n <= c->wire_end;
}

PARSE_INLINE void parse_skip(struct parse *c, pkt_u32 n)
{
	c->at += n;
}

/* An offset from `base` of which nothing is known but that it is less than 64. */
PARSE_INLINE pkt_u32 parse_any(const pkt_u8 *base, pkt_u32 at)
{
	(void)base;
	return at & 63;
}

#else

enum { PARSE_MASK = 2047 };

/* To the verifier the difference of two pointers is any number; the compiler shall not mix it with
 * others before it is one. */
PARSE_INLINE pkt_u64 parse_difference(const pkt_u8 *p, const pkt_u8 *from)
{
	__asm__ volatile("%0 -= %1" : "+r"(p) : "r"(from));
	return (pkt_u64)p;
}

PARSE_INLINE pkt_u32 parse_at(const struct parse *c)
{
	return (pkt_u32)parse_difference(c->at, c->start);
}

PARSE_INLINE int parse_has(struct parse *c, pkt_u32 n)
{
	if (c->at + n > c->end) {
		c->past = 1;
		return 0;
	}
	return parse_at(c) + n <= c->wire_end;
}

/* Masked in assembler, or the compiler would see that it changes nothing. */
PARSE_INLINE void parse_skip(struct parse *c, pkt_u32 n)
{
	pkt_u64 at = parse_difference(c->at, c->start) + n;
	__asm__ volatile("%0 &= %1" : "+r"(at) : "i"(PARSE_MASK));
	c->at = c->start + at;
}

PARSE_INLINE pkt_u32 parse_any(const pkt_u8 *base, pkt_u32 at)
{
	return (pkt_u32)parse_difference(base + at, base) & 63;
}

#endif

/* Lengths of the record saturate: a wrapped one would turn a giant into a bare ACK. */
PARSE_INLINE pkt_u16 parse_length(pkt_u32 n)
{
	return (pkt_u16)(n < 0xffff ? n : 0xffff);
}

/* Bytes of the current layer that the wire had from here on. */
PARSE_INLINE pkt_u32 parse_left(const struct parse *c)
{
	pkt_u32 at = parse_at(c);
	return c->wire_end > at ? c->wire_end - at : 0;
}

/* An inner length bounds the layer: what lies behind it is padding. A length that is longer
 * than the frame means that somebody cut the frame. */
PARSE_INLINE void parse_bound(struct parse *c, pkt_u32 len)
{
	pkt_u32 stop = parse_at(c) + len;
	if (stop > c->wire_end) {
		c->cut = 1;
		return;
	}
	c->wire_end = stop;
}

PARSE_INLINE void parse_control(struct parse *c, pkt_u8 kind)
{
	pkt_u32 have = (pkt_u32)(c->end - c->start) - parse_at(c), left = parse_left(c);
	c->pkt->kind = kind;
	c->pkt->l4_off = (pkt_u16)parse_at(c);
	c->pkt->payload_len = parse_length(left);
	c->extra->payload_caplen = parse_length(have < left ? have : left);
}

/* Hands over to the layer that follows. */
PARSE_INLINE enum pkt_verdict parse_then(struct parse *c, enum parse_next next)
{
	c->next = (pkt_u8)next;
	return VERDICT_OK;
}

#endif
