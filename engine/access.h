/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames that a BRAS sees all day, decoded a burst at a time in vector registers: two tags,
 * PPPoE session, IPv4 without options or IPv6 without extension headers, and TCP, or UDP that is not
 * DHCP or DNS. All others are ebpf/parse.h's, and so is every frame where the CPU that this is built
 * for has no AVX2.
 *
 * Which of the eight kinds comes next no CPU can predict, and to guess wrong costs as much as to
 * decode. So there are two passes: the first looks at each frame without asking what it is, and
 * puts it on the list of its kind; the second takes one list after the other (decode.c).
 *
 * The record is the same, bit for bit, as what the parser makes of such a frame, and what belongs
 * into pkt_extra is filled in when somebody asks for it (access_extra), which hardly anybody does
 * (tests/engine/decode_test.c).
 *
 *   0 MACs   12 tag   16 tag   20 PPPoE   28 PPP   30 IP   50 or 70 TCP or UDP
 */
#ifndef RASAD_ENGINE_ACCESS_H
#define RASAD_ENGINE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ebpf/parse.h"
#include "engine/base/hot.h"
#include "engine/decode.h"

/* What a frame is; with IPv6: more by ACCESS_V6. 0 and ACCESS_V6 itself: none of these. */
enum access_kind {
	ACCESS_STAMPED = 1, /* TCP with timestamps alone */
	ACCESS_BARE,	    /* TCP without options */
	ACCESS_OPTIONS,	    /* TCP with others: SYNs, SACK blocks */
	ACCESS_UDP,
	ACCESS_V6,
	ACCESS_KINDS = 2 * ACCESS_V6,
};
_Static_assert((int)ACCESS_KINDS == (int)DECODE_KINDS, "one list for each");

enum {
	ACCESS_TCP4 = ACCESS_IP + 20, /* where TCP or UDP begins */
	ACCESS_TCP6 = ACCESS_IP + 40,
	ACCESS_LOOK = ACCESS_TCP4 + 8, /* shorter frames are left to the parser */
	ACCESS_FLAGS = PKT_PPPOE | PKT_IP | PKT_TWO_TAGS,
};

/* What pkt_extra says about a frame whose record was made here. */
void access_extra(const uint8_t *frame, const struct pkt *p, struct pkt_extra *x);

#if defined(__AVX2__)
#include <immintrin.h>

_Static_assert(offsetof(struct pkt, tsval) == offsetof(struct pkt, seq) + 8 &&
		       offsetof(struct pkt, session_id) == offsetof(struct pkt, cpe_mac) + 6 &&
		       offsetof(struct pkt, payload_len) == offsetof(struct pkt, wire_len) + 2 &&
		       offsetof(struct pkt, ip_id) == offsetof(struct pkt, window) + 2 &&
		       offsetof(struct pkt, verdict) == offsetof(struct pkt, tcp_checksum) + 4 &&
		       offsetof(struct pkt, flags) == offsetof(struct pkt, verdict) + 2,
	       "records are written in pieces of 4, 8 and 16 bytes");

/* In a shuffle: a byte that becomes zero. In a mask: how much of a byte is compared. */
enum { O = -1, ALL = -1, HIGH = -16 };

/* A concentrator's MAC as both MACs of a frame are compared with it: at the upper end of the number,
 * as decode.c has them. 0: none. */
typedef __m128i access_mac;

HOT_INLINE access_mac access_mac_of(uint64_t mac)
{
	return _mm_set1_epi64x(mac ? (long long)mac : 1);
}

/* Which of the frame's MACs it is: DIR_UP when it is the destination, DIR_DOWN the source; 0 or 3:
 * neither, or both. */
HOT_INLINE uint32_t access_direction(const uint8_t *h, access_mac mac)
{
	const __m128i places = _mm_setr_epi8(O, O, 0, 1, 2, 3, 4, 5, O, O, 6, 7, 8, 9, 10, 11);
	__m128i macs = _mm_loadu_si128((const __m128i *)(const void *)h);
	__m128i same = _mm_cmpeq_epi64(_mm_shuffle_epi8(macs, places), mac);
	return (uint32_t)_mm_movemask_pd(_mm_castsi128_pd(same));
}

HOT_INLINE uint32_t access_is_v6(const uint8_t *h)
{
	return h[ACCESS_IP - 1] == 0x57;
}

/* From the first tag on: a second tag, PPPoE session data of version 1, type 1, IP of this version,
 * without options and no fragment. */
