/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What prefetch, pin, evict and needs share: a repository with the disk cache
 * before it, and the places that what addresses name lies at.
 */
#ifndef YORE_TOOLS_KEEP_H
#define YORE_TOOLS_KEEP_H

#include "repo/native/keep.h"
#include "tools/places.h"
#include "tools/spot.h"

struct keep {
	struct history *history;
	struct history_listing *listing;
	struct cache *cache;	    /* borrowed; NULL: there is none */
	const struct keyring *keys; /* borrowed */
	struct places places;
	uint64_t entries; /* that addresses name and have below them */
	bool failed;	  /* something could not be read, and was named */
};

#define KEEP_INIT               \
	{                       \
		.history = NULL \
	}

/* Open the repository; without a cache prints why and fails, unless it is only
 * `looking`.  An exit status. */
int keep_open(struct keep *k, struct options *o, bool looking);
void keep_release(struct keep *k);

/*
 * Add what an address names and everything below it to the places; `way` adds
 * what leads there too.  What cannot be read is named on standard error.  An
 * exit status: what was read of it counts.
 */
int keep_gather(struct keep *k, const char *address, bool way);
/* Bytes of one place that the cache has; of a whole object all or none. */
uint64_t keep_cached(const struct keep *k, const struct view_place *p);
/* Bytes of all places that the cache lacks. */
uint64_t keep_missing(const struct keep *k);

#define auto_keep AUTO(keep_release)

#endif
