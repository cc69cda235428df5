/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of the snapshot before, read beside the new one: names are asked
 * for in ascending order, and pages go by once.  What cannot be read counts as
 * not there: its files are read again.
 */
#ifndef YORE_WRITE_PARENT_H
#define YORE_WRITE_PARENT_H

#include "repo/fetch/fetch.h"
#include "repo/fetch/stretches.h"
#include "repo/format/entry.h"
#include "repo/write/avoid.h"

struct parent_dir;
struct spread;

/* What the directories of one walk through the snapshot before share. */
struct parent_walk {
	struct fetch *fetch; /* borrowed */
	/* A request costs more than what it brings: pages that lie together
	 * are fetched together. */
	bool far;
	struct spread *spread; /* is told of pages; NULL: nobody */
	const struct avoid *avoid; /* borrowed; for parent_extents_open */
	bool complained; /* that the store denies pages */
	struct stretches stretches;
};

/* dir: a directory's entry, read at once and not kept; page: its root page's
 * bytes when they are at hand, else NULL.  NULL dir: a directory that was not
 * there.  Never fails. */
struct parent_dir *parent_dir_open(struct parent_walk *pw,
	const struct entry *dir, const uint8_t *page, size_t len);
void parent_dir_free(struct parent_dir *pd);

/* The entry called name or NULL; borrowed until the next call.  Names must
 * ascend. */
const struct entry *parent_dir_find(struct parent_dir *pd, const char *name,
	size_t len);

/* -- The extents of a file ----------------------------------------------- */

/* By the reference to their map's root page. */
struct parent_dir *parent_extents_open(struct parent_walk *pw,
	const struct ref *root);
/* The next one, borrowed until the next call; NULL at the end, or when a page
 * cannot be read. */
const struct extent *parent_extents_next(struct parent_dir *pd);
/* When they are at their end: all pages could be read; and whether one of them
 * lies where it is to be avoided. */
bool parent_extents_whole(const struct parent_dir *pd);
bool parent_extents_avoided(const struct parent_dir *pd);

#endif
