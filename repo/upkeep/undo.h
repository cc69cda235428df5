/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing back what was forgotten, as long as it is in the trash: records go
 * back below snap/ with the bytes they had.
 *
 *	undo_open(u, &x, e)
 *	undo_choose(x, point)   for each, or undo_choose_all(x)
 *	undo_carry_out(x, e)
 */
#ifndef YORE_UPKEEP_UNDO_H
#define YORE_UPKEEP_UNDO_H

#include "repo/native/listing.h"
#include "repo/upkeep/trash.h"

struct undo {
	struct upkeep *u;	   /* borrowed */
	struct trash trash;
	struct native_listing *nl; /* what is in the trash, not below snap/ */
	bool *chosen;		   /* one a point */
	size_t n_chosen;
};

/* List the trash and read its records; *x is given.  -EIO a record cannot be
 * had now. */
int undo_open(struct upkeep *u, struct undo **x, struct err *e);
void undo_free(struct undo *x); /* NULL is allowed */

void undo_choose(struct undo *x, size_t point);
void undo_choose_all(struct undo *x);
/* Since when a point is in the trash; STORE_TIME_UNKNOWN. */
int64_t undo_since(const struct undo *x, size_t point);

/*
 * Records back, catalogs, and then out of the trash.  May be repeated after any
 * death and any error.  -ENOENT prune was faster.
 */
int undo_carry_out(struct undo *x, struct err *e);

#define auto_undo AUTO(undo_auto_)
static inline void
undo_auto_(struct undo **x)
{
	undo_free(*x);
}

#endif
