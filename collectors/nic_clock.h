/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock of a NIC in Unix time. Its stamps are ticks of unknown rate and origin; now and then
 * both clocks are read together (nic_clock_sync), and a line through what was seen translates.
 *
 * The line is continuous: an error is not jumped over but steered away within the next second, so
 * that time stamps in a row keep their order. Only a wall clock that was set (by more than 10 ms)
 * makes a step. Reading both clocks is good to about 1 us; what matters here, the difference of
 * two stamps, is as good as the rate: 1 us in a second. No clock is read here. One thread.
 */
#ifndef RASAD_COLLECTORS_NIC_CLOCK_H
#define RASAD_COLLECTORS_NIC_CLOCK_H

#include <stdint.h>

struct nic_clock {
	uint64_t ticks, ns;	      /* a point on the line */
	uint64_t seen_ticks, seen_ns; /* both clocks, as last read */
	double ns_per_tick;	      /* of the line */
};

/* Both clocks, read twice, some ms apart. */
void nic_clock_start(struct nic_clock *clock, const uint64_t ticks[2], const uint64_t unix_ns[2]);

/* Both clocks, read again; about once a second. */
void nic_clock_sync(struct nic_clock *clock, uint64_t ticks, uint64_t unix_ns);

/* Unix time of a stamp, which may lie a little before or behind what was read. */
uint64_t nic_clock_ns(const struct nic_clock *clock, uint64_t ticks);

#endif
