/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/decode.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "ebpf/parse.h"
#include "engine/access.h"

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
	parse_frame_layers(nothing, nothing, 1, link, &p, &x);
	return p.verdict != VERDICT_UNKNOWN_LINK;
}

/* A MAC as a number that only has to be compared: the first six of eight bytes. */
static inline uint64_t mac_at(const uint8_t *eight)
{
	uint64_t v;
	memcpy(&v, eight, 8);
	return htole64(v) << 16;
}

static uint64_t mac_of(const uint8_t mac[6])
{
	uint8_t eight[8] = {0};
	memcpy(eight, mac, 6);
	return mac_at(eight);
}

static bool is_among(const uint64_t *list, uint32_t n, uint64_t mac)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i] == mac)
			return true;
	return false;
}

/* Its last two bytes, which tell the interfaces of a vendor apart. */
static inline uint32_t fold_of(uint64_t mac)
{
	return (mac >> 48 ^ mac >> 56) & 0xff;
}

/* After every change of the list. */
static void index_acs(struct decoder *d)
{
	d->only_ac = d->n_ac == 1 ? d->ac[0] : 0;
	memset(d->ac_folds, 0, sizeof d->ac_folds);
	for (uint32_t i = 0; i < d->n_ac; i++)
		d->ac_folds[fold_of(d->ac[i]) / 64] |= 1ull << fold_of(d->ac[i]) % 64;
}

