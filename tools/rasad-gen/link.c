/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/link.h"

#include "tools/rasad-gen/sim.h"

#define SPIKE_WINDOW_NS (10 * NS_PER_S)
#define SPIKE_FALL	0.6	    /* ns of delay lost per ns of time; with the jitter's 0.3 < 1 */
#define JITTER_SLOPE	0.3	    /* sets the distance between noise nodes */
#define NODE_MIN_NS	(20e6)	    /* and never closer than this */
#define BURST_DROP	(2.0 / 3.0) /* chance of loss inside a burst */
#define BURST_LENGTH	8	    /* longest burst in packets, shortest 1 */
#define BURST_NS	(60 * NS_PER_MS)

void link_init(struct link *l, uint64_t seed, uint64_t number)
{
	*l = (struct link){.rng = rng_make(seed, RNG_LINK, number)};
	l->noise_seed = rng_next(&l->rng);
}

static double node(const struct link *l, uint64_t i)
{
	return (double)(rng_hash(l->noise_seed, i) >> 11) * 0x1p-53;
}

static double jitter(const struct link *l, uint64_t now_ns)
{
	double step, position, part;
	uint64_t i;

	if (l->jitter_ns <= 0)
		return 0;
	step = l->jitter_ns / JITTER_SLOPE;
	step = step < NODE_MIN_NS ? NODE_MIN_NS : step;
	position = (double)now_ns / step;
	i = (uint64_t)position;
	part = position - (double)i;
	/* squared, so that most of the time the delay is near its floor, as in a real network */
	double a = node(l, i), b = node(l, i + 1);

	return l->jitter_ns * (a * a * (1 - part) + b * b * part);
}

/* A spike rises at once and falls in a straight line; at most one in each window. */
static double spike(const struct link *l, uint64_t now_ns)
{
	uint64_t window = now_ns / SPIKE_WINDOW_NS, age = now_ns % SPIKE_WINDOW_NS;
	uint64_t h = rng_hash(l->noise_seed ^ 0x5113u, window);
	uint64_t start = (h >> 32) % (SPIKE_WINDOW_NS / 2);
	double left;

	if (l->spike_chance <= 0 || (double)(h & 0xffffffff) > l->spike_chance * 0x1p32)
		return 0;
	if (age < start)
		return 0;
	left = l->spike_ns - SPIKE_FALL * (double)(age - start);
	return left > 0 ? left : 0;
}

static uint64_t delay_at(const struct link *l, uint64_t now_ns)
{
	return (uint64_t)(l->delay_ns + jitter(l, now_ns) + spike(l, now_ns));
}

static uint64_t leave_queue(const struct link *l, unsigned bytes, uint64_t now_ns)
{
	uint64_t start = l->busy_until_ns > now_ns ? l->busy_until_ns : now_ns;

	return start + (uint64_t)(l->ns_per_byte * bytes);
}

static bool loses(struct link *l, uint64_t now_ns)
{
	double single = l->loss / 2;
	double burst = l->loss / 2 / (1 + BURST_DROP * (BURST_LENGTH - 1) / 2.0);

	if (l->loss <= 0)
		return false;
	if (l->burst_left && now_ns < l->burst_until_ns) {
		l->burst_left--;
		return rng_chance(&l->rng, BURST_DROP);
	}
	if (rng_chance(&l->rng, burst)) {
		l->burst_left = (uint8_t)rng_below(&l->rng, BURST_LENGTH);
		l->burst_until_ns = now_ns + BURST_NS;
		return true;
	}
	return rng_chance(&l->rng, single);
}

bool link_send(struct link *l, unsigned bytes, uint64_t now_ns, uint64_t *arrive_ns)
{
	uint64_t left_ns = now_ns;

	l->packets++;
	if (l->ns_per_byte > 0 && !l->cut) {
		if (l->busy_until_ns > now_ns + l->queue_limit_ns) {
			l->dropped++;
			return false;
		}
		left_ns = l->busy_until_ns = leave_queue(l, bytes, now_ns);
	}
	if (l->cut || loses(l, left_ns)) {
		l->dropped++;
		return false;
	}
	*arrive_ns = left_ns + delay_at(l, left_ns);
	return true;
}

uint64_t link_probe(const struct link *l, unsigned bytes, uint64_t now_ns)
{
	uint64_t left_ns = l->ns_per_byte > 0 ? leave_queue(l, bytes, now_ns) : now_ns;

	return left_ns + delay_at(l, left_ns);
}
