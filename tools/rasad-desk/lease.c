/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rasad-desk/lease.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/publish/redis.h"
#include "tools/lib/call_keys.h"
#include "tools/rasad-desk/links.h"
#include "tools/rasad-desk/store.h"

#define LEASE_MS   "5000"
#define LEASE_MS_N 5000
#define MARGIN_MS  500 /* we stop to lead before others may begin */

/*
 * KEYS: lease, newest token. ARGV: desk, life, our value ("" none), the least that a new token may
 * be (the time: a server that lost its last second must not give a token again). Returns our value,
 * or nil: somebody else leads.
 */
static const char keep_script[] =
	"local there = redis.call('GET', KEYS[1])\n"
	"if there and there ~= ARGV[3] then return false end\n"
	"if there then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return there end\n"
	"local token = math.max((tonumber(redis.call('GET', KEYS[2])) or 0) + 1, tonumber(ARGV[4]))\n"
	"token = string.format('%.0f', token)\n"
	"redis.call('SET', KEYS[2], token)\n"
	"local value = token .. ':' .. ARGV[1]\n"
	"redis.call('SET', KEYS[1], value, 'PX', ARGV[2])\n"
	"return value\n";

static const char drop_script[] =
	"if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end\n";

int lease_keep(struct lease *lease, struct redis *redis)
{
	int64_t now_ms = desk_now_ms();
	char least[24];
	struct redis_reply *reply;

	if (now_ms < lease->renew_ms)
		return 0;
	snprintf(least, sizeof(least), "%lld", (long long)(desk_unix_ns() / 1000000));
	int status = redis_ask(redis, &reply,
			       (const char *[]){"EVAL", keep_script, "2", LEASE_KEY, LEASE_TOKEN,
						lease->desk, LEASE_MS, lease->value, least, NULL});
	if (!status && redis_type(reply) == REDIS_REFUSED)
		status = -EPROTO;
	snprintf(lease->value, sizeof(lease->value), "%s", status ? "" : redis_text(reply, NULL));
	lease->token = strtoull(lease->value, NULL, 10);
	lease->ends_ms = *lease->value ? now_ms + LEASE_MS_N - MARGIN_MS : 0;
	lease->renew_ms = now_ms + LEASE_RENEW_MS / 2 + (int64_t)desk_random(LEASE_RENEW_MS / 2);
	redis_reply_free(reply);
	return status;
}

bool lease_is_ours(const struct lease *lease)
{
	return *lease->value && desk_now_ms() < lease->ends_ms;
}

void lease_drop(struct lease *lease, struct redis *redis)
{
	if (*lease->value && redis)
		store_do(redis,
			 (const char *[]){"EVAL", drop_script, "1", LEASE_KEY, lease->value, NULL});
	*lease = (struct lease){.desk = lease->desk};
}
