/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying what a history has into a repository, whoever wrote it: a repository
 * under other keys, or what another program left (then it is an import).
 *
 * Each source keeps its name, each state its time, tags and content; what it is
 * called here and how it is sealed are this repository's own.  States are
 * appended, oldest first, to what the target has of a source, so that a copy
 * that was interrupted, or is made every night, goes on where the last one
 * ended: a copy says in its record what it was copied from.  A state older than
 * the newest in the target is left out, for it could no longer be put in its
 * place.
 *
 * What a state has in common with the one copied before it is not read again.
 */
#ifndef YORE_UPKEEP_COPY_H
#define YORE_UPKEEP_COPY_H

#include <stdatomic.h>
#include "repo/history.h"
#include "repo/open.h"
#include "repo/write/writer.h"

struct copy;

/* A state that was copied, or would be on a dry run; borrowed. */
struct copy_event {
	const char *host, *name; /* in the target */
	const struct history_point *point;
	const char *id;	    /* of the copy; "" of one that is no snapshot,
			     * or on a dry run */
	uint64_t new_bytes; /* of chunks that the target lacked */
	uint64_t stored;    /* bytes written to the store */
};

struct copy_options {
	struct history *from; /* borrowed, as all here */
	const char *to;
	const struct history_open_options *to_open;
	const char *host, *name; /* what a source is called there; NULL: as here */
	bool dry_run;
	bool lenient; /* a snapshot may lack files that cannot be read */
	uint64_t limit_upload;
	const atomic_bool *interrupted;
	/* As in struct backup_options. */
	void (*report)(void *ctx, const char *path, int code, const char *text);
	void (*progress)(void *ctx, const struct backup_progress *p);
	void (*copied)(void *ctx, const struct copy_event *ev);
	/* A state could not be copied; others go on. */
	void (*failed)(void *ctx, const struct history_point *p,
		const struct err *e);
	void *ctx;
};

struct copy_result {
	uint64_t copied;  /* snapshots */
	uint64_t moments; /* of databases, snapshots among them */
	uint64_t skipped; /* there already, or older than what is there */
	uint64_t failed;
	uint64_t errors; /* paths left out */
};

/* Open the target.  Errors as writer_open. */
int copy_new(const struct copy_options *o, struct copy **c, struct err *e);
void copy_free(struct copy *c);

/*
 * Copy a source's states, or of its snapshots those that `wanted` (one for each
 * of its points) says; result is added to.  Errors end it: of the target, of
 * its listing, -ECANCELED interrupted.  -EEXIST the target has something else
 * of that name.
 */
int copy_source(struct copy *c, const struct history_listing *l, size_t source,
	const bool *wanted, struct copy_result *result, struct err *e);

#define auto_copy AUTO(copy_auto_)
static inline void
copy_auto_(struct copy **c)
{
	copy_free(*c);
}

#endif
