/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What time it is by the store's clock, which is the one that says how old
 * objects are: no other one is compared with it.
 */
#ifndef YORE_UPKEEP_NOW_H
#define YORE_UPKEEP_NOW_H

#include "repo/store/store.h"

/*
 * Put an empty object gc/clock/<32 digits>, find its time in a listing, remove
 * it, and others that were left there.  -ENOTSUP: the store tells no times.
 */
int now_by_store(struct store *store, struct sink *sink, int64_t *now_ns,
	struct err *e);

#endif
