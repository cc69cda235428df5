/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The view of one SQLite database at one point, whoever kept it: the root
 * directory, NAME, and NAME.raw.
 *
 * NAME.raw has the bytes as stored.  NAME has the same with one change: where
 * the header (bytes 0 to 15 say that it is one) says write-ahead logging, 2 in
 * bytes 18 and 19, it reads 1.  So any program opens NAME on a read-only mount
 * without flags, as a database with a rollback journal that nobody writes;
 * with 2 SQLite would want to make a -wal and a -shm and give up.  What has no
 * such header (an encrypted database) reads as stored.  -wal, -shm, -journal
 * and whatever else a program looks for do not exist.
 */
#ifndef YORE_SQLITE_DATABASE_VIEW_H
#define YORE_SQLITE_DATABASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "repo/view.h"

#define DATABASE_NAME_MAX 251 /* bytes of a name, so that .raw fits */
#define DATABASE_NODE 1	      /* number of NAME in the view */
#define DATABASE_RAW_NODE 2   /* of NAME.raw */

struct database;

/* The content of a database at a point: immutable, asked by any thread. */
struct database_ops {
	/*
	 * The bytes [off, off + len), which lie inside the database, as
	 * stored; as view_ops.read: pieces may be fewer than asked for, but
	 * are never empty.
	 */
	int (*read)(struct database *d, uint64_t off, size_t len,
		struct view_data *data, struct err *e);
	/* As view_ops.is_scattered; NULL: it never is. */
	bool (*is_scattered)(struct database *d, size_t len);
	/* As view_ops.extents; NULL: not known. */
	int (*extents)(struct database *d, uint64_t from,
		bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
		struct err *e);
	/* Attributes user.yore.* of both files, as view_ops.xattr_get; NULL:
	 * none beside user.yore.page_size, which the view answers itself. */
	ssize_t (*xattr_get)(struct database *d, const char *name, void *value,
		size_t size, struct err *e);
	/* As view_ops.check, of the bytes as stored; NULL: there is none. */
	int (*check)(struct database *d, struct view_check **c, struct err *e);
	/* As view_ops.pour, of the bytes as stored; NULL: they are read. */
	int (*pour)(struct database *d, struct view_sink *s, struct err *e);
	/* The view is gone. */
	void (*free)(struct database *d);
};

/* Embedded first in what a format makes. */
struct database {
	const struct database_ops *ops;
	char *name;	       /* one path component of 1 to DATABASE_NAME_MAX
				* bytes; freed by ops->free */
	uint64_t size;	       /* bytes: pages x page size */
	uint32_t page_size;    /* 0: not known */
	struct timespec mtime; /* moment it stands for */
	uint32_t mode; /* permission bits of both files; the directory adds x
			* where they have r */
	uint32_t uid, gid;
};

/*
 * The view; *view is given.  d is taken over, also when it fails: it is freed
 * with the view.  Asks d for nothing before something is read.  -EINVAL its
 * name is none.
 */
int database_view_new(struct database *d, struct view **view, struct err *e);

/* What its view will say of the root, for listings. */
void database_view_root(
	const struct database *d, struct view_attr *a, struct view_totals *t);

/* What a file of a view says of its database: value is text.  As
 * view_ops.xattr_get. */
ssize_t database_answer(
	const char *text, void *value, size_t size, struct err *e);

#endif
