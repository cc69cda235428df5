/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which frame holds each page of a database that its logs hold: what replaying
 * the logs, one index after the other, would leave in the file.  At the end of
 * each log the file is cut to the size that its last commit names; what it
 * grows by later is zeros until it is written.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_PAGES_H
#define YORE_FOREIGN_LITESTREAM03_PAGES_H

#include "repo/foreign/litestream03/log.h"

/* More pages than this are refused: 96 MiB of places. */
#define LS03_PAGES_MAX (8u << 20)
#define LS03_PAGES_UNKNOWN UINT32_MAX

struct ls03_place {
	uint32_t pgno;
	uint32_t segment; /* of the timeline */
	uint32_t frame;	  /* of its log */
};

struct ls03_pages {
	struct ls03_place *places; /* by pgno, once ls03_pages_end was called */
	size_t n, cap;
	uint32_t page_size;  /* 0: no log so far */
	uint32_t n_pages;    /* of the database, or LS03_PAGES_UNKNOWN */
	uint32_t base_pages; /* as many of the snapshot's count; likewise */
};

#define LS03_PAGES_INIT                          \
	{                                        \
		.n_pages = LS03_PAGES_UNKNOWN,   \
		.base_pages = LS03_PAGES_UNKNOWN \
	}

/*
 * Lay the first n_frames of a log over what there is.  whole: the next log
 * follows.  -EUCLEAN page sizes differ, -EFBIG too many pages.
 */
int ls03_pages_add(struct ls03_pages *p, const struct ls03_log *log,
	size_t n_frames, bool whole, struct err *e);
void ls03_pages_end(struct ls03_pages *p);
/* NULL: no log holds it. */
const struct ls03_place *ls03_pages_find(
	const struct ls03_pages *p, uint32_t pgno);
void ls03_pages_release(struct ls03_pages *p);

#define auto_ls03_pages AUTO(ls03_pages_release)

#endif
