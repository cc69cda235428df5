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
#ifndef YORE_FOREIGN_FILES_H
#define YORE_FOREIGN_FILES_H

#include "repo/view.h"

#define FILES_MAX (1u << 20) /* in one view */
#define FILES_PATH_MAX 4000

struct files;

/* One file, and in the view its entry. */
struct files_entry {
	const char *path; /* '/'-separated, the view's copy */
	uint64_t size;
	int64_t modified_ns;
	uint32_t mode; /* permission bits */
	uint32_t tag;  /* the maker's own */
};

/* What the maker of a view does for it.  All may be called by any thread. */
struct files_ops {
	/* As view_ops.read; [off, off + len) lies inside the file. */
	int (*read)(struct files *f, size_t i, uint64_t off, size_t len,
		struct view_data *data, struct err *e);
	/* An attribute user.yore.* of file i, as view_ops.xattr_get; NULL: no
	 * file has any. */
	ssize_t (*xattr_get)(struct files *f, size_t i, const char *name,
		void *value, size_t size, struct err *e);
	/* The same of the root directory; NULL: none. */
	ssize_t (*root_xattr)(struct files *f, const char *name, void *value,
		size_t size, struct err *e);
	/* Name of the object that file i is in the store; NULL: not known. */
	const char *(*object)(struct files *f, size_t i);
	/* The view is gone; frees what embeds f. */
	void (*free)(struct files *f);
};

/* Embedded first in what a format makes. */
struct files {
	struct view view;
	const struct files_ops *ops;
	char *label;		   /* source@point, for messages */
	struct timespec mtime;	   /* of directories */
	struct files_entry *files; /* by path, components compared as bytes */
	size_t n_files;
	struct files_node *nodes;
	size_t n_nodes;
	struct view_totals totals;
};

/* Whether a path may be one in a view: parts of 1 to 255 bytes, none "." or
 * "..", neither a '/' at either end nor more than FILES_PATH_MAX in all. */
bool files_path_ok(const char *path, size_t len);
/* Order of paths as a walk meets them: '/' before any other byte. */
int files_compare_paths(const char *a, const char *b);

/*
 * Make f, zeroed but for what ops need, a view with one reference: of n files
 * (copied, in any order; paths that are ok).  Of files that have one path one
 * counts, and none that is also a directory; both are logged.
 */
void files_init(struct files *f, const struct files_ops *ops, const char *label,
	int64_t time_ns, const struct files_entry *files, size_t n);
/* Frees what files_init made, for ops->free. */
void files_release(struct files *f);

/* Attributes of the root of such views, for listings. */
void files_root_attr(struct view_attr *a, int64_t time_ns);

/* Give len bytes, which are freed when the data is released, to data. */
void files_give(struct view_data *data, void *owner, void *bytes, size_t len);
/* As view_ops.xattr_get with this text for an answer. */
ssize_t files_answer(const char *text, void *value, size_t size, struct err *e);

#endif
