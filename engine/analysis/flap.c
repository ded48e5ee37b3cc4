/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/flap.h"

#include <math.h>

static const double HALF_LIFE_NS = 900e9;

/* What a drop costs. CPE_TERM is charged only when the CPE comes back soon. */
static const uint16_t drop_penalty[CAUSE_COUNT] = {
	[CAUSE_LINE_LOST] = 1000, [CAUSE_CPE_POWER] = 250, [CAUSE_AUTH_FAIL] = 100,
	[CAUSE_LOOPBACK] = 1000,  [CAUSE_UNKNOWN] = 500,
};

double flap_penalty(const struct flap *f, uint64_t now_ns)
{
	double age = now_ns > f->penalty_ns ? (double)(now_ns - f->penalty_ns) : 0;
	return f->penalty * exp2(-age / HALF_LIFE_NS);
}

static bool charge(struct flap *f, double penalty, uint64_t now_ns)
{
	f->penalty = flap_penalty(f, now_ns) + penalty;
	f->penalty_ns = now_ns;
	if (f->penalty > FLAP_CEILING)
		f->penalty = FLAP_CEILING;
	if (f->flapping || f->penalty < FLAP_ENTER)
		return false;
	f->flapping = true;
	f->summary_ns = now_ns;
	f->since_summary = 0;
	return true;
}

bool flap_drop(struct flap *f, enum drop_cause cause, uint64_t now_ns)
{
	return charge(f, drop_penalty[cause], now_ns);
}

static bool counts(enum drop_cause cause)
{
	return cause == CAUSE_LINE_LOST || cause == CAUSE_CPE_TERM || cause == CAUSE_UNKNOWN ||
	       cause == CAUSE_LOOPBACK;
}

bool flap_return(struct flap *f, enum drop_cause cause, uint64_t gap_ns, uint64_t now_ns)
{
	if (!counts(cause))
		return false;
	if (gap_ns > FLAP_MAX_GAP_NS) {
		f->outages++;
		return false;
	}
	f->ring[f->total++ % FLAP_RING] = (uint32_t)(now_ns / 1000000000u);
	f->since_summary++;
	return cause == CAUSE_CPE_TERM && charge(f, 500, now_ns);
}

uint64_t flap_release_ns(const struct flap *f)
{
	if (f->penalty <= FLAP_LEAVE)
		return f->penalty_ns;
	return f->penalty_ns + (uint64_t)(HALF_LIFE_NS * log2(f->penalty / FLAP_LEAVE)) + 1;
}

bool flap_release(struct flap *f, uint64_t now_ns)
{
	if (!f->flapping || now_ns < flap_release_ns(f))
		return false;
	f->flapping = false;
	return true;
}

uint32_t flap_count(const struct flap *f, uint64_t now_ns, uint32_t seconds)
{
	uint32_t now_s = (uint32_t)(now_ns / 1000000000u), n = 0;
	uint64_t kept = f->total < FLAP_RING ? f->total : FLAP_RING;
	for (uint64_t i = 0; i < kept; i++)
		n += now_s - f->ring[i] <= seconds;
	return n;
}
