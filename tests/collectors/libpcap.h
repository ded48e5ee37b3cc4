/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture file read with libpcap, the yardstick of the reader. In a unit of its own, because
 * libpcap has a pcap_open too.
 */
#ifndef RASAD_TESTS_COLLECTORS_LIBPCAP_H
#define RASAD_TESTS_COLLECTORS_LIBPCAP_H

#include <stdint.h>

struct libpcap_count {
	uint64_t packets, bytes; /* captured bytes */
};

/* All records with pcap_next_ex; {0} when the file cannot be opened. */
struct libpcap_count libpcap_read(const char *path);

#endif
