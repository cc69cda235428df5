/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One database and the source it becomes in a repository: what is captured goes
 * into its queue by one thread, and from there to the store by another.
 *
 * Capturing knows nothing of the store, and goes on without it until the queue
 * is full.  Uploading takes the queue's units in order; each becomes a delta.
 * Where the queue does not follow what the store has, a base comes first.
 */
#ifndef YORE_WRITE_REPLICATE_REPLICATION_H
#define YORE_WRITE_REPLICATE_REPLICATION_H

#include <stdatomic.h>
#include "repo/write/delta_writer.h"
#include "repo/write/replicate/capture.h"

struct replication;

enum replication_wake {
	REPLICATION_WAKE_CAPTURE, /* call replication_capture */
	REPLICATION_WAKE_UPLOAD,  /* call replication_upload */
	REPLICATION_WAKE_NEWS,	  /* replication_synced may have changed */
};

struct replication_options {
	const char *path;	 /* absolute; kept as copies, as all here */
	const char *host, *name; /* of the source */
	const char *state_dir;	 /* of this database alone; exists */
	int64_t sync_ns;	 /* between the commits of two deltas */
	int64_t snapshot_ns;	 /* between two bases */
	uint64_t queue_limit;
	uint64_t limit_upload;		/* bytes a second; 0: none */
	bool silent; /* about failures: somebody asks, and tells of them */
	const atomic_bool *interrupted; /* ends the making of a base */
	/* There is something to do or to tell; called with locks held. */
	void (*wake)(void *ctx, enum replication_wake what);
	void *ctx;
};

/* -EBUSY another process replicates it with the same state.  *rp is given. */
int replication_new(const struct replication_options *o,
	struct replication **rp, struct err *e);
void replication_free(struct replication *rp);
const char *replication_path(const struct replication *rp);
/* Of the source. */
const char *replication_name(const struct replication *rp);

#define REPLICATION_NEVER INT64_MAX

/*
 * Take what there is, cut, keep the log short, let go when nobody uses the
 * database.  Returns when to be called again (monotonic), unless something
 * happens before.  all: cut now, whether it is time or not.
 */
int64_t replication_capture(struct replication *rp, bool all);
/* One step of uploading; returns when to be called again: now, if there is more
 * to do.  w is of the calling thread, always the same for one replication. */
int64_t replication_upload(struct replication *rp, struct writer *w);
/* The upload thread lets go of w. */
void replication_upload_end(struct replication *rp);

/* Its files have changed: the database's own, or its log.  Returns when
 * replication_capture is to be called. */
int64_t replication_changed(struct replication *rp, bool database);

enum replication_phase {
	REPLICATION_STARTING, /* nothing is known yet */
	REPLICATION_WAITING,  /* for a database, or one in WAL mode */
	REPLICATION_BASE,     /* a base is needed, or being made */
	REPLICATION_RUNNING,
	REPLICATION_LOST, /* another replicator has taken over */
};

struct replication_status {
	enum replication_phase phase;
	int64_t captured_ns; /* last commit that is durable here; wall clock */
	int64_t stored_ns;   /* last commit that is in the store */
	int64_t behind_ns;   /* since when something waits; 0: nothing does */
	uint64_t queue_bytes;
	uint64_t deltas, bases; /* made by this process */
	int64_t locked_ns_max;	/* the writer's lock was held, at most */
	bool capture_failed, upload_failed; /* at the last attempt */
	struct err error;      /* what is in the way now; code 0: nothing */
	struct err last_error; /* of the last failure; code 0: there was none */
	int64_t last_error_ns; /* wall clock */
};
void replication_status(struct replication *rp, struct replication_status *s);

/* -- Waiting until what is committed now is in the store --------------------
 */

/* Ask for it; a number to ask with. */
uint64_t replication_sync(struct replication *rp);
/* 1 it is, 0 not yet; -errno and e: what is in the way, which may pass. */
int replication_synced(
	struct replication *rp, uint64_t number, bool stored, struct err *e);

#endif
