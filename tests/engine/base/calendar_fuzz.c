/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a calendar: every plan has names and a time that passes. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/calendar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct calendar c;

	if (calendar_parse(&c, (const char *)data, len, "fuzz.csv", NULL) && c.plans)
		abort();
	for (uint32_t i = 0; i < c.n; i++)
		if (!*c.plans[i].group_type || !*c.plans[i].group ||
		    c.plans[i].from_ns >= c.plans[i].to_ns)
			abort();
	calendar_fini(&c);
	return 0;
}
