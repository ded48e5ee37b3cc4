/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/decode.h"

#include <stdbool.h>
#include <string.h>

#include "ebpf/parse.h"

_Static_assert(CONTROL_COUNT <= sizeof((struct source_stats){0}.control) / sizeof(uint64_t),
	       "every control message has a counter");

const char *const decode_verdict_names[VERDICT_COUNT] = {
	[VERDICT_OK] = "ok",
	[VERDICT_TRUNCATED] = "truncated",
	[VERDICT_MALFORMED] = "malformed",
	[VERDICT_FRAGMENT] = "fragment",
	[VERDICT_TOO_MANY_TAGS] = "too_many_tags",
	[VERDICT_UNKNOWN_L2] = "unknown_l2",
	[VERDICT_UNKNOWN_PPP] = "unknown_ppp",
	[VERDICT_UNKNOWN_L4] = "unknown_l4",
	[VERDICT_UNKNOWN_LINK] = "unknown_link_type",
};

const char *const decode_control_names[CONTROL_COUNT] = {
	[CONTROL_PADI] = "padi",
	[CONTROL_PADO] = "pado",
	[CONTROL_PADR] = "padr",
	[CONTROL_PADS] = "pads",
	[CONTROL_PADT] = "padt",
	[CONTROL_LCP_CONFREQ] = "lcp_confreq",
	[CONTROL_LCP_TERMREQ] = "lcp_termreq",
	[CONTROL_LCP_ECHO_REQ] = "lcp_echo_req",
	[CONTROL_LCP_ECHO_REP] = "lcp_echo_rep",
	[CONTROL_PAP_REQ] = "pap_req",
	[CONTROL_PAP_ACK] = "pap_ack",
	[CONTROL_PAP_NAK] = "pap_nak",
	[CONTROL_CHAP_CHAL] = "chap_chal",
	[CONTROL_CHAP_RESP] = "chap_resp",
	[CONTROL_CHAP_SUCC] = "chap_succ",
	[CONTROL_CHAP_FAIL] = "chap_fail",
	[CONTROL_IPCP] = "ipcp",
	[CONTROL_IPV6CP] = "ipv6cp",
	[CONTROL_DHCP] = "dhcp",
	[CONTROL_DHCP6] = "dhcp6",
};

bool decode_knows_link(uint32_t link)
{
	struct pkt p;
	struct pkt_extra x;
	const uint8_t nothing[1] = {0};
	parse_frame(nothing, nothing, 1, link, &p, &x);
	return p.verdict != VERDICT_UNKNOWN_LINK;
}

static uint64_t mac_of(const uint8_t mac[6])
{
	uint64_t v = 0;
	memcpy(&v, mac, 6);
	return v;
}

static bool is_among(const uint64_t *list, uint32_t n, uint64_t mac)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i] == mac)
			return true;
	return false;
}

static bool is_ac(const struct decoder *d, uint64_t mac)
{
	return is_among(d->ac, d->n_ac, mac);
}

static void add_ac(struct decoder *d, uint64_t mac)
{
	if (mac == 0 || is_ac(d, mac) || is_among(d->not_ac, d->n_not_ac, mac))
		return;
	if (d->n_ac == DECODE_MAX_AC) {
		d->stats.ac_refused++;
		return;
	}
	d->ac[d->n_ac++] = mac;
}

void decode_add_ac(struct decoder *d, const uint8_t mac[6])
{
	add_ac(d, mac_of(mac));
	d->ac_configured = true;
}

/* A concentrator does not dial: a subscriber has pretended to be one, and loses the rank for good. */
static void dialled(struct decoder *d, uint64_t mac)
{
	if (d->ac_configured || !is_ac(d, mac))
		return;
	for (uint32_t i = 0; i < d->n_ac; i++)
		if (d->ac[i] == mac)
			d->ac[i] = d->ac[--d->n_ac];
	if (d->n_not_ac < DECODE_MAX_AC)
		d->not_ac[d->n_not_ac++] = mac;
	else
		d->stats.ac_refused++;
}

/* The code of a control message: PPPoE's was parsed, the others' is the first byte. */
static uint32_t control_code(const struct pkt *p, const struct pkt_extra *x, const uint8_t *frame)
{
	if (p->kind == KIND_PPPOE)
		return p->seq;
	return x->payload_caplen ? frame[p->l4_off] : 0;
}

