/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/analysis/outage/outage.h"
#include "engine/base/key.h"

enum { PLACE_ALONE = 0x80000000u, NAME_MAX_BYTES = 256, DISTINCT_PER_ROW = 5 };

/* Rows that must agree on the parent of a name before it stands for itself. */
#define UNIQUE_SHARE 0.8

/* Lines of a node that must agree before the others are thought to hang on the same. */
#define INHERITED_SHARE 0.9
#define NOTHING		UINT32_MAX

static const char *const level_names[LEVEL_COUNT] = {"exchange", "node", "card", "port"};
static const uint16_t level_kinds[LEVEL_COUNT] = {KIND_EXCHANGE, KIND_NODE, KIND_CARD, KIND_PORT};

static const struct {
	const char *name;
	uint16_t kind;
} risk_columns[] = {
	{"svlan", KIND_SVLAN},	     {"bras", KIND_BRAS},	  {"bras_port", KIND_BRAS_PORT},
	{"pool", KIND_POOL},	     {"cabinet", KIND_CABINET},	  {"feeder", KIND_FEEDER},
	{"resolver", KIND_RESOLVER}, {"cpe_vendor", KIND_VENDOR},
};
enum { N_RISK_COLUMNS = sizeof risk_columns / sizeof *risk_columns };

/* Of the line alone, or of nothing that can fail. */
static const char *const no_risk[] = {
	"line",	      "subscriber", "phone",	"plan_down_kbps", "plan_up_kbps", "cvlan",
	"circuit_id", "remote_id",  "mac",	"cpe_mac",	  "ip",		  "ipv4",
	"name",	      "address",    "exchange", "node",		  "card",	  "port",
};
enum { N_NO_RISK = sizeof no_risk / sizeof *no_risk };

static const char *cell_of(const struct inventory_row *row, int column)
{
	return row && column >= 0 ? row->cells[column] : "";
}

/* Majority vote (Boyer and Moore) on the cell above, then how many rows agree with it. */
struct vote {
	uint64_t parent;
	uint32_t row, lead, agree, total;
};

static int count_votes(const struct placing *p, int column, int above, struct map *index,
		       struct vote **votes)
{
	size_t rows = inventory_counts(p->inventory).rows;
	uint32_t n = 0, room = 0;
	for (size_t i = 0; i < 2 * rows; i++) {
		const struct inventory_row *row = inventory_at(p->inventory, i % rows);
		const char *cell = cell_of(row, column);
		uint64_t key = key_of(cell), parent = key_of_kind(1, cell_of(row, above));
		uint32_t *found = *cell ? map_find(index, key) : NULL;
		struct vote *v;
		if (!*cell)
			continue;
		if (!found) {
			if (n == room) {
				room = room ? 2 * room : 1024;
				v = realloc(*votes, room * sizeof *v);
				if (!v)
					return -ENOMEM;
				*votes = v;
			}
			(*votes)[n] = (struct vote){.row = (uint32_t)i};
			if (!map_put(index, key, n++))
				return -ENOMEM;
			found = map_find(index, key);
		}
		v = &(*votes)[*found];
		if (i >= rows) {
			v->agree += v->parent == parent;
			v->total++;
		} else if (!v->lead) {
			*v = (struct vote){.parent = parent, .row = (uint32_t)i, .lead = 1};
		} else {
			v->lead += v->parent == parent ? 1 : (uint32_t)-1;
		}
	}
	return (int)n;
}

/* Whether the cells of the level name one thing each; then majority[] leads to a row of theirs. */
static int learn_level(struct placing *p, enum place_level level)
{
	struct vote *votes = NULL;
	uint64_t agree = 0, total = 0;
	int n;
	if (p->level_column[level] < 0)
		return 0;
	if (p->level_column[level - 1] < 0) {
		p->unique[level] = true;
		return 0;
	}
	n = count_votes(p, p->level_column[level], p->level_column[level - 1], &p->majority[level],
			&votes);
	for (int i = 0; i < n; i++) {
		agree += votes[i].agree;
		total += votes[i].total;
	}
	p->unique[level] = total && (double)agree >= UNIQUE_SHARE * (double)total;
	for (uint32_t i = 0; n >= 0 && i <= p->majority[level].mask && p->majority[level].slots;
	     i++) {
		struct map_slot *slot = &p->majority[level].slots[i];
		if (slot->key)
			slot->value = votes[slot->value].row;
	}
	free(votes);
	return n < 0 ? n : 0;
}

/* What nearly all lines of a node share, they hang on because of the node. */
static int learn_inherited(struct placing *p, uint32_t risk)
{
	struct map *index = &p->inherited[risk];
	struct vote *votes = NULL;
	int n;
	if (p->level_column[LEVEL_NODE] < 0 || p->risks[risk].column < 0)
		return 0;
	n = count_votes(p, p->level_column[LEVEL_NODE], p->risks[risk].column, index, &votes);
	for (uint32_t i = 0; n >= 0 && index->slots && i <= index->mask; i++) {
		struct map_slot *slot = &index->slots[i];
		const struct vote *v = slot->key ? &votes[slot->value] : NULL;
		if (v)
			slot->value = v->agree >= INHERITED_SHARE * v->total ? v->row : NOTHING;
	}
	free(votes);
	return n < 0 ? n : 0;
}

