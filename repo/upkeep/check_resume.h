/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far the data of a repository has been read, by this run and those before
 * it, kept in
 *
 *   ${XDG_STATE_HOME:-~/.local/state}/yore/<repository id>/check/<address>
 *
 * Packs are read in the order of their names, then databases: a round.  What is
 * kept is where the round is, when it began and when the one before it did, and
 * what was found bad in it, which each run looks at again.  Losing it costs
 * reading what was read.
 */
#ifndef YORE_UPKEEP_CHECK_RESUME_H
#define YORE_UPKEEP_CHECK_RESUME_H

#include "repo/native/repository.h"

#define CHECK_RESUME_BAD_MAX 10000

struct check_resume {
	char *path;
	int64_t since_ns;  /* the round began; 0: none is under way */
	int64_t before_ns; /* the one before; 0: there was none */
	bool whole;	   /* a run that was to read everything has not ended */
	char cursor[STORE_NAME_MAX + 1]; /* read up to this, inclusive */
	char (*bad)[STORE_NAME_MAX + 1]; /* packs to be looked at again */
	size_t n_bad;
	int64_t saved_ns; /* of the monotonic clock */
};

void check_resume_load(struct check_resume *cr, const struct repository *rp);
/* Begin a round with the first byte. */
void check_resume_begin(struct check_resume *cr, bool whole);
/* Everything up to `name` has been read; it is written now and then. */
void check_resume_reached(struct check_resume *cr, const char *name);
void check_resume_bad(struct check_resume *cr, const char *name);
/* The round is over: the next one begins anew. */
void check_resume_end(struct check_resume *cr);
void check_resume_save(struct check_resume *cr);
void check_resume_release(struct check_resume *cr);

#endif