static bool is_ac(const struct decoder *d, uint64_t mac)
{
	uint32_t fold = fold_of(mac);
	return d->ac_folds[fold / 64] >> fold % 64 & 1 && is_among(d->ac, d->n_ac, mac);
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
	index_acs(d);
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
	index_acs(d);
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

/* RFC 1918, RFC 6598 (carrier-grade NAT), RFC 3927: the first byte of an IPv4 address decides, or
 * leaves it to the second, `n` values of which from `first` on are private. */
static const struct private_range {
	uint8_t first;
	uint16_t n;
} private_ranges[256] = {
	[10] = {0, 256}, [100] = {64, 64}, [169] = {254, 1}, [172] = {16, 16}, [192] = {168, 1},
};

/* Of IPv6: unique local addresses, RFC 4193. */
static inline uint32_t is_private(const uint8_t *a, bool ipv6)
{
	const struct private_range *range = &private_ranges[a[0]];
	if (ipv6)
		return a[0] >> 1 == 0xfc >> 1;
	return (uint8_t)(a[1] - range->first) < range->n;
}

static __attribute__((noinline)) uint8_t direction_among(const struct decoder *d, uint64_t dst,
							 uint64_t src)
{
	bool to = is_ac(d, dst), from = is_ac(d, src);
	return to == from ? DIR_UNKNOWN : from ? DIR_DOWN : DIR_UP;
}

/* By the MACs of an Ethernet frame; when both are concentrators, one of them pretends. Often there
 * is one only. */
static inline uint8_t direction_of_macs(const struct decoder *d, const uint8_t *frame)
{
	uint64_t dst = mac_at(frame), src = mac_at(frame + 6);
	bool to = dst == d->only_ac, from = src == d->only_ac;
	if (to != from && d->n_ac == 1)
		return from ? DIR_DOWN : DIR_UP;
	return d->n_ac > 1 ? direction_among(d, dst, src) : DIR_UNKNOWN;
}

/* Where the MACs do not tell. The private side is the subscriber's. Addresses: NULL without IP. */
static inline uint8_t direction_else(const struct decoder *d, const uint8_t *src,
				     const uint8_t *dst, bool ipv6)
{
	uint32_t up, down;
	if (d->side != DIR_UNKNOWN || !src)
		return d->side;
	up = is_private(src, ipv6);
	down = is_private(dst, ipv6);
	return (uint8_t)((up & ~down) * DIR_UP | (down & ~up) * DIR_DOWN);
}

static inline uint8_t direction_of_addresses(const struct decoder *d, const struct pkt *p,
					     const struct pkt_extra *x)
{
	return direction_else(d, p->flags & PKT_IP ? x->src : NULL, x->dst, p->flags & PKT_IPV6);
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

/* What the parser leaves open: the direction, and the counters. `macs` is NULL where there are none. */
static inline void finish(struct decoder *d, struct pkt *p, struct pkt_extra *x,
			  const uint8_t *frame, const uint8_t *macs, uint32_t link)
{
	uint8_t dir = DIR_UNKNOWN, control = 0xff;
	d->stats.verdicts[p->verdict]++;
	if (pkt_is_control(p))
		control = count_control(d, p, x, frame, link);
	if (from_cpe(control))
		dir = DIR_UP;
	else if (from_ac(control))
		dir = DIR_DOWN;
	else if (macs)
		dir = direction_of_macs(d, macs);
	if (dir == DIR_UNKNOWN)
		dir = direction_of_addresses(d, p, x);
	p->dir = dir & 3;
	if (dir == DIR_DOWN && macs)
		memcpy(p->cpe_mac, macs, 6);
}

/* All but the frames that parse_access knows. */
static __attribute__((noinline)) void decode_layers(struct decoder *d, const struct raw_frame *f,
						    struct pkt *p, struct pkt_extra *x)
{
	const bool macs = f->link == LINK_ETHERNET && f->caplen >= 14;
	parse_frame_layers(f->bytes, f->bytes + f->caplen, f->wire_len, f->link, p, x);
	finish(d, p, x, f->bytes, macs ? f->bytes : NULL, f->link);
}

static __attribute__((noinline)) bool decode_access(const struct decoder *d,
						    const struct raw_frame *f, struct pkt *p,
						    struct pkt_extra *x)
{
	struct access a = {.h = f->bytes, .end = f->bytes + f->caplen, .pkt = p, .extra = x};
	if (f->link != LINK_ETHERNET || f->caplen < ACCESS_LEAST)
		return false;
	a.dir = d->n_ac ? direction_of_macs(d, f->bytes) : DIR_UNKNOWN;
	if (!parse_access(&a, f->wire_len))
		return false;
	if (a.dir != DIR_UNKNOWN)
		return true;
	p->dir = direction_of_addresses(d, p, x) & 3;
	if (p->dir == DIR_DOWN)
		memcpy(p->cpe_mac, f->bytes, 6);
	return true;
}

/* --- bursts ------------------------------------------------------------------------------------- */

static inline uint32_t direction_of_frame(const struct decoder *d, const uint8_t *h, access_mac ac)
{
	uint32_t dir = access_direction(h, ac), v6;
	if (__builtin_expect(dir == DIR_UP || dir == DIR_DOWN, 1))
		return dir;
	dir = d->n_ac ? direction_of_macs(d, h) : DIR_UNKNOWN;
	v6 = access_is_v6(h);
	return dir != DIR_UNKNOWN ? dir
				  : direction_else(d, h + (v6 ? 38 : 42), h + (v6 ? 54 : 46), v6);
}

/* First pass: a frame goes on the list of its kind; false: it was decoded at once. */
static inline bool sort(struct decoder *d, access_mac ac, struct burst *burst, uint32_t slot,
			const struct raw_frame *f)
{
	struct decode_sorted *sorted = &d->sorted;
	struct pkt *p = &burst->pkt[slot];
	uint32_t kind, payload, dir;
	if (f->link == LINK_ETHERNET && f->caplen >= ACCESS_LOOK &&
	    (kind = access_look(f->bytes, f->caplen, f->wire_len, &payload)) != 0) {
		dir = direction_of_frame(d, f->bytes, ac);
		access_below(f->bytes, kind, dir, f->wire_len | payload << 16, p);
		sorted->at[kind][sorted->n[kind]++] = (uint8_t)slot;
		sorted->caplen[slot] = (uint16_t)(f->caplen < 0xffff ? f->caplen : 0xffff);
		return true;
	}
	if (decode_access(d, f, p, &burst->extra[slot]))
		d->stats.verdicts[VERDICT_OK]++;
	else
		decode_layers(d, f, p, &burst->extra[slot]);
	return false;
}

void decode_frames(struct decoder *d, struct burst *burst, const struct raw_frame *frames,
		   uint32_t n)
{
	const access_mac ac = access_mac_of(d->only_ac);
	uint64_t bytes = 0;
	for (uint32_t i = 0, slot = burst->n; i < n; i++, slot++) {
		const struct raw_frame *f = &frames[i];
		burst->unfilled[slot] = sort(d, ac, burst, slot, f);
		burst->pkt[slot].ts_ns = f->ts_ns;
		burst->frame[slot] = f->bytes;
		bytes += f->wire_len;
	}
	burst->n += n;
	d->stats.packets += n;
	d->stats.bytes += bytes;
}

/* It only looked like one of these; its direction was told in time. */
static __attribute__((noinline)) void decode_after_all(struct decoder *d, struct burst *burst,
						       uint32_t slot)
{
	struct pkt *p = &burst->pkt[slot];
	const struct raw_frame f = {p->ts_ns, burst->frame[slot], d->sorted.caplen[slot],
				    p->wire_len, LINK_ETHERNET};
	uint8_t dir = p->dir;
	decode_layers(d, &f, p, &burst->extra[slot]);
	p->ts_ns = f.ts_ns;
	p->dir = dir & 3;
	memcpy(p->cpe_mac, f.bytes + (dir == DIR_DOWN ? 0 : 6), 6);
	burst->unfilled[slot] = false;
}

/* With other options than timestamps alone; false: it is none of these. */
static __attribute__((noinline)) bool decode_options(const struct decoder *d, struct burst *burst,
						     uint32_t slot, uint32_t kind)
{
	const uint8_t *h = burst->frame[slot];
	burst->unfilled[slot] = false;
	return access_options(h, h + d->sorted.caplen[slot], kind, &burst->pkt[slot],
			      &burst->extra[slot]);
}

/* Second pass: all of a kind. */
static inline void decode_kind(struct decoder *d, struct burst *burst, uint32_t kind)
{
	const struct decode_sorted *sorted = &d->sorted;
	uint32_t of = kind % ACCESS_V6, others = 0;
	for (uint32_t i = 0; i < sorted->n[kind]; i++) {
		uint32_t slot = sorted->at[kind][i];
		const uint8_t *h = burst->frame[slot];
		if (of != ACCESS_OPTIONS &&
		    access_decode(h, h + sorted->caplen[slot], kind, &burst->pkt[slot]))
			continue;
		if (of != ACCESS_UDP && decode_options(d, burst, slot, kind))
			continue;
		decode_after_all(d, burst, slot);
		others++;
	}
	d->stats.verdicts[VERDICT_OK] += sorted->n[kind] - others;
}

void decode_burst(struct decoder *d, struct burst *burst)
{
	decode_kind(d, burst, ACCESS_STAMPED);
	decode_kind(d, burst, ACCESS_BARE);
	decode_kind(d, burst, ACCESS_OPTIONS);
	decode_kind(d, burst, ACCESS_UDP);
	decode_kind(d, burst, ACCESS_V6 + ACCESS_STAMPED);
	decode_kind(d, burst, ACCESS_V6 + ACCESS_BARE);
	decode_kind(d, burst, ACCESS_V6 + ACCESS_OPTIONS);
	decode_kind(d, burst, ACCESS_V6 + ACCESS_UDP);
	memset(d->sorted.n, 0, sizeof d->sorted.n);
}

void access_extra(const uint8_t *h, const struct pkt *p, struct pkt_extra *x)
{
	struct pkt scratch;
	bool v6 = p->flags & PKT_IPV6;
	parse_copy(x->src, h + (v6 ? 38 : 42), v6 ? 16 : 4);
	parse_copy(x->dst, h + (v6 ? 54 : 46), v6 ? 16 : 4);
	parse_macs(h, h, &scratch, x);
	x->n_sack = 0;
	x->ip_proto = (uint8_t)(p->kind == KIND_TCP ? 6 : 17);
	x->mss = 0;
	x->svlan = pkt_svlan(p);
	x->cvlan = pkt_cvlan(p);
	x->sport = parse_u16(h + (v6 ? ACCESS_TCP6 : ACCESS_TCP4));
	x->dport = parse_u16(h + (v6 ? ACCESS_TCP6 : ACCESS_TCP4) + 2);
	x->payload_caplen = 0;
}

void burst_fill(struct burst *burst, uint32_t i)
{
	access_extra(burst->frame[i], &burst->pkt[i], &burst->extra[i]);
	burst->unfilled[i] = false;
}

void decode_frame(struct decoder *d, struct burst *burst, const uint8_t *frame, uint32_t caplen,
		  uint32_t wire_len, uint32_t link, uint64_t ts_ns)
{
	const struct raw_frame raw = {ts_ns, frame, caplen, wire_len, link};
	decode_frames(d, burst, &raw, 1);
	decode_burst(d, burst);
	burst_extra(burst, burst->n - 1);
}

void decode_parsed(struct decoder *d, struct burst *burst, const uint8_t *frame, uint32_t link)
{
	struct pkt *p = &burst->pkt[burst->n];
	struct pkt_extra *x = &burst->extra[burst->n];
	finish(d, p, x, frame, link == LINK_ETHERNET ? x->dmac : NULL, link);
	burst->unfilled[burst->n] = false;
	burst->frame[burst->n++] = frame;
	d->stats.packets++;
}