static bool is_risk(const struct placing *p, size_t column)
{
	const char *name = inventory_column_name(p->inventory, column);
	for (size_t i = 0; i < N_NO_RISK; i++)
		if (strcasecmp(name, no_risk[i]) == 0)
			return false;
	return true;
}

/* A column with nearly as many values as lines names lines, not what they share. */
static bool is_shared(const struct placing *p, size_t column)
{
	size_t rows = inventory_counts(p->inventory).rows, filled = 0;
	struct map seen = {0};
	bool shared;
	for (size_t i = 0; i < rows; i++) {
		const char *cell = inventory_at(p->inventory, i)->cells[column];
		filled += *cell != '\0';
		if (*cell && !map_put(&seen, key_of(cell), 1))
			break;
	}
	shared = filled && (size_t)seen.used * DISTINCT_PER_ROW <= filled + DISTINCT_PER_ROW;
	map_fini(&seen);
	return shared;
}

static void add_risk(struct placing *p, uint16_t kind, int column)
{
	if (p->n_risks == PLACE_COLUMNS_MAX) {
		p->risks_full++;
		return;
	}
	p->risks[p->n_risks].kind = kind;
	p->risks[p->n_risks++].column = column;
}

static void learn_risks(struct placing *p)
{
	for (size_t i = 0; i < N_RISK_COLUMNS; i++) {
		int column =
			p->inventory ? inventory_column(p->inventory, risk_columns[i].name) : -1;
		add_risk(p, risk_columns[i].kind, column);
	}
	for (size_t c = 0; p->inventory && c < inventory_columns(p->inventory); c++) {
		bool known = !is_risk(p, c);
		for (size_t i = 0; i < N_RISK_COLUMNS && !known; i++)
			known = p->risks[i].column == (int)c;
		if (!known && is_shared(p, c))
			add_risk(p,
				 groups_column(p->groups, inventory_column_name(p->inventory, c)),
				 (int)c);
	}
}

int placing_init(struct placing *p, struct groups *groups, const struct inventory *inventory)
{
	int error = 0;
	*p = (struct placing){.groups = groups, .inventory = inventory};
	for (int level = 0; level < LEVEL_COUNT; level++)
		p->level_column[level] =
			inventory ? inventory_column(inventory, level_names[level]) : -1;
	p->unique[LEVEL_EXCHANGE] = true;
	for (int level = LEVEL_NODE; level < LEVEL_COUNT && inventory && !error; level++)
		error = learn_level(p, (enum place_level)level);
	learn_risks(p);
	for (uint32_t risk = 0; risk < PLACE_INHERITED && inventory && !error; risk++)
		error = learn_inherited(p, risk);
	return error;
}

void placing_fini(struct placing *p)
{
	for (int level = 0; level < LEVEL_COUNT; level++)
		map_fini(&p->majority[level]);
	for (uint32_t risk = 0; risk < PLACE_INHERITED; risk++)
		map_fini(&p->inherited[risk]);
	map_fini(&p->ports);
	*p = (struct placing){0};
}

/* A group of the tree by its own name, or by its parent's and its own. */
static uint32_t named(struct placing *p, enum place_level level, uint32_t parent, const char *cell,
		      bool unique)
{
	const struct group *above = &p->groups->at[parent];
	char name[NAME_MAX_BYTES];
	if (unique || parent == GROUP_ROOT)
		return groups_get(p->groups, level_kinds[level], parent, cell);
	snprintf(name, sizeof name, "%s/%s", above->name, cell);
	return groups_get(p->groups, level_kinds[level], parent, name);
}

static uint32_t or_parent(uint32_t group, uint32_t parent)
{
	return group ? group : parent;
}

/* A row that speaks for most of those with this name at the level; NULL: names there are not unique, or
 * nobody has it. */
static const struct inventory_row *majority_row(const struct placing *p, int level,
						const char *name)
{
	const uint32_t *row = p->unique[level] ? map_find(&p->majority[level], key_of(name)) : NULL;
	return row ? inventory_at(p->inventory, *row) : NULL;
}

/* The group of the row at this level, or the nearest above it. */
static uint32_t row_group(struct placing *p, int level, const struct inventory_row *row)
{
	const char *cell;
	const struct inventory_row *most;
	uint32_t parent;
	if (level < 0)
		return GROUP_ROOT;
	cell = cell_of(row, p->level_column[level]);
	if (!*cell)
		return row_group(p, level - 1, row);
	most = majority_row(p, level, cell);
	parent = row_group(p, level - 1, most ? most : row);
	return or_parent(named(p, (enum place_level)level, parent, cell, p->unique[level]), parent);
}

