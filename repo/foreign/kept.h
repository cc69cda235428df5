/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was read or worked out of others' replicas, kept in the disk cache
 * (repo/cache) so that no store is asked and nothing is worked out twice.
 *
 * Replicas are in the clear, the cache disk holds nothing readable: everything
 * here is sealed (AES-256-GCM) under a key of this user's own,
 * ~/.local/state/yore/foreign.key (0600, made at first use).  What comes back
 * is authenticated for its replica, name and piece; what does not verify is as
 * if it had never been kept.
 *
 * Nothing is promised: without room, with a broken disk or after eviction what
 * was kept is gone, and a caller works it out again.  What is kept can be read
 * by kept_get and kept_read some moments later (kept_sync waits for that).
 * A name must stand for the same bytes for ever: callers put into it what tells
 * an object from a later one of its name (its size and time).
 *
 * Without a cache (--no-cache, or it cannot be opened) the same is done in a
 * directory of this process below $TMPDIR, sealed under a key that dies with
 * it, removed when it is closed, and by the next one if it was killed.
 *
 * All functions may be called from any thread.  Names are strings of any
 * length and bytes.
 */
#ifndef YORE_FOREIGN_KEPT_H
#define YORE_FOREIGN_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

#define KEPT_PIECE (64u << 10)
/* The longest object of kept_put. */
#define KEPT_OBJECT_MAX (16u << 20)

struct kept;

struct kept_options {
	const char *cache_dir; /* as in struct history_open_options */
	/* Whose objects these are; others of this user's mounts of the same
	 * address share them. */
	const char *address;
	bool offline; /* the cache, or nothing: -ENETDOWN */
};

/* *k is given.  -errno when there is no place for anything. */
int kept_open(const struct kept_options *o, struct kept **k, struct err *e);
/* Writes what is queued.  NULL is allowed. */
void kept_close(struct kept *k);
/* Stable identity of the address on this user's machines: 32 digits. */
const char *kept_id(const struct kept *k);

/* A whole object, at most max bytes; *data is given.  -ENOENT. */
int kept_get(struct kept *k, const char *name, size_t max, uint8_t **data,
	size_t *len);
/* Keep an object of at most KEPT_OBJECT_MAX bytes, instead of one of its
 * name.  Evicted later than pieces. */
void kept_put(struct kept *k, const char *name, const void *data, size_t len);

/* Piece number `piece` of a big object into buf (KEPT_PIECE bytes of room):
 * true, and *len is what was given to kept_write. */
bool kept_read(struct kept *k, const char *name, uint64_t piece, void *buf,
	size_t *len);
/* Keep a piece of 1 to KEPT_PIECE bytes, compressed if that gains. */
void kept_write(struct kept *k, const char *name, uint64_t piece,
	const void *data, size_t len);
/* Whether a piece is there, as far as can be told without reading it. */
bool kept_has(struct kept *k, const char *name, uint64_t piece);

/* Whatever is kept under the name is wrong or of no use any more. */
void kept_forget(struct kept *k, const char *name);
/* Wait until all that was given can be read; 0, or -errno and why some of it
 * cannot. */
int kept_sync(struct kept *k, struct err *e);

#define auto_kept AUTO(kept_auto_)
static inline void
kept_auto_(struct kept **k)
{
	kept_close(*k);
}

#endif
