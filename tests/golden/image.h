/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image is all that can be read of a history through its seam: every
 * snapshot, every entry, attributes, content.  Printed it is the text that
 * decode.py prints; kept in memory it is what a damaged repository is compared
 * with.
 */
#ifndef YORE_TESTS_IMAGE_H
#define YORE_TESTS_IMAGE_H

#include <stdio.h>
#include "repo/base/buf.h"
#include "repo/history.h"

struct image_entry {
	char *path;	  /* "." and what is below it */
	const char *name; /* its last component */
	size_t parent;	  /* index of its directory */
	struct view_attr attr;
	struct view_totals totals; /* directories */
	char *target;		   /* symlinks */
	uint8_t *data;		   /* files: attr.size bytes */
	struct buf xattrs; /* name, NUL, u32 length, value; for each by name */
	struct view_extent *extents; /* files */
	size_t n_extents;
};

struct image_tree {
	char *source; /* host/name */
	char id[HISTORY_ID_MAX + 1];
	uint64_t seq;
	int64_t time_ns;
	char **tags;
	size_t n_tags;
	struct image_entry *entries; /* in pre-order: number i is node i */
	size_t n, cap;
};

struct image {
	struct image_tree *trees;
	size_t n;
};

/* Read everything; the first error ends it. */
int image_take(struct history *h, struct image *im, struct err *e);
void image_release(struct image *im);
void image_print(const struct image *im, FILE *out);

/* The extended attributes of a node, encoded as above, appended to out. */
int image_xattrs(struct view *v, uint64_t node, struct buf *out, struct err *e);

#endif
