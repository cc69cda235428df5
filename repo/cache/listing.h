/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listing of the store, kept in the cache: which names begin with a prefix,
 * and when that was so.  Sealed under K(cache) (FORMAT, "Keys"), since names
 * are not authenticated by anything else: what does not verify is not there.
 */
#ifndef YORE_CACHE_LISTING_H
#define YORE_CACHE_LISTING_H

#include "repo/base/buf.h"
#include "repo/cache/cache.h"

/* Names and sizes, collected in the order of the store. */
struct cache_listing {
	struct buf names;
	uint64_t n;
};

#define CACHE_LISTING_INIT { .n = 0 }

void cache_listing_release(struct cache_listing *l);
/* Add a name; to be called from store_list's callback. */
void cache_listing_add(struct cache_listing *l, const char *name,
	uint64_t size);

/*
 * Keep the listing of a prefix ("snap/", "cat/") as it was at a time (wall
 * clock, ns).  One of more than 16 MiB is not kept.
 */
void cache_listing_put(struct cache *c, const struct keyring *keys,
	const char *prefix, const struct cache_listing *l, int64_t time_ns);

/*
 * Call `each` for every name of the listing kept last, in order, until it
 * returns false; *time_ns (may be NULL) is when it was made.  -ENOENT there is
 * none; a damaged one is forgotten and is not there either.
 */
int cache_listing_get(struct cache *c, const struct keyring *keys,
	const char *prefix,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	int64_t *time_ns);

#endif