HOT_INLINE bool access_is_ip(const uint8_t *h, uint32_t v6)
{
	static const int8_t masks[2][32] = {
		{0,   0,   0,	0, ALL, ALL, 0, 0, ALL,	 ALL, ALL, ALL, 0, 0, 0, 0,
		 ALL, ALL, ALL, 0, 0,	0,   0, 0, 0x3f, ALL, 0,   0,	0, 0, 0, 0},
		{0,   0,   0,	 0, ALL, ALL, 0, 0, ALL, ALL, ALL, ALL, 0, 0, 0, 0,
		 ALL, ALL, HIGH, 0, 0,	 0,   0, 0, 0,	 0,   0,   0,	0, 0, 0, 0},
	};
	static const uint8_t values[2][32] = {
		{0, 0,	  0,	0, 0x81, 0, 0, 0, 0x88, 0x64, 0x11, 0, 0, 0, 0, 0,
		 0, 0x21, 0x45, 0, 0,	 0, 0, 0, 0,	0,    0,    0, 0, 0, 0, 0},
		{0, 0,	  0,	0, 0x81, 0, 0, 0, 0x88, 0x64, 0x11, 0, 0, 0, 0, 0,
		 0, 0x57, 0x60, 0, 0,	 0, 0, 0, 0,	0,    0,    0, 0, 0, 0, 0},
	};
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(h + 12));
	__m256i mask = _mm256_loadu_si256((const __m256i *)(const void *)masks[v6]);
	__m256i value = _mm256_loadu_si256((const __m256i *)(const void *)values[v6]);
	__m256i odd = _mm256_xor_si256(_mm256_and_si256(bytes, mask), value);
	return _mm256_testz_si256(odd, odd) && parse_is_tag(parse_raw16(h + 12));
}

/* By protocol and, of TCP, the length of the header, if it is there. Not a branch, but a table. */
HOT_INLINE uint32_t access_kind_of(const uint8_t *h, uint32_t caplen, uint32_t v6)
{
	static const uint8_t kinds[256 * 16] = {
		[6 * 16 + 5] = ACCESS_BARE,
		[6 * 16 + 6 ... 6 * 16 + 7] = ACCESS_OPTIONS,
		[6 * 16 + 8] = ACCESS_STAMPED,
		[6 * 16 + 9 ... 6 * 16 + 15] = ACCESS_OPTIONS,
		[17 * 16 ... 17 * 16 + 15] = ACCESS_UDP,
	};
	uint32_t at = ACCESS_TCP4 + 12 + 20 * v6;
	uint32_t words = h[at < caplen ? at : 0] >> 4;
	return kinds[h[39 - 3 * v6] << 4 | words] + ACCESS_V6 * v6;
}

/* Tags and protocol; session and the subscriber's MAC; lengths, kind, flags and direction. */
HOT_INLINE void access_below(const uint8_t *h, uint32_t kind, uint32_t dir, uint32_t lengths,
			     struct pkt *p)
{
#define ACCESS_TAIL(kind, flags, protocol)                                                         \
	(uint64_t)((kind) << 8 | (ACCESS_FLAGS | (flags)) << 16) << 32 | (protocol)
	static const uint64_t tails[ACCESS_KINDS] = {
		0,
		ACCESS_TAIL(KIND_TCP, PKT_TIMESTAMPS, 6),
		ACCESS_TAIL(KIND_TCP, 0, 6),
		ACCESS_TAIL(KIND_TCP, 0, 6),
		ACCESS_TAIL(KIND_UDP, 0, 17),
		0,
		ACCESS_TAIL(KIND_TCP, PKT_IPV6 | PKT_TIMESTAMPS, 0x80 | 6),
		ACCESS_TAIL(KIND_TCP, PKT_IPV6, 0x80 | 6),
		ACCESS_TAIL(KIND_TCP, PKT_IPV6, 0x80 | 6),
		ACCESS_TAIL(KIND_UDP, PKT_IPV6, 0x80 | 17),
	};
	uint64_t tags = __builtin_bswap64(parse_raw64(h + 12)), mac, tail = tails[kind];
	p->key[0] = (uint32_t)(tags >> 32) << 20 | ((uint32_t)tags & 0xfff) << 8 | (uint32_t)tail;
	mac = parse_raw64(h + 6 * (dir != DIR_DOWN)) << 16 | parse_u16(h + 24);
	mac = mac >> 16 | mac << 48;
	memcpy(p->cpe_mac, &mac, 8); /* and the session */
	memcpy(&p->wire_len, &lengths, 4);
	tail = (tail >> 32 | dir << 30) << 32;
	memcpy(&p->tcp_checksum, &tail, 8);
}

/*
 * The first look at a frame of which ACCESS_LOOK bytes are there. Its kind; 0: it is none of these,
 * or its lengths do not fit into each other, and *payload is rubbish. *payload: what is left behind
 * the least header of the kind.
 */
