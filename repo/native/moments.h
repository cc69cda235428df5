/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The moments of databases, as repo/history.h has them.  Of each base that was
 * asked about a few numbers are kept: which delta is its newest and where its
 * record lies; all else is read from there when it is asked for, and is in the
 * caches that everything else is in.
 *
 * A delta's id is that of its base, '-', and its number; its seq is the base's
 * seq times 2^24 plus its number, as is its key, with the base's epoch in the
 * highest bits.
 */
#ifndef YORE_NATIVE_MOMENTS_H
#define YORE_NATIVE_MOMENTS_H

#include "repo/history.h"
#include "repo/native/deltas.h"
#include "repo/native/listing.h"

struct moments_base;

struct moments {
	struct deltas *deltas;	/* borrowed */
	_Atomic uint64_t epoch; /* grows when the store is to be asked again */
	pthread_mutex_t lock;	/* a leaf */
	struct moments_base *bases; /* in the order of their ids */
	size_t n, cap;
};

/* Borrows ds. */
void moments_init(struct moments *m, struct deltas *ds);
void moments_release(struct moments *m);
/* From now on the store is asked again for what is new. */
void moments_refresh(struct moments *m);

/* As the functions of struct history_ops. */
int moments_each(struct moments *m, const struct native_listing *nl,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e);
int moments_at(struct moments *m, const struct native_listing *nl,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e);
int moments_by_id(struct moments *m, const struct native_listing *nl,
	size_t source, const char *id, struct history_point *p,
	struct err *e);
/* The delta that a moment is; *d is given.  -ESTALE. */
int moments_open(struct moments *m, const struct native_listing *nl,
	const struct history_point *p, struct delta **d, struct err *e);

#endif
