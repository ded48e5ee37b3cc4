/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/collectors/libpcap.h"

#include <pcap/pcap.h>

struct libpcap_count libpcap_read(const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	struct libpcap_count n = {0};
	struct pcap_pkthdr *header;
	const u_char *bytes;
	pcap_t *p = pcap_open_offline(path, error);
	if (!p)
		return n;
	while (pcap_next_ex(p, &header, &bytes) == 1) {
		n.packets++;
		n.bytes += header->caplen;
	}
	pcap_close(p);
	return n;
}