HOT_INLINE uint32_t access_look(const uint8_t *h, uint32_t caplen, uint32_t wire_len,
				uint32_t *payload)
{
	static const uint32_t headers[ACCESS_KINDS] = {1 << 20, 52, 40, 44, 28,
						       1 << 20, 72, 60, 64, 48};
	uint32_t v6 = access_is_v6(h), room = parse_u16(h + 26), kind, total, header, odd;
	if (!access_is_ip(h, v6))
		return 0;
	kind = access_kind_of(h, caplen, v6);
	total = parse_u16(h + 32 + 2 * v6) + 40 * v6;
	header = headers[kind];
	*payload = total - header;
	/* the sign of any difference */
	odd = *payload | (room - 2 - total) | (wire_len - 28 - room) | (caplen - 30 - header) |
	      (0xffff - wire_len);
	return (int32_t)odd < 0 ? 0 : kind;
}

/* The ports, swapped when the sender is the second. */
HOT_INLINE uint32_t access_turned(uint32_t ports, uint32_t b)
{
	return ports << (16 * b) | ports >> (-(16 * b) & 31);
}

/* parse_endpoints4 in fewer instructions; 1 when the sender is the second. */
HOT_INLINE uint32_t access_endpoints4(const uint8_t *addresses, struct pkt *p)
{
	uint32_t s = parse_raw32(addresses), d = parse_raw32(addresses + 4);
	uint32_t ports = parse_u32(addresses + 8), b = s > d;
	uint64_t both = parse_raw64(addresses);
	if (__builtin_expect(s == d, 0))
		b = ports >> 16 > (uint16_t)ports;
	both = both << (32 * b) | both >> (-(32 * b) & 63);
	memcpy(&p->key[1], &both, 8);
	p->key[3] = access_turned(ports, b);
	return b;
}

/* parse_endpoints6 without a branch. */
HOT_INLINE uint32_t access_endpoints6(const uint8_t *addresses, struct pkt *p)
{
	uint64_t s = parse_raw64(addresses), s2 = parse_raw64(addresses + 8);
	uint64_t d = parse_raw64(addresses + 16), d2 = parse_raw64(addresses + 24), mix, rest;
	uint32_t ports = parse_u32(addresses + 32), b;
	b = ((unsigned __int128)s << 64 | s2) > ((unsigned __int128)d << 64 | d2);
	if (__builtin_expect(((s ^ d) | (s2 ^ d2)) == 0, 0))
		b = ports >> 16 > (uint16_t)ports;
	mix = (s ^ d) & -(uint64_t)b;
	s ^= mix;
	d ^= mix;
	mix = (s2 ^ d2) & -(uint64_t)b;
	s2 ^= mix;
	d2 ^= mix;
	ports = access_turned(ports, b);
	mix = parse_mix(parse_mix(0x243f6a8885a308d3ull, s), s2);
	mix = parse_mix(parse_mix(parse_mix(mix, d), d2), ports);
	rest = parse_mix(mix ^ s2, d2 + ports);
	memcpy(&p->key[1], &mix, 8);
	p->key[3] = (uint32_t)rest;
	return b;
}

/* The endpoints of the flow, and the IPv4 identification; 1 when the sender is the second. */
HOT_INLINE uint32_t access_ip(const uint8_t *h, bool v6, struct pkt *p)
{
	p->ip_id = v6 ? 0 : parse_u16(h + 34);
	return v6 ? access_endpoints6(h + 38, p) : access_endpoints4(h + 42, p);
}

/* More of the last four bytes of a record: flags of the packet and of TCP. */
HOT_INLINE void access_mark(struct pkt *p, uint32_t marks)
{
	uint32_t tail;
	memcpy(&tail, &p->verdict, 4);
	tail |= marks;
	memcpy(&p->verdict, &tail, 4);
}

/* The second look: a TCP header of 20 bytes, or of 32 with timestamps; false: it is another. */
HOT_INLINE bool access_tcp(const uint8_t *h, bool v6, bool stamped, struct pkt *p)
{
	const uint8_t *tcp = h + (v6 ? ACCESS_TCP6 : ACCESS_TCP4);
	const __m128i low = _mm_setr_epi8(7, 6, 5, 4, 11, 10, 9, 8, O, O, O, O, O, O, O, O);
	const __m128i high = _mm_setr_epi8(O, O, O, O, O, O, O, O, 11, 10, 9, 8, 15, 14, 13, 12);
	__m128i numbers =
		_mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)tcp), low);
	if (stamped) {
		const __m128i stamps = _mm_loadu_si128((const __m128i *)(const void *)(tcp + 16));
		if (parse_raw32(tcp + 20) != PARSE_BE32(0x0101080a))
			return false;
		numbers = _mm_or_si128(numbers, _mm_shuffle_epi8(stamps, high));
	}
	_mm_storeu_si128((__m128i *)(void *)&p->seq, numbers);
	p->window = parse_u16(tcp + 14);
	p->tcp_checksum = parse_u16(tcp + 16);
	access_mark(p, access_ip(h, v6, p) * PKT_SRC_IS_B << 16 | (tcp[13] & 0x3fu) << 24);
	return true;
}

