/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source in a known state, a repository with the snapshots of its earlier
 * states, and what has to hold after something went wrong in a copy of it.
 * What may die or hang runs in a child.
 */
#ifndef YORE_TESTS_WORLD_H
#define YORE_TESTS_WORLD_H

#include "repo/write/writer.h"
#include "tests/fault/survey.h"
#include "tests/fault/trap.h"
#include "tests/unit/unit.h"

#define WORLD_STATES 3 /* of WORLD_MIXED */
#define WORLD_STATES_MAX 14

/* The scripts that make a source: a little of everything; and many states of
 * very little, the WORLD_MERGING_AT-th of which merges index segments. */
#define WORLD_MIXED "states.sh"
#define WORLD_MERGING "merging.sh"
#define WORLD_MERGING_AT 12

struct world {
	char dir[200];
	const char *script;
	char *tree;		      /* the source */
	char *base;		      /* repository with n snapshots of it */
	char *repo;		      /* a copy of base, to be harmed */
	unsigned n;		      /* snapshots in base */
	struct survey right[WORLD_STATES_MAX + 1]; /* by seq; [n + 1]: the tree */
	uint64_t fresh_stored; /* bytes that one more snapshot of base takes */
	uint64_t fresh_data;   /* those in data packs */
};

/* What a child tells its parent. */
struct world_report {
	int r;
	bool happened; /* the fault has been delivered */
	uint64_t stored;
	unsigned errors;
	char text[500];
	char wrong[SURVEY_WRONG_MAX];
};

/* The source in state 1 of a script, an empty base. */
void world_init(struct world *w, const char *script);
/* Take the present state of the source as base's next snapshot, and bring the
 * source to the next one; then learn what is right. */
void world_next(struct world *w);
void world_release(struct world *w);

/* repo becomes a fresh copy of base. */
void world_reset(struct world *w);

/* One backup of the source with small packs; e may be NULL. */
int world_backup(struct world *w, const char *repo, uint64_t *stored,
	struct err *e);

/*
 * Run f in a child that is given a minute, with the report it is to fill in.
 * Returns the status as waitpid does.  f is not to use cmocka's assertions.
 */
int world_run(struct world *w, struct world_report *report,
	void (*f)(struct world *w, struct world_report *rp, const void *arg),
	const void *arg);

/*
 * Whatever was interrupted in repo: every object that has its final name is
 * whole, every earlier snapshot reads as before, and so does the new one if it
 * is there; the next backup goes through, uses what lies in the repository
 * already, and equals the source; then the index knows every pack.  what names the case in messages.
 */
enum world_outcome { WORLD_EITHER, WORLD_FAILED, WORLD_MADE };
void world_check(struct world *w, const char *what, enum world_outcome was);

/* Bytes of the objects whose names begin with prefix, a folder at least. */
uint64_t world_bytes(const char *repo, const char *prefix);

#endif
