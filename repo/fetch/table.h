/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames by place: those decoded in memory, those on their way, those that
 * read-ahead has queued.  One cell a frame, whatever its state, so that a
 * frame can be asked for once only.
 *
 *   QUEUED --claim--> FLYING --land--> READY --evicted--> gone
 *        \                 \--fail--> FAILED, gone
 *         \--forget, or a reader enters (with a cell of his own)--> gone
 *
 * READY cells are kept in order of use, content apart from metadata, and
 * evicted from the oldest; a cell that a reader holds is not (that would free
 * nothing).  Content goes first as long as metadata holds no more than its
 * share: what is read goes to another cache and is wanted here once, while a
 * walk through a tree comes back to pages after much content has passed.
 * Errors are told to those who wait and not kept.
 *
 * The table is cut into shards by hash, each with its own lock.  Order of
 * locks: table.evicting, then one shard, then budget.  None is held across a
 * store call or an unsealing.
 */
#ifndef YORE_FETCH_TABLE_H
#define YORE_FETCH_TABLE_H

#include <pthread.h>
#include "repo/fetch/budget.h"
#include "repo/fetch/cell.h"

#define TABLE_SHARDS 16

enum table_class { CLASS_CONTENT, CLASS_META, TABLE_CLASSES };

/* Of the limit, what metadata may hold while there is content to evict. */
#define TABLE_META_SHARE(limit) ((limit) / 2)

struct cell_order {
	struct cell *newest;
	struct cell *oldest;
	_Atomic uint64_t since; /* when that was used, for who has no lock */
};

struct shard {
	pthread_mutex_t lock;
	struct cell **buckets;
	size_t n_buckets; /* a power of two */
	size_t n_cells;
	struct cell_order order[TABLE_CLASSES];
	uint64_t hits;
	uint64_t joined;
	uint64_t unused;      /* evicted unread */
	uint64_t ahead_bytes; /* sealed, that read-ahead brought, */
	uint64_t ahead_read;  /* and of those, that readers came for */
} __attribute__((aligned(64)));

struct table {
	struct shard shards[TABLE_SHARDS];
	pthread_mutex_t evicting;
	size_t limit; /* immutable */
	_Atomic size_t bytes[TABLE_CLASSES];
	_Atomic uint64_t tick; /* grows with every landing */
	struct budget ahead;
};

/* limit: bytes of decoded frames kept; half of them for read-ahead. */
void table_init(struct table *t, size_t limit);
/* No cell may be on its way; frames that readers still hold stay theirs. */
void table_release(struct table *t);

/* The frame if it is decoded, with a reference; else NULL. */
struct cell *table_peek(struct table *t, const struct frame_place *at);
/*
 * The cell of a frame, with a reference.  When *own is set the caller must
 * fetch it and table_land or table_fail it; else it is decoded, after a wait
 * for whoever fetched it.  Returns their error when they failed.
 */
int table_enter(struct table *t, const struct frame_place *at,
	struct cell **cell, bool *own, struct err *e);

enum table_queued { TABLE_QUEUED, TABLE_KNOWN, TABLE_FULL };
/* A QUEUED cell for a frame not known yet, with a reference; TABLE_FULL when
 * read-ahead holds what it may. */
enum table_queued table_queue(
	struct table *t, const struct frame_place *at, struct cell **cell);
/* Make a QUEUED cell the caller's to fetch; false (reference gone) when a
 * reader has taken it over. */
bool table_claim(struct table *t, struct cell *c);
/* Nobody will fetch this QUEUED cell, unless a reader has taken it over; the
 * reference goes. */
void table_forget(struct table *t, struct cell *c);

/* Give a decoded frame up, unless somebody holds it; false: it is not there. */
bool table_drop(struct table *t, const struct frame_place *at);

struct opened;
/* The caller's FLYING cell is decoded; what was opened is taken, the
 * reference stays. */
void table_land(struct table *t, struct cell *c, struct opened *o);
/* The caller's FLYING cell failed; the reference goes.  With e NULL the
 * waiting readers try again themselves, else they get the error. */
void table_fail(struct table *t, struct cell *c, const struct err *e);

void table_stats(struct table *t, struct fetch_stats *s);

#endif
