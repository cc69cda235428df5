/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removing what no snapshot uses, in two phases and without a lock (DESIGN,
 * "Pruning"): packs that are of no use, and those of little use after what is
 * used of them has been copied, are condemned; those that have been for long
 * enough, and of which nothing is used again, are deleted.  It may be killed at
 * any point and run any number of times, also beside writers and readers.
 */
#ifndef YORE_UPKEEP_PRUNE_H
#define YORE_UPKEEP_PRUNE_H

#include <stdatomic.h>
#include <stdbool.h>
#include "repo/native/repository.h"

#define PRUNE_GRACE_NS (7 * 86400 * 1000000000LL)
#define PRUNE_GRACE_MIN_NS (86400 * 1000000000LL) /* but with `unsafe` */
#define PRUNE_THRESHOLD 70 /* percent; by measurement (DESIGN, "Pruning") */

/* What becomes of a pack; why is a sentence's end. */
struct prune_pack {
	const char *name;
	uint64_t size, live; /* bytes, live about */
	const char *fate;    /* "stays", "condemned", "deleted", ... */
	const char *why;
};

struct prune_options {
	struct repository *rp; /* with no cache before its store; gets one that
				* reads segments in stretches */
	struct sink *sink;     /* not used in a dry run */
	bool dry_run;
	int64_t grace_ns; /* 0: PRUNE_GRACE_NS */
	/* Everything that is otherwise kept for 60 days is for grace_ns, too:
	 * safe only where nothing else writes or reads. */
	bool unsafe;
	unsigned threshold;    /* percent of a pack that must be in use; 0: the
				* default */
	uint64_t copy_max;     /* bytes in use to copy in this run; 0: any */
	uint64_t data_pack_len, meta_pack_len; /* of new packs; for tests */
	size_t memory;	       /* of sorting; 0: 64 MiB */
	const atomic_bool *interrupted; /* polled; may be NULL */
	void (*pack)(void *ctx, const struct prune_pack *p); /* may be NULL */
	void *ctx;
};

struct prune_sum {
	uint64_t n, bytes;
};

struct prune_result {
	uint64_t snapshots, trash; /* that were looked at */
	struct prune_sum all, in_use; /* packs, as listed; bytes in use */
	struct prune_sum waiting;  /* condemned, not for long enough */
	struct prune_sum deleted;  /* packs; in a dry run: would be */
	struct prune_sum resurrected;
	struct prune_sum condemned; /* by this run: of no use; */
	struct prune_sum copied;    /* and of little: their own bytes */
	struct prune_sum written;   /* packs that were written for those */
	uint64_t young;	     /* packs of no use that are too young */
	uint64_t lost;	     /* chunks that are known to be lost */
	uint64_t others;     /* objects that are no packs, deleted */
};

/*
 * Errors: -EUCLEAN what the store lists, and what records, pages and segments
 * say, do not go together; nothing was deleted then, and the sentence names
 * what.  -EEXIST another prune is at work.  -EINTR; -errno of the store.
 */
int prune_run(const struct prune_options *o, struct prune_result *res,
	struct err *e);

#endif
