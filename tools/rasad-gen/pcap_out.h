/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture file: little-endian pcap with nanosecond times, link type Ethernet. */
#ifndef RASAD_GEN_PCAP_OUT_H
#define RASAD_GEN_PCAP_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PCAP_OUT_SNAPLEN_FULL 262144u

struct pcap_out {
	FILE *file;
	char *buffer;	  /* owned: of the file */
	const char *path; /* borrowed */
	uint32_t snaplen;
	uint64_t packets;
	uint64_t bytes; /* on the wire */
};

/* All three end the program with a message if the file cannot be written. */
void pcap_out_open(struct pcap_out *p, const char *path, uint32_t snaplen);
void pcap_out_write(struct pcap_out *p, uint64_t unix_ns, const void *data, uint32_t wire_len);
void pcap_out_close(struct pcap_out *p);

#endif
