/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking over an unchanged file from the snapshot before, where that refers to
 * what is to be avoided: to where the index has it elsewhere.  What is nowhere
 * else has to be read again, which is how lost content heals.  A map whose pages
 * are gathered (spread.h) is written down again, too.  The walking
 * thread's.
 */
#ifndef YORE_WRITE_REHINT_H
#define YORE_WRITE_REHINT_H

#include "repo/write/parent.h"
#include "repo/write/run.h"

enum rehint {
	REHINT_AS_IS, /* the entry can be taken over, with this reference */
	REHINT_MAP,   /* its extents have to be written down again */
	REHINT_LOST,  /* the file has to be read again */
};

/* What becomes of a file's content; *ref is the entry's, and set to a better
 * one.  Reads the extents of big files if anything has to be looked at. */
enum rehint rehint_content(struct run *run, struct parent_walk *pw,
	const struct entry *old, struct ref *ref);
/* The extents of a REHINT_MAP, as items between an ITEM_BEGIN and an
 * ITEM_END. */
int rehint_items(struct run *run, struct parent_walk *pw,
	const struct entry *old, struct err *e);

#endif
