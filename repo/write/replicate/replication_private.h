/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to replication: replication.c is the side that captures, uplink.c the
 * one that uploads.  Order of locks: capturing, lock.
 */
#ifndef YORE_WRITE_REPLICATE_REPLICATION_PRIVATE_H
#define YORE_WRITE_REPLICATE_REPLICATION_PRIVATE_H

#include <pthread.h>
#include "repo/write/replicate/replication.h"

struct replication {
	struct replication_options o; /* strings are its own */
	char *file;		      /* last component of path */
	char *queue_dir, *delta_dir;
	struct queue *queue;

	pthread_mutex_t capturing; /* held while the database is touched */
	/* Guarded by capturing. */
	struct capture *capture;
	bool base_runs; /* the capture serves pages to the other side */
	/* Monotonic: last cut, last commit that was seen, last time that all
	 * of them were taken. */
	int64_t cut_ns, idle_ns, taken_ns;
	bool complained;

	pthread_mutex_t lock;
	/* Guarded by lock. */
	enum replication_phase phase;
	uint64_t need;	 /* number of the last base that was needed, from 1 */
	uint64_t based;	 /* of the last one that was made, */
	uint64_t basing; /* and of the one being made, or 0 */
	bool continues;	 /* and it follows what the store has */
	bool rests;	 /* nothing is held: the next change matters at once */
	bool capture_failed, upload_failed;
	struct err capture_error, upload_error, last_error;
	int64_t last_error_ns;
	int64_t captured_ns, stored_ns, need_since_ns, file_changed_ns;
	uint64_t stored_unit, deltas, bases;
	uint64_t epoch;	       /* how often the queue was begun */
	uint64_t wanted, seen; /* numbers of syncs asked for, captured */
	uint64_t seen_unit, seen_epoch;
	int64_t locked_ns_max;

	/* The uploading thread's own. */
	struct delta_writer *dw;
	bool settled; /* the queue was compared with the store */
	int64_t retry_ns, backoff_ns, based_ns;
};

/* With lock held: a base is needed and not made yet. */
static inline bool
replication_needs_base(const struct replication *rp)
{
	return rp->need > rp->based;
}

/* With lock held. */
void replication_keep_error(struct replication *rp, const struct err *e);
/* A base is needed, and why (logged once). */
void replication_need_base(
	struct replication *rp, bool continues, const struct err *why);

#endif
