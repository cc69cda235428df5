/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Merging the indexes of deltas (FORMAT, "Places"): the runs of pages that
 * changed in them, ascending and without overlaps, each where the newest of them
 * has it.  A leaf of each is held.
 */
#ifndef YORE_WRITE_DELTA_MERGE_H
#define YORE_WRITE_DELTA_MERGE_H

#include "repo/native/deltas.h"

struct delta_own;
struct delta_merge;

/* The members behind delta `from` of a chain, which is borrowed, as far as a
 * database of so many pages goes.  A member's runs are of all its span. */
struct delta_merge *delta_merge_new(
	const struct delta_chain *c, uint64_t from, uint32_t pages);
/* And, newer than all of them, delta n in the making. */
void delta_merge_own(
	struct delta_merge *m, uint64_t n, const struct delta_own *own);
void delta_merge_free(struct delta_merge *m); /* NULL is allowed */

/* 1 and the next run; *d is the member whose index has it, of whose writers
 * run->writer is one, or NULL: the delta in the making.  0 at the end. */
int delta_merge_next(struct delta_merge *m, struct delta_run *run,
	const struct delta **d, struct err *e);

#define auto_delta_merge AUTO(delta_merge_auto_)
static inline void
delta_merge_auto_(struct delta_merge **m)
{
	delta_merge_free(*m);
}

#endif
