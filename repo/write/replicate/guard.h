/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections to a database in WAL mode, and the locks that keep others from
 * throwing frames away which have not been captured.
 *
 * Holding means that one of our connections is in a read transaction; it goes
 * over from one to the next without a gap.  By SQLite's locks a log can begin
 * anew only when all of it has been copied into the database and no reader
 * needs it.  A reader that began before that keeps it from happening at all; a
 * reader that began afterwards needs no frame, lets it happen once, and keeps
 * everybody from copying what comes then.  Whichever a reader of ours is: if
 * everything up to where it began had been captured before the reader before
 * it let go, then what follows is either in this log behind what was captured,
 * or at the beginning of the next one, with nothing between.
 *
 * Nothing is ever written to the database but by checkpoints, which are made
 * under the writer's lock of another connection of ours (DESIGN, "Databases").
 * Descriptors of the database's file are not opened here, apart from SQLite's.
 */
#ifndef YORE_WRITE_REPLICATE_GUARD_H
#define YORE_WRITE_REPLICATE_GUARD_H

#include "repo/write/replicate/index.h"

#define GUARD_BUSY_MS 100 /* waited for a lock, at most */

struct guard;

/* Does not touch the database yet. */
struct guard *guard_new(const char *path);
/* Lets go; a log that is there stays. */
void guard_free(struct guard *g);

/*
 * Begin to hold, if nothing is held.  -ENOTSUP the database is not in WAL
 * mode, or cannot be shared; -EBUSY; -EUCLEAN not a database; other errors of
 * SQLite as -EIO.
 */
int guard_hold(struct guard *g, struct err *e);
bool guard_is_held(const struct guard *g);
/* Close all connections: nothing is held. */
void guard_close(struct guard *g);

/* The index as the holder sees it; something must be held. */
int guard_index(struct guard *g, struct wal_index *ix, struct err *e);

/*
 * Hold with a younger reader: begin that, have `capture` take everything there
 * is, let the older one go.  When it fails the older one is kept.
 */
int guard_renew(struct guard *g, int (*capture)(void *ctx, struct err *e),
	void *ctx, struct err *e);

/*
 * Likewise without capturing, which is as good as long as frames of the log are
 * not in the database.  0 the holder is as young as can be; -EAGAIN everything
 * is copied: guard_renew.  *more: there are commits that the one before did not
 * see.
 */
int guard_refresh(struct guard *g, bool *more, struct err *e);

/*
 * Under the writer's lock: renew, then copy the whole log into the database.
 * capture's second call, under the lock, has to make durable what it takes.
 * Afterwards the next commit begins the log anew, unless somebody reads.
 * -EBUSY somebody writes, or (the rest of) the log is needed by readers.
 * *locked_ns: how long the writer's lock was held.
 */
int guard_checkpoint(struct guard *g, int (*capture)(void *ctx, struct err *e),
	void *ctx, int64_t *locked_ns, struct err *e);

/*
 * Copy what the holder has (so: what was captured before it began) into the
 * database without the writer's lock.  The log cannot begin anew while the
 * holder reads, which is what makes checkpoints beside commits dangerous.
 * -EBUSY others need the log, or copy it.
 */
int guard_copy_held(struct guard *g, struct err *e);

/* -- A reader of its own, that stays while the holding goes on --------------
 */

/* Begin one; something is held.  One at a time. */
int guard_pin(struct guard *g, struct err *e);
int guard_pin_index(struct guard *g, struct wal_index *ix, struct err *e);
void guard_unpin(struct guard *g);

/* Whether the SQLite library in use may lose commits when checkpoints race
 * (3.7.0 to 3.51.2). */
bool guard_library_is_vulnerable(void);

#endif
