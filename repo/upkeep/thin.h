/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thinning the past of databases (FORMAT, "Thinned databases"; DESIGN,
 * "Thinning").  A stretch is a snapshot of a database and the deltas that follow
 * it.  Where enough of its points may go it is written anew: the same snapshot,
 * and a delta for each point that stays, in the next epoch; then the record that
 * says so takes the place of the one before, which goes into the trash.
 *
 * A point that stays keeps time and content: before its delta is stored, the
 * hash of the whole database is made of the pages that are written, and must be
 * the one that the point has had.
 *
 * The newest snapshot of a source is left alone, since a replicator may follow
 * it.  Backups, replication and mounts may go on meanwhile.  Whoever is killed
 * leaves deltas that no record needs, which prune removes, or a record that has
 * taken its place already: the next run goes on from there.
 */
#ifndef YORE_UPKEEP_THIN_H
#define YORE_UPKEEP_THIN_H

#include <stdatomic.h>
#include "repo/format/record.h"
#include "repo/upkeep/thin_rules.h"
#include "repo/write/writer.h"

enum thin_fate {
	THIN_OPEN,    /* the newest: it stays as it is */
	THIN_WHOLE,   /* none of its points would go */
	THIN_LATER,   /* too few to write it anew for */
	THIN_ANEW,    /* it is, or on a dry run would be */
	THIN_RACED,   /* there are two of that number: left alone */
	THIN_FAILED,  /* it stays as it was; why says what is wrong */
};

/* What a stretch comes to; its snapshot is a point that always stays, and is
 * not counted. */
struct thin_stretch {
	const struct record *base; /* as a catalog has it; borrowed */
	enum thin_fate fate;
	uint64_t points, kept;
	int64_t first_ns, last_ns; /* of its points, if there are any */
	uint64_t bytes;	    /* of its deltas; */
	uint64_t new_bytes; /* of those written anew */
	const struct err *why;
};

/* How much of a stretch must go for it to be written anew, in points of 100:
 * since each time at least half of them go, all times together write less than
 * there was. */
#define THIN_SHARE 50

struct thin_options {
	struct thin_rules rules;
	unsigned share; /* 0: THIN_SHARE */
	int64_t now_ns; /* ages are told from; the newest point of a source,
			 * should that be older; 0: the clock */
	bool dry_run;
	const atomic_bool *interrupted; /* polled; may be NULL */
	/* Whether a source is to be looked at; NULL: all are. */
	bool (*wants)(void *ctx, const char *host, const char *name);
	/* Each stretch of a database, oldest first, when its fate is known. */
	void (*told)(void *ctx, const struct thin_stretch *s);
	void *ctx;
};

struct thin_result {
	uint64_t anew, failed; /* stretches */
	uint64_t points, kept; /* of those written anew */
	uint64_t bytes, new_bytes;
};

/*
 * 0 also when stretches failed (result->failed).  -ECANCELED interrupted,
 * -EEXIST somebody else is at it, -EBUSY so is another process of this user;
 * other -errno of the store.
 */
int thin_run(struct writer *w, const struct thin_options *o,
	struct thin_result *result, struct err *e);

#endif
