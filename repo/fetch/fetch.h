/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader's heart: frames by place, chunks by reference.  A frame is asked
 * of memory, else of the store (later: of the disk cache between them).
 *
 * Single flight: any number of readers of one frame cost one request and one
 * unsealing.  No lock is held across a store call or an unsealing.  Adjacent
 * frames asked for together, or by read-ahead, travel in one ranged get.
 * What is decoded stays in a memory LRU of bounded size; frames that readers
 * hold are counted, not copied.
 */
#ifndef YORE_FETCH_FETCH_H
#define YORE_FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"
#include "repo/format/object.h"
#include "repo/format/ref.h"
#include "repo/store/store.h"

struct fetch;
struct bring_plan; /* repo/fetch/bring.h */

struct fetch_options {
	size_t memory;	   /* bytes of decoded frames kept; 0: 64 MiB */
	unsigned threads;  /* for read-ahead; 0: chosen from the store */
	size_t gap;	   /* bytes skipped to join two frames; 0: 128 KiB */
	size_t window_max; /* read-ahead of one stream; 0: 16 MiB (8 MiB local) */
};

/* Borrows store and keys, which must outlive it. */
struct fetch *fetch_new(struct store *store, const struct keyring *keys,
	const struct fetch_options *o);
/* Frames still held stay readable. */
void fetch_free(struct fetch *f);
/* Whether a get is a request to another machine. */
bool fetch_is_far(const struct fetch *f);
/* How far ahead one stream may read (repo/fetch/readahead.h). */
size_t fetch_window_max(const struct fetch *f);

/* A decoded frame; immutable while held. */
struct frame {
	const uint8_t *data;
	uint32_t len;
	uint8_t type; /* enum frame_type */
	uint8_t flags; /* FRAME_SOLID: the chunk table is part of data */
};

/* The frame at a place; the caller owes frame_put.  -ENOENT the object is
 * gone, -EBADMSG, -EUCLEAN, -EIO. */
int fetch_frame(struct fetch *f, const struct frame_place *at,
	struct frame **frame, struct err *e);
/* The same for who has its sealed bytes already: they are used if need be, and
 * then overwritten. */
int fetch_frame_from(struct fetch *f, const struct frame_place *at,
	uint8_t *sealed, struct frame **frame, struct err *e);
/* The same, and as of fetch_spine what lies `before` bytes before it. */
int fetch_frame_spine(struct fetch *f, const struct frame_place *at,
	size_t before, struct frame **frame, struct err *e);
/* The same, only if it is decoded in memory already; NULL otherwise. */
struct frame *fetch_peek(struct fetch *f, const struct frame_place *at);
/* It will not be wanted again soon: forget it, unless it is held.  False: it
 * was not there. */
bool fetch_drop(struct fetch *f, const struct frame_place *at);
struct frame *frame_get(struct frame *fr);
void frame_put(struct frame *fr); /* NULL is allowed */

/*
 * The chunk a reference names: *data points into *frame (owed a frame_put).
 * When the hint fails (object gone, frame does not verify) the locator, if
 * set, is asked for other places, one after the other.
 */
int fetch_chunk(struct fetch *f, const struct ref *r, struct frame **frame,
	const uint8_t **data, struct err *e);
/*
 * The same for a page, which lies behind the pages that it leads to: unless it
 * is there, what lies up to `before` bytes before it comes in the same get, and
 * is kept sealed for a while, so that it costs no other one.
 */
int fetch_spine(struct fetch *f, const struct ref *r, size_t before,
	struct frame **frame, const uint8_t **data, struct err *e);
/* Whether a frame has come along so. */
bool fetch_is_near(struct fetch *f, const struct frame_place *at);
/* Look an id up in the index: fills r->place, chunk_off, chunk_len with place
 * number nth, from 0; -ENOENT when the index does not have so many. */
typedef int fetch_locator(void *ctx, struct ref *r, unsigned nth,
	struct err *e);
void fetch_set_locator(struct fetch *f, fetch_locator *locate, void *ctx);

/* Name and id of the delta that a place lies in. */
typedef void fetch_namer(void *ctx, const struct frame_place *at,
	char name[OBJECT_NAME_MAX], uint8_t id[OBJECT_ID_LEN]);
/* Before any place in a delta is asked for. */
void fetch_set_namer(struct fetch *f, fetch_namer *namer, void *ctx);

/*
 * Ask for frames ahead of need, in the order given; returns at once.  Frames
 * in memory or in flight are skipped, neighbours joined; when the queue is
 * full the rest is forgotten.
 */
void fetch_ahead(struct fetch *f, const struct frame_place *at, size_t n);

/*
 * The same for who reads all of a database: a frame of a small delta that is not
 * in the disk cache brings along there what lies around it, since that will be
 * wanted, too, but not soon.
 */
void fetch_ahead_around(
	struct fetch *f, const struct frame_place *at, size_t n);

/*
 * Ask for the sealed bytes of frames far ahead of need, in the order in which
 * they will be read: from a remote store into the disk cache
 * (repo/fetch/bring.h), with at most `spare` bytes that lie between them.
 * Bytes that will travel; 0 where there is no cache.
 */
uint64_t fetch_bring(struct fetch *f, const struct frame_place *at, size_t n,
	uint64_t spare);
/* The same in two steps, for who asks for the first frames some time before the
 * last; given, owed a bring_plan_free. */
struct bring_plan *fetch_bring_plan(struct fetch *f,
	const struct frame_place *at, size_t n, uint64_t spare);
/* Ask for its first `until` frames. */
uint64_t fetch_bring_send(struct fetch *f, struct bring_plan *p, size_t until);
/* Whether that brings anything. */
bool fetch_brings(struct fetch *f);
/* How many bytes the line brings in so many seconds (bring_reach). */
uint64_t fetch_bring_reach(struct fetch *f, unsigned seconds);

/* The same for one frame of pages, and whole frames in the len bytes that
 * follow it. */
void fetch_ahead_beyond(
	struct fetch *f, const struct frame_place *at, uint32_t len);

/*
 * Read on from a frame, in the caller's thread: one get of at most max bytes
 * from where it begins.  Every whole frame in them is decoded and kept as if
 * it had been asked for ahead.  For many small frames that lie together, of
 * which the reader knows only the first.  What fails is left to who wants it.
 */
void fetch_stretch(struct fetch *f, const struct frame_place *at, size_t max);
/* The same, and where there is a disk cache the `before` bytes before it come
 * into that. */
void fetch_stretch_around(struct fetch *f, const struct frame_place *at,
	size_t before, size_t max);
/* What has come into the disk cache can be read there when this returns.  It may
 * wait for the disk. */
void fetch_settle(struct fetch *f);

struct fetch_stats {
	uint64_t unsealed;
	uint64_t memory_hits;
	uint64_t joined;
	uint64_t ahead_frames;
	uint64_t ahead_unused;
	uint64_t ahead_bytes;	     /* sealed, brought by read-ahead */
	uint64_t ahead_unread_bytes; /* of those, nobody has come for yet */
	uint64_t memory_bytes;
};
void fetch_stats(struct fetch *f, struct fetch_stats *s);

#define auto_frame AUTO(frame_auto_)
static inline void
frame_auto_(struct frame **fr)
{
	frame_put(*fr);
}

#endif
