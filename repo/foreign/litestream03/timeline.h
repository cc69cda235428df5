/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a generation of a replica was at which time, worked out of a listing
 * alone: its snapshots and the segments of its logs, in the order in which the
 * database was in their states.
 *
 * A state is the one at the end of a segment, or that of a snapshot.  It stands
 * for the time at which its object was written, which is soon after; where a
 * clock went back, for that of the state before it.  A snapshot was taken while
 * the log of its index grew, and holds pages of it, so its place is behind the
 * segments of its index that had been written by then.  A state builds on the
 * last snapshot not behind it; those before the first cannot be had.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_TIMELINE_H
#define YORE_FOREIGN_LITESTREAM03_TIMELINE_H

#include <stddef.h>
#include "repo/base/auto.h"
#include "repo/foreign/litestream03/name.h"

/* A snapshot, or a segment of a log (which may be all of it). */
struct ls03_object {
	uint64_t off;	    /* of a segment: of its first byte in the log */
	uint64_t size;	    /* of the object, bytes */
	int64_t written_ns; /* by the store's clock */
	uint32_t index;
	enum ls03_kind kind;
};

struct ls03_state {
	int64_t time_ns;
	uint32_t at; /* index into snapshots or segments */
	bool is_snapshot;
};

/* Immutable and counted: views hold it. */
struct ls03_timeline {
	_Atomic int refs;
	char generation[LS03_GENERATION_LEN + 1];
	struct ls03_object *snapshots; /* by index */
	size_t n_snapshots;
	struct ls03_object *segments; /* by index, then offset */
	size_t n_segments;
	struct ls03_state *states; /* in the order in which they were */
	size_t n_states;
};

/* Objects in any order; of two of one place the first of enum ls03_kind
 * counts. */
struct ls03_objects {
	struct ls03_object *list;
	size_t n, cap;
};
void ls03_objects_add(struct ls03_objects *o, const struct ls03_object *one);
void ls03_objects_copy(
	struct ls03_objects *o, const struct ls03_object *list, size_t n);
void ls03_objects_release(struct ls03_objects *o);
#define auto_ls03_objects AUTO(ls03_objects_release)

/* Takes what is in the lists, and leaves them empty. */
struct ls03_timeline *ls03_timeline_new(const char *generation,
	struct ls03_objects *snapshots, struct ls03_objects *segments);
struct ls03_timeline *ls03_timeline_get(struct ls03_timeline *t);
void ls03_timeline_put(struct ls03_timeline *t); /* NULL is allowed */

/* Number of states with time_ns <= t_ns. */
size_t ls03_timeline_until(const struct ls03_timeline *t, int64_t t_ns);
/* Number of the snapshot's state that a state builds on (itself, if it is
 * one). */
size_t ls03_timeline_base(const struct ls03_timeline *t, size_t state);
/* The segments [*from, *to) of one index; none: *from == *to. */
void ls03_timeline_log(const struct ls03_timeline *t, uint32_t index,
	size_t *from, size_t *to);
/* Behind the last segment that is part of a state; none of its index: where
 * the first would be. */
size_t ls03_timeline_end(const struct ls03_timeline *t, size_t state);
/*
 * Behind the last segment of its own log that may have been in a snapshot, but
 * not before `end`: what was in the log when it was made is written by the
 * segment under way then, or the next.  *settled: both are there.
 */
size_t ls03_timeline_may_hold(const struct ls03_timeline *t,
	const struct ls03_object *snapshot, size_t end, bool *settled);
/* The index that a state is in. */
uint32_t ls03_timeline_index(const struct ls03_timeline *t, size_t state);

#endif
