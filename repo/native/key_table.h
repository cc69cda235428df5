/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which keys of 24 bits are taken; as long as there are twice as many places as
 * keys. */
#ifndef YORE_NATIVE_KEY_TABLE_H
#define YORE_NATIVE_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"

#define KEY_TABLE_KEYS (1u << 24)

struct key_table {
	uint32_t *places; /* 2^bits; an empty one has KEY_TABLE_KEYS */
	unsigned bits;
};

/* For up to n keys. */
void key_table_init(struct key_table *t, size_t n);
void key_table_release(struct key_table *t);
/* false: it is taken already. */
bool key_table_take(struct key_table *t, uint32_t key);

#define auto_key_table AUTO(key_table_release)

#endif