/* kind, code -> counter; 0xff: not counted by name. */
static uint8_t control_index(uint32_t kind, uint32_t code)
{
	static const struct {
		uint8_t kind, code, index;
	} table[] = {
		{KIND_PPPOE, 0x09, CONTROL_PADI},     {KIND_PPPOE, 0x07, CONTROL_PADO},
		{KIND_PPPOE, 0x19, CONTROL_PADR},     {KIND_PPPOE, 0x65, CONTROL_PADS},
		{KIND_PPPOE, 0xa7, CONTROL_PADT},     {KIND_LCP, 1, CONTROL_LCP_CONFREQ},
		{KIND_LCP, 5, CONTROL_LCP_TERMREQ},   {KIND_LCP, 9, CONTROL_LCP_ECHO_REQ},
		{KIND_LCP, 10, CONTROL_LCP_ECHO_REP}, {KIND_PAP, 1, CONTROL_PAP_REQ},
		{KIND_PAP, 2, CONTROL_PAP_ACK},	      {KIND_PAP, 3, CONTROL_PAP_NAK},
		{KIND_CHAP, 1, CONTROL_CHAP_CHAL},    {KIND_CHAP, 2, CONTROL_CHAP_RESP},
		{KIND_CHAP, 3, CONTROL_CHAP_SUCC},    {KIND_CHAP, 4, CONTROL_CHAP_FAIL},
	};
	if (kind == KIND_IPCP)
		return CONTROL_IPCP;
	if (kind == KIND_IPV6CP)
		return CONTROL_IPV6CP;
	if (kind == KIND_DHCP)
		return CONTROL_DHCP;
	if (kind == KIND_DHCP6)
		return CONTROL_DHCP6;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].kind == kind && table[i].code == code)
			return table[i].index;
	return 0xff;
}

/* Only the concentrator sends these. */
static bool from_ac(uint8_t control)
{
	return control == CONTROL_PADO || control == CONTROL_PADS || control == CONTROL_PAP_ACK ||
	       control == CONTROL_PAP_NAK || control == CONTROL_CHAP_SUCC ||
	       control == CONTROL_CHAP_FAIL;
}

static bool from_cpe(uint8_t control)
{
	return control == CONTROL_PADI || control == CONTROL_PADR || control == CONTROL_PAP_REQ ||
	       control == CONTROL_CHAP_RESP;
}

/* RFC 1918, RFC 6598 (carrier-grade NAT), RFC 3927; ULA. */
static inline bool is_private(const uint8_t *a, bool ipv6)
{
	uint32_t v = (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];
	if (ipv6)
		return v >> 25 == 0xfc >> 1;
	return v >> 24 == 10 || v >> 22 == 0x64400000 >> 22 || v >> 16 == 0xc0a8 ||
	       v >> 20 == 0xac100000 >> 20 || v >> 16 == 0xa9fe;
}

static uint8_t direction(const struct decoder *d, const struct pkt *p, const struct pkt_extra *x,
			 uint32_t link)
{
	bool src, dst;
	if (link == LINK_ETHERNET && d->n_ac) {
		src = is_ac(d, mac_of(x->smac));
		dst = is_ac(d, mac_of(x->dmac));
		if (src != dst) /* both: one of them pretends */
			return src ? DIR_DOWN : DIR_UP;
	}
	if (d->side != DIR_UNKNOWN)
		return d->side;
	if (!(p->flags & PKT_IP))
		return DIR_UNKNOWN;
	src = is_private(x->src, p->flags & PKT_IPV6);
	dst = is_private(x->dst, p->flags & PKT_IPV6);
	return src == dst ? DIR_UNKNOWN : src ? DIR_UP : DIR_DOWN;
}

static uint8_t count_control(struct decoder *d, const struct pkt *p, const struct pkt_extra *x,
			     const uint8_t *frame, uint32_t link)
{
	uint8_t control = control_index(p->kind, control_code(p, x, frame));
	if (control == 0xff)
		return control;
	d->stats.control[control]++;
	if (link == LINK_ETHERNET && from_ac(control) && !d->ac_configured)
		add_ac(d, mac_of(x->smac));
	else if (link == LINK_ETHERNET && (control == CONTROL_PADI || control == CONTROL_PADR))
		dialled(d, mac_of(x->smac));
	return control;
}

void decode_frame(struct decoder *d, struct burst *burst, const uint8_t *frame, uint32_t caplen,
		  uint32_t wire_len, uint32_t link, uint64_t ts_ns)
{
	struct pkt *p = &burst->pkt[burst->n];
	struct pkt_extra *x = &burst->extra[burst->n];
	parse_frame(frame, frame + caplen, wire_len, link, p, x);
	p->ts_ns = ts_ns;
	burst->frame[burst->n++] = frame;
	d->stats.packets++;
	d->stats.bytes += wire_len;
	d->stats.verdicts[p->verdict]++;
	if (pkt_is_control(p)) {
		uint8_t control = count_control(d, p, x, frame, link);
		p->dir = (from_cpe(control)  ? DIR_UP
			  : from_ac(control) ? DIR_DOWN
					     : direction(d, p, x, link)) &
			 3;
	} else {
		p->dir = direction(d, p, x, link) & 3;
	}
	if (p->dir == DIR_DOWN && link == LINK_ETHERNET)
		memcpy(p->cpe_mac, x->dmac, 6);
}
