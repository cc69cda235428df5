/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of LTX files of up to 64 MiB: where each lies and its sum, known
 * from reading the whole file and verifying it.  Shared by all databases that
 * need the file; the least recently used are forgotten when they take too much
 * memory and nobody holds them.
 */
#ifndef YORE_FOREIGN_LITESTREAM05_PAGES_H
#define YORE_FOREIGN_LITESTREAM05_PAGES_H

#include "repo/foreign/ltx_verify.h"
#include "repo/foreign/pieces.h"

/* Files up to this size are verified before anything of them is served. */
#define LITESTREAM05_WHOLE_MAX (64ull << 20)

struct litestream05_page {
	uint32_t pgno;
	uint32_t off; /* of its frame */
	uint32_t len;
	uint32_t sum; /* LTX_PAGE_SUM */
};

struct litestream05_pages_cache;

struct litestream05_pages {
	struct ltx_header header;
	const struct litestream05_page *page; /* by number */
	size_t n;
};

/* memory: bytes of what nobody holds. */
struct litestream05_pages_cache *litestream05_pages_cache_new(size_t memory);
/* Nothing may be held. */
void litestream05_pages_cache_free(struct litestream05_pages_cache *c);

/*
 * The pages of an object, read and verified unless they are known; *out is
 * owed a put.  One thread reads it while others wait.  -EBADMSG, -EUCLEAN it is
 * damaged, which is remembered; -errno of pieces_read.
 */
int litestream05_pages_get(struct litestream05_pages_cache *c,
	struct pieces *pieces, const struct pieces_object *o,
	struct litestream05_pages **out, struct err *e);
void litestream05_pages_put(
	struct litestream05_pages_cache *c, struct litestream05_pages *p);
/* The page with this number, or NULL. */
const struct litestream05_page *litestream05_pages_find(
	const struct litestream05_pages *p, uint32_t pgno);

#endif
