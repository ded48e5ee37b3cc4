/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/drops.h"

#include "engine/source.h"

enum {
	TOO_MANY = 100,	  /* one of so many is lost */
	FEW_AGAIN = 1000, /* less than one of so many is */
	LEAST = 100,	  /* a few are nothing */
};

enum drops_news drops_look(struct drops *d, const struct source_stats *stats, uint64_t now_ns,
			   uint64_t *since_ns)
{
	/* no packets at all: the counters were not told again, or there is nothing to judge by */
	uint64_t packets = stats->packets - d->packets, dropped = stats->dropped - d->dropped;
	bool was = d->too_many, looked = d->begun;
	if (d->begun && now_ns < d->since_ns + DROPS_INTERVAL_NS)
		return DROPS_NOTHING;
	*since_ns = d->since_ns;
	if (looked && dropped >= LEAST && dropped * TOO_MANY > packets + dropped)
		d->too_many = true;
	else if (looked && packets && dropped * FEW_AGAIN <= packets + dropped)
		d->too_many = false;
	d->begun = true;
	d->since_ns = now_ns;
	d->packets = stats->packets;
	d->dropped = stats->dropped;
	if (was == d->too_many)
		return DROPS_NOTHING;
	return d->too_many ? DROPS_BEGIN : DROPS_END;
}
