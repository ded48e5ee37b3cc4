/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/transaction.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/base/map.h"
#include "engine/packet/shard.h"

#define YOUNG_NS       5000000000ull
#define MIRROR_COPY_NS 2000000ull /* the same question so soon: a mirror port's copy */
#define OLD_NS	       30000000000ull

enum { SLOTS = 1 << 15, SHARD_SLOTS = SLOTS / SHARDS, DNS_RESPONSE = 0x8000 };

struct transaction {
	uint64_t key, ts_ns; /* key 0: free */
	bool repeated;
};

int transaction_init(struct transaction_table *t)
{
	*t = (struct transaction_table){.slots = calloc(SLOTS, sizeof *t->slots)};
	return t->slots ? 0 : -ENOMEM;
}

void transaction_fini(struct transaction_table *t)
{
	free(t->slots);
	*t = (struct transaction_table){0};
}

static bool is_echo(const struct pkt *p, bool request)
{
	uint32_t type = p->ack >> 8;
	if (p->flags & PKT_IPV6)
		return type == (request ? 128u : 129u);
	return type == (request ? 8u : 0u);
}

bool transaction_is_question(const struct pkt *p)
{
	return p->kind == KIND_DNS ? !(p->ack & DNS_RESPONSE) : is_echo(p, true);
}

static uint64_t key_of(const struct pkt *p)
{
	uint64_t h = map_hash((uint64_t)p->key[1] << 32 | p->key[0]);
	h = map_hash(h ^ ((uint64_t)p->key[3] << 32 | p->key[2]));
	return map_hash(h ^ p->seq) | 1;
}

static void ask(struct transaction_table *t, struct transaction *s, uint64_t key, uint64_t now)
{
	if (s->key == key && now - s->ts_ns < OLD_NS) {
		s->repeated |= now - s->ts_ns > MIRROR_COPY_NS;
		return;
	}
	if (s->key && s->key != key && now - s->ts_ns < YOUNG_NS)
		t->overwritten++;
	*s = (struct transaction){.key = key, .ts_ns = now};
}

enum transaction_result transaction_packet(struct transaction_table *t, const struct pkt *p,
					   uint64_t *ns)
{
	uint64_t key = key_of(p);
	struct transaction *s =
		&t->slots[shard_of(p) * SHARD_SLOTS + (key >> 32 & (SHARD_SLOTS - 1))];
	bool timed;
	if (transaction_is_question(p)) {
		ask(t, s, key, p->ts_ns);
		return TRANSACTION_NONE;
	}
	if (s->key != key || (p->kind == KIND_ICMP && !is_echo(p, false)))
		return TRANSACTION_NONE;
	timed = !s->repeated && p->ts_ns >= s->ts_ns && p->ts_ns - s->ts_ns < OLD_NS;
	*ns = p->ts_ns - s->ts_ns;
	*s = (struct transaction){0};
	return timed ? TRANSACTION_TIMED : TRANSACTION_NONE;
}
