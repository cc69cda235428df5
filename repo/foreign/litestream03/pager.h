/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages of a log, one behind the other, on their way into pieces that are
 * kept; for log.c. */
#ifndef YORE_FOREIGN_LITESTREAM03_PAGER_H
#define YORE_FOREIGN_LITESTREAM03_PAGER_H

#include "repo/foreign/litestream03/replica.h"

struct ls03_pager {
	struct kept *kept; /* borrowed, as the name */
	const char *name;
	uint8_t *piece; /* KEPT_PIECE bytes of room */
	size_t n;	/* of it */
	uint64_t number;
	uint64_t unsynced;
	/* A page that is wanted of those that pass by; NULL: none. */
	uint8_t *wanted; /* WAL_PAGE_SIZE_MAX bytes of room */
	size_t wanted_frame;
	bool found;
};

void ls03_pager_init(struct ls03_pager *p, struct kept *k, const char *name);
/* Go on behind n bytes that are kept; false: they are not all. */
bool ls03_pager_resume(struct ls03_pager *p, uint64_t n);
void ls03_pager_add(struct ls03_pager *p, size_t frame, const uint8_t *page,
	uint32_t page_size);
/* Keep what does not fill a piece, too. */
void ls03_pager_flush(struct ls03_pager *p);
void ls03_pager_release(struct ls03_pager *p);
/* A page that is kept; false: it is not. */
bool ls03_pager_get(struct kept *k, const char *name, size_t frame,
	uint32_t page_size, void *page);

#define auto_ls03_pager AUTO(ls03_pager_release)

#endif
