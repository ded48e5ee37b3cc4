/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

enum { VLANS = 4096 };

static size_t rows(const struct line_table *t)
{
	return (size_t)t->limit + 1; /* number 0 is no line */
}

int line_table_init(struct line_table *t, uint32_t limit)
{
	uint32_t few = limit / 4 < LINE_PROVISIONAL ? limit / 4 + 1 : LINE_PROVISIONAL;
	*t = (struct line_table){.limit = limit, .provisional_room = few};
	t->pulses = mem_reserve(rows(t) * sizeof *t->pulses);
	t->lines = mem_reserve(rows(t) * sizeof *t->lines);
	t->vlans = calloc(VLANS, sizeof *t->vlans);
	t->provisional = mem_reserve(few * sizeof *t->provisional);
	return t->pulses && t->lines && t->vlans && t->provisional ? 0 : -ENOMEM;
}

void line_table_fini(struct line_table *t)
{
	mem_release(t->pulses, rows(t) * sizeof *t->pulses);
	mem_release(t->lines, rows(t) * sizeof *t->lines);
	mem_release(t->provisional, t->provisional_room * sizeof *t->provisional);
	for (int i = 0; t->vlans && i < VLANS; i++)
		free(t->vlans[i]);
	free(t->vlans);
	map_fini(&t->keys);
	*t = (struct line_table){0};
}

static uint64_t key_of(uint64_t by, uint64_t value)
{
	return by << 60 | (value & 0x0fffffffffffffffull);
}

static uint64_t mac_value(const uint8_t mac[6])
{
	uint64_t v = 0;
	for (int i = 0; i < 6; i++)
		v = v << 8 | mac[i];
	return v;
}

static uint64_t address6_value(const uint8_t a[16])
{
	uint64_t hi, lo;
	memcpy(&hi, a, 8);
	memcpy(&lo, a + 8, 8);
	return map_hash(map_hash(hi) + lo);
}

static uint64_t by(struct line_identity *id, enum line_by how, uint64_t value)
{
	id->by = (uint8_t)how;
	return key_of(how, value);
}

/* How the packet names its line; fills in what follows from it. */
static void identify(const struct pkt *p, const struct pkt_extra *x, bool sub_is_src,
		     struct line_identity *id)
{
	const uint8_t *address = sub_is_src ? x->src : x->dst;
	uint64_t svlan = x->svlan;
	*id = (struct line_identity){.svlan = x->svlan, .cvlan = x->cvlan};
	if (p->dir != DIR_UNKNOWN)
		memcpy(id->cpe_mac, p->cpe_mac, 6);
	if (p->flags & PKT_TWO_TAGS) {
		id->key = by(id, LINE_BY_VLANS, svlan << 12 | x->cvlan);
	} else if (p->flags & PKT_PPPOE && p->dir != DIR_UNKNOWN) {
		id->key = by(id, LINE_BY_MAC, svlan << 48 | mac_value(p->cpe_mac));
	} else if (p->flags & PKT_PPPOE) {
		id->key = by(id, LINE_BY_SESSION,
			     svlan << 32 | (uint32_t)p->session_id << 16 | x->wire_pair);
	} else if (!(p->flags & PKT_IP)) {
		id->key = by(id, LINE_BY_LINK, svlan + 1);
	} else if (p->flags & PKT_IPV6) {
		memcpy(id->address, address, 16);
		id->key = by(id, LINE_BY_IPV6, address6_value(address) ^ svlan);
	} else {
		memcpy(id->address, address, 4);
		id->key = by(id, LINE_BY_IPV4,
			     svlan << 32 | (uint64_t)address[0] << 24 | (uint64_t)address[1] << 16 |
				     (uint64_t)address[2] << 8 | address[3]);
	}
}

/* Nobody lives at the unspecified, a multicast or the broadcast address. */
static bool names_a_line(const struct line_identity *id)
{
	static const uint8_t nobody[16];
	const uint8_t *a = id->address;
	if (id->by == LINE_BY_IPV4)
		return a[0] != 0 && a[0] < 224;
	return id->by != LINE_BY_IPV6 || (a[0] != 0xff && memcmp(a, nobody, 16) != 0);
}

