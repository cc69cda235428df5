/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger: which bytes of which objects are in the cache, when they were
 * last used, what is pinned, how much may be there.  All of SQLite.
 *
 * A row is a segment of an object.  `present` may be read; `claimed` contains
 * it and all else that may take room on the disk: bytes are claimed before
 * they are written and present only afterwards, so that whoever is killed in
 * between leaves nothing uncounted.  `serial` is a new random number whenever
 * bytes of the segment are given up, so that a writer whose claim was evicted
 * meanwhile finds out.  `rank` orders eviction: it grows with every change of
 * the ledger (the wall clock in ms, or one more than the last).  A whole object
 * is one row, number 0, however long it is.
 *
 * Functions return 0 or -errno.  -EUCLEAN: the database is damaged or
 * contradicts itself; ledger_set_aside it and begin anew.  -EBUSY, -ENOSPC,
 * -EIO as SQLite has met them.  A handle is used by one thread at a time; rows
 * are changed between ledger_begin and ledger_commit only, under the lock of the
 * cache's directory.
 */
#ifndef YORE_CACHE_LEDGER_H
#define YORE_CACHE_LEDGER_H

#include "repo/cache/cache.h"
#include "repo/cache/files.h"

struct ledger;

/* What the ledger says of itself; read by ledger_begin, kept by ledger_commit. */
struct ledger_state {
	int64_t bytes; /* claimed, in blocks */
	int64_t rank;  /* of what is used now */
	int64_t limit;
	int64_t min_free;
	int64_t hits;
	int64_t misses;
};

struct row {
	int64_t object;
	int64_t n;
	int64_t serial;
	int64_t rank;
	int64_t bytes;
	bool pinned;
	bool fresh; /* not in the ledger yet */
	struct ranges present; /* offsets in the object */
	struct ranges claimed;
};

#define ROW_INIT { .fresh = true }
void row_release(struct row *r);
#define auto_row AUTO(row_release)

/* Opens or makes the database at path; with the lock held.  writer: may
 * change it. */
int ledger_open(const char *path, bool writer, struct ledger **ix, struct err *e);
void ledger_close(struct ledger *ix);
/* Whether path is still the file that was opened. */
bool ledger_is_at(const struct ledger *ix, const char *path);
/* Rename a damaged database, so that another can be made; with the lock held
 * and no handle of it open here. */
int ledger_set_aside(const char *path);
/* Where that puts it.  Given. */
char *ledger_aside(const char *path);
/* Bytes of the database's files on disk; and with what its log may grow. */
uint64_t ledger_size(const char *path);
uint64_t ledger_room(const struct ledger *ix, const char *path);
/* Move what was written from the log to the database, if it has grown. */
void ledger_tidy(struct ledger *ix, const char *path);
/* Why the last call failed, in SQLite's words. */
const char *ledger_said(const struct ledger *ix);

int ledger_begin(struct ledger *ix, struct ledger_state **st);
int ledger_commit(struct ledger *ix);
void ledger_rollback(struct ledger *ix);
/* The state as it is, without a change. */
int ledger_state(struct ledger *ix, struct ledger_state *st);
/* Sum the bytes of all rows up anew. */
int ledger_recount(struct ledger *ix);

/* -- Objects ------------------------------------------------------------- */

/* -ENOENT when there is none. */
int ledger_find(struct ledger *ix, const struct key *k, int64_t *object,
	bool *whole);
/* Find it or make it. */
int ledger_make(struct ledger *ix, const struct key *k, int64_t *object,
	bool *whole);
int ledger_set_whole(struct ledger *ix, int64_t object, bool whole);
/* Forget the object if it has neither rows nor pins. */
int ledger_drop_if_bare(struct ledger *ix, int64_t object);
/* Add what is present of an object to a set, and what is claimed to another
 * (which may be NULL). */
int ledger_present(struct ledger *ix, int64_t object, struct ranges *present,
	struct ranges *claimed);
/* What is present of an object, and whether as a whole, as of one moment: what
 * others drop and make in between may get its number.  -ENOENT. */
int ledger_learn(struct ledger *ix, const struct key *k, bool *whole,
	struct ranges *present);

/* -- Rows ---------------------------------------------------------------- */

/* Sets r->fresh and empty ranges when there is none; then r->pinned tells
 * whether it will be. */
int ledger_row(struct ledger *ix, int64_t object, int64_t n, bool whole,
	struct row *r);
/* Insert or change it; counts claimed in blocks of this size, plus extra. */
int ledger_put_row(struct ledger *ix, struct row *r, uint64_t block,
	uint64_t extra);
int ledger_delete_row(struct ledger *ix, struct row *r);
/* Rows [first, last] have been used at this rank. */
int ledger_used(struct ledger *ix, int64_t object, int64_t first, int64_t last,
	int64_t rank);

/* A row and whose it is. */
struct victim {
	struct key key;
	int64_t object;
	int64_t n;
	int64_t bytes;
	bool whole;
};

/* At most max rows that are not pinned, those used longest ago first; *n is
 * their number. */
int ledger_oldest(struct ledger *ix, struct victim *v, size_t max, size_t *n);
/* The rows of an object (NULL: of a repository; both NULL: of all) from
 * number `from` on, that are not pinned or, with pinned, all.  Without an
 * object also not the whole objects of repositories with pins. */
struct ledger_scope {
	const uint8_t *repository;
	const struct key *object;
	int64_t first;
	int64_t last;
	bool pinned;
};
int ledger_rows(struct ledger *ix, const struct ledger_scope *s,
	struct victim *v, size_t max, size_t *n);

/* -- Pins ---------------------------------------------------------------- */

/* Pin bytes of an object; its rows are pinned from now on. */
int ledger_pin(struct ledger *ix, const uint8_t *repository, const char *pin,
	const struct key *k, const struct cache_extent *at);
/* Take a pin away; rows that no other pin has are no longer pinned.
 * -ENOENT. */
int ledger_unpin(struct ledger *ix, const uint8_t *repository, const char *pin);
/* Take away all pins of a repository (NULL: of all). */
int ledger_unpin_all(struct ledger *ix, const uint8_t *repository);
/* Call for each place of a pin (NULL: of all pins of the repository). */
int ledger_pins(struct ledger *ix, const uint8_t *repository, const char *pin,
	int (*each)(void *ctx, const char *pin, const struct key *k,
		const struct cache_extent *at),
	void *ctx);

/* Pins, limits and counters of a damaged database at path, as far as they can
 * be read, into this one. */
void ledger_salvage(struct ledger *ix, const char *path);

int ledger_status(struct ledger *ix, struct cache_status *st);

#endif
