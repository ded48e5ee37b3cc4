/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Without DPDK there is no textbook to compare with.
 */
#include <stddef.h>

#include "tests/bench/variant.h"

static void *no_open(const struct setup *setup)
{
	(void)setup;
	return NULL;
}

const struct variant textbook_variant = {"textbook", no_open, NULL, NULL, NULL, true, NULL};
const struct variant bulk_variant = {"bulk", no_open, NULL, NULL, NULL, true, NULL};
