/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole database, poured out: frames are asked for in the order in which they
 * lie, far ahead; several threads decode them, hash their pages and hand them
 * on.  The hash of a database is a sum, so it does not matter which page comes
 * first.  Private to repo/native.
 */
#ifndef YORE_NATIVE_POUR_H
#define YORE_NATIVE_POUR_H

#include <pthread.h>
#include "repo/native/database.h"

#define POUR_THREADS_MAX 8

/* Pages that follow each other, in one frame or chunk. */
struct pour_run {
	uint32_t first, n;
	uint32_t slot; /* of the first, in a frame of a delta */
};

/* What one frame has of the database. */
struct pour_piece {
	struct pour_piece *next;
	enum page_origin origin;
	struct ref ref; /* of a delta: its place alone */
	uint64_t off;	/* where a chunk of the base lies in the file */
	size_t weight;	/* bytes, decoded, about */
	struct pour_run *runs;
	size_t n, cap;
};

struct pour_queue {
	struct pour_piece *first, **last;
	size_t n, weight;
};

struct pour {
	struct native_database *d; /* borrowed, as is */
	struct view_sink *to;
	struct cancel *cancel;
	size_t window; /* of pieces at once, decoded */
	struct pour_queue batch; /* the producer's: not asked for yet */

	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t moved;
	struct pour_queue asked; /* on their way: nobody waits for them yet */
	struct pour_queue ready; /* for whoever comes */
	size_t n_out, weight_out; /* of both, and in work */
	bool over;
	int r; /* the first failure, and why */
	struct err e;
	uint8_t sum[PAGE_HASH_LEN];
	uint64_t pages;
	pthread_t threads[POUR_THREADS_MAX];
	unsigned n_threads;
};

/* Borrows both. */
void pour_begin(
	struct pour *p, struct native_database *d, struct view_sink *to);
/* A piece without runs, into the batch; the caller fills it in until the next
 * call of anything here. */
struct pour_piece *pour_piece(
	struct pour *p, enum page_origin origin, size_t weight);
void pour_run(struct pour_piece *pc, uint32_t first, uint32_t n, uint32_t slot);
/* The batch may go, if it is large enough; waits for room.  What has failed so
 * far. */
int pour_push(struct pour *p);
/* All has been said (r: unless that failed): wait for the end of it, and compare
 * the sum. */
int pour_end(struct pour *p, int r, struct err *e);

#endif
