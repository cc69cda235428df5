/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One replica of Litestream 0.5: its files, and what their headers say.
 * Counted, since databases outlive the history.
 *
 * A listing tells TXIDs, sizes and when objects were written; when a state was
 * captured stands in the header of a file that ends with it.  Headers are read
 * when somebody asks about times, as few of them as will do, at once; files
 * never change, so what they said is kept.
 */
#ifndef YORE_FOREIGN_LITESTREAM05_REPLICA_H
#define YORE_FOREIGN_LITESTREAM05_REPLICA_H

#include "repo/foreign/litestream05_files.h"
#include "repo/foreign/litestream05_pages.h"
#include "repo/foreign/place.h"

struct litestream05_whole;

struct litestream05_replica {
	_Atomic int refs;
	struct foreign_place *place;
	char *prefix; /* of its objects' names */
	char *name;   /* of the source */
	char *file;   /* of the database: the last component of its path */
	char *label;  /* for messages */
	struct litestream05_pages_cache *pages;
	struct litestream05_whole *whole;

	pthread_mutex_t refresh_lock; /* one refresh at a time; taken first */
	unsigned refreshes;
	pthread_mutex_t lock; /* guards what follows; a leaf */
	struct litestream05_files files;
	uint64_t version;   /* of files: grows with every change */
	unsigned new_infos; /* headers read since they were kept */
};

/* Nothing is asked of the store. */
struct litestream05_replica *litestream05_replica_new(
	struct foreign_place *place, const char *prefix, const char *name);
struct litestream05_replica *litestream05_replica_get(
	struct litestream05_replica *r);
void litestream05_replica_put(struct litestream05_replica *r);

/* List the files anew, or (offline) as they were listed last. */
int litestream05_replica_refresh(struct litestream05_replica *r, struct err *e);
/* Keep the headers that were read. */
void litestream05_replica_keep(struct litestream05_replica *r);

/* Name of a file in the store; given. */
char *litestream05_replica_object(const struct litestream05_replica *r,
	const struct litestream05_file *f);
/* What stands for its very bytes (struct pieces_object); given. */
char *litestream05_replica_key(const struct litestream05_replica *r,
	const struct litestream05_file *f);

/* Have f->info say what the file's header says; as it was read before, if the
 * store is remote. */
int litestream05_replica_header(struct litestream05_replica *r,
	struct litestream05_file *f, struct err *e);

/* -- Moments ------------------------------------------------------------------
 * By index, as of one version of the files; -ESTALE when that has changed.
 */

struct litestream05_told {
	uint64_t txid;
	int64_t time_ns;
	uint64_t size; /* of the database; 0 where that is not known */
	uint32_t page_size;
	bool damaged; /* its header cannot be read */
	bool snapshot;
};

/* -ESTALE: what an index is of is not there any more. */
int litestream05_replica_changed(
	const struct litestream05_replica *r, struct err *e);
/* Number of moments, and the version that indexes are of. */
size_t litestream05_replica_moments(
	struct litestream05_replica *r, uint64_t *version);
/* Read the headers of moments [from, to). */
int litestream05_replica_learn(struct litestream05_replica *r, uint64_t version,
	size_t from, size_t to, struct err *e);
/* Of all that are snapshots. */
int litestream05_replica_learn_snapshots(
	struct litestream05_replica *r, uint64_t version, struct err *e);
/* What is known of one; its time never falls below that of the one before,
 * as far as that has been read. */
int litestream05_replica_tell(struct litestream05_replica *r, uint64_t version,
	size_t i, struct litestream05_told *told, struct err *e);
/* Index of the first moment that is later than t_ns. */
int litestream05_replica_after(struct litestream05_replica *r, uint64_t version,
	int64_t t_ns, size_t *i, struct err *e);
/* Index of a moment by TXID: exact, or n. */
size_t litestream05_replica_find(
	struct litestream05_replica *r, uint64_t version, uint64_t txid);
/* -EIO when TXIDs are missing behind the last moment, and the sentence says
 * which; else 0. */
int litestream05_replica_gap(struct litestream05_replica *r, struct err *e);

/* The files of a plan (given, n of them); as litestream05_files_plan. */
int litestream05_replica_plan(struct litestream05_replica *r, uint64_t txid,
	struct litestream05_file **plan, size_t *n, struct err *e);

#endif
