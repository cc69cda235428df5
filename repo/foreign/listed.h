/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view of files whose paths and attributes are known beforehand, for formats
 * whose snapshots are objects in folders: numbers the paths, finds and lists
 * them, and asks its maker for bytes.
 *
 * Node numbers go breadth first: the root, its entries in order, theirs.  So
 * the entries of a directory are neighbours, and a path has the same number
 * whenever the same paths are there.
 */
#ifndef YORE_FOREIGN_LISTED_H
#define YORE_FOREIGN_LISTED_H

#include "repo/view.h"

#define LISTED_MAX (1u << 20) /* in one view */
#define LISTED_PATH_MAX 4000

struct listed;

/* One file, and in the view its entry. */
struct listed_entry {
	const char *path; /* '/'-separated, the view's copy */
	uint64_t size;
	int64_t modified_ns;
	uint32_t mode; /* permission bits */
	uint32_t tag;  /* the maker's own */
};

/* What the maker of a view does for it.  All may be called by any thread. */
struct listed_ops {
	/* As view_ops.read; [off, off + len) lies inside the file. */
	int (*read)(struct listed *f, size_t i, uint64_t off, size_t len,
		struct view_data *data, struct err *e);
	/* An attribute user.yore.* of file i, as view_ops.xattr_get; NULL: no
	 * file has any. */
	ssize_t (*xattr_get)(struct listed *f, size_t i, const char *name,
		void *value, size_t size, struct err *e);
	/* The same of the root directory; NULL: none. */
	ssize_t (*root_xattr)(struct listed *f, const char *name, void *value,
		size_t size, struct err *e);
	/* Name of the object that file i is in the store; NULL: not known. */
	const char *(*object)(struct listed *f, size_t i);
	/* The view is gone; frees what embeds f. */
	void (*free)(struct listed *f);
};

/* Embedded first in what a format makes. */
struct listed {
	struct view view;
	const struct listed_ops *ops;
	char *label;		    /* source@point, for messages */
	struct timespec mtime;	    /* of directories */
	struct listed_entry *files; /* by path, components compared as bytes */
	size_t n_files;
	struct listed_node *nodes;
	size_t n_nodes;
	struct view_totals totals;
};

/* Whether a path may be one in a view: parts of 1 to 255 bytes, none "." or
 * "..", neither a '/' at either end nor more than LISTED_PATH_MAX in all. */
bool listed_path_ok(const char *path, size_t len);
/* Order of paths as a walk meets them: '/' before any other byte. */
int listed_compare_paths(const char *a, const char *b);

/*
 * Make f, zeroed but for what ops need, a view with one reference: of n files
 * (copied, in any order; paths that are ok).  Of files that have one path one
 * counts, and none that is also a directory; both are logged.
 */
void listed_init(struct listed *f, const struct listed_ops *ops,
	const char *label, int64_t time_ns, const struct listed_entry *files,
	size_t n);
/* Frees what listed_init made, for ops->free. */
void listed_release(struct listed *f);

/* Attributes of the root of such views, for listings. */
void listed_root_attr(struct view_attr *a, int64_t time_ns);

/* Give len bytes, which are freed when the data is released, to data. */
void listed_give(struct view_data *data, void *owner, void *bytes, size_t len);
/* As view_ops.xattr_get with this text for an answer. */
ssize_t listed_answer(
	const char *text, void *value, size_t size, struct err *e);

#endif
