/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last piece is kept again, longer, when its log has grown.  Page sizes are
 * powers of two, so that no page lies in two pieces.
 */
#include "repo/foreign/litestream03/pager.h"

#include <string.h>
#include "repo/base/buf.h"

#define SYNC_EVERY (8u << 20) /* the cache drops what outruns its disk */

void
ls03_pager_init(struct ls03_pager *p, struct kept *k, const char *name)
{
	*p = (struct ls03_pager){ .kept = k, .name = name };
	p->piece = xmalloc(KEPT_PIECE);
}

void
ls03_pager_release(struct ls03_pager *p)
{
	free(p->piece);
	p->piece = NULL;
}

bool
ls03_pager_resume(struct ls03_pager *p, uint64_t n)
{
	size_t len = 0;

	p->number = n / KEPT_PIECE;
	p->n = (size_t)(n % KEPT_PIECE);
	return p->n == 0 ||
	       (kept_read(p->kept, p->name, p->number, p->piece, &len) &&
		       len >= p->n);
}

void
ls03_pager_flush(struct ls03_pager *p)
{
	if (p->n > 0)
		kept_write(p->kept, p->name, p->number, p->piece, p->n);
}

void
ls03_pager_add(struct ls03_pager *p, size_t frame, const uint8_t *page,
	uint32_t page_size)
{
	if (p->wanted && frame == p->wanted_frame) {
		memcpy(p->wanted, page, page_size);
		p->found = true;
	}
	memcpy(p->piece + p->n, page, page_size);
	p->n += page_size;
	if (p->n < KEPT_PIECE)
		return;
	ls03_pager_flush(p);
	p->number++;
	p->n = 0;
	p->unsynced += KEPT_PIECE;
	if (p->unsynced >= SYNC_EVERY) {
		(void)kept_sync(p->kept, NULL);
		p->unsynced = 0;
	}
}

bool
ls03_pager_get(struct kept *k, const char *name, size_t frame,
	uint32_t page_size, void *page)
{
	auto_free uint8_t *piece = xmalloc(KEPT_PIECE);
	uint64_t off = (uint64_t)frame * page_size;
	size_t at = (size_t)(off % KEPT_PIECE), len;

	if (!kept_read(k, name, off / KEPT_PIECE, piece, &len) ||
		len < at + page_size)
		return false;
	memcpy(page, piece + at, page_size);
	return true;
}
