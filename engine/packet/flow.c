/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/fetch.h"
#include "engine/base/mem.h"

/* Up to 80 % of the slots are used: then one group in eleven has more flows than places, and one flow in
 * eighty lives next door. */
enum { FIRST_GROUPS = 16, LOAD_PERCENT = 80, GROWTH_PERCENT = 150 };

enum { VICTIMS = 4 }; /* flows that are looked at for one that goes */

static uint32_t groups_for(uint64_t flows)
{
	return (uint32_t)(flows * 100 / LOAD_PERCENT / FLOW_GROUP + 1);
}

int flow_table_init(struct flow_table *t, uint32_t limit, bool full, uint64_t seed)
{
	uint32_t most = groups_for(limit);
	*t = (struct flow_table){.limit = limit, .max_groups = most, .seed = seed};
	t->n_groups = full || most < FIRST_GROUPS ? most : FIRST_GROUPS;
	t->simd = tags_have_simd();
	t->groups = mem_reserve((size_t)most * sizeof *t->groups);
	t->records = mem_reserve((size_t)most * FLOW_GROUP * sizeof *t->records);
	return t->groups && t->records ? 0 : -ENOMEM;
}

void flow_table_fini(struct flow_table *t)
{
	mem_release(t->groups, (size_t)t->max_groups * sizeof *t->groups);
	mem_release(t->records, (size_t)t->max_groups * FLOW_GROUP * sizeof *t->records);
	*t = (struct flow_table){0};
}

static inline uint64_t match(const struct flow_table *t, const struct flow_group *g, uint16_t tag)
{
	return tags_match(g, tag, t->simd);
}

static inline int32_t slot_of(uint32_t group, uint64_t bits)
{
	return (int32_t)(group * FLOW_GROUP + tags_first(bits));
}

int32_t flow_find(const struct flow_table *t, const uint32_t key[4], uint32_t hash)
{
	uint32_t group = flow_home(t, hash);
	for (uint32_t n = 0; n < t->n_groups; n++, group = flow_next_group(t, group)) {
		const struct flow_group *g = &t->groups[group];
		for (uint64_t bits = match(t, g, tags_of(hash)); bits;
		     bits = tags_but_first(bits)) {
			int32_t slot = slot_of(group, bits);
			if (memcmp(flow_at(t, slot)->key, key, 16) == 0)
				return slot;
		}
		if (!g->overflow)
			break;
	}
	return FLOW_NONE;
}

/* A free slot as near to home as can be; the groups passed by count the flow. */
static int32_t take_slot(struct flow_table *t, uint32_t hash)
{
	for (uint32_t group = flow_home(t, hash);; group = flow_next_group(t, group)) {
		struct flow_group *g = &t->groups[group];
		uint64_t bits = match(t, g, 0);
		if (bits) {
			g->tag[tags_first(bits)] = tags_of(hash);
			t->used++;
			return slot_of(group, bits);
		}
		g->overflow++;
	}
}

static void put_back(struct flow_table *t, const struct flow *f)
{
	*flow_at(t, take_slot(t, flow_hash(f->key, t->seed))) = *f;
}

/* The record is free. It keeps no key: a slot that was looked up earlier in the burst must not pass
 * for the flow that has left it. */
static void clear_key(struct flow *f)
{
	memset(f->key, 0, sizeof f->key);
}

/* Takes all flows of a group out of it; returns how many. */
static uint32_t empty_group(struct flow_table *t, uint32_t group, struct flow out[FLOW_GROUP])
{
	struct flow_group *g = &t->groups[group];
	uint32_t n = 0;
	for (uint32_t i = 0; i < FLOW_GROUP; i++)
		if (g->tag[i]) {
			struct flow *f = flow_at(t, (int32_t)(group * FLOW_GROUP + i));
			out[n++] = *f;
			clear_key(f);
		}
	memset(g, 0, sizeof *g);
	return n;
}

/* The flow finds a place in `from` or above, without going round the end of the table. */
static bool fits_above(const struct flow_table *t, const struct flow *f, uint32_t from)
{
	uint32_t group = flow_home(t, flow_hash(f->key, t->seed));
	if (group < from)
		return false;
	while (group < t->n_groups && !match(t, &t->groups[group], 0))
		group++;
	return group < t->n_groups;
}

