/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether two entries, extents, children, pages are the same in all that is
 * stored of them; and pages encoded from what was decoded.  For tests of
 * encoders and decoders.
 */
#ifndef YORE_TESTS_SAME_H
#define YORE_TESTS_SAME_H

#include <string.h>
#include <sys/stat.h>
#include "repo/format/entry.h"

static inline bool
same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || !memcmp(a, b, a_len));
}

static inline bool
same_ref(const struct ref *a, const struct ref *b)
{
	return !memcmp(a->id, b->id, CHUNK_ID_LEN) &&
	       !memcmp(a->place.pack, b->place.pack, OBJECT_ID_LEN) &&
	       a->place.off == b->place.off && a->place.len == b->place.len &&
	       a->place.object == b->place.object &&
	       a->chunk_off == b->chunk_off && a->chunk_len == b->chunk_len;
}

static inline bool
same_totals(const struct totals *a, const struct totals *b)
{
	return a->entries == b->entries && a->files == b->files &&
	       a->bytes == b->bytes && a->newest_ns == b->newest_ns &&
	       a->flags == b->flags;
}

static inline bool
same_content(const struct entry *a, const struct entry *b)
{
	if (a->content != b->content)
		return false;
	if (a->content == CONTENT_INLINE)
		return same_bytes(a->data, a->size, b->data, b->size);
	return a->content == CONTENT_NONE || same_ref(&a->ref, &b->ref);
}

static inline bool
same_xattrs(const struct entry *a, const struct entry *b)
{
	if (!a->xattrs != !b->xattrs || !a->xattrs_ref != !b->xattrs_ref)
		return false;
	if (a->xattrs_ref)
		return same_ref(a->xattrs_ref, b->xattrs_ref);
	return same_bytes(a->xattrs, a->xattrs_len, b->xattrs, b->xattrs_len);
}

static inline bool
same_interior(const struct entry *a, const struct entry *b)
{
	if (!a->interior || !b->interior)
		return !a->interior && !b->interior;
	return same_ref(a->interior, b->interior);
}

static inline bool
same_attributes(const struct entry *a, const struct entry *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       a->size == b->size && a->blocks == b->blocks &&
	       a->mtime_s == b->mtime_s && a->mtime_ns == b->mtime_ns &&
	       a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns &&
	       a->nlink == b->nlink && a->rdev == b->rdev && a->ino == b->ino &&
	       a->link == b->link;
}

static inline bool
same_entry(const struct entry *a, const struct entry *b)
{
	return same_bytes(a->name, a->name_len, b->name, b->name_len) &&
	       same_attributes(a, b) && same_content(a, b) &&
	       same_xattrs(a, b) && same_interior(a, b) && same_totals(&a->totals, &b->totals);
}

static inline bool
same_extent(const struct extent *a, const struct extent *b)
{
	return a->off == b->off && a->len == b->len && a->hole == b->hole &&
	       (a->hole || same_ref(&a->ref, &b->ref));
}

static inline bool
same_inner(const struct inner *a, const struct inner *b)
{
	return same_bytes(a->first, a->first_len, b->first, b->first_len) &&
	       a->n == b->n && a->off == b->off && a->len == b->len &&
	       same_totals(&a->totals, &b->totals) &&
	       same_ref(&a->ref, &b->ref);
}

static inline bool
same_item(const struct page *a, const struct page *b, uint32_t i)
{
	struct extent x, y;

	switch (a->kind) {
	case PAGE_DIR_LEAF:
	case PAGE_ROOT:
		return same_entry(&a->entries[i], &b->entries[i]);
	case PAGE_EXTENT_LEAF:
		page_extent(a, i, &x);
		page_extent(b, i, &y);
		return same_extent(&x, &y);
	default:
		return same_inner(&a->inners[i], &b->inners[i]);
	}
}

static inline bool
same_page(const struct page *a, const struct page *b)
{
	if (a->kind != b->kind || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++) {
		if (!same_item(a, b, i))
			return false;
	}
	return true;
}

/* Append a leaf of n extents. */
static inline void
encode_extents(const struct extent *x, uint32_t n, struct buf *b)
{
	struct page_encoder *pe = page_encoder_new(PAGE_EXTENT_LEAF);

	for (uint32_t i = 0; i < n; i++)
		page_encoder_extent(pe, &x[i]);
	page_encoder_finish(pe, b);
	page_encoder_free(pe);
}

/* Append the encoding of what a page holds. */
static inline void
page_encode_again(const struct page *p, struct buf *b)
{
	struct page_encoder *pe = page_encoder_new(p->kind);
	struct extent x;

	for (uint32_t i = 0; i < p->n; i++) {
		if (p->kind == PAGE_DIR_LEAF || p->kind == PAGE_ROOT)
			page_encoder_entry(pe, &p->entries[i]);
		else if (p->kind != PAGE_EXTENT_LEAF)
			page_encoder_inner(pe, &p->inners[i]);
		else {
			page_extent(p, i, &x);
			page_encoder_extent(pe, &x);
		}
	}
	page_encoder_finish(pe, b);
	page_encoder_free(pe);
}

#endif
