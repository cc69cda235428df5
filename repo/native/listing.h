/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a repository that a history shows: built from records, and
 * from the listing before for what that has already.
 */
#ifndef YORE_NATIVE_LISTING_H
#define YORE_NATIVE_LISTING_H

#include "repo/history.h"
#include "repo/native/records.h"

/* What a point needs beside what everybody sees. */
struct point_extra {
	uint8_t hash[HASH_LEN]; /* of the sealed record; zeros: not known */
	uint8_t link[HASH_LEN]; /* record_link; zeros: not known */
	uint64_t generation;	/* seq of its generation's first snapshot */
	uint32_t epoch, n_deltas; /* as in struct record */
	bool is_database; /* deltas may build on it */
	bool retry; /* the store gave up on its record: load it again */
};

struct native_listing {
	struct history_listing l; /* first */
	struct point_extra *extra; /* one a point */
	uint8_t (*source_keys)[SOURCE_KEY_LEN]; /* one a source */
	const char **point_tags; /* what all points' tags point into */
	/* Records that cannot be read, of sources that no other record
	 * names. */
	struct record_place *refused;
	size_t n_refused;
	/* Records that others of the same seq have taken the place of. */
	struct record_place *hidden;
	size_t n_hidden;
};

static inline const struct native_listing *
native_listing_of(const struct history_listing *l)
{
	return (const struct native_listing *)l; /* its first member */
}

/*
 * Build a listing of the records that are there: r[i] belongs to a place of
 * the store's listing; what is RECORD_UNKNOWN is taken from the listing before
 * (NULL when there is none).  Borrows everything.  One line is logged for each
 * broken link of a source's chain of records.
 */
struct native_listing *native_listing_new(const struct loaded_record *r,
	size_t n, const struct native_listing *before);

/* The point with this id, or HISTORY_NONE. */
size_t native_listing_find(const struct native_listing *nl,
	const uint8_t id[OBJECT_ID_LEN]);
/* Whether a record need not be loaded: the listing has it, or refused it. */
bool native_listing_knows(const struct native_listing *nl,
	const struct record_place *p);
/* Whether one that is there hides it.  It would have to be loaded again should
 * that one go. */
bool native_listing_hides(const struct native_listing *nl,
	const struct record_place *p);
/* Where the record of a point lies. */
void native_listing_place(const struct native_listing *nl, size_t point,
	struct record_place *p);

#endif
