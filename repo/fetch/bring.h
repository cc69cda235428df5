/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed bytes brought from a remote store into the disk cache, far ahead of
 * who will read them: more than could lie decoded in memory.  Frames are asked
 * for in the order they will be read; those that lie near each other in an
 * object travel in one get, wherever in that order they stand.
 *
 * Advice, as read-ahead is: what fails is left to the reader, and a cache that
 * does not keep what it is given is brought nothing more.  Who reads a frame
 * that is on its way waits for it (repo/fetch/flights.h).
 */
#ifndef YORE_FETCH_BRING_H
#define YORE_FETCH_BRING_H

#include <pthread.h>
#include <stdbool.h>
#include "repo/base/cancel.h"
#include "repo/format/ref.h"
#include "repo/store/store.h"

#define BRING_THREADS 8
#define BRING_QUEUE_MAX 4096
#define BRING_RANGE_MAX (8u << 20)

struct bring_plan;
struct bring_range;

struct bring {
	struct store *store; /* immutable; with a cache before it */
	size_t range_max, flying_max;
	struct cancel cancel;

	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t wake;
	bool stop;
	uint64_t flying; /* bytes on their way */
	unsigned lost; /* ranges in a row that the cache did not keep */
	unsigned n_threads, n_idle;
	pthread_t threads[BRING_THREADS];
	unsigned n_busy;
	int64_t busy_since; /* some thread is at work */
	uint64_t busy_ns, busy_bytes; /* of late */
	size_t n;
	struct bring_range *queue[BRING_QUEUE_MAX]; /* wanted first first */
};

/* store is borrowed; without a cache before it nothing is ever brought.  Of what
 * is on its way at most `memory` bytes are there at a time. */
void bring_init(struct bring *b, struct store *store, size_t memory);
/* Gives up what is queued or on its way. */
void bring_release(struct bring *b);

/* How many bytes are best asked for at a time: what the line brings in so many
 * seconds, at most BRING_REACH_MAX or a quarter of what the cache may hold. */
#define BRING_REACH_UNKNOWN (16u << 20) /* in one, nothing of the line is known */
#define BRING_REACH_MAX (128u << 20)
uint64_t bring_reach(struct bring *b, unsigned seconds);
/* Whether asking makes sense. */
bool bring_works(struct bring *b);
/*
 * How to ask for frames, which are in the order in which they will be read; one
 * may come more than once.  What lies between two of them is brought too where
 * that saves a get: at most `spare` bytes of it in all, and of gaps that are
 * worth it (line_gap).  Waits for the cache's disk.  Given.
 */
struct bring_plan *bring_plan(struct bring *b, const struct frame_place *at,
	size_t n, uint64_t spare);
/* Ask for what brings its first `until` frames, unless that was done, and maybe
 * more.  Returns at once: the bytes that will be asked of the store at most. */
uint64_t bring_send(struct bring *b, struct bring_plan *p, size_t until);
void bring_plan_free(struct bring_plan *p); /* NULL is allowed */

#endif
