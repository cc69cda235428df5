/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping what is read of a repository on this disk, on purpose: for the
 * commands prefetch, pin, evict and needs.  The mount does without.
 */
#ifndef YORE_NATIVE_KEEP_H
#define YORE_NATIVE_KEEP_H

#include "repo/fetch/cached.h"
#include "repo/history.h"

/* The disk cache before the store, borrowed; NULL: there is none, because the
 * repository is local, none was wanted, or it could not be opened. */
struct cache *keep_cache(struct history *h);
/* What names of pins are sealed with (repo/cache/pins.h), borrowed; NULL: h is
 * not a repository of ours. */
const struct keyring *keep_keys(struct history *h);

struct keep_job {
	const struct view_place *at; /* by object, then offset, no two alike */
	size_t n;
	_Atomic uint64_t done; /* bytes of them brought so far */
	/* One could not be brought; the rest is gone on with.  Not called of
	 * failures that would meet every place. */
	void (*failed)(void *ctx, const struct err *e);
	void *ctx;
};

/*
 * Read these places through the cache, so that they are in it, and verify
 * them, with many requests under way.  Places of whole objects are passed
 * over: whoever knows of them has read them.  -EIO the store gave up, -ENETDOWN
 * offline and not there, -EINTR.
 */
int keep_bring(struct history *h, struct keep_job *j, struct err *e);

#endif
