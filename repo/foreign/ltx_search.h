/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages looked up in the index of an LTX file that is too big to be read as a
 * whole.  Its entries are varints, so where the n-th one lies is not known;
 * but they ascend evenly.  So the place is guessed from what is known around
 * it, a window read there, and the first byte of an entry found in it by
 * trying: only from the right one do entries follow each other, each frame
 * where the one before it ends.  What the window held bounds the next guess.
 */
#ifndef YORE_FOREIGN_LTX_SEARCH_H
#define YORE_FOREIGN_LTX_SEARCH_H

#include <pthread.h>
#include "repo/foreign/ltx.h"

#define LTX_ANCHORS 16

/* A known place: an entry begins there, and every page before `pgno` is before
 * it, the others behind. */
struct ltx_anchor {
	uint64_t pos; /* in the file */
	uint32_t pgno;
};

struct ltx_search {
	struct ltx_index_place at;
	uint32_t pages;	 /* no page beyond this number */
	uint32_t window; /* bytes to read at a time, aligned so: a power of two
			  */
	/* Read bytes of the file, which lie inside the index; -errno. */
	int (*read)(
		void *ctx, uint64_t off, size_t len, void *buf, struct err *e);
	void *ctx;
	pthread_mutex_t lock; /* a leaf; guards what was learned: */
	struct ltx_anchor anchors[LTX_ANCHORS];
	unsigned n_anchors, next_anchor;
};

/* Fill in at, pages, window, read, ctx beforehand. */
void ltx_search_init(struct ltx_search *s);
void ltx_search_release(struct ltx_search *s);

/*
 * The entries of the pages from `first` to `last` that are in the file, in
 * order: at most max of them, which is at least 1; *n is how many.  -EUCLEAN
 * the index contradicts itself; -errno of read.
 */
int ltx_search_pages(struct ltx_search *s, uint32_t first, uint32_t last,
	struct ltx_entry *out, size_t max, size_t *n, struct err *e);

#endif
