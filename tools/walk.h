/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything below a directory of a view, in pre-order with names in byte
 * order: the order in which a writer packed it.  Memory is bounded however
 * large or deep the tree is.
 */
#ifndef YORE_TOOLS_WALK_H
#define YORE_TOOLS_WALK_H

#include "repo/view.h"

/* Deeper trees are refused: foreign bytes may describe a cycle. */
#define WALK_DEPTH_MAX 10000

struct walk;

struct walk_entry {
	const char *path; /* below the start, without leading '/'; terminated */
	size_t path_len;
	const char *name; /* its last component; terminated */
	size_t name_len;
	unsigned depth; /* 1 for the start's own entries */
	bool leaving;	/* a directory again, after all below it */
	struct view_attr attr;
};

/* Begin below directory `start`; view is borrowed. */
struct walk *walk_new(struct view *v, uint64_t start);
void walk_free(struct walk *w);

/*
 * 1 and the next entry, borrowed until the next call; 0 at the end.  A
 * directory comes before what is below it, and again (leaving) after it.
 * An error is of one directory (named in the sentence): what is left of it is
 * passed over, and the next call goes on behind it.
 */
int walk_next(struct walk *w, const struct walk_entry **entry, struct err *e);
/* Do not enter the directory that was just returned; it is not left either. */
void walk_skip(struct walk *w);

#define auto_walk AUTO(walk_auto_)
static inline void
walk_auto_(struct walk **w)
{
	walk_free(*w);
}

#endif
