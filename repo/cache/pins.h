/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins by name.  What the cache keeps of a name is sealed under K(cache)
 * (FORMAT, "Keys"), since nothing readable lies on its disk; a name is always
 * sealed to the same text, so that it is found again.
 *
 * Errors are those of the functions in cache.h; names have 1 to PIN_NAME_MAX
 * bytes, else -EINVAL.
 */
#ifndef YORE_CACHE_PINS_H
#define YORE_CACHE_PINS_H

#include "repo/cache/cache.h"

#define PIN_NAME_MAX 1024

int pins_add(struct cache *c, const struct keyring *keys, const char *name,
	const struct cache_place *at, size_t n, struct err *e);
int pins_remove(struct cache *c, const struct keyring *keys, const char *name,
	struct err *e);
/* The same, and evict what only it held. */
int pins_evict(struct cache *c, const struct keyring *keys, const char *name,
	uint64_t *freed, struct err *e);
/* Call for each pin of the repository, as cache_pins; name is NULL for one
 * that these keys do not open. */
int pins_each(struct cache *c, const struct keyring *keys,
	void (*each)(
		void *ctx, const char *name, uint64_t wanted, uint64_t present),
	void *ctx, struct err *e);

#endif
