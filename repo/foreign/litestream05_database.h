/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database of Litestream 0.5 at a TXID: a pile of LTX files, of which each
 * page is looked up from the top down.  A page lies in the last file that has
 * it, unless the database became shorter than that afterwards.
 *
 * Files up to 64 MiB are read and verified as a whole before the first page is
 * served (litestream05_pages.h); bigger ones are looked up by ranged reads of
 * their index, and verified in the background (litestream05_whole.h).
 */
#ifndef YORE_FOREIGN_LITESTREAM05_DATABASE_H
#define YORE_FOREIGN_LITESTREAM05_DATABASE_H

#include "repo/fetch/readahead.h"
#include "repo/foreign/litestream05_replica.h"
#include "repo/foreign/ltx_search.h"
#include "repo/sqlite/database_view.h"

/* A file of the pile. */
struct litestream05_layer {
	struct litestream05_file file;
	char *object;
	char *key;
	struct pieces_object at; /* those two, and the size */
	struct pieces *pieces;	 /* borrowed, as cache */
	struct ltx_header header;
	uint32_t limit; /* pages beyond this were cut off later */
	struct litestream05_pages *pages; /* NULL: it is looked up with: */
	struct ltx_search search;
	bool searched;
};

struct litestream05_database {
	struct database database; /* first */
	struct litestream05_replica *replica;
	struct litestream05_layer *layers; /* later ones on top */
	size_t n;
	uint32_t page_size, commit;

	pthread_mutex_t load_lock; /* one loads; before lock */
	_Atomic bool loaded;
	pthread_mutex_t lock; /* a leaf */
	struct stream stream; /* guarded by lock */
};

/* Open the replica at a TXID as a view.  Asks for the header of every file of
 * the pile.  -ESTALE it cannot be had any more. */
int litestream05_database_open(struct litestream05_replica *r, uint64_t txid,
	int64_t time_ns, struct view **view, struct err *e);

/* What a database of this replica is before any of it is known. */
void litestream05_database_fill(const struct litestream05_replica *r,
	int64_t time_ns, uint64_t size, uint32_t page_size, struct database *d);

/* Do something with every layer, several at a time, until one fails. */
int litestream05_database_each(struct litestream05_database *db,
	int (*run)(struct litestream05_database *db,
		struct litestream05_layer *l, struct err *e),
	struct err *e);

/* Where a page lies. */
struct litestream05_found {
	struct litestream05_layer *layer; /* NULL: in no file */
	uint64_t off;
	uint64_t len;
	uint32_t sum; /* if has_sum */
	bool has_sum;
};

/* -- litestream05_read.c ------------------------------------------------------
 */

/* As database_ops.read. */
int litestream05_database_read(struct database *d, uint64_t off, size_t len,
	struct view_data *data, struct err *e);

#endif
