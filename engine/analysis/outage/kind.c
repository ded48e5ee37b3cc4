/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/analysis/outage/kind.h"

static const struct kind kinds[] = {
	[KIND_NETWORK] = {"network", 0.30, 6, 5, 13},
	[KIND_EXCHANGE] = {"exchange", 0.04, 6, 5, 0},
	[KIND_NODE] = {"access_node", 0.06, 6, 5, 1},
	[KIND_CARD] = {"card", 0.08, 6, 5, 2},
	[KIND_PORT] = {"port", 0.12, 6, 4, 3},
	[KIND_SVLAN] = {"svlan", 0.06, 9, 5, 6},
	[KIND_BRAS] = {"bras", 0.02, 9, 5, 4},
	[KIND_BRAS_PORT] = {"bras_port", 0.03, 9, 5, 5},
	[KIND_CABINET] = {"cabinet", 0.06, 8, 5, 7},
	[KIND_FEEDER] = {"feeder", 0.05, 8, 5, 8},
	[KIND_POOL] = {"pool", 0.02, 9, 5, 9},
	[KIND_RESOLVER] = {"resolver", 0.04, 9, 5, 10},
	[KIND_VENDOR] = {"cpe_vendor", 0.04, 9, 5, 11},
	[KIND_COLUMN] = {"column", 0.04, 9, 5, 12},
};

const struct kind *kind_of(uint16_t kind)
{
	return &kinds[kind < KIND_COLUMN ? kind : KIND_COLUMN];
}
