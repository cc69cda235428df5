/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second copy of a repository, object by object and byte by byte, which takes
 * no key.  What is there already, by name and size, is not copied again, so that
 * a mirror that was interrupted goes on, and one that is made every night copies
 * what is new.
 *
 * Objects go in the order in which they were committed: `format` first, which
 * says whose mirror it is, key slots, packs, index segments, deltas of bases
 * that the mirror lacks, records, deltas of bases that it has (each behind the
 * one before), catalogs, states of pruning.  Names of records and catalogs are
 * listed before packs are, so a snapshot that the mirror shows is whole at any
 * moment; if something vanishes meanwhile, all is listed again.
 *
 * Memory holds the names of records and catalogs, and of the deltas of one base.
 */
#ifndef YORE_UPKEEP_MIRROR_H
#define YORE_UPKEEP_MIRROR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "repo/base/err.h"

enum mirror_action { MIRROR_COPIED, MIRROR_REMOVED, MIRROR_DIFFERS };

struct mirror_options {
	const char *from, *to; /* addresses */
	bool dry_run;
	bool verify; /* read and compare what is there, too */
	/*
	 * Remove what the source has no more: snapshots go to the mirror's trash
	 * (gc/snap) first; all else only when the store of the mirror says that
	 * it is older than grace.  Nothing is removed that the source, asked for
	 * it by name, still has.
	 */
	bool remove;
	int64_t grace_ns;
	uint64_t limit_upload; /* bytes a second; 0: none */
	const atomic_bool *interrupted;
	/* Told of each, one at a time, from any thread. */
	void (*each)(void *ctx, enum mirror_action a, const char *name,
		uint64_t size);
	void *ctx;
};

struct mirror_result {
	uint64_t copied, bytes;
	uint64_t there; /* already */
	uint64_t removed;
	uint64_t differ; /* of the same name, but not the same */
};

/*
 * -ENOENT no repository there, -EEXIST something else is where the mirror is to
 * be, -EAGAIN objects vanish faster than they are copied, -ECANCELED; others of
 * the stores.  What was copied stays.
 */
int mirror_run(const struct mirror_options *o, struct mirror_result *result,
	struct err *e);

#endif
