/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a snapshot that is about to be published refers to: every reference
 * below its root, read back from the pages.  Rarely needed, and costs all of a
 * tree's metadata.
 */
#ifndef YORE_WRITE_REFERS_H
#define YORE_WRITE_REFERS_H

#include "repo/fetch/fetch.h"
#include "repo/format/entry.h"

/*
 * Call each reference (pages, content, extended attributes) until one is not
 * taken, which ends it with that value.  A page that cannot be read, or is none,
 * is an error.  Memory: references of the pages above and beside a path.
 */
int refers_walk(struct fetch *f, const struct entry *root,
	int (*each)(void *ctx, const struct ref *r, struct err *e), void *ctx,
	struct err *e);

#endif
