/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame parser over all link types. Input: link type (index), how many bytes the capture cut
 * (16 bits), then the frame. Beside memory safety it checks what every caller relies on: one
 * verdict, a control message inside the captured bytes, a key that agrees with the extra record,
 * and a result that does not depend on what lay in the record before.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebpf/parse.h"

static const uint32_t links[] = {
	LINK_ETHERNET, LINK_NULL,  LINK_PPP,  LINK_RAW_BSD, LINK_RAW_OPENBSD,
	LINK_PPP_HDLC, LINK_PPPOE, LINK_RAW,  LINK_LOOP,    LINK_SLL,
	LINK_PPP_PPPD, LINK_IPV4,  LINK_IPV6, LINK_SLL2,    105 /* 802.11: not read */,
};

#define HOLD(claim)                                                                                \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "parse_fuzz: does not hold: %s\n", #claim);                \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void check_control(const struct pkt *p, const struct pkt_extra *x, uint32_t caplen)
{
	HOLD((uint32_t)p->l4_off + x->payload_caplen <= caplen);
	HOLD(x->payload_caplen <= p->payload_len);
}

static void check(const struct pkt *p, const struct pkt_extra *x, uint32_t caplen,
		  uint32_t wire_len)
{
	HOLD(p->verdict < VERDICT_COUNT && p->kind < KIND_COUNT);
	HOLD(p->wire_len == (wire_len < 0xffff ? wire_len : 0xffff));
	HOLD(x->n_sack <= 4 && !(p->flags & PKT_SACK) == !x->n_sack);
	HOLD(p->dir == DIR_UNKNOWN);
	if (wire_len <= 0xffff)
		HOLD(p->payload_len <= wire_len);
	if (pkt_is_control(p))
		check_control(p, x, caplen);
	if (p->kind >= KIND_TCP && p->kind <= KIND_DHCP6) {
		HOLD(p->flags & PKT_IP);
		HOLD(p->key[0] ==
		     pkt_key0(x->svlan, x->cvlan, x->ip_proto, p->flags & PKT_IPV6 ? 1 : 0));
	}
	if (p->kind == KIND_TCP)
		HOLD(x->ip_proto == 6);
	if (p->verdict == VERDICT_OK || p->verdict == VERDICT_FRAGMENT)
		HOLD(pkt_svlan(p) == x->svlan && pkt_cvlan(p) == x->cvlan);
	if (p->verdict == VERDICT_OK)
		HOLD(p->kind != KIND_NONE || x->ip_proto);
}

/* 0x8100 and 0x88a8 are both tags: a parser with a quick way for one of them must not tell. */
static void check_other_tpid(const uint8_t *frame, uint32_t caplen, uint32_t wire_len,
			     const struct pkt *p, const struct pkt_extra *x)
{
	struct pkt q;
	struct pkt_extra y;
	uint8_t *copy;
	if (caplen < 20 || frame[16] != 0x81 || frame[17] != 0 || !x->svlan)
		return;
	copy = malloc(caplen);
	HOLD(copy);
	memcpy(copy, frame, caplen);
	copy[16] = 0x88;
	copy[17] = 0xa8;
	memset(&y, 0, sizeof y);
	parse_frame(copy, copy + caplen, wire_len, LINK_ETHERNET, &q, &y);
	free(copy);
	HOLD(memcmp(p, &q, sizeof q) == 0);
	HOLD(memcmp(x, &y, sizeof y) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct pkt p[2];
	struct pkt_extra x[2];
	uint32_t link, wire_len, caplen;
	if (len < 3)
		return 0;
	link = links[data[0] % (sizeof links / sizeof *links)];
	caplen = (uint32_t)len - 3;
	wire_len = caplen + ((uint32_t)data[1] << 8 | data[2]);
	memset(p, 0x00, sizeof p);
	memset(x, 0x00, sizeof x);
	memset(&p[1], 0xff, sizeof p[1]);
	memset(&x[1], 0xff, sizeof x[1]);
	for (int i = 0; i < 2; i++) {
		parse_frame(data + 3, data + len, wire_len, link, &p[i], &x[i]);
		check(&p[i], &x[i], caplen, wire_len);
	}
	HOLD(memcmp(&p[0], &p[1], sizeof p[0]) == 0);
	if (link == LINK_ETHERNET)
		check_other_tpid(data + 3, caplen, wire_len, &p[0], &x[0]);
	if (p[0].flags & PKT_IP) /* an address is as long as its family */
		HOLD(memcmp(x[0].src, x[1].src, p[0].flags & PKT_IPV6 ? 16 : 4) == 0);
	return 0;
}
