/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One directory of a view, entry by entry.  Entries are taken over in batches,
 * so no call into the view is open while the caller works, and a directory of
 * any size costs one batch of memory.
 */
#ifndef YORE_TOOLS_DIRLIST_H
#define YORE_TOOLS_DIRLIST_H

#include "repo/base/buf.h"
#include "repo/view.h"

#define DIRLIST_BATCH 512

struct dirlist {
	struct view *view; /* borrowed */
	uint64_t dir;
	uint64_t from;	    /* where the next batch begins */
	bool ended;	    /* no batch after this one */
	struct err *failed; /* why there is none, told after its entries */
	size_t batch;	    /* entries a batch */
	struct view_dirent *entries;
	size_t *name_off;
	size_t n, at, cap;
	struct buf names;
};

void dirlist_init(
	struct dirlist *d, struct view *v, uint64_t dir, size_t batch);
void dirlist_release(struct dirlist *d);
/* 1 and the next entry (borrowed until the next call), 0 at the end; an error
 * comes once, after the entries that could be read. */
int dirlist_next(
	struct dirlist *d, const struct view_dirent **entry, struct err *e);

#define auto_dirlist AUTO(dirlist_release)

#endif