/* Where the number of a line with two tags stands; NULL without memory. */
static uint32_t *vlan_slot(struct line_table *t, const struct line_identity *id)
{
	uint32_t **block = &t->vlans[id->svlan & (VLANS - 1)];
	if (!*block)
		*block = calloc(VLANS, sizeof **block);
	return *block ? &(*block)[id->cvlan & (VLANS - 1)] : NULL;
}

static bool enter(struct line_table *t, const struct line_identity *id, uint32_t line)
{
	uint32_t *slot;
	if (id->by != LINE_BY_VLANS)
		return map_put(&t->keys, id->key, line);
	slot = vlan_slot(t, id);
	if (slot)
		*slot = line;
	return slot;
}

static uint32_t find(const struct line_table *t, const struct pkt *p,
		     const struct line_identity *id)
{
	const uint32_t *found;
	if (id->by == LINE_BY_VLANS)
		return line_by_vlans(t, p);
	found = map_find(&t->keys, id->key);
	return found ? *found : 0;
}

/* A MAC that a circuit-id has joined to another line since is that one's. */
static void forget_key(struct line_table *t, uint32_t line)
{
	const uint32_t *found = map_find(&t->keys, line_at(t, line)->key);
	if (found && *found == line)
		map_remove(&t->keys, line_at(t, line)->key);
}

/* The oldest line that is still provisional leaves; 0: none is. */
static uint32_t recycle(struct line_table *t)
{
	while (t->n_provisional) {
		uint32_t at = (t->provisional_at + t->provisional_room - t->n_provisional) %
			      t->provisional_room;
		uint32_t line = t->provisional[at];
		t->n_provisional--;
		if (!line_at(t, line)->provisional)
			continue;
		forget_key(t, line);
		t->recycled++;
		if (t->tell)
			t->tell(t->context, line, NULL);
		return line;
	}
	return 0;
}

static bool is_discovery(const struct pkt *p, const struct line_identity *id)
{
	return p->kind == KIND_PPPOE && id->by == LINE_BY_MAC;
}

static uint32_t take_number(struct line_table *t, bool provisional)
{
	uint32_t line = 0;
	if (provisional && t->n_provisional == t->provisional_room)
		line = recycle(t);
	if (!line && t->n < t->limit)
		return ++t->n;
	return line ? line : recycle(t);
}

static void note_provisional(struct line_table *t, uint32_t line)
{
	t->provisional[t->provisional_at] = line;
	t->provisional_at = (t->provisional_at + 1) % t->provisional_room;
	t->n_provisional += t->n_provisional < t->provisional_room;
}

static uint32_t new_line(struct line_table *t, const struct line_identity *id, bool provisional)
{
	uint32_t line = take_number(t, provisional);
	if (!line || !enter(t, id, line)) {
		t->refused++; /* without memory for its key its number stays unused */
		return 0;
	}
	*line_at(t, line) = (struct line){
		.key = id->key,
		.by = id->by,
		.provisional = provisional,
	};
	if (provisional)
		note_provisional(t, line);
	if (t->tell)
		t->tell(t->context, line, id);
	return line;
}

uint32_t line_of(struct line_table *t, const struct pkt *p, const struct pkt_extra *x,
		 bool sub_is_src)
{
	struct line_identity id;
	uint32_t line = line_by_vlans(t, p);
	if (line)
		return line;
	identify(p, x, sub_is_src, &id);
	line = find(t, p, &id);
	if (line && !is_discovery(p, &id))
		line_established(t, line);
	if (line || !names_a_line(&id))
		return line;
	return new_line(t, &id, is_discovery(p, &id));
}

void line_bind(struct line_table *t, const struct pkt *p, const struct pkt_extra *x, uint32_t line)
{
	struct line_identity id;
	const uint32_t *known;
	identify(p, x, true, &id);
	known = map_find(&t->keys, id.key);
	if (known && *known == line)
		return;
	if (line_at(t, line)->n_bound == LINE_MAX_BOUND) {
		t->bound_refused++;
		return;
	}
	if (map_put(&t->keys, id.key, line))
		line_at(t, line)->n_bound++;
	line_established(t, line);
}

void line_established(struct line_table *t, uint32_t line)
{
	line_at(t, line)->provisional = false;
}
