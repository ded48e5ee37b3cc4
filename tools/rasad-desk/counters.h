/* SPDX-License-Identifier: BSD-3-Clause */
/* What a desk counts, for /metrics. Any thread. */
#ifndef RASAD_TOOLS_RASAD_DESK_COUNTERS_H
#define RASAD_TOOLS_RASAD_DESK_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#define COUNTERS_VERDICTS 8
#define COUNTERS_STEPS	  16
#define COUNTERS_STATUSES 6

typedef atomic_uint_fast64_t counter;

struct counters {
	counter verdicts[COUNTERS_VERDICTS]; /* calls answered, by Verdict */
	counter latency[COUNTERS_STEPS];     /* of an answer: below 125 us << i; the last: above */
	counter latency_sum_us;
	counter duplicates;   /* calls that had been answered before */
	counter unavailable;  /* calls that were not taken: Redis was away */
	counter lines_cut;    /* lines of one phone beyond those that are scored */
	counter revised;      /* answers that a later incident changed */
	counter outrun;	      /* such answers that another desk had changed meanwhile */
	counter stream_calls; /* calls that came by the stream */
	counter claimed;      /* of these, taken over from a desk that went away */
	counter dead_letters;
	counter incidents_seen; /* entries of the stream of incidents */
	counter answers_seen;	/* entries of the stream of answers */
	counter garbled;	/* entries and values that are no such message */
	counter reloads;	/* of the book, after Redis was away */
	counter blind_spots;	/* incidents that only callers know of, said by this desk */
	counter fenced;		/* that were refused, for another desk had taken over */
	counter lines_verified; /* looked at after a repair */
	counter jobs_refused;	/* incidents that are over, beyond those that are looked after */
	counter spots_refused;	/* blind spots beyond the limit */
	counter changes_cut;	/* incidents beyond those that one leader looks at when it begins */
	counter lists_cut;	/* incidents and collectors beyond what an HTTP answer holds */
	counter leads;		/* times that it became the leader */
	counter statuses[COUNTERS_STATUSES]; /* HTTP responses, by hundreds */
};

static inline void count(counter *of)
{
	atomic_fetch_add_explicit(of, 1, memory_order_relaxed);
}

static inline uint64_t counted(const counter *of)
{
	return atomic_load_explicit(of, memory_order_relaxed);
}

#endif
