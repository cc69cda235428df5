/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of a database that changed between two of its points, and what they
 * are at the later one: from the indexes of the deltas in between and, where
 * these say less than a point in between did, from what the earlier one had.
 *
 * Memory: 4 bytes a page that changed, a leaf of each index, THIN_PAGES_AHEAD
 * places whose frames are asked for ahead.  Indexes are read twice, once for
 * the numbers and once for the places, so that these need not be kept.
 */
#ifndef YORE_UPKEEP_THIN_PAGES_H
#define YORE_UPKEEP_THIN_PAGES_H

#include "repo/write/delta_merge.h"
#include "repo/write/delta_writer.h"

#define THIN_PAGES_AHEAD 1024

struct thin_piece {
	struct delta_run run;
	struct frame_place at; /* unless the run is zeros */
};

/* Zeroed but for what is borrowed. */
struct thin_pages {
	const struct delta_chain *chain; /* of the later point; borrowed */
	uint64_t from;			 /* the earlier point; 0: the base */
	uint32_t *pgno;			 /* those that changed, ascending */
	size_t n, cap;
	/* The rest is private. */
	struct delta_merge *merge;
	struct thin_piece *ahead;
	size_t next, n_ahead; /* of ahead */
	struct thin_piece now;
	struct frame *frame; /* that now's pages lie in */
};

/* Find them out.  dw has written the earlier point last. */
int thin_pages_find(struct thin_pages *p, struct delta_writer *dw,
	struct err *e);
/* Page pgno[i], i ascending: as delta_writer_delta asks; ctx is p. */
int thin_pages_read(void *ctx, size_t i, void *page, struct err *e);
void thin_pages_release(struct thin_pages *p);

#define auto_thin_pages AUTO(thin_pages_release)

#endif
