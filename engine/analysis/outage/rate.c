/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/rate.h"

#include <math.h>
#include <string.h>

#include "engine/analysis/outage/group.h"

#define DAY_S	       86400.0
#define MEMORY_S       (7 * DAY_S)    /* of a line's own drops */
#define SHRINK_S       (7 * DAY_S)    /* exposure that outweighs the network's rate */
#define PRIOR_PER_DAY  0.8	      /* of a line of which nothing is known */
#define PRIOR_LINE_S   (2000 * DAY_S) /* the prior's weight against the network's own */
#define PRIOR_DWELL_MS 150000u
#define PRIOR_DWELLS   50u
#define DWELL_MAX_MS   600000u /* longer than evidence lasts: the clock was set back meanwhile */
#define FACTOR_MAX     20.0
#define SPREAD	       1.5	   /* the further from usual, the less alike are places */
#define HOUR_GAIN      0.3	   /* of a new day against those before */
#define RATE_MAX       (0.6 / 300) /* of a line: with six in ten it is down anyway */

#define TRIES_MIN 20 /* of fewer no share is learned */

enum { SECONDS_PER_HOUR = 3600, TEHRAN_OFFSET_S = 12600 };

void rates_init(struct rates *r)
{
	*r = (struct rates){
		.drops_quarters = (uint64_t)(PRIOR_PER_DAY * PRIOR_LINE_S / DAY_S * QUARTERS),
		.exposed_line_s = (uint64_t)PRIOR_LINE_S,
		.dwell_ms = (uint64_t)PRIOR_DWELL_MS * PRIOR_DWELLS,
		.dwells = PRIOR_DWELLS,
		.factor = 1,
	};
}

/* Drops per second of the average line. */
static double usual(const struct rates *r)
{
	return (double)r->drops_quarters / QUARTERS / (double)r->exposed_line_s;
}

void rate_begin(const struct rates *r, struct line_rate *line, uint32_t now_s)
{
	*line = (struct line_rate){.start_s = now_s, .updated_s = now_s};
	rate_update(r, line, 0, now_s);
}

void rate_update(const struct rates *r, struct line_rate *line, uint32_t quarters, uint32_t now_s)
{
	double age_s = now_s > line->start_s ? now_s - line->start_s : 0, exposed_s, rate;
	double passed_s = now_s > line->updated_s ? now_s - line->updated_s : 0;
	line->drops =
		(float)(line->drops * exp(-passed_s / MEMORY_S) + (double)quarters / QUARTERS);
	line->updated_s = now_s;
	exposed_s = MEMORY_S * -expm1(-age_s / MEMORY_S);
	rate = (usual(r) * SHRINK_S + line->drops) / (SHRINK_S + exposed_s);
	line->units = (uint32_t)(fmin(rate, RATE_MAX) / RATE_UNIT);
}

void rates_learn(struct rates *r, uint32_t quarters, uint64_t dwell_ms)
{
	r->drops_quarters += quarters;
	r->quarters += quarters;
	if (dwell_ms > DWELL_MAX_MS)
		return;
	r->dwell_ms += dwell_ms;
	r->dwells++;
}

static int by_size(const double *a, const double *b)
{
	return (*a > *b) - (*a < *b);
}

/* The median of the last half hour: a fault that no incident explains spoils one bin or two. */
static double recent(const struct rates *r)
{
	double ratio[RATE_BINS], t;
	uint32_t n = r->n_bins < RATE_BINS ? r->n_bins : RATE_BINS;
	if (n < RATE_BINS)
		return 1;
	for (uint32_t i = 0; i < n; i++) {
		ratio[i] = (double)r->bins_quarters[i] / QUARTERS / (r->bins_expected[i] + 5);
		for (uint32_t j = i; j > 0 && by_size(&ratio[j - 1], &ratio[j]) > 0; j--) {
			t = ratio[j];
			ratio[j] = ratio[j - 1];
			ratio[j - 1] = t;
		}
	}
	return ratio[n / 2];
}

static uint32_t hour_of(uint64_t now_s)
{
	return (uint32_t)((now_s + TEHRAN_OFFSET_S) / SECONDS_PER_HOUR % RATE_HOURS);
}

static void close_bin(struct rates *r, uint64_t units, uint64_t now_s)
{
	uint32_t slot = r->n_bins++ % RATE_BINS, now = hour_of(now_s);
	double *hour = &r->hour[now], *rejected = &r->rejected[now], ratio;
	r->bins_quarters[slot] = r->quarters;
	r->bins_expected[slot] = (double)units * RATE_UNIT * RATE_BIN_S;
	ratio = (double)r->quarters / QUARTERS / (r->bins_expected[slot] + 5);
	*hour += (ratio - *hour) * HOUR_GAIN * RATE_BIN_S / SECONDS_PER_HOUR;
	r->quarters = 0;
	ratio = (double)r->rejects / (double)(r->tries + TRIES_MIN);
	*rejected += (ratio - *rejected) * HOUR_GAIN * RATE_BIN_S / SECONDS_PER_HOUR;
	r->tries = r->rejects = 0;
}

void rates_advance(struct rates *r, uint64_t now_s, uint64_t units, uint32_t lines)
{
	uint64_t bin = now_s / RATE_BIN_S;
	if (bin == r->bin)
		return;
	if (r->bin && bin == r->bin + 1) {
		r->exposed_line_s += (uint64_t)lines * RATE_BIN_S;
		close_bin(r, units, now_s);
	}
	r->bin = bin;
	r->factor = fmax(1, fmax(recent(r), r->hour[hour_of(now_s)]));
	r->factor = fmin(FACTOR_MAX, pow(r->factor, SPREAD));
}

void rates_crowd(struct rates *r, double ratio, double most)
{
	double least = ratio;
	r->moments[r->n_moments++ % RATE_MOMENTS] = ratio;
	for (uint32_t i = 0; i < RATE_MOMENTS; i++)
		least = fmin(least, r->moments[i]);
	r->crowd = fmin(most, pow(least, SPREAD));
}

double rates_rejected(const struct rates *r, uint64_t now_s)
{
	return r->rejected[hour_of(now_s)];
}

double rates_usual(const struct rates *r, uint64_t units)
{
	double dwell_s = (double)r->dwell_ms / (double)r->dwells / 1000;
	return (double)units * RATE_UNIT * dwell_s;
}

double rates_expected(const struct rates *r, uint64_t units)
{
	return rates_usual(r, units) * fmax(r->factor, r->crowd);
}
