/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a repository is whole.
 *
 * Structure is proven from metadata alone: records and their chains, catalogs,
 * every page that a record leads to, every reference inside a pack that is
 * listed and long enough, the index against the references, deltas and their
 * indexes.  read_data unseals every frame of packs as well and compares each
 * chunk with its id, each table of contents with what it lists, and each point
 * of a database with the hash of its whole.
 *
 * The store itself is asked, past any cache.  Nothing is written but, if it was
 * asked for, marks of what is lost (a state of pruning), so that the next
 * backup brings it again.  Memory: 128 MiB, some of it on scratch for the
 * largest repositories.
 */
#ifndef YORE_UPKEEP_CHECK_H
#define YORE_UPKEEP_CHECK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"
#include "repo/open.h"

struct store;

enum check_what {
	CHECK_DAMAGED,	    /* there, but not what was written */
	CHECK_MISSING,	    /* not there */
	CHECK_UNREFERENCED, /* there, and nothing needs it: no fault */
};

enum check_cost {
	CHECK_NOTHING, /* everything can be read; or it is known and healed */
	CHECK_SPARE,   /* everything can be read, but one way less */
	CHECK_FORGOTTEN, /* likewise, but not what a forgotten snapshot had */
	CHECK_LOST,    /* something cannot be read */
};

enum check_part {
	CHECK_CONTENT,	/* of a file */
	CHECK_XATTRS,	/* of a file, directory, ... */
	CHECK_ENTRIES,	/* of a directory: some of them, and all below */
	CHECK_SNAPSHOT, /* all of it */
	CHECK_POINTS,	/* of a database */
};

/* Something that a fault touches. */
struct check_touched {
	enum check_part part;
	char *snapshot; /* host/name@time; of points: of their base */
	char *path;	/* in it, "." is its root; NULL for snapshots, points */
	char id[HISTORY_ID_MAX + 1]; /* of the snapshot */
	uint64_t first, last;	     /* numbers of deltas */
	bool forgotten; /* it is in the trash, and can be brought back */
};

struct check_finding {
	enum check_what what;
	enum check_cost cost;
	const char *object;
	uint64_t off, len; /* bytes of it; 0, 0: all of it */
	const char *text;  /* what is wrong, one sentence */
	const struct check_touched *touched;
	size_t n_touched; /* as many as names_max allows, */
	uint64_t n_all;	  /* of so many */
	bool known;	  /* it is marked from before */
};

struct check_progress {
	const char *phase;
	uint64_t done, total; /* bytes, or other things, of the phase */
};

struct check_options {
	bool read_data;
	/* Of the bytes there are, or so many; both 0: all.  The run goes on
	 * where the last one ended. */
	double subset_share;
	uint64_t subset_bytes;
	int64_t budget_ns; /* 0: none; of reading data, which ends then */
	bool restart;	   /* a run that was not finished is not continued */
	bool mark;	   /* write marks; it is no error if that is denied */
	size_t names_max;  /* touched things kept for each finding */
	const atomic_bool *interrupted; /* polled; may be NULL */
	/* Each in turn, at the end. */
	void (*found)(void *ctx, const struct check_finding *f);
	/* Called often, from one thread; may be NULL. */
	void (*progress)(void *ctx, const struct check_progress *p);
	void *ctx;
};

struct check_result {
	uint64_t snapshots, sources, databases, points;
	uint64_t forgotten; /* snapshots, that can be brought back */
	uint64_t packs, pack_bytes;
	uint64_t pages;	 /* that were read */
	uint64_t chunks; /* references to content and attributes */
	uint64_t segments, index_entries;
	uint64_t unreferenced, unreferenced_bytes; /* packs */
	uint64_t read_bytes;			   /* of data, in this run */
	uint64_t proven; /* points whose hash was, in this run */
	/* What share of the bytes has been read, by this run and those before
	 * that it continues; since then (ns since 1970). */
	double share;
	int64_t since_ns;
	int64_t before_ns;	   /* the rest was read since then; 0: never */
	uint64_t damaged, missing; /* findings, without those known */
	uint64_t known;		   /* findings that are marked and healed */
	uint64_t lost;		   /* findings with CHECK_LOST */
	uint64_t marked;	   /* frames marked, and marks removed, */
	uint64_t unmarked;	   /* by this run */
	bool truncated;		   /* more findings than could be kept */
};

/*
 * -ENOENT, -EKEYREJECTED and so on as repository_open; -ECANCELED interrupted;
 * other -errno: the store gave up, and nothing is said about the repository.
 * 0: what was found is in result.
 */
int check_run(const char *repo, const struct history_open_options *open,
	const struct check_options *o, struct check_result *result,
	struct err *e);
/* The same of a store that is open, which it takes over; nothing is marked. */
int check_run_on(struct store *s, const struct history_open_options *open,
	const struct check_options *o, struct check_result *result,
	struct err *e);

#endif
