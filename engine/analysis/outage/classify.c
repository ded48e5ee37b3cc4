/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/classify.h"

#include <string.h>

#include "engine/analysis/outage/watch.h"
#include "engine/base/calendar.h"

#define POWER_SHARE 0.6 /* of the lines: their modems lost power */
#define WHOLE_SHARE 0.8 /* of a group: it is down as a whole */

enum { CRITICAL_LINES = 5000, MAJOR_LINES = 200, MINOR_LINES = 10 };

static const struct class_row rows[] = {
	[CLASS_UNSPECIFIED] = {CATEGORY_NONE_FOUND, ALARM_OTHER, 0, "examine"},
	[CLASS_AREA_POWER] = {CATEGORY_PREMISES, ALARM_ENVIRONMENTAL, 106,
			      "inform callers of the power cut; no dispatch"},
	[CLASS_CPE_FIRMWARE] = {CATEGORY_PREMISES, ALARM_EQUIPMENT, 69,
				"check the management server and the vendor of these modems"},
	[CLASS_CARD_FAILURE] = {CATEGORY_ACCESS_INFRA, ALARM_EQUIPMENT, 55,
				"reset or replace the line card"},
	[CLASS_PORT_FAULT] = {CATEGORY_ACCESS_INFRA, ALARM_EQUIPMENT, 69,
			      "check the port, its optics and its splitter"},
	[CLASS_CABLE_CUT] = {CATEGORY_ACCESS_INFRA, ALARM_COMMUNICATIONS, 8,
			     "report the cable or cabinet to the telecom company"},
	[CLASS_MDF] = {CATEGORY_EXCHANGE_TRANSPORT, ALARM_COMMUNICATIONS, 8,
		       "report the distribution frame or cable to the telecom company"},
	[CLASS_NODE_OR_UPLINK] = {CATEGORY_EXCHANGE_TRANSPORT, ALARM_COMMUNICATIONS, 10,
				  "check the power and the uplink of the access node"},
	[CLASS_TRANSMISSION] = {CATEGORY_EXCHANGE_TRANSPORT, ALARM_COMMUNICATIONS, 505,
				"call the transmission team; check the power of the exchange"},
	[CLASS_BRAS] = {CATEGORY_ISP_CORE_UPSTREAM, ALARM_EQUIPMENT, 59,
			"call the core NOC: the BRAS"},
	[CLASS_BRAS_PORT] = {CATEGORY_ISP_CORE_UPSTREAM, ALARM_EQUIPMENT, 505,
			     "call the core NOC: the port or card of the BRAS"},
	[CLASS_AAA] = {CATEGORY_ISP_CORE_UPSTREAM, ALARM_COMMUNICATIONS, 22,
		       "call the core NOC: the RADIUS server"},
	[CLASS_POOL] = {CATEGORY_ISP_CORE_UPSTREAM, ALARM_PROCESSING_ERROR, 165,
			"call the core NOC: the address pool"},
	[CLASS_DNS] = {CATEGORY_ISP_CORE_UPSTREAM, ALARM_COMMUNICATIONS, 26,
		       "call the core NOC: the DNS resolver"},
	[CLASS_UPSTREAM] = {CATEGORY_ISP_CORE_UPSTREAM, ALARM_COMMUNICATIONS, 26,
			    "call the core NOC: the uplink of the BRAS or the upstream"},
	[CLASS_CONGESTION] = {CATEGORY_EXCHANGE_TRANSPORT, ALARM_QUALITY_OF_SERVICE, 202,
			      "check the load of the link"},
	[CLASS_DEGRADATION] = {CATEGORY_EXCHANGE_TRANSPORT, ALARM_QUALITY_OF_SERVICE, 204,
			       "check errors and load of the link"},
	[CLASS_FLAP_STORM] = {CATEGORY_ACCESS_INFRA, ALARM_COMMUNICATIONS, 3,
			      "check the signal of the lines"},
	[CLASS_SHARED_RISK] = {CATEGORY_ACCESS_INFRA, ALARM_COMMUNICATIONS, 505,
			       "check what these lines share"},
	[CLASS_CALLS] = {CATEGORY_NONE_FOUND, ALARM_QUALITY_OF_SERVICE, 532,
			 "ask the callers; look where rasad does not see"},
};

const struct class_row *class_row(enum incident_class class)
{
	return &rows[class];
}

static const enum incident_class class_of_kind[] = {
	[KIND_NETWORK] = CLASS_BRAS,	    [KIND_EXCHANGE] = CLASS_TRANSMISSION,
	[KIND_NODE] = CLASS_NODE_OR_UPLINK, [KIND_CARD] = CLASS_CARD_FAILURE,
	[KIND_PORT] = CLASS_PORT_FAULT,	    [KIND_SVLAN] = CLASS_TRANSMISSION,
	[KIND_BRAS] = CLASS_BRAS,	    [KIND_BRAS_PORT] = CLASS_BRAS_PORT,
	[KIND_CABINET] = CLASS_CABLE_CUT,   [KIND_FEEDER] = CLASS_AREA_POWER,
	[KIND_POOL] = CLASS_POOL,	    [KIND_RESOLVER] = CLASS_DNS,
	[KIND_VENDOR] = CLASS_CPE_FIRMWARE,
};

/* A column of the books by the words of the trade. */
static enum incident_class class_of_column(const char *column)
{
	if (strstr(column, "mdf"))
		return CLASS_MDF;
	if (strstr(column, "cable") || strstr(column, "post") || strstr(column, "splitter"))
		return CLASS_CABLE_CUT;
	if (strstr(column, "power"))
		return CLASS_AREA_POWER;
	if (strstr(column, "radius"))
		return CLASS_AAA;
	if (strstr(column, "vendor") || strstr(column, "firmware") || strstr(column, "model"))
		return CLASS_CPE_FIRMWARE;
	return CLASS_SHARED_RISK;
}

