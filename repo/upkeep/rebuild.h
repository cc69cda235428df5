/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making again what follows from packs and records: the index, the catalogs,
 * the object `head`.  What is there is left there; what is written anew
 * supersedes it.
 *
 * A pack whose table of contents is lost is read forward by its prefixes, and
 * the ids of its chunks are made again.  Only entries of the index come of
 * that, no new pack: the frames are sound where they are, snapshots' hints name
 * them there, and a copy would never be asked for.  Compaction gives the rest a
 * new pack, when it is due.
 */
#ifndef YORE_UPKEEP_REBUILD_H
#define YORE_UPKEEP_REBUILD_H

#include <stdatomic.h>
#include "repo/upkeep/upkeep.h"

struct rebuild_options {
	bool write;			/* else only find out */
	const atomic_bool *interrupted; /* polled; may be NULL */
	/* One sentence about something that cannot be had. */
	void (*report)(void *ctx, const char *object, const char *text);
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
};

struct rebuild_result {
	uint64_t packs, chunks;	    /* that were found in packs */
	uint64_t salvaged;	    /* packs whose table is lost, */
	uint64_t unreadable;	    /* and stretches of them that are, too */
	uint64_t unindexed;	    /* chunks that the index did not know */
	uint64_t stale;		    /* entries that lead nowhere */
	uint64_t bad_segments;	    /* that cannot be read */
	bool index, catalogs, head; /* was, or would be, written */
	uint64_t catalogs_lack;	    /* snapshots */
};

/*
 * u is open for writing.  -EFBIG: too many packs for one segment; -ECANCELED;
 * other -errno of store and scratch.
 */
int rebuild_run(struct upkeep *u, const struct rebuild_options *o,
	struct rebuild_result *result, struct err *e);

#endif