/*
 * From the top down: a flow's new home is never below its old one, so all but a few that had
 * overflowed find theirs already emptied. Those few wait until the end, and so do those that would
 * go round the end, to groups that are still to be emptied.
 */
static bool grow(struct flow_table *t)
{
	uint32_t old = t->n_groups, n_waiting = 0, room = 64;
	uint64_t bigger = (uint64_t)old * GROWTH_PERCENT / 100;
	struct flow out[FLOW_GROUP], *waiting = malloc(room * sizeof *waiting);
	if (!waiting)
		return false;
	t->n_groups = bigger < t->max_groups ? (uint32_t)bigger : t->max_groups;
	t->used = 0;
	for (uint32_t group = old; group-- > 0;) {
		uint32_t n = empty_group(t, group, out);
		for (uint32_t i = 0; i < n; i++) {
			if (fits_above(t, &out[i], group)) {
				put_back(t, &out[i]);
				continue;
			}
			if (n_waiting == room) {
				struct flow *more = realloc(waiting, 2 * room * sizeof *more);
				if (!more) /* this flow is lost: it begins anew */
					continue;
				waiting = more;
				room *= 2;
			}
			waiting[n_waiting++] = out[i];
		}
	}
	while (n_waiting)
		put_back(t, &waiting[--n_waiting]);
	free(waiting);
	return true;
}

static bool has_room(struct flow_table *t)
{
	uint64_t slots = (uint64_t)t->n_groups * FLOW_GROUP;
	if (t->used >= t->limit)
		return false;
	return (t->used + 1) * 100ull <= slots * LOAD_PERCENT || t->n_groups == t->max_groups ||
	       grow(t);
}

static int32_t begin(struct flow_table *t, int32_t slot, const uint32_t key[4])
{
	struct flow *f = flow_at(t, slot);
	*f = (struct flow){0};
	memcpy(f->key, key, sizeof f->key);
	t->created++;
	return slot;
}

int32_t flow_create(struct flow_table *t, const uint32_t key[4], uint32_t hash)
{
	return has_room(t) ? begin(t, take_slot(t, hash), key) : FLOW_NONE;
}

int32_t flow_replace(struct flow_table *t, int32_t slot, const uint32_t key[4], uint32_t hash)
{
	uint32_t group = (uint32_t)slot / FLOW_GROUP;
	flow_remove(t, slot);
	if (group != flow_home(t, hash))
		return begin(t, take_slot(t, hash), key);
	t->groups[group].tag[(uint32_t)slot % FLOW_GROUP] = tags_of(hash);
	t->used++;
	return begin(t, slot, key);
}

static bool goes_before(const struct flow *a, const struct flow *b, uint32_t now)
{
	if (a->answered != b->answered)
		return !a->answered;
	return now - a->last > now - b->last;
}

int32_t flow_victim(const struct flow_table *t, uint32_t hash, uint32_t now)
{
	uint32_t group = flow_home(t, hash);
	uint64_t left = flow_candidates(&t->groups[group], hash, t->simd);
	int32_t victim = FLOW_NONE;
	for (uint32_t n = 1; !left && n < t->n_groups; n++) {
		group = flow_next_group(t, group);
		left = flow_candidates(&t->groups[group], hash, t->simd);
	}
	for (int i = 0; i < VICTIMS && left; i++, left = tags_but_first(left)) {
		int32_t slot = (int32_t)(group * FLOW_GROUP + flow_candidate(left, hash));
		if (victim == FLOW_NONE || goes_before(flow_at(t, slot), flow_at(t, victim), now))
			victim = slot;
		if (!flow_at(t, victim)->answered)
			break;
	}
	return victim;
}

void flow_remove(struct flow_table *t, int32_t slot)
{
	uint32_t home = flow_home(t, flow_hash(flow_at(t, slot)->key, t->seed));
	uint32_t group = (uint32_t)slot / FLOW_GROUP;
	t->groups[group].tag[(uint32_t)slot % FLOW_GROUP] = 0;
	clear_key(flow_at(t, slot));
	t->used--;
	for (uint32_t g = home; g != group; g = flow_next_group(t, g))
		t->groups[g].overflow--;
}

int32_t flow_next(const struct flow_table *t, int32_t slot, int32_t end)
{
	for (; slot < end; slot++)
		if (t->groups[slot / FLOW_GROUP].tag[slot % FLOW_GROUP])
			return slot;
	return FLOW_NONE;
}
