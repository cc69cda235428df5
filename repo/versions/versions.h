/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The versions of a path: its different states over the snapshots of a source,
 * oldest first (DESIGN, "Versions").
 *
 * A state is what ls -l and cat show: kind, mode, owner, size, mtime, content,
 * target, extended attributes; of a directory also all that is below it.  That
 * a file was written anew with the same bytes and the same mtime makes no new
 * version.  Renames are not followed.
 *
 * Not every snapshot is looked at: what is the same file, unchanged since, at
 * two snapshots, and so are the directories on the way, was it in between.
 */
#ifndef YORE_VERSIONS_VERSIONS_H
#define YORE_VERSIONS_VERSIONS_H

#include "repo/history.h"

enum versions_of {
	VERSIONS_OF_ALL,
	/* Of a directory only what it is itself and what names it has; of
	 * files the same as above, or more than that. */
	VERSIONS_OF_NAMES,
};

/* The last 64 views that were looked at, for who asks about several paths.  May
 * be used from any thread; its lock is a leaf. */
struct versions_views;
struct versions_views *versions_views_new(void);
void versions_views_free(struct versions_views *vs); /* NULL is allowed */

struct versions_query {
	struct history *history; /* all borrowed */
	const struct history_listing *listing;
	size_t source;	  /* one with snapshots, not moments */
	const char *path; /* '/' between names, none around them; "": the root */
	enum versions_of of;
	struct versions_views *views; /* or NULL: none are kept */
};

/* A directory on the way to a path: sums that are equal if it is the same one,
 * and if nothing was done to it either. */
struct versions_level {
	uint64_t is, self;
};

/* A state that was looked at; private to repo/versions. */
#define VERSIONS_LEVELS 12
struct versions_state {
	struct versions_level level[VERSIONS_LEVELS]; /* from the root */
	uint32_t n_levels;
	uint64_t end; /* sum of what is there, and of levels beyond */
	struct view_attr attr;
	struct view_mark mark;
	uint32_t point;
	int rc; /* 0 it is known, or -errno: why not */
};

struct version {
	/* The first and the last snapshot that have it, numbers among those
	 * of the source: 0 is its first_point. */
	uint32_t point, last;
	bool again; /* what was there before it was gone is back */
	struct view_attr attr; /* in the first one; mode 0: nothing was there */
};

struct versions {
	struct version *v;
	size_t n;
	uint32_t n_points; /* snapshots gone through */
	uint32_t n_looked; /* of those looked at */
	uint32_t n_unknown; /* of those that could not be read */
	bool incomplete;    /* the store did not give some of those */
	/* Where to go on; private. */
	struct versions_state tail, present;
};

#define VERSIONS_INIT { .v = NULL }

/*
 * Find the versions, in all snapshots or in those after the first
 * vs->n_points, which are known from an earlier call and are still there as
 * they were.  Snapshots that are damaged are left out, with one line logged.
 * -EINTR cancelled, -EIO, -ENETDOWN and others when the store gives nothing:
 * vs is as before.
 */
int versions_find(const struct versions_query *q, struct versions *vs,
	struct err *e);
void versions_release(struct versions *vs);

/* Whether the path is there in the newest snapshot; false also when that cannot
 * be read. */
bool versions_is_there(const struct versions_query *q);

/*
 * All names that a directory ever had (vs: what versions_find says of it), each
 * once, in byte order.  At most VERSIONS_NAMES_MAX bytes; those of older
 * snapshots are left out first.
 */
#define VERSIONS_NAMES_MAX (6u << 20)
struct versions_names {
	char *bytes; /* names, each terminated */
	uint32_t *at; /* where in bytes */
	size_t n;
	bool all; /* none was left out */
};
int versions_list_names(const struct versions_query *q,
	const struct versions *vs, struct versions_names *names, struct err *e);
void versions_names_release(struct versions_names *names);

#define auto_versions_views AUTO(versions_views_auto_)
static inline void
versions_views_auto_(struct versions_views **vs)
{
	versions_views_free(*vs);
}

#define auto_versions AUTO(versions_release)
#define auto_versions_names AUTO(versions_names_release)

#endif
