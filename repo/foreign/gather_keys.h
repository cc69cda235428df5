/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys of points below 2^24, each of one hash; private to gather.c. */
#ifndef YORE_FOREIGN_GATHER_KEYS_H
#define YORE_FOREIGN_GATHER_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* Those that have been given; a hash table of twice their number at least. */
struct gather_keys {
	struct gather_key {
		uint64_t hash; /* whose it is; 0: a free place */
		uint32_t key;
	} * table;
	size_t n, room;
};

/* The key of a hash, which is not 0: the one it was given before, or one that
 * is free, for good. */
uint32_t gather_keys_find(struct gather_keys *k, uint64_t hash);
void gather_keys_release(struct gather_keys *k);

#endif
