/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interior pages of a database that a writer has put together (FORMAT,
 * "Interior pages"): a query that is far from the store finds them with a
 * request or two instead of one each, and near it the first queries of a file find
 * them decoded.  They are a second copy: whatever is
 * wrong with them, the file itself is read.
 *
 * May be called from any thread.
 */
#ifndef YORE_NATIVE_INTERIOR_H
#define YORE_NATIVE_INTERIOR_H

#include <stdatomic.h>
#include "repo/native/map.h"

/* Longer reads are no look-ups in a tree. */
#define INTERIOR_READ_MAX (64u << 10)

/* Reads before, since one query is done with fewer bytes without: frames of
 * interior pages are long.  A query of a moment goes through deltas, too. */
#define INTERIOR_ALONE_FILE 6
#define INTERIOR_ALONE_MOMENT 10

/* Borrows both; the rest is zero to begin with. */
struct interior {
	struct page_cache *pages;
	struct fetch *fetch;
	unsigned alone; /* reads that do without */
	_Atomic uint64_t asked;	 /* offset of the map whose frames were asked for */
	_Atomic unsigned reads;	 /* that could have been answered here */
	_Atomic bool failed;	 /* what could not be read is not tried again */
	/* A file is read here and there: then what was put together is worth its
	 * decoding near the store, too. */
	_Atomic bool random;
};

/* The map of what was put together of en's file, which has some. */
struct map interior_map(const struct interior *in, const struct entry *en);
/*
 * The extents of en's file that have [off, off + len), when all of it is among
 * what was put together: true, and *m is the map and at the first of them.
 */
bool interior_find(struct interior *in, const struct entry *en, uint64_t off,
	size_t len, struct map *m, struct map_at *at);

#endif
