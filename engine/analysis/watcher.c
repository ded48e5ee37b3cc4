/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/watcher.h"

#include <stdio.h>
#include <string.h>

enum { OUI_TEXT = 8 }; /* "02:5a:00" */

void watcher_place(struct outage *outage, uint32_t number, const struct subject *s)
{
	char node[CONTROL_NAME_MAX] = "", vendor[OUI_TEXT + 1], pool[20];
	const struct subject_position at = subject_position(s);
	struct outage_place place = {
		.line = subject_name(s),
		.node = node,
		.card = at.card,
		.port = at.port,
		.pool = pool,
		.resolver = s->reach.resolver[0].address,
		.cpe_vendor = vendor,
		.bras = s->ac_mac_text,
		.svlan = s->svlan,
	};
	subject_node(s, node, sizeof node);
	subject_pool(s, pool);
	snprintf(vendor, sizeof vendor, "%.*s", OUI_TEXT, s->cpe_mac_text);
	outage_line(outage, number, &place);
}

static void tell(struct outage *outage, uint32_t number, enum symptom_channel channel,
		 enum symptom_state state, const struct session_news *news, uint64_t now_ns)
{
	const struct symptom symptom = {
		.line = number,
		.channel = channel,
		.state = state,
		.at_ns = now_ns,
		.since_ns = channel == CHANNEL_SETUP ? news->began_ns : news->down_since_ns,
		.cause = news->cause,
		.stage = news->stage,
		.redialled = news->redialled,
	};
	outage_take(outage, &symptom);
}

void watcher_news(struct outage *outage, uint32_t number, const struct session_news *news,
		  uint64_t now_ns)
{
	switch (news->kind) {
	case SESSION_UP:
		tell(outage, number, CHANNEL_SETUP, SYMPTOM_GOOD, news, now_ns);
		tell(outage, number, CHANNEL_DROP, SYMPTOM_GOOD, news, now_ns);
		break;
	case SESSION_RECOVERED:
		tell(outage, number, CHANNEL_DROP, SYMPTOM_GOOD, news, now_ns);
		break;
	case SESSION_SUSPECT:
		tell(outage, number, CHANNEL_DROP, SYMPTOM_SUSPECT, news, now_ns);
		break;
	case SESSION_DOWN:
		tell(outage, number, CHANNEL_DROP, SYMPTOM_BAD, news, now_ns);
		break;
	case SESSION_SETUP_FAILED:
		tell(outage, number, CHANNEL_SETUP, SYMPTOM_BAD, news, now_ns);
		break;
	}
}
