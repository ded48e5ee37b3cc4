/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kinds of groups of lines, and what each demands before it is blamed (algorithms.md 2.3.4, 2.3.5).
 *
 * The first five are levels of the tree of places; all others cut across it: they are shared risks.
 */
#ifndef RASAD_ENGINE_ANALYSIS_OUTAGE_KIND_H
#define RASAD_ENGINE_ANALYSIS_OUTAGE_KIND_H

#include <stdbool.h>
#include <stdint.h>

enum group_kind {
	KIND_NETWORK, /* the root: all lines */
	KIND_EXCHANGE,
	KIND_NODE,
	KIND_CARD,
	KIND_PORT, /* of several lines: a PON */
	KIND_SVLAN,
	KIND_BRAS,
	KIND_BRAS_PORT,
	KIND_CABINET,
	KIND_FEEDER,
	KIND_POOL,
	KIND_RESOLVER,
	KIND_VENDOR,
	KIND_COLUMN, /* this and all above: a column of the inventory that rasad has no word for */
};

enum { KIND_TREE_LEVELS = KIND_PORT + 1 };

struct kind {
	const char *name;
	double share_min; /* of its lines that must be bad: no baseline is that wrong */
	double cost;	  /* log-likelihood that blaming one costs: few causes explain more */
	uint32_t k_min;
	uint8_t rank; /* among groups with the same lines the lowest is named */
};

/* The row of a kind; all columns share one. */
const struct kind *kind_of(uint16_t kind);

static inline bool kind_in_tree(uint16_t kind)
{
	return kind < KIND_TREE_LEVELS;
}

#endif
