/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of pieces.h: pieces_table.c knows which pieces are in memory or on
 * their way, pieces.c fetches and copies, pieces_ahead.c has the threads.
 */
#ifndef YORE_FOREIGN_PIECES_PRIVATE_H
#define YORE_FOREIGN_PIECES_PRIVATE_H

#include "repo/base/cancel.h"
#include "repo/foreign/pieces.h"

#define PIECES_BUCKETS 4096u
#define PIECES_RUN_MAX 64u /* pieces of one request: 4 MiB */
#define PIECES_THREADS 6
#define PIECES_QUEUE_MAX 64

enum piece_state { FLYING, READY, GONE };

struct piece {
	uint64_t object; /* hash of its key */
	uint64_t number;
	enum piece_state state;
	bool ahead; /* brought by read-ahead, read by nobody yet */
	unsigned refs;
	size_t len;
	uint8_t *data;
	struct piece *chain;	     /* in its bucket */
	struct piece *newer, *older; /* READY ones in order of use */
};

struct pieces_task {
	char *name;
	char *key;
	uint64_t size;
	uint64_t first;
	unsigned n;
};

struct pieces {
	struct foreign_place *place;
	struct kept *kept; /* NULL: none */
	size_t limit;

	pthread_mutex_t lock;
	pthread_cond_t landed; /* some piece is no longer FLYING */
	struct piece *buckets[PIECES_BUCKETS];
	struct piece *newest, *oldest;
	size_t bytes;
	uint64_t hits, joined, ahead_pieces, ahead_unused;

	pthread_cond_t work;
	struct pieces_task queue[PIECES_QUEUE_MAX];
	unsigned queued, queue_at;
	pthread_t threads[PIECES_THREADS];
	unsigned n_threads;
	bool ending;
	struct cancel cancel; /* of read-ahead */
};

/* Neighbours, entered by one who is to fetch them. */
struct pieces_run {
	struct piece *piece[PIECES_RUN_MAX];
	unsigned n;
};

uint64_t pieces_hash(const char *key);

/* -- pieces_table.c: with the lock held --------------------------------------
 */

/* NULL: neither in memory nor on its way. */
struct piece *pieces_find(struct pieces *p, uint64_t object, uint64_t number);
void pieces_order_remove(struct pieces *p, struct piece *x);
void pieces_order_add(struct pieces *p, struct piece *x);
void pieces_put(struct piece *x);
/* Out of the table; whoever holds it may go on. */
void pieces_drop(struct pieces *p, struct piece *x);
/* Down to the limit, but for those that are held. */
void pieces_evict(struct pieces *p);
/* Enter pieces from `number` on, at most n, up to the first that is known. */
void pieces_claim(struct pieces *p, uint64_t object, uint64_t number,
	unsigned n, struct pieces_run *run);

/* -- pieces.c: without it -----------------------------------------------------
 */

/* Fetch a claimed run; those before the first error have their data. */
int pieces_fetch(struct pieces *p, const struct pieces_object *o,
	struct pieces_run *run, bool ahead, struct err *e);
/* What has data is READY, the rest is out of the table. */
void pieces_land(struct pieces *p, struct pieces_run *run, bool ahead);

/* -- pieces_ahead.c
 * ------------------------------------------------------------ */

/* Ends its threads and empties its queue. */
void pieces_ahead_end(struct pieces *p);

#endif
