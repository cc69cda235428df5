/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing back what was forgotten, as long as it is in the trash: records go
 * back below snap/ with the bytes they had.
 *
 *	undo_open(u, &x, e)
 *	undo_choose(x, point)   for each
 *	undo_carry_out(x, e)
 *
 * Who prunes makes visible what will be deleted, then looks at the records; who
 * brings one back puts the record, then looks what will be deleted, and takes
 * it away again if the snapshot needs it.
 */
#ifndef YORE_UPKEEP_UNDO_H
#define YORE_UPKEEP_UNDO_H

#include "repo/native/listing.h"
#include "repo/upkeep/trash.h"

struct undo {
	struct upkeep *u;	   /* borrowed */
	struct trash trash;
	struct native_listing *nl; /* what is in the trash, not below snap/ */
	/* One a point: */
	bool *replaced; /* a record of its number is below snap/: the deltas of
			 * a database were thinned.  If it is chosen that one
			 * goes in its place. */
	bool *chosen;
	bool *gone; /* by undo_carry_out: freed meanwhile, so not brought back */
	size_t n_chosen, n_gone;
	struct record_places there; /* below snap/ */
};

/* List the trash and read its records; *x is given.  -EIO a record cannot be
 * had now. */
int undo_open(struct upkeep *u, struct undo **x, struct err *e);
void undo_free(struct undo *x); /* NULL is allowed */

void undo_choose(struct undo *x, size_t point);
/* Since when a point is in the trash; STORE_TIME_UNKNOWN. */
int64_t undo_since(const struct undo *x, size_t point);

/*
 * Records back, catalogs, and then out of the trash.  May be repeated after any
 * death and any error.  Of those that pruning has been at, gone[] is set; they
 * are in the trash, or nowhere.
 */
int undo_carry_out(struct undo *x, struct err *e);

#define auto_undo AUTO(undo_auto_)
static inline void
undo_auto_(struct undo **x)
{
	undo_free(*x);
}

#endif
