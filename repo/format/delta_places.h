/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of a delta (FORMAT, "Places"): where the pages lie that were
 * changed in its span.  Leaves of runs, ascending by page; a leaf is searched
 * as it lies in memory, without being decoded.
 */
#ifndef YORE_FORMAT_DELTA_PLACES_H
#define YORE_FORMAT_DELTA_PLACES_H

#include <stdbool.h>
#include "repo/base/bytes.h"
#include "repo/base/err.h"

/* Pages that lie one behind the other in a frame, or that are zeros. */
struct delta_run {
	uint32_t first; /* number of the first page */
	uint32_t count;
	bool zeros;	 /* then nothing below */
	uint64_t n;	 /* delta that has them */
	uint32_t writer; /* number in the record's writers */
	uint64_t off;	 /* of the frame in that object */
	uint32_t len;	 /* sealed */
	uint32_t slot;	 /* of the first page in the frame */
};

#define DELTA_PLACES_LEAF (48u << 10) /* where writers end a leaf, about */
#define DELTA_PLACES_LEAF_MAX (1u << 20)
#define DELTA_SLOTS_MAX 128 /* pages in a frame */

/* -- Encoding ------------------------------------------------------------- */

struct delta_places_encoder {
	uint64_t n; /* of the delta the leaf is for */
	struct buf table, blocks;
	uint32_t n_blocks, in_block;
	struct delta_run last;
	bool any;
};

/* Zeroed but for n is an empty leaf. */
void delta_places_add(struct delta_places_encoder *pe,
	const struct delta_run *run);
size_t delta_places_len(const struct delta_places_encoder *pe);
/* Append the leaf to b and begin an empty one. */
void delta_places_finish(struct delta_places_encoder *pe, struct buf *b);
void delta_places_release(struct delta_places_encoder *pe);

/* -- Reading --------------------------------------------------------------- */

struct delta_places {
	uint64_t n; /* of the delta the leaf belongs to */
	const uint8_t *table; /* n_blocks entries of 8 bytes; borrowed */
	uint32_t n_blocks;
	const uint8_t *data; /* blocks; borrowed */
	size_t len;
	/* The cursor. */
	uint32_t block; /* the one that is read next */
	struct reader r;
	struct delta_run last;
	uint32_t next; /* no run may begin before this page */
	bool in_block;
};

/* -EUCLEAN: it is no leaf of delta n. */
int delta_places_open(struct delta_places *p, uint64_t n, const uint8_t *data,
	size_t len, struct err *e);
/* The next run will be one near the page, none that has it is passed over. */
void delta_places_seek(struct delta_places *p, uint32_t page);
/* 1 and the next run, 0 at the end, -EUCLEAN. */
int delta_places_next(struct delta_places *p, struct delta_run *run,
	struct err *e);

/* -- Sets: which pages an index has ---------------------------------------- */

#define DELTA_SET_MAX (512u << 10) /* bytes of bits */

/* How many pages a bit stands for: 1 << shift. */
uint8_t delta_set_shift(uint32_t pages);
/* A frame's plaintext: u8 shift || bits of `pages` pages, all 0. */
void delta_set_begin(struct buf *b, uint32_t pages);
void delta_set_add(struct buf *b, uint32_t first, uint32_t count);
/* Whether one of the pages may be there; true also for what is no set. */
bool delta_set_may_have(const uint8_t *data, size_t len, uint32_t first,
	uint32_t count);

#endif