/* Of the drops that are certain; a silence has no cause yet. */
static double power_share(const struct incident *i, bool whole_bras)
{
	uint32_t power = 0;
	for (uint32_t m = 0; m < i->n_members; m++)
		power += i->members[m].cause == CAUSE_CPE_POWER ||
			 (i->members[m].redialled && !whole_bras);
	return i->confirmed ? (double)power / i->confirmed : 0;
}

/* What stopped the set-ups, by most of them. */
static enum incident_class class_of_setup(const struct incident *i, uint16_t kind)
{
	uint32_t auth = 0, address = 0, bras = 0;
	for (uint32_t m = 0; m < i->n_members; m++) {
		enum setup_stage stage = (enum setup_stage)i->members[m].stage;
		bool resource = i->members[m].cause == CAUSE_RESOURCE;
		auth += stage == STAGE_AUTH_SILENT || stage == STAGE_AUTH_REJECT ||
			(stage == STAGE_NONE && i->members[m].cause == CAUSE_AUTH_FAIL);
		address += stage == STAGE_NCP || (stage == STAGE_NONE && resource);
		bras += stage == STAGE_PADI_NO_PADO || stage == STAGE_PADR_NO_PADS;
	}
	if (kind == KIND_POOL || (address >= auth && address >= bras && address))
		return CLASS_POOL;
	if (auth >= bras)
		return CLASS_AAA;
	return class_of_kind[kind < KIND_COLUMN ? kind : KIND_NETWORK];
}

static enum incident_class class_of(const struct outage *o, const struct incident *i)
{
	uint32_t group = classify_group(o, i);
	uint16_t kind = o->groups.at[group].kind;
	bool whole_bras = kind == KIND_BRAS || kind == KIND_NETWORK || kind == KIND_BRAS_PORT;
	if (i->channel == CHANNEL_DNS)
		return CLASS_DNS;
	if (i->channel == CHANNEL_INTERNET)
		return CLASS_UPSTREAM;
	if (i->channel == CHANNEL_SETUP)
		return class_of_setup(i, kind);
	if (power_share(i, whole_bras) >= POWER_SHARE)
		return CLASS_AREA_POWER;
	if (kind >= KIND_COLUMN)
		return class_of_column(groups_name(&o->groups, group).type);
	return class_of_kind[kind];
}

static bool is_planned(const struct outage *o, const struct incident *i, uint32_t group)
{
	struct report_group name = groups_name(&o->groups, group);
	for (uint32_t p = 0; p < o->options.n_plans; p++) {
		const struct calendar_plan *plan = &o->options.plans[p];
		if (i->onset_ns + UINT64_C(60000000000) >= plan->from_ns &&
		    i->onset_ns <= plan->to_ns && strcmp(plan->group_type, name.type) == 0 &&
		    strcmp(plan->group, name.name) == 0)
			return true;
	}
	return false;
}

static enum severity severity_of(const struct outage *o, const struct incident *i, uint32_t group)
{
	const struct group *g = &o->groups.at[group];
	bool whole = i->peak >= WHOLE_SHARE * g->members;
	uint16_t kind = g->kind;
	if (i->planned)
		return SEVERITY_WARNING;
	if (i->peak >= CRITICAL_LINES || (whole && (kind <= KIND_EXCHANGE || kind == KIND_BRAS)))
		return SEVERITY_CRITICAL;
	if (i->peak >= MAJOR_LINES || (whole && kind == KIND_NODE))
		return SEVERITY_MAJOR;
	if (i->peak >= MINOR_LINES || whole)
		return SEVERITY_MINOR;
	return SEVERITY_WARNING;
}

void classify(const struct outage *o, struct incident *i)
{
	uint32_t group = classify_group(o, i), equal[PLACE_RISKS_MAX], n;
	i->class = class_of(o, i);
	i->planned = is_planned(o, i, group);
	n = classify_equivalents(o, i, group, equal, PLACE_RISKS_MAX);
	for (uint32_t e = 0; e < n; e++)
		i->planned |= is_planned(o, i, equal[e]);
	i->severity = severity_of(o, i, group);
}

/* The groups of one of its lines: those with the same lines as its group are among them. */
static uint32_t groups_of_member(const struct outage *o, const struct incident *i,
				 uint32_t groups[WATCH_GROUPS_MAX])
{
	return i->n_members ? watch_groups(o, &o->lines[i->members[0].line], groups) : 0;
}

static uint32_t rank(const struct outage *o, const struct incident *i, uint32_t group)
{
	uint16_t kind = o->groups.at[group].kind;
	if (i->channel == CHANNEL_DNS && kind == KIND_RESOLVER)
		return 0;
	if (i->channel != CHANNEL_DROP && kind == KIND_BRAS)
		return 1;
	return kind_of(kind)->rank + 2u;
}

uint32_t classify_group(const struct outage *o, const struct incident *i)
{
	uint32_t groups[WATCH_GROUPS_MAX], n = groups_of_member(o, i, groups), best = i->group;
	for (uint32_t g = 0; g < n; g++)
		if (groups_equal(&o->groups, groups[g], i->group) &&
		    rank(o, i, groups[g]) < rank(o, i, best))
			best = groups[g];
	return best;
}

uint32_t classify_equivalents(const struct outage *o, const struct incident *i, uint32_t group,
			      uint32_t *equal, uint32_t room)
{
	uint32_t groups[WATCH_GROUPS_MAX], n = groups_of_member(o, i, groups), found = 0;
	for (uint32_t g = 0; g < n && found < room; g++)
		if (groups[g] != group && groups_equal(&o->groups, groups[g], group))
			equal[found++] = groups[g];
	return found;
}
