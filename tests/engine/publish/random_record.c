/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/engine/publish/random_record.h"

#include <math.h>

static uint64_t random_state = 88172645463325252ull;

uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Of any length in bits, zero every so often. */
uint64_t random_count(void)
{
	return random64() % 3 ? random64() >> random64() % 64 : 0;
}

static double random_double(void)
{
	static const double odd[] = {0, -0.0, 1, 0.1, 1e9, INFINITY, NAN, -5, 4e-320};

	return random64() % 2 ? odd[random64() % 9] : (double)(random64() % 10000000) / 7;
}

static struct dist random_dist(void)
{
	return (struct dist){random_count(),  random_double(), random_double(), random_double(),
			     random_double(), random_double(), random_double(), random_double()};
}

static struct report_loss random_loss(void)
{
	return (struct report_loss){random_count(), random_count()};
}

/* Any bytes but NUL: mostly ASCII, sometimes not even UTF-8. */
void random_name(char *name, size_t size)
{
	size_t n = random64() % (random64() % 8 ? 40 : size);

	for (size_t i = 0; i < n; i++)
		name[i] = random64() % 16 ? (char)('a' + random64() % 26)
					  : (char)(1 + random64() % 255);
	name[n] = 0;
}

int64_t random_time(void)
{
	return random64() % 3 ? (int64_t)random_count() : REPORT_ABSENT;
}

struct report_rtt random_rtt(void)
{
	return (struct report_rtt){random_dist(), random_dist(), random_dist(), random_dist(),
				   random_dist(), random_dist(), random_dist()};
}

struct report_loss_sides random_loss_sides(void)
{
	return (struct report_loss_sides){random_loss(), random_loss(), random_loss(),
					  random_loss()};
}
