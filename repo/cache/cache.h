/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk cache: sealed bytes of objects, kept on a local disk so that no
 * store is asked twice.  It knows names, offsets and bytes; it never unseals,
 * never talks to a store and never makes an error of its own the reader's: a
 * full or broken cache disk only means that everything is asked of the store
 * again.
 *
 *	if (!cache_read(c, name, off, len, sealed, &gaps))
 *		for each gap: store_get into sealed + gap.off - off,
 *			      cache_write(c, name, gap.off, ...)
 *	if (frame_unseal(..., sealed, ...) == -EBADMSG && it was the cache's)
 *		cache_forget(c, name, off, len), store_get, cache_write
 *
 * Trust.  cache_read returns true only if the whole range was once written
 * and has not been given up since, but the bytes may still be wrong: disks
 * lose and flip bits, other programs write to files.  So every byte is
 * verified by whoever uses it, as if it came from the store:
 *   frames of packs, index segments, records, catalogs   unsealed (AEAD; it
 *	binds object and offset, so a foreign file or place never verifies)
 *   `format`		its MAC, once the repository is unlocked
 *   keys/		the slot's commitment and tag
 *   listings		repo/cache/listing.h, sealed under K(cache)
 * What does not verify is given to cache_forget and fetched again.  Therefore
 * nothing here is ever synced to disk for the sake of right bytes: a power cut
 * can only cost a second fetch.
 *
 * On disk, below the cache's directory (0700, ours):
 *   ledger.db		SQLite: which bytes are there, last use, pins, limits
 *   epochs, lock	counters that tell others what changed; for flock(2)
 *   <repository id>/<xx>/<32 digits>	a sparse file an object; bytes lie at
 *	their offset in the object.  The digits are a pack's id, else the
 *	first 16 bytes of SHA-256 of the object's name.
 *   tmp/		small objects before they get their name
 * Nothing in it is readable without the repository's key, except `format`,
 * which is clear text in the store as well (names of pins: repo/cache/pins.h).
 *
 * Sharing: any number of mounts, writers and tools of one user, on one
 * machine.  flock is held for ledger changes only, never while data is
 * written or read; who cannot get it within a moment does without caching.
 * Reading takes no lock that another process could hold.
 *
 * All functions may be called from any thread.  Do not fork with an open
 * cache.  Names are those of store.h (1 to 200 bytes).
 */
#ifndef YORE_CACHE_CACHE_H
#define YORE_CACHE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"
#include "repo/crypto/keyring.h"

/* Bytes are evicted, pinned and counted as used by the segment: this much of
 * an object, aligned.  Only what is present of it takes room. */
#define CACHE_SEGMENT (256u << 10)
#define CACHE_LIMIT_DEFAULT (10ULL << 30)
/* The least limit: below it nothing useful could be kept. */
#define CACHE_LIMIT_MIN (4ULL << 20)
#define CACHE_WHOLE_MAX (64u << 20)
#define CACHE_PIN_NAME_MAX 4096

struct cache;

struct cache_options {
	/* REPOSITORY_ID_LEN bytes (borrowed until cache_open returns): names
	 * are of its objects.  NULL: for status, limit and clear only. */
	const uint8_t *repository_id;
	size_t queue;  /* bytes given to cache_write but not on disk yet;
			* 0: 16 MiB */
	unsigned open; /* object files kept open; 0: 128 */
	/* cache_write waits for room in the queue as long as it takes; without
	 * it at most 0.2 s, then bytes are not cached while the disk hangs. */
	bool patient;
};

/* Where the cache lies when nobody says: $XDG_CACHE_HOME/yore or
 * ~/.cache/yore; NULL when neither is known.  Given. */
char *cache_default_dir(void);

/*
 * Open the cache in a directory, which is made (0700, with what is above it)
 * if need be.  *c is given.  Does not read the ledger through: 100 ms however
 * much is cached.  A damaged ledger is set aside (ledger.damaged) and made anew
 * from the files.
 * -EACCES the directory is owned by another user, or others may write to it;
 * -EBUSY other processes hold the lock for 5 s; -errno of what failed.  The
 * caller then goes on without a cache.
 */
int cache_open(const char *dir, const struct cache_options *o,
	struct cache **c, struct err *e);
/* Writes what is queued, then lets go.  NULL is allowed. */
void cache_close(struct cache *c);

/* -- Ranges of objects --------------------------------------------------- */

struct cache_extent {
	uint64_t off;
	uint64_t len;
};

#define CACHE_GAPS_MAX 16

/* What lacks of a range, ascending.  Should more than CACHE_GAPS_MAX stretches
 * lack, the last one here reaches from the first of them to the end. */
struct cache_gaps {
	unsigned n;
	struct cache_extent gap[CACHE_GAPS_MAX];
};

/*
 * Bytes [off, off + len) of an object into buf.  true: all of them are there.
 * false: *gaps (may be NULL) says what lacks; the rest is in buf, to be
 * trusted no more than the whole.  With buf NULL nothing is read or counted as
 * used.  A hit costs a pread and no SQL, once the object has been looked at.
 */
bool cache_read(struct cache *c, const char *name, uint64_t off, size_t len,
	void *buf, struct cache_gaps *gaps);

/*
 * Keep these bytes (copied before it returns; give the sealed bytes before
 * they are unsealed in place).  They are written by a thread of the cache, and
 * are readable some moments later.  What was there at this place is replaced.
 * No promise: without room, or with a broken disk, nothing is kept and one
 * line a minute is logged.
 */
void cache_write(struct cache *c, const char *name, uint64_t off,
	const void *data, size_t len);

/*
 * These bytes do not verify, or are not wanted: reads lack them from now on,
 * and bytes written afterwards take their place.  The whole object with off 0
 * and len UINT64_MAX, which also forgets a whole object (below).  Pins stay.
 */
void cache_forget(struct cache *c, const char *name, uint64_t off,
	uint64_t len);

/*
 * Wait until all that was given to cache_write, cache_put and cache_forget is
 * done.  0, or -errno and why some of it since the last call was not kept
 * (-ENOSPC no room beside what is pinned, or below the disk's minimum).
 */
int cache_sync(struct cache *c, struct err *e);

/* -- Small whole objects: format, keys/, records, catalogs, listings ----- */

/*
 * The whole object, at most max bytes; *data is given.  -ENOENT unless it was
 * put and is all there.
 */
int cache_get(struct cache *c, const char *name, size_t max, uint8_t **data,
	size_t *len);
/*
 * Keep a whole object of at most CACHE_WHOLE_MAX bytes (copied).  Replaces one
 * of this name at once: a kill leaves the old or the new.  Whole objects are
 * evicted as if they had been used 30 days later than they were, so that bulk
 * reading does not drive out what a mount begins with.
 */
void cache_put(struct cache *c, const char *name, const void *data,
	size_t len);

/* -- Pins: what is never evicted to make room ---------------------------- */

struct cache_place {
	const char *name;
	uint64_t off;
	uint64_t len; /* UINT64_MAX: to the object's end */
};

/*
 * Pin places under a name (any bytes but NUL, at most CACHE_PIN_NAME_MAX;
 * repo/cache/pins.h seals it), in addition to what it pins already.  They may
 * be cached before or afterwards.  -EINVAL, -EBUSY, -errno.
 */
int cache_pin(struct cache *c, const char *pin, const struct cache_place *at,
	size_t n, struct err *e);
/* Give a pin up; what it held may be evicted, but stays for now.  -ENOENT. */
int cache_unpin(struct cache *c, const char *pin, struct err *e);
/* Call for each pin of the repository: bytes it asks for (UINT64_MAX: whole
 * objects among them) and bytes of them that are present. */
int cache_pins(struct cache *c,
	void (*each)(void *ctx, const char *pin, uint64_t wanted,
		uint64_t present),
	void *ctx, struct err *e);

/*
 * Evict a place now, but for segments that are pinned.  *freed (may be NULL)
 * is what that gave back to the disk.
 */
int cache_evict(struct cache *c, const struct cache_place *at,
	uint64_t *freed, struct err *e);
/* Give a pin up and evict what only it held.  -ENOENT. */
int cache_evict_pin(struct cache *c, const char *pin, uint64_t *freed,
	struct err *e);

/* -- Status, limit, clear ------------------------------------------------ */

struct cache_status {
	uint64_t bytes;	   /* on disk, in blocks; the ledger counts too */
	uint64_t limit;
	uint64_t min_free; /* what is left free on the file system */
	uint64_t disk_free;
	uint64_t pinned; /* of bytes */
	uint64_t repositories;
	uint64_t objects;
	uint64_t n_pins;
	/* reads that were all there and not, by all since the last clear; those
	 * of other running processes are up to a minute behind */
	uint64_t hits;
	uint64_t misses;
	/* of this handle */
	uint64_t read_bytes;
	uint64_t written_bytes;
	uint64_t dropped_bytes; /* given to cache_write, not kept */
	uint64_t forgotten;	/* calls of cache_forget */
};

/* What this handle has done: atomic, without asking anybody. */
struct cache_counts {
	uint64_t hits; /* reads that were all there, and not */
	uint64_t misses;
	uint64_t read_bytes;
	uint64_t written_bytes;
	uint64_t dropped_bytes;
};
void cache_counts(const struct cache *c, struct cache_counts *out);

int cache_status(struct cache *c, struct cache_status *st, struct err *e);

/*
 * Set the limit (at least CACHE_LIMIT_MIN) and the minimum free space for all
 * that use this cache, now and later; UINT64_MAX leaves either as it is.
 * Evicts what is too much, oldest first.  -EINVAL.
 */
int cache_set_limit(struct cache *c, uint64_t limit, uint64_t min_free,
	struct err *e);

/* Remove everything of the repository (of all when opened without one) that is
 * not pinned; with pins also those and what they hold.  Where pins stay, whole
 * objects do too: without them nothing that is pinned could be reached. */
int cache_clear(struct cache *c, bool pins, struct err *e);

#define auto_cache AUTO(cache_auto_)
static inline void
cache_auto_(struct cache **c)
{
	cache_close(*c);
}

#endif
