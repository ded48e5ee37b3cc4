/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/samples.h"

#include <math.h>
#include <stdlib.h>

#include "tools/rasad-gen/mem.h"

void samples_add(struct samples *s, uint64_t ns)
{
	uint64_t tenth = (ns + 50) / 100;

	if (s->n == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 8;
		s->tenth_us = mem_grow(s->tenth_us, s->capacity, sizeof(*s->tenth_us));
	}
	s->tenth_us[s->n++] = tenth > UINT32_MAX ? UINT32_MAX : (uint32_t)tenth;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double quantile_us(const struct samples *s, double q)
{
	uint32_t rank = (uint32_t)ceil(q * s->n);

	return s->tenth_us[rank ? rank - 1 : 0] / 10.0;
}

struct sample_stats samples_stats(struct samples *s)
{
	struct sample_stats r = {.n = s->n};
	uint64_t sum = 0;

	if (!s->n)
		return r;
	qsort(s->tenth_us, s->n, sizeof(*s->tenth_us), ascending);
	for (uint32_t i = 0; i < s->n; i++)
		sum += s->tenth_us[i];
	r.min_us = s->tenth_us[0] / 10.0;
	r.p50_us = quantile_us(s, 0.50);
	r.p90_us = quantile_us(s, 0.90);
	r.p95_us = quantile_us(s, 0.95);
	r.p99_us = quantile_us(s, 0.99);
	r.max_us = s->tenth_us[s->n - 1] / 10.0;
	r.mean_us = (double)sum / s->n / 10.0;
	return r;
}

void samples_fini(struct samples *s)
{
	free(s->tenth_us);
	*s = (struct samples){0};
}
