/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/gather_keys.h"

#include <stdlib.h>
#include "repo/base/buf.h"

#define KEYS (1u << 24)

static struct gather_key *
place_of(const struct gather_keys *k, uint32_t key)
{
	size_t i = key & (k->room - 1);

	while (k->table[i].hash && k->table[i].key != key)
		i = (i + 1) & (k->room - 1);
	return &k->table[i];
}

static void
grow(struct gather_keys *k)
{
	struct gather_keys old = *k;

	k->room = old.room ? 2 * old.room : 64;
	k->table = xcalloc(k->room, sizeof(*k->table));
	for (size_t i = 0; i < old.room; i++) {
		if (old.table[i].hash)
			*place_of(k, old.table[i].key) = old.table[i];
	}
	free(old.table);
}

uint32_t
gather_keys_find(struct gather_keys *k, uint64_t hash)
{
	uint32_t key = hash % KEYS;
	struct gather_key *at;

	if (2 * (k->n + 1) > k->room)
		grow(k);
	for (;; key = (key + 1) % KEYS) {
		at = place_of(k, key);
		if (at->hash == hash)
			return key;
		if (!at->hash)
			break;
	}
	*at = (struct gather_key){ hash, key };
	k->n++;
	return key;
}

void
gather_keys_release(struct gather_keys *k)
{
	free(k->table);
}
