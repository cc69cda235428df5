/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known in memory of the objects read last: their open file and which
 * bytes are present, so that a hit asks the ledger nothing.  Bounded: the one
 * used longest ago makes room.
 *
 * What is known is right as long as the epoch is the one it was learnt at:
 * with another `taken` bytes may be gone, and the object is learnt anew; with
 * another `added` there may be more, which matters only to a miss.  The reader
 * looks at `taken` once more when it has read: had somebody punched a hole
 * under it, that has changed.
 */
#ifndef YORE_CACHE_OBJECTS_H
#define YORE_CACHE_OBJECTS_H

#include "repo/cache/files.h"

struct object {
	pthread_mutex_t lock; /* a leaf */
	uint64_t added;
	struct ranges present;
	struct ranges touched; /* numbers of segments read since the last flush */
	/* immutable */
	struct key key;
	uint64_t taken;
	int fd; /* -1: no file */
	bool whole;
	/* of the table */
	_Atomic unsigned users;
	uint64_t used;
};

/* Segments that were read, of an object that is no longer in the table. */
struct touch {
	struct key key;
	bool whole;
	struct ranges segments;
};

#define TOUCHES_MAX 512

struct objects {
	pthread_mutex_t lock; /* then an object's */
	struct object **places;
	uint64_t clock;
	struct touch left[TOUCHES_MAX];
	size_t n_left;
	/* immutable */
	size_t n_places;
};

void objects_init(struct objects *t, size_t n);
void objects_release(struct objects *t);

/* A new object for whoever fills it in, with one user; takes fd. */
struct object *object_new(const struct key *k, struct epoch ep, int fd);
void object_put(struct object *o);
/* Note a read of [off, off + len). */
void object_touch(struct object *o, uint64_t off, uint64_t len);

/* The object with a reference, or NULL when it is not known. */
struct object *objects_find(struct objects *t, const struct key *k);
/* Know this one from now on instead of an older one. */
void objects_enter(struct objects *t, struct object *o);
/* These bytes have been published at an epoch (before it was raised). */
void objects_added(struct objects *t, const struct key *k, struct epoch before,
	const struct ranges *set);
/* These bytes are not to be read any more. */
void objects_removed(struct objects *t, const struct key *k, uint64_t from,
	uint64_t to);
/* Forget all. */
void objects_clear(struct objects *t);

/* Take out what was touched, at most max; returns the number. */
size_t objects_touched(struct objects *t, struct touch *touches, size_t max);

#define auto_object AUTO(object_auto_)
static inline void
object_auto_(struct object **o)
{
	object_put(*o);
}

#endif
