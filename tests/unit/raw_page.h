/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages written by hand, field by field, so that a test can make what no
 * encoder makes.  An entry of zeros is right: an empty file "a"; a test spoils
 * a field.
 */
#ifndef YORE_TESTS_RAW_PAGE_H
#define YORE_TESTS_RAW_PAGE_H

#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/format/page.h"

struct raw {
	uint64_t shared;
	const char *name; /* NULL: "a" */
	uint64_t flags;	  /* beside ENTRY_CTIME_IS_MTIME */
	bool own_ctime;
	uint64_t perm, uid, gid, mtime_ns, ctime_ns, size;
	uint64_t blocks, nlink, link; /* as flags say */
	const char *content;	      /* bytes of content, xattrs and totals */
	size_t content_len;
	const char *extension;
};

#define RAW_CONTENT(kind) ((uint64_t)(kind) << ENTRY_CONTENT_SHIFT)
/* A literal and its length, with NULs. */
#define RAW(bytes) .content = (bytes), .content_len = sizeof(bytes) - 1

static inline void
raw_head(struct buf *b, int kind, uint64_t n, uint64_t n_packs, uint64_t n_ids)
{
	buf_u8(b, (uint8_t)kind);
	buf_varint(b, n);
	buf_varint(b, n_packs);
	buf_varint(b, n_ids);
	if (kind == PAGE_EXTENT_LEAF || kind == PAGE_EXTENT_INNER)
		buf_varint(b, 0);
	buf_zeros(b, n_packs * OBJECT_ID_LEN);
}

static inline void
raw_entry(struct buf *b, const struct raw *x)
{
	const char *name = x->name ? x->name : "a";

	buf_varint(b, x->shared);
	buf_bytes(b, name, strlen(name));
	buf_varint(b, x->flags | (x->own_ctime ? 0 : ENTRY_CTIME_IS_MTIME));
	if (!(x->flags & ENTRY_SAME_PERM))
		buf_varint(b, x->perm);
	if (!(x->flags & ENTRY_SAME_OWNER)) {
		buf_varint(b, x->uid);
		buf_varint(b, x->gid);
	}
	buf_svarint(b, 0);
	buf_svarint(b, 0);
	buf_varint(b, x->mtime_ns);
	if (x->own_ctime) {
		buf_svarint(b, 0);
		buf_varint(b, x->ctime_ns);
	}
	buf_varint(b, x->size);
	if (x->flags & ENTRY_BLOCKS)
		buf_varint(b, x->blocks);
	if (x->flags & ENTRY_LINKS) {
		buf_varint(b, x->nlink);
		buf_varint(b, x->link);
	}
	buf_append(b, x->content, x->content_len);
	if (x->extension)
		buf_bytes(b, x->extension, strlen(x->extension));
}

/* The page (without ids) is refused, and the sentence says why. */
static inline void
raw_refused_(const struct buf *b, const char *why, const char *file, int line)
{
	auto_free uint8_t *exact = xmemdup(b->data, b->len);
	struct page *p = NULL;
	struct err e = ERR_INIT;
	int r = page_decode(exact, b->len, &p, &e);

	page_free(p);
	if (r != -EUCLEAN || !strstr(e.text, why)) {
		print_error(
			"\"%s\" expected, code %d, \"%s\"\n", why, r, e.text);
		_fail(file, line);
	}
}
#define raw_refused(b, why) raw_refused_(b, why, __FILE__, __LINE__)

/* One entry alone in a leaf of n_packs packs and n_ids ids. */
static inline void
raw_leaf(struct buf *b, uint64_t n_packs, uint64_t n_ids, struct raw x)
{
	b->len = 0;
	raw_head(b, PAGE_DIR_LEAF, 1, n_packs, n_ids);
	raw_entry(b, &x);
	buf_zeros(b, n_ids * CHUNK_ID_LEN);
}

#define entry_refused(why, n_packs, n_ids, ...)                             \
	do {                                                                \
		auto_buf struct buf b_ = BUF_INIT;                          \
		raw_leaf(&b_, n_packs, n_ids, (struct raw){ __VA_ARGS__ }); \
		raw_refused(&b_, why);                                      \
	} while (0)

#define entry_accepted(n_packs, n_ids, ...)                                   \
	do {                                                                  \
		auto_buf struct buf b_ = BUF_INIT;                            \
		struct page *p_ = NULL;                                       \
		raw_leaf(&b_, n_packs, n_ids, (struct raw){ __VA_ARGS__ });   \
		assert_int_equal(page_decode(b_.data, b_.len, &p_, NULL), 0); \
		page_free(p_);                                                \
	} while (0)

#endif
