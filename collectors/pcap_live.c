/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libpcap owns the bytes of a packet only until its callback returns, so a frame is decoded there
 * and then. Only a control message is read again later: its bytes are copied.
 */
#include "collectors/pcap_live.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <pcap/pcap.h>

#include "engine/decode.h"

enum {
	SNAPLEN = 1600,
	SLOT = SNAPLEN + 4, /* libpcap cuts, then puts the outer tag back */
	BLOCK_MS = 10,
	IDLE_MS = 100,
};

struct pcap_live {
	struct source source; /* first: the face */
	struct pcap_live_options options;
	char interface[IF_NAMESIZE];
	pcap_t *pcap;
	uint32_t link, ns_per_tick;
	struct pcap_stat told; /* what the kernel said last; its counters wrap */
	struct decoder decoder;
	struct burst *burst; /* that is being filled */
	uint8_t control[BURST_MAX][SLOT];
};

static struct pcap_live *self_of(struct source *source)
{
	return (struct pcap_live *)source;
}

static void tell(const struct pcap_live *l, const char *what)
{
	char message[PCAP_ERRBUF_SIZE + 64];

	snprintf(message, sizeof message, "%s: %s", l->options.interface, what);
	l->options.problem(l->options.context, message);
}

/* --- reading --- */

static bool is_up(const struct pcap_live *l)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, l->interface, sizeof l->interface);
	return ioctl(pcap_fileno(l->pcap), SIOCGIFFLAGS, &request) == 0 &&
	       request.ifr_flags & IFF_UP;
}

/* libpcap may wait for ever for an interface that is down: here that is an error to tell. */
static int fail(const struct pcap_live *l)
{
	if (!if_nametoindex(l->interface))
		tell(l, "the interface is gone");
	else if (!is_up(l))
		tell(l, "the interface went down");
	else
		tell(l, pcap_geterr(l->pcap));
	return -EIO;
}

static void take(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct pcap_live *l = (struct pcap_live *)context;
	struct burst *burst = l->burst;
	uint32_t at = burst->n, caplen = header->caplen < SLOT ? header->caplen : SLOT;
	uint64_t ts_ns = (uint64_t)header->ts.tv_sec * 1000000000u +
			 (uint64_t)header->ts.tv_usec * l->ns_per_tick;

	decode_frame(&l->decoder, burst, bytes, caplen, header->len, l->link, ts_ns);
	burst->frame[at] = NULL;
	if (pkt_is_control(&burst->pkt[at]))
		burst->frame[at] = memcpy(l->control[at], bytes, caplen);
}

static int read_packets(struct pcap_live *l)
{
	return pcap_dispatch(l->pcap, BURST_MAX, take, (u_char *)l);
}

/* A signal ends the wait too: the caller will want to look at it. */
static int wait_for_packets(const struct pcap_live *l)
{
	struct pollfd readable = {.fd = pcap_get_selectable_fd(l->pcap), .events = POLLIN};

	return poll(&readable, 1, IDLE_MS);
}

static int next(struct source *source, struct burst *burst)
{
	struct pcap_live *l = self_of(source);
	int n;

	burst->n = 0;
	l->burst = burst;
	n = read_packets(l);
	if (n == 0 && wait_for_packets(l) > 0)
		n = read_packets(l);
	if (n < 0 || (n == 0 && !is_up(l)))
		return fail(l);
	return burst->n ? SOURCE_MORE : SOURCE_IDLE;
}

static const struct source_stats *stats(struct source *source)
{
	struct pcap_live *l = self_of(source);
	struct source_stats *own = &l->decoder.stats;
	struct pcap_stat now;

	if (pcap_stats(l->pcap, &now) == 0) {
		own->dropped += (u_int)(now.ps_drop - l->told.ps_drop);
		own->dropped += (u_int)(now.ps_ifdrop - l->told.ps_ifdrop);
		l->told = now;
	}
	return own;
}

static void close_source(struct source *source)
{
	struct pcap_live *l = self_of(source);

	if (l->pcap)
		pcap_close(l->pcap);
	free(l);
}

/* --- opening --- */

static const char *in_words(int status, pcap_t *pcap)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return "no such interface";
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return "no right to capture: expected root, or CAP_NET_RAW and CAP_NET_ADMIN";
	case PCAP_ERROR_IFACE_NOT_UP:
		return "the interface is down: expected it up (ip link set IF up)";
	case PCAP_WARNING_PROMISC_NOTSUP:
		return "only packets to this machine are seen: the interface has no promiscuous mode";
	default:
		return *pcap_geterr(pcap) ? pcap_geterr(pcap) : pcap_statustostr(status);
	}
}

/* Settings of a handle that is not active yet cannot fail but for the time stamps. */
static int activate(struct pcap_live *l)
{
	uint32_t buffer = l->options.buffer_bytes ? l->options.buffer_bytes : PCAP_LIVE_BUFFER;
	int status;

	pcap_set_snaplen(l->pcap, SNAPLEN);
	pcap_set_promisc(l->pcap, 1);
	pcap_set_timeout(l->pcap, BLOCK_MS);
	pcap_set_buffer_size(l->pcap, (int)buffer);
	pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO);
	status = pcap_activate(l->pcap);
	if (status)
		tell(l, in_words(status, l->pcap));
	if (status < 0)
		return status == PCAP_ERROR_NO_SUCH_DEVICE ? -ENODEV
		       : status == PCAP_ERROR_PERM_DENIED  ? -EPERM
							   : -EIO;
	l->link = (uint32_t)pcap_datalink(l->pcap);
	l->ns_per_tick =
		pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
	return 0;
}

static int open_handle(struct pcap_live *l)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	int status;

	l->pcap = pcap_create(l->options.interface, error);
	if (!l->pcap) {
		tell(l, error);
		return -EIO;
	}
	status = activate(l);
	if (status == 0 && pcap_setnonblock(l->pcap, 1, error) < 0) {
		tell(l, error);
		return -EIO;
	}
	return status;
}

int pcap_live_open(struct source **source, const struct pcap_live_options *options)
{
	struct pcap_live *l = calloc(1, sizeof *l);
	int status;

	*source = NULL;
	if (!l)
		return -ENOMEM;
	l->source = (struct source){.next = next, .close = close_source, .stats = stats};
	l->options = *options;
	snprintf(l->interface, sizeof l->interface, "%s", options->interface);
	for (uint32_t i = 0; i < options->n_ac_macs; i++)
		decode_add_ac(&l->decoder, options->ac_macs[i]);
	status = open_handle(l);
	if (status) {
		close_source(&l->source);
		return status;
	}
	*source = &l->source;
	return 0;
}
