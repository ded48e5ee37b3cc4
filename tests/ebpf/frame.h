/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames built byte by byte for tests, from the RFCs and not from the parser: each function appends
 * one header or some bytes. What does not fit into a frame fails the assertion of the builder.
 */
#ifndef RASAD_TESTS_EBPF_FRAME_H
#define RASAD_TESTS_EBPF_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "ebpf/pkt.h"

enum { FRAME_MAX = 4096 };

struct frame {
	uint32_t len;
	uint32_t headers; /* end of the last header, as frame_mark said */
	uint8_t bytes[FRAME_MAX];
};

#define FRAME_BYTES(f, ...)                                                                        \
	frame_put((f), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

void frame_put(struct frame *f, const void *bytes, size_t n);
void frame_text(struct frame *f, const char *text);
void frame_hex(struct frame *f, const char *hex); /* spaces are skipped */
void frame_fill(struct frame *f, uint8_t byte, size_t n);
void frame_u8(struct frame *f, uint32_t v);
void frame_u16(struct frame *f, uint32_t v);
void frame_u32(struct frame *f, uint32_t v);
void frame_set16(struct frame *f, uint32_t at, uint32_t v);

/* The headers that a parser needs end here. */
static inline void frame_mark(struct frame *f)
{
	f->headers = f->len;
}

extern const uint8_t frame_cpe[6], frame_ac[6];

/* Both MACs, upstream: from the CPE to the concentrator. The EtherType comes next. */
void frame_macs(struct frame *f);
void frame_macs_down(struct frame *f);
/* An 802.1Q or 802.1ad tag in front of the EtherType that comes next. */
void frame_tag(struct frame *f, uint32_t tpid, uint32_t vid);
/* MACs, S-VLAN 300, C-VLAN 1517, then the EtherType. */
void frame_qinq(struct frame *f, uint32_t ethertype);

/* RFC 2516; `len` is the PPPoE payload. Without the EtherType. */
void frame_pppoe(struct frame *f, uint32_t code, uint32_t session_id, uint32_t len);
/* RFC 791, 100.64.1.2 -> 93.184.216.34; `len` bytes follow the header. */
void frame_ipv4(struct frame *f, uint32_t proto, uint32_t len);
/* RFC 8200, 2001:db8:64::2 -> 2001:db8:5d::22; `len` bytes follow the header. */
void frame_ipv6(struct frame *f, uint32_t next, uint32_t len);
/* RFC 9293: SYN|ACK as asked, `options` bytes of options follow. 20 bytes. */
void frame_tcp(struct frame *f, uint32_t flags, uint32_t options);
/* RFC 768; `len` is the payload. 8 bytes. */
void frame_udp(struct frame *f, uint32_t sport, uint32_t dport, uint32_t len);

enum { FRAME_TCP_SPORT = 51000, FRAME_TCP_DPORT = 8080 };
#define FRAME_TCP_SEQ 0x01020304u
#define FRAME_TCP_ACK 0xfffefdfcu

struct parsed {
	struct pkt pkt;
	struct pkt_extra extra;
};

/* Parses the first `caplen` bytes, from a heap block of just that size, so that AddressSanitizer
 * sees the first byte read beyond it. */
struct parsed frame_parse(const struct frame *f, uint32_t caplen, uint32_t wire_len, uint32_t link);
/* All of an Ethernet frame. */
struct parsed frame_parse_all(const struct frame *f);

/* One frame of each kind, and what must come of it. */
struct frame_case {
	const char *name;
	void (*build)(struct frame *f);
	uint32_t link;
	enum pkt_verdict verdict;
	enum pkt_kind kind;
	uint32_t payload_len;
};

extern const struct frame_case frame_cases[];
extern const size_t frame_n_cases;

#endif