/* Any list of options; false: it is none. The first look has counted the least header of the kind. Fills
 * in *x, too. */
static inline bool access_options(const uint8_t *h, const uint8_t *end, uint32_t kind,
				  struct pkt *p, struct pkt_extra *x)
{
	bool v6 = kind >= ACCESS_V6;
	const uint8_t *tcp = h + (v6 ? ACCESS_TCP6 : ACCESS_TCP4);
	uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
	uint32_t counted = kind % ACCESS_V6 == ACCESS_STAMPED ? 32 : 24;
	struct parse c = {.end = end, .pkt = p, .extra = x};
	if (tcp + header > end || header - counted > p->payload_len)
		return false;
	p->payload_len = (uint16_t)(p->payload_len - (header - counted));
	access_tcp(h, v6, false, p);
	access_extra(h, p, x);
	p->flags &= (uint8_t)~PKT_TIMESTAMPS; /* of the kind that it was taken for */
	if (parse_tcp_options(&c, tcp + 20, header - 20) != VERDICT_OK)
		return false;
	p->flags |= c.flags;
	return true;
}

HOT_INLINE bool access_udp(const uint8_t *h, const uint8_t *end, bool v6, struct pkt *p)
{
	const uint8_t *udp = h + (v6 ? ACCESS_TCP6 : ACCESS_TCP4);
	uint32_t sport = parse_u16(udp), dport = parse_u16(udp + 2), len = parse_u16(udp + 4), quic;
	if (len < 8 || len - 8 > p->payload_len ||
	    ((sport < dport ? sport : dport) < 548 &&
	     (parse_is_service(sport) || parse_is_service(dport))))
		return false;
	quic = (sport == 443 || dport == 443) && len > 8 && udp + 9 <= end;
	_mm_storeu_si128((__m128i *)(void *)&p->seq, _mm_cvtsi32_si128(quic ? udp[8] : 0));
	p->payload_len = (uint16_t)(len - 8);
	p->window = 0;
	p->kind = (uint8_t)(KIND_UDP + quic * (KIND_QUIC - KIND_UDP));
	access_mark(p, access_ip(h, v6, p) * PKT_SRC_IS_B << 16);
	return true;
}

/* The second look at a frame of this kind, whose bytes access_look has counted, but for ACCESS_OPTIONS;
 * false: it is none. */
HOT_INLINE bool access_decode(const uint8_t *h, const uint8_t *end, uint32_t kind, struct pkt *p)
{
	bool v6 = kind >= ACCESS_V6;
	uint32_t of = kind % ACCESS_V6;
	return of == ACCESS_UDP ? access_udp(h, end, v6, p)
				: access_tcp(h, v6, of == ACCESS_STAMPED, p);
}

#else

typedef uint64_t access_mac;

HOT_INLINE access_mac access_mac_of(uint64_t mac)
{
	return mac;
}

HOT_INLINE uint32_t access_direction(const uint8_t *h, access_mac mac)
{
	(void)h, (void)mac;
	return 0;
}

HOT_INLINE uint32_t access_is_v6(const uint8_t *h)
{
	(void)h;
	return 0;
}

HOT_INLINE void access_below(const uint8_t *h, uint32_t kind, uint32_t dir, uint32_t lengths,
			     struct pkt *p)
{
	(void)h, (void)kind, (void)dir, (void)lengths, (void)p;
}

HOT_INLINE uint32_t access_look(const uint8_t *h, uint32_t caplen, uint32_t wire_len,
				uint32_t *payload)
{
	(void)h, (void)caplen, (void)wire_len, (void)payload;
	return 0;
}

static inline bool access_options(const uint8_t *h, const uint8_t *end, uint32_t kind,
				  struct pkt *p, struct pkt_extra *x)
{
	(void)h, (void)end, (void)kind, (void)p, (void)x;
	return false;
}

HOT_INLINE bool access_decode(const uint8_t *h, const uint8_t *end, uint32_t kind, struct pkt *p)
{
	(void)h, (void)end, (void)kind, (void)p;
	return false;
}

#endif
#endif
