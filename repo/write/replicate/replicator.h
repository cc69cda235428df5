/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any number of replications in one process: a few threads that capture, a few
 * that upload, all asleep while nothing happens.
 *
 * Databases are added before and while it runs, by one thread, and stay until
 * it is freed.
 */
#ifndef YORE_WRITE_REPLICATE_REPLICATOR_H
#define YORE_WRITE_REPLICATE_REPLICATOR_H

#include "repo/write/replicate/replication.h"

struct replicator;

struct replicator_options {
	const char *repo; /* as -r takes it; kept as copies, as all here */
	/* Borrowed until replicator_new returns; asked once for each thread
	 * that uploads. */
	const struct history_open_options *open;
	const char *host;
	/* Queues and hashes of pages lie below it, in a directory for each
	 * repository and source. */
	const char *state_dir;
	int64_t sync_ns, snapshot_ns;
	uint64_t queue_limit, limit_upload;
	unsigned upload_threads;
	bool silent; /* as replication's */
};

/* Open the repository; errors as writer_open.  Starts no thread.  *r is
 * given. */
int replicator_new(const struct replicator_options *o, struct replicator **r,
	struct err *e);
/* Ends what runs, without waiting for uploads. */
void replicator_free(struct replicator *r);

/* One more: -EEXIST the same file, or name of source, is there already;
 * otherwise as replication_new.  *index counts them from 0. */
int replicator_add(struct replicator *r, const char *path, const char *name,
	size_t *index, struct err *e);
size_t replicator_count(const struct replicator *r);
struct replication *replicator_get(struct replicator *r, size_t index);

int replicator_start(struct replicator *r, struct err *e);
/* As replication_changed. */
void replicator_changed(struct replicator *r, size_t index, bool database);
/* Look at it now: after replication_sync. */
void replicator_look(struct replicator *r, size_t index);
/* Take what is committed, and upload what has been taken as long as the store
 * lets us, but no longer than this; then all threads have ended. */
void replicator_stop(struct replicator *r, int64_t flush_ns);

/* Becomes readable when there is news (eventfd(2)). */
int replicator_fd(const struct replicator *r);

#endif
