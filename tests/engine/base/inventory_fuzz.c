/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as an inventory: what is loaded is found again, and every row is counted. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static FILE *null;

	if (!null)
		null = fopen("/dev/null", "w");
	struct inventory *inventory = inventory_parse((const char *)data, len, "fuzz.csv", null);
	struct inventory_counts counts = inventory_counts(inventory);
	for (size_t i = 0; i < counts.rows; i++) {
		const struct inventory_row *row = inventory_at(inventory, i);
		if (inventory_find(inventory, row->line) != row || strlen(row->phone) > 16)
			abort();
		for (size_t column = 0; column < inventory_columns(inventory); column++)
			if (strlen(row->cells[column]) > len)
				abort();
	}
	if (counts.duplicates > counts.bad)
		abort();
	inventory_free(inventory);
	return 0;
}
