/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a range is asked of the store, when a part of it is in the cache.  Pure
 * arithmetic. */
#ifndef YORE_FETCH_GAPS_H
#define YORE_FETCH_GAPS_H

#include "repo/cache/cache.h"
#include "repo/store/store.h"

/* What lies between two gaps is asked for again if it is little (128 KiB). */
void gaps_join(struct cache_gaps *gaps);
/* Leave out gaps, and ends of gaps, that nobody wants (call->wanted, which is
 * set); not the last one, if more is asked for than what is wanted: up to end. */
void gaps_trim(struct cache_gaps *gaps, const struct store_call *call,
	uint64_t end);

#endif
