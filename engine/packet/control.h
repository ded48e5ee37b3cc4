/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control-plane messages of a line, read out of the frame: PPPoE discovery with TR-101 line tags
 * (RFC 2516, TR-101 3.9.2), LCP, PAP, CHAP, IPCP, IPV6CP (RFC 1661, 1334, 1994, 1332, 5072), DHCP
 * with option 82 (RFC 2131, 3046), DHCPv6 prefix delegation (RFC 8415), router advertisements.
 *
 * Every byte comes from the network: all reads go through a bounded cursor, a length that lies
 * ends the reading and keeps what was read before. Passwords are skipped, never copied.
 */
#ifndef RASAD_ENGINE_PACKET_CONTROL_H
#define RASAD_ENGINE_PACKET_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "ebpf/pkt.h"

enum { /* codes that the session state machine knows */
       PADO = 0x07,
       PADI = 0x09,
       PADR = 0x19,
       PADS = 0x65,
       PADT = 0xa7,
       PPP_CONF_REQ = 1,
       PPP_CONF_ACK = 2,
       PPP_CONF_NAK = 3,
       PPP_TERM_REQ = 5,
       PPP_TERM_ACK = 6,
       PPP_ECHO_REQ = 9,
       PPP_ECHO_REP = 10,
       PAP_REQ = 1,
       PAP_ACK = 2,
       PAP_NAK = 3,
       CHAP_CHALLENGE = 1,
       CHAP_RESPONSE = 2,
       CHAP_SUCCESS = 3,
       CHAP_FAILURE = 4,
       DHCP_DISCOVER = 1,
       DHCP_REQUEST = 3,
       DHCP_ACK = 5,
       DHCP_NAK = 6,
       DHCP_RELEASE = 7,
       DHCP6_REPLY = 7,
};

enum { CONTROL_NAME_MAX = 64, CONTROL_TEXT_MAX = 128 };

struct control {
	uint8_t kind, code, id; /* enum pkt_kind; the protocol's code and identifier */
	uint8_t dir;		/* enum pkt_dir */
	uint16_t session_id;
	uint32_t magic; /* LCP: of the sender; 0: none */
	bool error;	/* PADS, PADO, PADT: an error tag was there */
	uint8_t cpe_mac[6], ac_mac[6];
	uint32_t rate_up, rate_down; /* TR-101 actual rates as sent; 0: not given */
	bool has_ipv4;
	uint8_t ipv4[4];		   /* IPCP option 3, DHCP yiaddr */
	uint8_t prefix_len;		   /* of `ipv6`; 0: none */
	uint8_t ipv6[16];		   /* delegated or advertised prefix */
	char circuit_id[CONTROL_NAME_MAX]; /* zero-terminated; "" = not there */
	char remote_id[CONTROL_NAME_MAX];
	char user[CONTROL_NAME_MAX]; /* PAP, CHAP name */
	char text[CONTROL_TEXT_MAX]; /* error tag, authentication message */
};

/* Reads the control packet `p` (pkt_is_control) whose frame is `frame`. Total: whatever cannot be
 * read is absent. */
void control_read(struct control *c, const struct pkt *p, const struct pkt_extra *x,
		  const uint8_t *frame);

#endif
