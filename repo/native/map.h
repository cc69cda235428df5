/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descending sorted maps (FORMAT, "Sorted maps"): the entries of a directory,
 * the extents of a file.  Every page on the way is compared with what the page
 * above says about it, so that metadata that lies is -EUCLEAN and can neither
 * loop nor count twice.
 */
#ifndef YORE_NATIVE_MAP_H
#define YORE_NATIVE_MAP_H

#include "repo/native/pages.h"

enum map_kind { MAP_DIRECTORY, MAP_EXTENTS };

/* Everything is borrowed. */
struct map {
	struct page_cache *pages;
	enum map_kind kind;
	const struct ref *ref;	  /* of its root page */
	struct cached_page *root; /* the root page itself; NULL: by ref */
	uint64_t span; /* directory: all nodes below it; extents: bytes */
	size_t spine;  /* what comes along with the root page; 0: a directory's
			* PAGE_SPINE_LEN, nothing else */
	/* Unless NULL nothing is fetched: where a page would have to be,
	 * *missing names it and the answer is -EAGAIN. */
	struct ref *missing;
	/* Unless NULL told of each page that is gone through. */
	void (*passed)(void *ctx, const struct ref *r);
	void *passed_ctx;
};

/* A place in a map: entry i of a leaf. */
struct map_at {
	struct cached_page *leaf; /* held; map_at_release */
	uint32_t i;
	struct extent extent; /* extents: what it is */
	unsigned depth;	       /* pages above the leaf */
	uint64_t n_before;     /* map entries before the leaf's first */
	uint64_t nodes_before; /* directory: nodes before the leaf's first */
};

#define MAP_AT_INIT { .leaf = NULL }

/*
 * Find an entry.  0 and at is set, -ENOENT when there is none, or what
 * page_cache_get and checking the pages say.  at must be initialised; what it
 * held is released.
 */
int map_find_name(const struct map *m, const void *name, size_t len,
	struct map_at *at, struct err *e);
/* The entry that has node `node` of the directory (0 is its first node): it
 * is that node itself or a directory above it. */
int map_find_node(const struct map *m, uint64_t node, struct map_at *at,
	struct err *e);
/* Entry number `position` of the whole map. */
int map_find_position(const struct map *m, uint64_t position,
	struct map_at *at, struct err *e);
/* The extent that has file offset `off`. */
int map_find_offset(const struct map *m, uint64_t off, struct map_at *at,
	struct err *e);

/* Step to the next entry; -ENOENT at the end (at is released). */
int map_next(const struct map *m, struct map_at *at, struct err *e);

/*
 * References of the leaves that follow the one with entry `position` and are
 * not in memory, as far as the page above them knows: at most max.  They are
 * borrowed from *holder (owed a put).  *left is how many follow there at all.
 * Fetches nothing.
 */
uint32_t map_following(const struct map *m, uint64_t position,
	const struct ref **refs, uint32_t max, struct cached_page **holder,
	uint32_t *left);

/*
 * The reference of the leaf with entry `position`, and how many entries lie
 * before it, in a map whose leaves have `depth` pages above them.  False:
 * those are not all in memory.
 */
bool map_leaf(const struct map *m, uint64_t position, unsigned depth,
	struct ref *r, uint64_t *n_before);

void map_at_release(struct map_at *at);

static inline const struct entry *
map_at_entry(const struct map_at *at)
{
	return &at->leaf->page->entries[at->i];
}

/* Until at moves. */
static inline const struct extent *
map_at_extent(const struct map_at *at)
{
	return &at->extent;
}

#define auto_map_at AUTO(map_at_release)

#endif
