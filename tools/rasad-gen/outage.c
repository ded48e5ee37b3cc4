/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-gen/outage.h"

#include <string.h>

static const char *const names[OUTAGE_COUNT] = {
	[OUTAGE_NONE] = "none",		  [OUTAGE_FLAPS] = "flaps",
	[OUTAGE_SVLAN] = "svlan",	  [OUTAGE_POWER] = "power",
	[OUTAGE_CARD] = "card",		  [OUTAGE_UPLINK] = "uplink",
	[OUTAGE_BLACKHOLE] = "blackhole", [OUTAGE_DNS] = "dns",
	[OUTAGE_SERVFAIL] = "servfail",	  [OUTAGE_RADIUS] = "radius",
	[OUTAGE_REJECT] = "reject",	  [OUTAGE_BRAS] = "bras",
	[OUTAGE_HANG] = "hang",		  [OUTAGE_BLIND] = "blind",
	[OUTAGE_UPSTREAM] = "upstream",
};

enum outage_kind outage_of(const char *name)
{
	enum outage_kind kind = OUTAGE_NONE;

	while (kind < OUTAGE_COUNT && strcmp(names[kind], name) != 0)
		kind++;
	return kind;
}

const char *outage_name(enum outage_kind kind)
{
	return names[kind];
}
