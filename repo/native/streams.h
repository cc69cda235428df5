/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Big files that are being read: how far ahead each reader of each is (readahead.h),
 * and which frames that means.
 *
 * A file is read in the order of its bytes, or, when it is a database whose
 * order of pages is known, in that: a reader that jumps from where pages in
 * order end to where they go on is taken for a scan, and read ahead for in that
 * order from then on.  Where tables lie mixed, what belongs to others is left
 * alone; where one lies scattered, its next pages are found.
 *
 * No lock of its own.
 */
#ifndef YORE_NATIVE_STREAMS_H
#define YORE_NATIVE_STREAMS_H

#include "repo/fetch/readahead.h"
#include "repo/fetch/stretches.h"
#include "repo/native/wish.h"
#include "repo/sqlite/page_order.h"

#define STREAMS 16

struct file_stream {
	uint64_t node; /* 0: unused, the root is no file */
	uint32_t used;
	uint32_t lacked; /* pages of its map that had to be fetched */
	struct stretches stretches;
	struct stream stream;
	struct stream scans; /* in bytes of the order of pages */
};

/* All zeros is none. */
struct streams {
	struct file_stream of[STREAMS];
	uint32_t clock;
	bool near; /* stream.near of all */
	struct page_order *order; /* owned, as `given` */
	uint64_t order_of;	  /* the node */
	uint32_t page_size;
	uint8_t *given; /* a bit for each page that was read, or lay beside one */
};

void streams_release(struct streams *st);
struct file_stream *streams_of(struct streams *st, uint64_t node);
/* A read of [off, off + len), not empty, of a file with the map m: what to ask
 * for, at most `reach` bytes ahead. */
void streams_read(struct streams *st, uint64_t node, const struct map *m,
	uint64_t off, size_t len, size_t reach, struct wish *w);
/* o, of pages of page_size bytes, is taken over; of the last file only. */
void streams_order(struct streams *st, uint64_t node, struct page_order *o,
	uint32_t page_size);

#endif
