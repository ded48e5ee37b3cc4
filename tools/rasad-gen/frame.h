/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame builder: Ethernet, the access encapsulations, IPv4, IPv6, TCP, UDP, ICMP and PPP.
 *
 * A frame is written from the outside in, so whoever builds one must know its length first. The
 * lengths and checksums are those of the whole frame, whatever the snapshot length cuts off.
 */
#ifndef RASAD_GEN_FRAME_H
#define RASAD_GEN_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dir {
	DIR_DOWN, /* towards the subscriber */
	DIR_UP,
};

enum encap {
	ENCAP_PLAIN,
	ENCAP_VLAN,
	ENCAP_QINQ,
	ENCAP_PPPOE,
	ENCAP_QINQ_PPPOE,
	ENCAP_MPLS,
};

enum ppp_protocol {
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_IPCP = 0x8021,
	PPP_IPV6CP = 0x8057,
	PPP_LCP = 0xc021,
	PPP_PAP = 0xc023,
	PPP_CHAP = 0xc223,
};

enum ip_protocol {
	IP_ICMP = 1,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_ICMPV6 = 58,
};

struct ip_addr {
	bool v6;
	uint8_t byte[16]; /* an IPv4 address uses the first four */
};

/* Everything outside the IP packet. */
struct l2 {
	enum encap encap;
	uint8_t cpe_mac[6], ac_mac[6];
	uint16_t outer_tpid, svlan, cvlan;
	uint16_t pppoe_session_id;
	uint32_t mpls_label;
};

struct ip_header {
	struct ip_addr source, destination;
	enum ip_protocol protocol;
	uint16_t id; /* IPv4 only */
	uint8_t ttl;
};

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
};

struct tcp_header {
	uint16_t source_port, destination_port;
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags;
	uint8_t option_bytes; /* a multiple of four */
	uint8_t option[40];
};

#define FRAME_MAX 2048

struct frame {
	uint8_t byte[FRAME_MAX];
	uint32_t n;	/* written so far */
	uint32_t cut;	/* payload beyond this many bytes need not be written */
	uint32_t ip_at; /* where its IP header begins */
};

/* Starts a frame; `bytes` is the size of what follows the encapsulation. */
void frame_begin_ip(struct frame *f, const struct l2 *l2, enum dir dir, bool v6, size_t bytes);
void frame_begin_ppp(struct frame *f, const struct l2 *l2, enum dir dir, enum ppp_protocol protocol,
		     size_t bytes);
/* PPPoE discovery; `broadcast` for a PADI. */
void frame_begin_discovery(struct frame *f, const struct l2 *l2, enum dir dir, bool broadcast,
			   uint8_t code, size_t bytes);

void frame_bytes(struct frame *f, const void *data, size_t n);
void frame_be16(struct frame *f, uint16_t v);
void frame_be32(struct frame *f, uint32_t v);

/* IP and what it carries, after frame_begin_ip. The TCP payload is all zero. */
size_t frame_ip_bytes(bool v6);
void frame_tcp(struct frame *f, const struct ip_header *ip, const struct tcp_header *tcp,
	       size_t payload_bytes);
/* Without `payload` it is all zero. */
void frame_udp(struct frame *f, const struct ip_header *ip, uint16_t source_port,
	       uint16_t destination_port, const void *payload, size_t n);
/* `payload` begins with the ICMP type; its checksum field (bytes 2 and 3) is filled in. */
void frame_icmp(struct frame *f, const struct ip_header *ip, uint8_t *payload, size_t n);

/* Pads to the Ethernet minimum; returns the length on the wire. */
uint32_t frame_end(struct frame *f);

#endif
