/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoded pages of sorted maps, kept in memory and shared by all views of a
 * history.  A page is found by its place (pack, frame, chunk), holds its own
 * copy of its bytes and so does not pin the frame it came from.  A frame of
 * extents is dropped at once.
 *
 * May be called from any thread.  Two threads that miss the same page both
 * decode it; the first one in stays.
 */
#ifndef YORE_NATIVE_PAGES_H
#define YORE_NATIVE_PAGES_H

#include "repo/fetch/fetch.h"
#include "repo/format/entry.h"

struct page_cache;

struct page_key {
	uint8_t pack[OBJECT_ID_LEN];
	uint64_t off;
	uint32_t chunk_off;
	uint32_t chunk_len;
};

/* A decoded page; immutable while held. */
struct cached_page {
	const struct page *page;
	/* The rest is private to pages.c. */
	_Atomic int refs;
	_Atomic bool used; /* since eviction last passed it */
	struct page_key key;
	struct cached_page *chain;	   /* in its bucket */
	struct cached_page *newer, *older; /* in its shard */
	size_t cost;
	uint8_t bytes[];
};

/* Borrows f.  memory: bytes that pages may take together. */
struct page_cache *page_cache_new(struct fetch *f, size_t memory);
void page_cache_free(struct page_cache *pc);

/* The page a reference names; the caller owes cached_page_put.  Errors as
 * page_cache_chunk and page_decode. */
int page_cache_get(struct page_cache *pc, const struct ref *r,
	struct cached_page **cp, struct err *e);
/*
 * The same for the root page of a map: the pages that lie before it come along,
 * as far as `spine` bytes reach, since they are those it leads to: of a directory
 * its own, if it is large, and what is new below it.
 */
#define PAGE_SPINE_LEN (160u << 10) /* of a directory */
int page_cache_get_root(struct page_cache *pc, const struct ref *r, size_t spine,
	struct cached_page **cp, struct err *e);
/* The same, only if it is decoded already; NULL otherwise. */
struct cached_page *page_cache_peek(struct page_cache *pc, const struct ref *r);
/* The same, or if its frame is in memory. */
struct cached_page *page_cache_take(struct page_cache *pc, const struct ref *r);
/* It will not be wanted again soon: forget it.  False: it was not there. */
bool page_cache_drop(struct page_cache *pc, const struct ref *r);
/* Bytes that cached pages take now. */
size_t page_cache_memory(const struct page_cache *pc);

/*
 * The chunk a reference names, past the cache: as fetch_chunk, but its frame
 * must be of the given type (else -EUCLEAN), and what the store cannot give,
 * a missing object too, is -EIO.
 */
int page_cache_chunk(struct page_cache *pc, const struct ref *r, uint8_t type,
	struct frame **frame, const uint8_t **data, struct err *e);

/* A page that belongs to no cache: decodes a copy of bytes. */
int cached_page_new(const uint8_t *bytes, size_t len, struct cached_page **cp,
	struct err *e);
struct cached_page *cached_page_get(struct cached_page *cp);
void cached_page_put(struct cached_page *cp); /* NULL is allowed */

#define auto_cached_page AUTO(cached_page_auto_)
static inline void
cached_page_auto_(struct cached_page **cp)
{
	cached_page_put(*cp);
}

#endif
