/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-ahead: a queue of cells and a few threads that fetch them.  It is
 * advice: what does not fit is forgotten, what fails is left to the reader who
 * then really wants it, and a reader who comes before a thread has started
 * takes the frame over.
 *
 * Neighbours in the queue that lie together in one object travel in one get.
 * Threads begin with the first frames asked for, because a mount forks after
 * it has opened its repository.
 *
 * Order of locks: ahead.lock is held together with no other.
 */
#ifndef YORE_FETCH_AHEAD_H
#define YORE_FETCH_AHEAD_H

#include <pthread.h>
#include <stdbool.h>
#include "repo/fetch/table.h"
#include "repo/fetch/unsealer.h"

#define AHEAD_QUEUE_MAX 512
#define AHEAD_THREADS_MAX 16
#define AHEAD_RUN_FRAMES_MAX 128

struct ahead {
	/* immutable */
	struct store *store;
	struct unsealer *unsealer;
	struct table *table;
	size_t gap;	/* bytes skipped to join two frames */
	size_t run_min; /* a get with less takes one more frame */
	size_t run_max; /* none is joined beyond this */
	size_t run_frames; /* nor more than these */
	unsigned max_threads;
	unsigned streams; /* gets that what is queued is shared among */

	_Atomic uint64_t frames; /* fetched */

	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	unsigned n_threads;
	unsigned n_idle;
	pthread_t threads[AHEAD_THREADS_MAX];
	size_t n;     /* cells queued, each with a reference */
	size_t bytes; /* their sealed bytes */
	struct cell *queue[AHEAD_QUEUE_MAX]; /* oldest first */
};

/* The immutable fields are set by the caller before. */
void ahead_init(struct ahead *a);
/* Forget the queue, wait for the threads. */
void ahead_release(struct ahead *a);

/* Ask for frames in the order given; returns at once. */
void ahead_ask(struct ahead *a, const struct frame_place *at, size_t n);
/* As fetch_ahead_around. */
void ahead_around(struct ahead *a, const struct frame_place *at, size_t n);
/* As fetch_ahead_beyond. */
void ahead_beyond(struct ahead *a, const struct frame_place *at, uint32_t len);
/* As fetch_stretch. */
void ahead_stretch(struct ahead *a, const struct frame_place *at, size_t before,
	size_t max);

#endif
