/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store with the disk cache before it: what was read once is not asked of
 * the store again, and without the store what is cached can still be read.
 * The same interface, so that who reads a store need not know.
 *
 * Objects are of two kinds.  Small ones that are read as a whole (`format`,
 * keys/, snap/, cat/) are cached as a whole, once a get has shown their end;
 * of the others the ranges that were read.
 *
 * Nothing from here may be believed before it was verified, as from any store;
 * what does not verify is given to store_forget and read again (store.h).
 *
 * Listings are always asked of the store, as far as it can be reached, because
 * they say what is new; that of keys/ is taken from the cache, because what it
 * names either opens or does not.  All are kept for when the store is not asked.
 */
#ifndef YORE_FETCH_CACHED_H
#define YORE_FETCH_CACHED_H

#include "repo/cache/cache.h"
#include "repo/crypto/keyring.h"
#include "repo/fetch/flights.h"
#include "repo/fetch/line.h"
#include "repo/store/store.h"

struct cached_options {
	bool offline; /* never ask the store: what lacks is -ENETDOWN */
};

/* A store over `inner` and `cache`, both of which it takes over. */
struct store *cached_new(struct store *inner, struct cache *cache,
	const struct cached_options *o);
/*
 * The repository is unlocked: listings can be kept from now on, and those kept
 * read.  Borrowed until the store is freed; before any other thread uses the
 * store.
 */
void cached_set_keys(struct store *s, const struct keyring *keys);
/* A prefix has been listed past the cache, to n names.  Key slots are then read
 * anew, too. */
void cached_keep_names(struct store *s, const char *prefix,
	const char *const *names, size_t n);

/*
 * What f says will be brought into the cache: who wants it before
 * cached_expected waits for it (repo/fetch/flights.h).  f is borrowed until then; s must be
 * such a store, here and below.
 */
void cached_expect(struct store *s, struct flight *f);
void cached_expected(struct store *s, struct flight *f);
/*
 * Bring it, as far as it lacks.  When this returns it can be read there, unless
 * the cache could not keep it (*kept false).
 */
int cached_bring(struct store *s, struct flight *f,
	const struct store_call *call, bool *kept, struct err *e);

/* Whether a whole object is in the cache. */
bool cached_holds(struct store *s, const char *name);
/* The store itself, borrowed. */
struct store *cached_inner(struct store *s);
/* The cache, borrowed; NULL when s is not such a store. */
struct cache *cached_cache(struct store *s);
/* What its gets say of the line, borrowed; s must be such a store. */
struct line *cached_line(struct store *s);

#endif