/* The place by packets: names within names, below a node of the books when they know it. */
static uint32_t seen_group(struct placing *p, const struct outage_place *seen)
{
	uint32_t node, card;
	const struct inventory_row *booked;
	if (!seen->node || !*seen->node)
		return GROUP_ROOT;
	booked = majority_row(p, LEVEL_NODE, seen->node);
	node = booked ? row_group(p, LEVEL_NODE, booked)
		      : or_parent(named(p, LEVEL_NODE, GROUP_ROOT, seen->node, true), GROUP_ROOT);
	if (booked || !seen->card || !*seen->card)
		return node; /* the books have names of their own for the cards of their nodes */
	card = or_parent(named(p, LEVEL_CARD, node, seen->card, false), node);
	return card;
}

/* The port below `card`: a group when another line hangs on it too. */
static void find_port(struct placing *p, uint32_t line, uint32_t card, const char *port,
		      struct place *place)
{
	uint64_t key = key_of_kind((uint64_t)card << 32 | 2, port);
	uint32_t *value = map_find(&p->ports, key), other;
	bool unique = p->unique[LEVEL_PORT];
	if (!value) {
		p->ports_alone += !map_put(&p->ports, key, line | PLACE_ALONE);
		return;
	}
	if (!(*value & PLACE_ALONE)) {
		place->leaf = *value;
		return;
	}
	other = *value & ~(uint32_t)PLACE_ALONE;
	if (other == line)
		return;
	place->leaf = or_parent(named(p, LEVEL_PORT, card, port, unique), card);
	*value = place->leaf;
	place->moved_line = other;
	place->moved_to = place->leaf;
}

static void risk(struct placing *p, struct place *place, uint16_t kind, const char *name)
{
	uint32_t group;
	if (!name || !*name)
		return;
	if (place->n_risks == PLACE_RISKS_MAX) {
		p->risks_full++;
		return;
	}
	group = groups_get(p->groups, kind, GROUP_NONE, name);
	if (group)
		place->risks[place->n_risks++] = group;
}

/* What packets tell of a shared risk. */
static const char *seen_risk(const struct outage_place *seen, uint16_t kind, const char *svlan)
{
	switch (kind) {
	case KIND_SVLAN:
		return svlan;
	case KIND_BRAS:
		return seen->bras;
	case KIND_POOL:
		return seen->pool;
	case KIND_RESOLVER:
		return seen->resolver;
	case KIND_VENDOR:
		return seen->cpe_vendor;
	default:
		return "";
	}
}

/* What the line's node shares, as packets name that. */
static const char *inherited_risk(const struct placing *p, uint32_t risk,
				  const struct outage_place *seen)
{
	const uint32_t *row = risk < PLACE_INHERITED && seen->node && *seen->node
				      ? map_find(&p->inherited[risk], key_of(seen->node))
				      : NULL;
	return row && *row != NOTHING
		       ? cell_of(inventory_at(p->inventory, *row), p->risks[risk].column)
		       : "";
}

/* Names in the books come first: people know them. */
static void find_risks(struct placing *p, const struct inventory_row *row,
		       const struct outage_place *seen, struct place *place)
{
	char svlan[8] = "";
	if (seen->svlan)
		snprintf(svlan, sizeof svlan, "%u", seen->svlan);
	for (uint32_t i = 0; i < p->n_risks; i++) {
		const char *name = cell_of(row, p->risks[i].column);
		if (!*name)
			name = seen_risk(seen, p->risks[i].kind, svlan);
		if (!name || !*name)
			name = inherited_risk(p, i, seen);
		risk(p, place, p->risks[i].kind, name);
	}
}

struct place placing_find(struct placing *p, uint32_t line, const struct outage_place *seen)
{
	const struct inventory_row *row = inventory_find(p->inventory, seen->line);
	struct place place = {.leaf = row ? row_group(p, LEVEL_CARD, row) : GROUP_ROOT};
	const char *port = cell_of(row, p->level_column[LEVEL_PORT]);
	const char *node = cell_of(row, p->level_column[LEVEL_NODE]);
	if (*node && seen->node && *seen->node && strcmp(node, seen->node) != 0)
		p->mismatched++;
	if (place.leaf == GROUP_ROOT) {
		place.leaf = seen_group(p, seen);
		port = seen->port ? seen->port : "";
	}
	if (place.leaf == GROUP_ROOT)
		p->unmapped++;
	else if (*port && p->groups->at[place.leaf].kind == KIND_CARD)
		find_port(p, line, place.leaf, port, &place);
	find_risks(p, row, seen, &place);
	return place;
}

const struct inventory_row *
placing_outvoted(const struct placing *p, const struct inventory_row *row, enum place_level *level)
{
	for (int l = LEVEL_NODE; l <= LEVEL_CARD; l++) {
		const char *cell = cell_of(row, p->level_column[l]);
		const char *parent = cell_of(row, p->level_column[l - 1]);
		const struct inventory_row *most =
			*cell && *parent ? majority_row(p, l, cell) : NULL;
		*level = (enum place_level)l;
		if (most && strcmp(cell_of(most, p->level_column[l - 1]), parent) != 0)
			return most;
	}
	return NULL;
}
