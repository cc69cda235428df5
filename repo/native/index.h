/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index: chunk id -> place, from the segments below idx/ (FORMAT, "Index
 * segments").  Writers ask it what is known already; readers only when a hint
 * fails.  Segments' pages are loaded when first touched and kept in a bounded
 * cache.  May be called from any thread.
 */
#ifndef YORE_NATIVE_INDEX_H
#define YORE_NATIVE_INDEX_H

#include "repo/format/ref.h"
#include "repo/native/repository.h"

struct index;

/* Borrows rp.  Reads nothing yet.  memory: bytes of cached pages. */
struct index *index_new(struct repository *rp, size_t memory);
void index_free(struct index *ix);

/*
 * Fill r->place, chunk_off and chunk_len from r->id; -ENOENT not known.  Loads
 * the list of segments at the first call.  A chunk may have several places:
 * those that skip, unless NULL, is true of are passed by.  skip is called with
 * a lock held.
 */
int index_find_but(struct index *ix, struct ref *r,
	bool (*skip)(void *ctx, const struct ref *r), void *ctx, struct err *e);
static inline int
index_find(struct index *ix, struct ref *r, struct err *e)
{
	return index_find_but(ix, r, NULL, NULL, e);
}
/* Place number nth (0, 1, ...) of a chunk: a fetch_locator, ctx being the
 * index. */
int index_locate(void *ctx, struct ref *r, unsigned nth, struct err *e);
/* Whether some segment names the pack; false also when none can be read. */
bool index_has_pack(struct index *ix, const uint8_t pack[OBJECT_ID_LEN]);
/* -- For merging; numbers hold until index_refresh, one thread at a time ----- */

struct segment_directory;
struct segment_entry;

/* Number of segments that are in use. */
int index_segments(struct index *ix, size_t *n, struct err *e);
/* Whether a level has max segments or more, by what was listed last; `more` of
 * the lowest have been written since. */
bool index_is_crowded(struct index *ix, size_t max, size_t more);
unsigned index_segment_level(struct index *ix, size_t segment);
void index_segment_id(struct index *ix, size_t segment,
	uint8_t id[OBJECT_ID_LEN]);
/* Borrowed. */
const struct segment_directory *index_segment_directory(struct index *ix,
	size_t segment);
/* *en (given) are the *n entries of a page. */
int index_segment_page(struct index *ix, size_t segment, uint32_t page,
	struct segment_entry **en, uint32_t *n, struct err *e);

/* Load the list of segments again at the next call. */
void index_refresh(struct index *ix);

#endif
