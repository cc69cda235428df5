/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/key_table.h"

#include <stdlib.h>
#include "repo/base/buf.h"

void
key_table_init(struct key_table *t, size_t n)
{
	t->bits = 4;
	while (1ULL << t->bits < 2 * n)
		t->bits++;
	t->places = xmalloc(sizeof(*t->places) << t->bits);
	for (size_t i = 0; i < 1ULL << t->bits; i++)
		t->places[i] = KEY_TABLE_KEYS;
}

void
key_table_release(struct key_table *t)
{
	free(t->places);
}

bool
key_table_take(struct key_table *t, uint32_t key)
{
	uint32_t mask = (uint32_t)(1ULL << t->bits) - 1;

	for (uint32_t i = key * 2654435761u >> (32 - t->bits);; i++) {
		uint32_t *at = &t->places[i & mask];

		if (*at == key)
			return false;
		if (*at == KEY_TABLE_KEYS) {
			*at = key;
			return true;
		}
	}
}
