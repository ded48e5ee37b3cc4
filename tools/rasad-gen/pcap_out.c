/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/pcap_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rasad-gen/mem.h"

#define MAGIC_NS	  0xa1b23c4du
#define LINKTYPE_ETHERNET 1
#define OUT_BUFFER	  (2u << 20)

static uint8_t *put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

static void put(struct pcap_out *p, const void *data, size_t n)
{
	if (fwrite_unlocked(data, 1, n, p->file) != n) /* one thread */
		die("%s: cannot write: %s", p->path, strerror(errno));
}

void pcap_out_open(struct pcap_out *p, const char *path, uint32_t snaplen)
{
	uint8_t header[24], *h = header;

	*p = (struct pcap_out){.path = path, .snaplen = snaplen};
	p->file = strcmp(path, "-") ? fopen(path, "wb") : stdout;
	if (!p->file)
		die("%s: cannot create: %s", path, strerror(errno));
	/* The C library takes a size only with a buffer. Large writes make large folios in the page
	 * cache, which a reader maps at a fraction of the cost of single pages. */
	p->buffer = mem_new(OUT_BUFFER, 1);
	setvbuf(p->file, p->buffer, _IOFBF, OUT_BUFFER);
	h = put_le32(h, MAGIC_NS);
	h = put_le32(h, 2 | 4 << 16); /* version 2.4 */
	h = put_le32(h, 0);
	h = put_le32(h, 0);
	h = put_le32(h, snaplen);
	put_le32(h, LINKTYPE_ETHERNET);
	put(p, header, sizeof(header));
}

void pcap_out_write(struct pcap_out *p, uint64_t unix_ns, const void *data, uint32_t wire_len)
{
	uint32_t captured = wire_len < p->snaplen ? wire_len : p->snaplen;
	uint8_t header[16], *h = header;

	h = put_le32(h, (uint32_t)(unix_ns / 1000000000u));
	h = put_le32(h, (uint32_t)(unix_ns % 1000000000u));
	h = put_le32(h, captured);
	put_le32(h, wire_len);
	put(p, header, sizeof(header));
	put(p, data, captured);
	p->packets++;
	p->bytes += wire_len;
}

void pcap_out_close(struct pcap_out *p)
{
	if (p->file && fclose(p->file))
		die("%s: cannot write: %s", p->path, strerror(errno));
	free(p->buffer);
	p->file = NULL;
	p->buffer = NULL;
}
