/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking the commits of one database in WAL mode into its queue, without a gap
 * or with a word about it.
 *
 * While the guard holds, continuity follows from SQLite's locks; after a time
 * without holding (the replicator was not running, or rested) it is proven from
 * the log itself, or it is not there: -ESTALE, and the queue has to begin anew
 * with a base.  Whatever is not as expected (file replaced, log shorter, salts
 * or sums that lead nowhere) is the same.
 *
 * One thread at a time, but for the pages of a base, which another may read.
 */
#ifndef YORE_WRITE_REPLICATE_CAPTURE_H
#define YORE_WRITE_REPLICATE_CAPTURE_H

#include <sys/stat.h>
#include "repo/write/replicate/guard.h"
#include "repo/write/replicate/pages.h"
#include "repo/write/replicate/queue.h"

/*
 * A log of half as many bytes or frames is copied into the database, and begins
 * anew if nobody writes meanwhile; one of as many under the writer's lock,
 * before SQLite's default (1000 frames) has the application copy it at every
 * commit.
 */
#define CAPTURE_LOG_LEN (4u << 20)
#define CAPTURE_LOG_FRAMES 900

struct capture;

/* path: absolute; q: borrowed.  Touches nothing yet. */
struct capture *capture_new(const char *path, struct queue *q);
void capture_free(struct capture *c);

/*
 * Begin to hold, and find out whether the queue's last commit led here.  0 it
 * did, or it holds already.  -ESTALE: it did not, or the queue has not begun;
 * holds all the same.  -ENOTSUP not in WAL mode; -ENOENT; other errors: does
 * not hold.
 */
int capture_hold(struct capture *c, struct err *e);
bool capture_holds(const struct capture *c);

/* Take what was committed.  *taken (may be NULL): there was something.
 * -ESTALE, -ENOSPC (the queue is full): the queue is as it was. */
int capture_take(struct capture *c, bool *taken, struct err *e);

/*
 * Read from now on what there is now, so that nobody waits for us, and leave
 * what was committed in the log.  *more: there is some that the last call of
 * this or of capture_take did not see.  -EAGAIN: nothing keeps it there but
 * where we read: capture_take.
 */
int capture_refresh(struct capture *c, bool *more, struct err *e);

/*
 * If the log is long enough (or now): take, make durable, copy the log into the
 * database and have it begun anew.  0 also when it was not due, or others (or a
 * disk so slow that the writer's lock would be held for too long) were in the
 * way, which is no error: it is due again later.
 */
int capture_checkpoint(struct capture *c, bool now, struct err *e);

/*
 * Let go of the database: all its locks, and connections.  What was captured
 * stays proven if nothing but ordinary commits follow.  May be called whenever
 * no base is being made.
 */
void capture_rest(struct capture *c);
/* Whether another process has the database open, in WAL mode. */
bool capture_is_shared(struct capture *c);

/*
 * Begin a base: the state it is of.  begin_queue: the queue begins anew there;
 * else all commits up to there are taken and cut first, and *unit is the last
 * unit that the base stands for.  *p (borrowed until capture_base_end) is read
 * by one thread, without any lock of the caller's.
 */
int capture_base_begin(struct capture *c, bool begin_queue, struct pages **p,
	struct position *at, uint64_t *unit, struct err *e);
void capture_base_end(struct capture *c);

struct capture_stats {
	uint64_t log_bytes;    /* of the log that is in use */
	int64_t locked_ns_max; /* the writer's lock was held, at most */
	uint64_t checkpoints;
};
void capture_stats(const struct capture *c, struct capture_stats *s);

/* The database's file: owner and mode. */
int capture_stat(const struct capture *c, struct stat *st, struct err *e);

#endif
