/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The record that every frame becomes: 64 bytes, one cache line, the same from every collector.
 *
 * A frame is decoded once (ebpf/parse.h), then forgotten; only the control plane, which is rare,
 * is read again through `l4_off` from bytes that live as long as the burst. What does not fit in
 * 64 bytes and is needed rarely (IPv6 addresses, SACK blocks, both MACs) goes into pkt_extra
 * beside it.
 *
 * The flow key is the same for both directions: endpoints are ordered by (address, port), and
 * PKT_SRC_IS_B tells which of the two has sent. IPv4 keys are exact; IPv6 addresses and ports
 * are a 96-bit hash. No libc, no kernel headers: it compiles for the eBPF verifier too.
 */
#ifndef RASAD_EBPF_PKT_H
#define RASAD_EBPF_PKT_H

typedef unsigned char pkt_u8;
typedef unsigned short pkt_u16;
typedef unsigned int pkt_u32;
typedef unsigned long long pkt_u64;

/* Every packet ends in exactly one of these, and each has a counter. */
enum pkt_verdict {
	VERDICT_OK,
	VERDICT_TRUNCATED, /* cut by the snaplen inside a header: what the headers gave is kept */
	VERDICT_MALFORMED, /* a length that lies, a version that is not */
	VERDICT_FRAGMENT,  /* a later fragment: counted to its line, no ports */
	VERDICT_TOO_MANY_TAGS, /* more than three VLAN tags, or eight MPLS labels */
	VERDICT_UNKNOWN_L2,    /* EtherType that rasad has no use for */
	VERDICT_UNKNOWN_PPP,   /* PPP protocol that rasad has no use for */
	VERDICT_UNKNOWN_L4,    /* IP protocol that rasad has no use for */
	VERDICT_UNKNOWN_LINK,  /* capture link type that rasad cannot read */
	VERDICT_COUNT,
};

enum pkt_kind {
	KIND_NONE,
	KIND_ARP,
	KIND_TCP,
	KIND_UDP,
	KIND_ICMP, /* v4 and v6; seq = id << 16 | sequence, ack = type << 8 | code */
	KIND_DNS,  /* seq = transaction id, ack = flags */
	KIND_QUIC, /* seq = first byte */
	KIND_DHCP, /* from here on: control plane, payload at l4_off */
	KIND_DHCP6,
	KIND_PPPOE, /* discovery; seq = code, payload = tags */
	KIND_LCP,
	KIND_PAP,
	KIND_CHAP,
	KIND_IPCP,
	KIND_IPV6CP,
	KIND_ICMP6_RA, /* router advertisement: the prefix of a line */
	KIND_COUNT,
};

enum pkt_dir { DIR_UNKNOWN, DIR_UP, DIR_DOWN }; /* up = from the subscriber */

enum { /* pkt.flags */
       PKT_IPV6 = 1 << 0,
       PKT_SRC_IS_B = 1 << 1, /* the sender is the key's second endpoint */
       PKT_TIMESTAMPS = 1 << 2,
       PKT_SACK = 1 << 3, /* pkt_extra.sack holds blocks */
       PKT_PPPOE = 1 << 4,
       PKT_IP = 1 << 5,	      /* pkt_extra.src and .dst hold addresses */
       PKT_TWO_TAGS = 1 << 6, /* S-VLAN and C-VLAN: the pair alone names the line */
       PKT_FIRST_FRAGMENT = 1 << 7,
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32 };

struct pkt {
	pkt_u64 ts_ns;	  /* Unix time */
	pkt_u32 key[4];	  /* vlans and protocol, endpoint A, endpoint B, ports: see pkt_key0 */
	pkt_u32 seq, ack; /* TCP, or as said at the kind */
	pkt_u32 tsval, tsecr;
	pkt_u8 cpe_mac[6];   /* the source's when the direction is unknown */
	pkt_u16 session_id;  /* PPPoE */
	pkt_u16 wire_len;    /* bytes on the wire, saturating */
	pkt_u16 payload_len; /* TCP or UDP payload, or that of the control message */
	pkt_u16 window;	     /* TCP, unscaled */
	pkt_u16 ip_id;	     /* IPv4, else 0 */
	pkt_u16 tcp_checksum;
	pkt_u16 l4_off; /* where the control message starts in the frame */
	pkt_u8 verdict, kind, flags;
	pkt_u8 tcp_flags : 6, dir : 2;
};
_Static_assert(sizeof(struct pkt) == 64, "one cache line");

/* The first cache line is all that a packet without SACK blocks needs. */
struct pkt_extra {
	pkt_u8 src[16], dst[16]; /* addresses; IPv4 in the first four bytes, the rest is old */
	pkt_u8 dmac[6], smac[6]; /* in the order of the wire */
	pkt_u8 n_sack;
	pkt_u8 ip_proto;
	pkt_u16 mss;		/* SYN; 0: not given */
	pkt_u16 svlan, cvlan;	/* 0: no tag */
	pkt_u16 sport, dport;	/* host order */
	pkt_u16 wire_pair;	/* symmetric fold of both MACs: tells two ACs on one VLAN apart */
	pkt_u16 payload_caplen; /* control plane: captured bytes of payload_len */
	union {
		pkt_u8 tap;   /* of a source with several, from 0 */
		pkt_u32 port; /* on the way from the kernel tap: interface index << 1 | sent */
	};
	pkt_u32 sack[8]; /* up to four blocks: left, right */
};
_Static_assert(__builtin_offsetof(struct pkt_extra, sack) == 64,
	       "blocks begin a line of their own");
_Static_assert(sizeof(struct pkt_extra) == 96, "room for a burst in the first-level cache");

/* key[0]: S-VLAN 12 bits, C-VLAN 12 bits, protocol 7 bits, IPv6 1 bit. */
static inline __attribute__((always_inline)) pkt_u32 pkt_key0(pkt_u32 svlan, pkt_u32 cvlan,
							      pkt_u32 proto, int ipv6)
{
	return svlan << 20 | cvlan << 8 | (proto & 0x7f) | (ipv6 ? 0x80 : 0);
}

static inline __attribute__((always_inline)) pkt_u16 pkt_svlan(const struct pkt *p)
{
	return (pkt_u16)(p->key[0] >> 20);
}

static inline __attribute__((always_inline)) pkt_u16 pkt_cvlan(const struct pkt *p)
{
	return p->key[0] >> 8 & 0xfff;
}

static inline __attribute__((always_inline)) int pkt_is_control(const struct pkt *p)
{
	return p->kind >= KIND_DHCP;
}

#endif
