/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a view in order, a piece at a time, for who copies it. */
#ifndef YORE_WRITE_COPY_READ_H
#define YORE_WRITE_COPY_READ_H

#include "repo/base/buf.h"
#include "repo/view.h"

#define COPY_BATCH 512
#define XATTRS_MAX 4096

struct copy_entry {
	struct view_attr attr;
	size_t name_at;
	size_t name_len;
};

struct copy_dir {
	struct view *view; /* borrowed; NULL: there is no such directory */
	uint64_t node;
	uint64_t next; /* position behind the batch */
	bool ended;
	struct buf names;
	struct copy_entry batch[COPY_BATCH];
	size_t n, i; /* i: the entry at hand */
};

struct copy_dir *copy_dir_new(struct view *view, uint64_t node);
void copy_dir_free(struct copy_dir *d);
/* The entry at hand, *f; NULL at the end. */
int copy_dir_peek(struct copy_dir *d, const struct copy_entry **f,
	struct err *e);
/* Terminated; valid until the next call. */
const char *copy_dir_name(const struct copy_dir *d, const struct copy_entry *f);
/* The entry of that name, or NULL; asked for in ascending order.  What cannot be
 * read is not there. */
const struct copy_entry *copy_dir_find(
	struct copy_dir *d, const char *name, size_t len);

/* Likewise of the extents of a file. */
struct copy_extents {
	struct view *view; /* NULL: there are none */
	uint64_t node, next;
	bool ended;
	struct view_extent batch[64];
	size_t n, i;
};

int copy_extents_peek(struct copy_extents *xs, const struct view_extent **x,
	struct err *e);
/* The one that begins there; asked for in ascending order. */
const struct view_extent *copy_extents_find(
	struct copy_extents *xs, uint64_t off);

/* Append the extended attributes of a node, encoded; nothing if it has none. */
int copy_dir_xattrs(struct view *view, uint64_t node, struct buf *out,
	struct err *e);

#endif
