/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What decoding a page and decoding entries of directories share; private to
 * repo/format. */
#ifndef YORE_FORMAT_PAGE_DECODE_H
#define YORE_FORMAT_PAGE_DECODE_H

#include "repo/format/page.h"

/* Sums of nodes stay far from overflow. */
#define NODES_MAX (1ULL << 38)
/* As long as a file may be, and as much as totals count. */
#define BYTES_MAX ((uint64_t)INT64_MAX)
#define FRAME_OFF_MAX (1ULL << 48)
#define FRAME_LEN_MAX (17u << 20)
#define PLAIN_LEN_MAX (16u << 20)

struct decoder {
	struct reader r;
	struct page_state st;
	struct page *page;
	const uint8_t *packs;
	uint64_t n_packs;
	const uint8_t *ids;
	uint64_t n_ids;
	uint32_t n_refs; /* of page->refs */
	size_t names_len;
	const char *why; /* set with r.bad */
};

/* The page is wrong, and why; the first reason stays. */
void page_refuse(struct decoder *d, const char *why);
/* len: of the chunk; 0 when it is written after the hint. */
void page_take_ref(struct decoder *d, enum object_type object, uint64_t len,
	bool with_len, struct ref *r);
/* Names lie one behind the other in page->names. */
void page_take_name(struct decoder *d, const uint8_t *last, uint32_t last_len,
	const uint8_t **name, uint32_t *name_len);
void page_take_totals(struct decoder *d, struct totals *t);
/* All entries of a leaf or root page (page_entries.c). */
void page_take_entries(struct decoder *d);
/* All extents of a leaf, of which the first begins at off (page_extents.c). */
void page_take_extents(struct decoder *d, uint64_t off);

#endif
