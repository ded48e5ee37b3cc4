/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/control.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/cursor.h"
#include "engine/base/mac.h"

enum { BROADBAND_FORUM = 3561 }; /* IANA enterprise number */

/* Names from the wire: printable as they are, spaces at the ends gone and runs of them joined. */
static void copy_name(char *to, size_t room, const uint8_t *from, uint32_t len)
{
	size_t n = 0;
	for (uint32_t i = 0; i < len && n + 1 < room; i++) {
		bool space = from[i] == ' ' || from[i] == '\t' || from[i] == 0;
		if (space && (n == 0 || to[n - 1] == ' '))
			continue;
		to[n++] = space ? ' ' : (char)from[i];
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

static void copy_rest(char *to, size_t room, struct cursor *in)
{
	uint32_t len = cursor_left(in);
	copy_name(to, room, cursor_bytes(in, len), len);
}

/* Many switches put binary circuit-ids: type 0, length 4, VLAN, module, port. */
static void copy_circuit(char *to, const uint8_t *v, uint32_t len)
{
	if (len == 6 && v[0] == 0 && v[1] == 4)
		snprintf(to, CONTROL_NAME_MAX, "%u/%u/%u", v[2] << 8 | v[3], v[4], v[5]);
	else
		copy_name(to, CONTROL_NAME_MAX, v, len);
}

static void copy_remote(char *to, const uint8_t *v, uint32_t len)
{
	if (len == 8 && v[0] == 0 && v[1] == 6)
		mac_text(to, v + 2);
	else
		copy_name(to, CONTROL_NAME_MAX, v, len);
}

static uint32_t value32(const uint8_t *v)
{
	return (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
}

/* The next type, length, value; false at the end, or at a length that lies. */
static bool next_tlv(struct cursor *in, uint8_t *type, uint8_t *len, const uint8_t **v)
{
	if (cursor_left(in) < 2)
		return false;
	*type = cursor_u8(in);
	*len = cursor_u8(in);
	*v = cursor_bytes(in, *len);
	return *v;
}

static bool next_wide_tlv(struct cursor *in, uint16_t *type, uint16_t *len, const uint8_t **v)
{
	if (cursor_left(in) < 4)
		return false;
	*type = cursor_u16(in);
	*len = cursor_u16(in);
	*v = cursor_bytes(in, *len);
	return *v;
}

/* The next option of LCP or IPCP, whose length counts the header too. */
static bool next_option(struct cursor *in, uint8_t *type, uint8_t *len, const uint8_t **v)
{
	if (cursor_left(in) < 2)
		return false;
	*type = cursor_u8(in);
	*len = cursor_u8(in);
	*v = *len >= 2 ? cursor_bytes(in, *len - 2u) : NULL;
	return *v;
}

/* Sub-options 1 and 2 and the line rates have the same numbers in TR-101 tags and option 82. */
static void read_line_tag(struct control *c, uint8_t type, const uint8_t *v, uint8_t len)
{
	if (type == 1)
		copy_circuit(c->circuit_id, v, len);
	else if (type == 2)
		copy_remote(c->remote_id, v, len);
	else if (type == 0x81 && len == 4)
		c->rate_up = value32(v);
	else if (type == 0x82 && len == 4)
		c->rate_down = value32(v);
}

static void read_line_tags(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint8_t type, len;
	while (next_tlv(&in, &type, &len, &v)) {
		read_line_tag(c, type, v, len);
	}
}

/* RFC 3046; sub-option 9 (RFC 4243) holds the line rates under the Broadband Forum's number. */
static void read_option82(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint8_t type, len;
	while (next_tlv(&in, &type, &len, &v)) {
		if (type == 9 && len > 5 && value32(v) == BROADBAND_FORUM)
			read_line_tags(c, cursor_of(v + 5, v[4] < len - 5u ? v[4] : len - 5u));
		else if (type <= 2)
			read_line_tag(c, type, v, len);
	}
}

/* The same in DHCPv6, with types and lengths of two bytes (RFC 8415 21.17). */
static void read_vendor_options6(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint16_t type, len;
	while (next_wide_tlv(&in, &type, &len, &v)) {
		if (type <= 0xff && len <= 0xff)
			read_line_tag(c, (uint8_t)type, v, (uint8_t)len);
	}
}

static void read_pppoe(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint16_t type, len;
	while (next_wide_tlv(&in, &type, &len, &v) && type != 0) {
		if (type == 0x0105 && len >= 4 && value32(v) == BROADBAND_FORUM) {
			read_line_tags(c, cursor_of(v + 4, len - 4u));
		} else if (type >= 0x0201 && type <= 0x0203) {
			c->error = true;
			copy_name(c->text, sizeof c->text, v, len);
		}
	}
}

/* Code, identifier, length; the cursor is cut to the length. */
static bool ppp_header(struct control *c, struct cursor *in)
{
	uint16_t len;
	if (cursor_left(in) < 4)
		return false;
	c->code = cursor_u8(in);
	c->id = cursor_u8(in);
	len = cursor_u16(in);
	if (len < 4)
		return false;
	cursor_cut(in, len - 4u);
	return true;
}

/* LCP: the magic number, from an option or from an echo. */
static void read_lcp(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint8_t type, len;
	if (!ppp_header(c, &in))
		return;
	if (c->code >= PPP_ECHO_REQ && c->code <= 11 && cursor_left(&in) >= 4) {
		c->magic = value32(cursor_bytes(&in, 4));
		return;
	}
	if (c->code == PPP_TERM_REQ) {
		copy_rest(c->text, sizeof c->text, &in);
		return;
	}
	while (c->code <= 4 && next_option(&in, &type, &len, &v)) {
		if (type == 5 && len == 6)
			c->magic = value32(v);
	}
}

/* Name and password, each with its length; both must fill the message exactly, so that a length
 * that lies can never take bytes of the password for the name. The password stays unread. */
static void read_pap_request(struct control *c, struct cursor in)
{
	uint8_t len = cursor_u8(&in);
	const uint8_t *name = cursor_bytes(&in, len);
	if (name && cursor_left(&in) && cursor_u8(&in) == cursor_left(&in))
		copy_name(c->user, sizeof c->user, name, len);
}

static void read_pap(struct control *c, struct cursor in)
{
	if (!ppp_header(c, &in))
		return;
	if (c->code == PAP_REQ) {
		read_pap_request(c, in);
		return;
	}
	cursor_u8(&in);
	copy_rest(c->text, sizeof c->text, &in);
}

static void read_chap(struct control *c, struct cursor in)
{
	uint32_t len;
	if (!ppp_header(c, &in))
		return;
	if (c->code != CHAP_CHALLENGE && c->code != CHAP_RESPONSE) {
		copy_rest(c->text, sizeof c->text, &in);
		return;
	}
	len = cursor_left(&in) ? cursor_u8(&in) : 0;
	if (cursor_bytes(&in, len) && c->code == CHAP_RESPONSE)
		copy_rest(c->user, sizeof c->user, &in);
}

static void read_ipcp(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint8_t type, len;
	if (!ppp_header(c, &in))
		return;
	while (c->code <= 4 && next_option(&in, &type, &len, &v)) {
		if (type == 3 && len == 6) {
			memcpy(c->ipv4, v, 4);
			c->has_ipv4 = value32(v) != 0;
		}
	}
}

static void read_dhcp(struct control *c, struct cursor in)
{
	const uint8_t *fixed = cursor_bytes(&in, 236), *cookie = cursor_bytes(&in, 4);
	if (!fixed || !cookie || value32(cookie) != 0x63825363)
		return;
	memcpy(c->ipv4, fixed + 16, 4);
	c->has_ipv4 = value32(fixed + 16) != 0;
	memcpy(c->cpe_mac, fixed + 28, 6);
	while (cursor_left(&in)) {
		uint8_t type = cursor_u8(&in), len;
		const uint8_t *v;
		if (type == 0)
			continue;
		if (type == 255 || !cursor_left(&in))
			return;
		len = cursor_u8(&in);
		v = cursor_bytes(&in, len);
		if (!v)
			return;
		if (type == 53 && len == 1)
			c->code = v[0];
		else if (type == 82)
			read_option82(c, cursor_of(v, len));
	}
}

/* IA_PD (25) holds IA prefixes (26): lifetimes, length, prefix. */
static void read_ia_pd(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint16_t type, len;
	if (!cursor_bytes(&in, 12))
		return;
	while (next_wide_tlv(&in, &type, &len, &v)) {
		if (type == 26 && len >= 25 && v[8] >= 1 && v[8] <= 128 && value32(v + 4)) {
			c->prefix_len = v[8];
			memcpy(c->ipv6, v + 9, 16);
		}
	}
}

static void read_dhcp6(struct control *c, struct cursor in)
{
	const uint8_t *v;
	uint16_t type, len;
	if (cursor_left(&in) < 4)
		return;
	c->code = cursor_u8(&in);
	cursor_bytes(&in, 3);
	while (next_wide_tlv(&in, &type, &len, &v)) {
		if (type == 25)
			read_ia_pd(c, cursor_of(v, len));
		else if (type == 18)
			copy_circuit(c->circuit_id, v, len);
		else if (type == 37 && len > 4)
			copy_remote(c->remote_id, v + 4, len - 4u);
		else if (type == 17 && len > 4 && value32(v) == BROADBAND_FORUM)
			read_vendor_options6(c, cursor_of(v + 4, len - 4u));
	}
}

/* RFC 4861: prefix information, when the line may make addresses from it. */
static void read_ra(struct control *c, struct cursor in)
{
	if (!cursor_bytes(&in, 16))
		return;
	while (cursor_left(&in) >= 2) {
		uint8_t type = cursor_u8(&in), len = cursor_u8(&in);
		const uint8_t *v = len ? cursor_bytes(&in, len * 8u - 2) : NULL;
		if (!v)
			return;
		if (type == 3 && len == 4 && v[0] <= 128 && !c->prefix_len) {
			c->prefix_len = v[0];
			memcpy(c->ipv6, v + 14, 16);
		}
	}
}

void control_read(struct control *c, const struct pkt *p, const struct pkt_extra *x,
		  const uint8_t *frame)
{
	struct cursor in = cursor_of(frame + p->l4_off, x->payload_caplen);
	*c = (struct control){.kind = p->kind, .dir = p->dir, .session_id = p->session_id};
	memcpy(c->cpe_mac, p->dir == DIR_DOWN ? x->dmac : x->smac, 6);
	memcpy(c->ac_mac, p->dir == DIR_DOWN ? x->smac : x->dmac, 6);
	switch (p->kind) {
	case KIND_PPPOE:
		c->code = (uint8_t)p->seq;
		read_pppoe(c, in);
		break;
	case KIND_LCP:
		read_lcp(c, in);
		break;
	case KIND_PAP:
		read_pap(c, in);
		break;
	case KIND_CHAP:
		read_chap(c, in);
		break;
	case KIND_IPCP:
		read_ipcp(c, in);
		break;
	case KIND_IPV6CP:
		ppp_header(c, &in);
		break;
	case KIND_DHCP:
		read_dhcp(c, in);
		break;
	case KIND_DHCP6:
		read_dhcp6(c, in);
		break;
	case KIND_ICMP6_RA:
		read_ra(c, in);
		break;
	}
}
