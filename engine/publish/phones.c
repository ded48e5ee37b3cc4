/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/publish/phones.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/inventory.h"
#include "engine/publish/codec.h"
#include "engine/publish/deliver.h"
#include "engine/publish/deliver_parts.h"
#include "engine/publish/keyspace.h"

/* By phone, and lines of one phone in the order of the file. */
static int by_phone(const void *a, const void *b)
{
	const struct inventory_row *const *left = a, *const *right = b;
	int order = strcmp((*left)->phone, (*right)->phone);

	return order ? order : (*left > *right) - (*left < *right);
}

bool phones_init(struct phones *phones, const struct inventory *inventory)
{
	size_t rows = inventory_counts(inventory).rows;

	phones->rows = calloc(rows + 1, sizeof(*phones->rows));
	if (!phones->rows)
		return false;
	for (size_t i = 0; i < rows; i++) {
		const struct inventory_row *row = inventory_at(inventory, i);
		if (*row->phone)
			phones->rows[phones->n++] = row;
	}
	qsort(phones->rows, phones->n, sizeof(*phones->rows), by_phone);
	return true;
}

void phones_fini(struct phones *phones)
{
	free(phones->rows);
	*phones = (struct phones){0};
}

bool phones_are_done(const struct phones *phones)
{
	return phones->at == phones->n;
}

/* Queues the index of the phone at *at and moves on to the next phone. */
static int append_phone(const struct phones *phones, size_t *at, struct delivery *delivery)
{
	const char *phone = phones->rows[*at]->phone;
	struct codec_bytes value = {0};
	keyspace_key key;
	int status = 0;

	for (; *at < phones->n && !strcmp(phones->rows[*at]->phone, phone) && !status; ++*at) {
		char sub_id[KEYSPACE_SUB_ID_SIZE];
		keyspace_sub_id(phones->rows[*at]->line, sub_id);
		status = codec_index_add(delivery->codec, value.data, value.length, sub_id, &value);
	}
	keyspace_index(KEYSPACE_PHONE, phone, key);
	return status ? status : deliver_append_set(delivery, key, value.data, value.length, NULL);
}

int phones_publish(struct phones *phones, struct delivery *delivery, size_t max)
{
	size_t at = phones->at, n = 0;
	int status = 0;

	for (; n < max && at < phones->n && !status; n++)
		status = append_phone(phones, &at, delivery);
	status = status ? status : deliver_read_sets(delivery, n);
	if (!status)
		phones->at = at; /* else again from here, on the next connection */
	return status;
}
