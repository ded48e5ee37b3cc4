/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL, and the life of sources: opened together, asked for bursts, counted, closed one by one.
 *
 * While a collector is being opened DPDK talks to the user in pages; that is kept (hush.h), and
 * its reasons end up behind our own sentence.
 */
#include "collectors/dpdk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>
#include <rte_mbuf_dyn.h>

#include "collectors/dpdk_eal.h"
#include "collectors/dpdk_source.h"
#include "collectors/eal_args.h"
#include "collectors/hush.h"

enum {
	LOOK_BURSTS = 1024,
	CALIBRATE_US = 10000,
};

/* Buffers are cached by lcore: a thread of the engine becomes one when it first comes here. */
static void enter_thread(struct dpdk_source *s)
{
	s->in_thread = true;
	if (rte_lcore_id() == LCORE_ID_ANY)
		rte_thread_register();
}

static int next(struct source *source, struct burst *burst)
{
	struct dpdk_source *s = (struct dpdk_source *)source;

	burst->n = 0;
	if (!s->in_thread)
		enter_thread(s);
	if (++s->bursts >= LOOK_BURSTS)
		dpdk_look_around(s);
	if (dpdk_receive(s, burst))
		return SOURCE_MORE;
	if (dpdk_await(s, burst)) {
		s->nap_us = 0;
		return SOURCE_MORE;
	}
	if (dpdk_has_ended(s))
		return s->damaged ? -EIO : SOURCE_END;
	dpdk_look_around(s);
	return SOURCE_IDLE;
}

static const struct source_stats *stats(struct source *source)
{
	struct dpdk_source *s = (struct dpdk_source *)source;
	struct source_stats *own = &s->decoder.stats;
	char queue[16];

	own->n_counters = 0;
	own->dropped = 0;
	for (uint32_t i = 0; s->index == 0 && i < s->nic->ports.n; i++)
		dpdk_count_port(own, &s->nic->ports.list[i]);
	snprintf(queue, sizeof queue, "queue%u", s->index);
	dpdk_count(own, queue, "frames_joined", s->joined);
	dpdk_count(own, queue, "tags_put_back", s->retagged);
	return own;
}

bool dpdk_plays_files(const struct source *source)
{
	const struct dpdk_source *s = (const struct dpdk_source *)source;

	for (uint32_t i = 0; i < s->n_rx; i++)
		if (!s->rx[i].port->file)
			return false;
	return true;
}

/* --- closing --- */

static void free_nic(struct nic *nic)
{
	struct hush hush = HUSH_NONE;

	if (nic->eal) {
		hush_begin(&hush);
		dpdk_ports_close(&nic->ports);
		dpdk_eal_stop();
		free(hush_end(&hush));
	}
	free(nic);
}

static void free_source(struct dpdk_source *s)
{
	dpdk_give_back(s);
	dpdk_close_wakes(s);
	free(s);
}

static void close_source(struct source *source)
{
	struct nic *nic = ((struct dpdk_source *)source)->nic;

	free_source((struct dpdk_source *)source);
	if (--nic->n_sources == 0)
		free_nic(nic);
}

/* --- opening --- */

static void set_clock(struct rx *rx)
{
	uint64_t ticks[2] = {0}, ns[2];

	if (rx->port->stamp != STAMP_TICKS)
		return;
	for (int i = 0; i < 2; i++) {
		dpdk_port_read_clock(rx->port, &ticks[i]);
		ns[i] = clock_ns(CLOCK_REALTIME);
		usleep(i ? 0 : CALIBRATE_US);
	}
	nic_clock_start(&rx->clock, ticks, ns);
}

static bool is_sharded(const struct dpdk_ports *ports)
{
	for (uint32_t i = 0; i < ports->n; i++)
		if (ports->queues > 1 && !ports->list[i].by_line)
			return false;
	return true;
}

static int open_source(struct nic *nic, uint32_t index)
{
	struct dpdk_source *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->source = (struct source){.next = next,
				    .close = close_source,
				    .stats = stats,
				    .part = nic->ports.queues > 1,
				    .sharded = is_sharded(&nic->ports)};
	s->nic = nic;
	s->index = index;
	for (uint32_t i = 0; i < nic->options.n_ac_macs; i++)
		decode_add_ac(&s->decoder, nic->options.ac_macs[i]);
	for (uint32_t i = 0; i < nic->ports.n; i++) {
		s->rx[s->n_rx++] =
			(struct rx){.port = &nic->ports.list[i], .queue = (uint16_t)index};
		set_clock(&s->rx[i]);
	}
	dpdk_open_wakes(s);
	nic->sources[nic->n_sources++] = s;
	return 0;
}

static int open_all(struct nic *nic, struct hush *hush)
{
	int flag, status = dpdk_eal_start(&nic->options, hush);

	if (status)
		return status;
	nic->eal = true;
	hush_begin(hush);
	status = dpdk_ports_open(&nic->ports, nic->options.ports, hush);
	flag = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, NULL);
	nic->stamp_offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, NULL);
	if (flag >= 0 && nic->stamp_offset >= 0)
		nic->stamp_flag = 1ull << flag;
	for (uint32_t i = 0; !status && i < nic->ports.queues; i++)
		status = open_source(nic, i);
	if (!status && !is_sharded(&nic->ports))
		hush_note(hush, "the queues do not keep a line together: rasad parts the lines "
				"itself");
	return status;
}

/* What a driver says belongs to the last note, which is that of the failure. */
static void tell_notes(const struct nic *nic, const char *notes, const char *reason)
{
	while (*notes) {
		size_t length = strcspn(notes, "\n");
		bool more = notes[length];

		nic_tell(nic, "dpdk: %.*s%s%s", (int)length, notes, more || !*reason ? "" : ": ",
			 more ? "" : reason);
		notes += length + more;
	}
}

static void tell_all(const struct nic *nic, int status, struct hush *hush)
{
	char *said = hush_end(hush), reason[200] = "";

	if (said && eal_has_arg(nic->options.eal, nic->options.n_eal, "--log-level"))
		fputs(said, stderr);
	else if (status && said)
		eal_reason(said, reason, sizeof reason);
	tell_notes(nic, hush->notes, reason);
	free(said);
}

int dpdk_open(struct source **sources, const struct dpdk_options *options)
{
	struct nic *nic = calloc(1, sizeof *nic);
	struct hush hush = HUSH_NONE;
	int status;

	if (!nic)
		return -ENOMEM;
	nic->options = *options;
	nic->ports = (struct dpdk_ports){.queues = options->n_queues, .busy = options->busy};
	status = open_all(nic, &hush);
	tell_all(nic, status, &hush);
	for (uint32_t i = 0; i < nic->n_sources; i++)
		if (status)
			free_source(nic->sources[i]);
		else
			sources[i] = &nic->sources[i]->source;
	if (status)
		free_nic(nic);
	return status;
}
