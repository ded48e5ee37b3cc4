/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/packet/line.h"

#include <string.h>

/* A line may have had several CPEs in its time. */
enum { LINE_KEYS_PER_LINE = 4 };

void line_table_init(struct line_table *t, uint32_t limit)
{
	*t = (struct line_table){0};
	pool_init(&t->lines, sizeof(struct line), limit);
}

void line_table_fini(struct line_table *t)
{
	pool_fini(&t->lines);
	map_fini(&t->keys);
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

/* How the packet names its line; fills the parts of *line that follow from it. */
static uint64_t identify(const struct pkt *p, const struct pkt_extra *x, bool sub_is_src,
			 struct line *line)
{
	const uint8_t *address = sub_is_src ? x->src : x->dst;
	uint64_t svlan = x->svlan;
	line->svlan = x->svlan;
	line->cvlan = x->cvlan;
	if (p->flags & PKT_TWO_TAGS) {
		line->by = LINE_BY_VLANS;
		return key_of(LINE_BY_VLANS, svlan << 12 | x->cvlan);
	}
	if (p->flags & PKT_PPPOE) {
		if (p->dir != DIR_UNKNOWN) {
			line->by = LINE_BY_MAC;
			return key_of(LINE_BY_MAC, svlan << 48 | mac_value(p->cpe_mac));
		}
		line->by = LINE_BY_SESSION;
		return key_of(LINE_BY_SESSION,
			      svlan << 32 | (uint32_t)p->session_id << 16 | x->wire_pair);
	}
	if (!(p->flags & PKT_IP)) {
		line->by = LINE_BY_LINK;
		return key_of(LINE_BY_LINK, svlan + 1);
	}
	if (p->flags & PKT_IPV6) {
		line->by = LINE_BY_IPV6;
		memcpy(line->address, address, 16);
		return key_of(LINE_BY_IPV6, address6_value(address) ^ svlan);
	}
	line->by = LINE_BY_IPV4;
	memcpy(line->address, address, 4);
	return key_of(LINE_BY_IPV4, svlan << 32 | (uint64_t)address[0] << 24 |
					    (uint64_t)address[1] << 16 | (uint64_t)address[2] << 8 |
					    address[3]);
}

/* Nobody lives at the unspecified, a multicast or the broadcast address. */
static bool names_a_line(const struct line *line)
{
	static const uint8_t nobody[16];
	const uint8_t *a = line->address;
	if (line->by == LINE_BY_IPV4)
		return a[0] != 0 && a[0] < 224;
	return line->by != LINE_BY_IPV6 || (a[0] != 0xff && memcmp(a, nobody, 16) != 0);
}

uint32_t line_of(struct line_table *t, const struct pkt *p, const struct pkt_extra *x,
		 bool sub_is_src)
{
	struct line fresh = {0};
	uint32_t *found, index;
	fresh.key = identify(p, x, sub_is_src, &fresh);
	found = map_find(&t->keys, fresh.key);
	if (found)
		return *found;
	if (!names_a_line(&fresh))
		return 0;
	index = pool_take(&t->lines);
	if (index && !map_put(&t->keys, fresh.key, index)) {
		pool_give(&t->lines, index);
		index = 0;
	}
	if (!index) {
		t->refused++;
		return 0;
	}
	memcpy(fresh.cpe_mac, p->dir == DIR_UNKNOWN ? (const uint8_t[6]){0} : p->cpe_mac, 6);
	*line_at(t, index) = fresh;
	return index;
}

void line_bind(struct line_table *t, const struct pkt *p, const struct pkt_extra *x, uint32_t line)
{
	struct line ignored = {0};
	uint64_t key = identify(p, x, true, &ignored);
	if (t->keys.used < LINE_KEYS_PER_LINE * (uint64_t)t->lines.limit || map_find(&t->keys, key))
		map_put(&t->keys, key, line);
	else
		t->refused++;
}
