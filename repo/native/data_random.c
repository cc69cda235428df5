/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is read here and there, from a store near by.  Each of such reads
 * waits for the disk several times: for the page of the map that says where its
 * bytes lie, for the pack to be opened, and in a database for the interior
 * pages on its way.  All of that lies side by side and takes a few reads when it
 * is read in order.
 */
#include <sys/stat.h>
#include <errno.h>
#include <string.h>
#include "repo/crypto/seal.h"
#include "repo/native/view.h"
#include "repo/sqlite/header.h"
#include "repo/sqlite/page_order.h"

/* Leaves of the map, of some hundred extents each, and packs that are read from
 * beforehand. */
#define LEAVES_MAX 512
#define PACKS_MAX 64

/* False: the callback has enough. */
static bool
give(struct native_view *v, const struct extent *x,
	bool (*each)(void *ctx, uint64_t off, const void *data, size_t len),
	void *ctx)
{
	auto_frame struct frame *frame = NULL;
	const uint8_t *p;

	if (x->hole)
		return true;
	return !page_cache_chunk(
		       v->tree.pages, &x->ref, FRAME_DATA, &frame, &p, NULL) &&
	       each(ctx, x->off, p, x->len);
}

/* False: the callback has enough, or they cannot be read. */
static bool
give_interior(struct native_view *v, const struct entry *en,
	bool (*each)(void *ctx, uint64_t off, const void *data, size_t len),
	void *ctx)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map m = interior_map(&v->interior, en);
	int r = map_find_offset(&m, 0, &at, NULL);

	for (; !r; r = map_next(&m, &at, NULL)) {
		if (!give(v, map_at_extent(&at), each, ctx))
			return false;
	}
	return r == -ENOENT;
}

struct packs {
	uint8_t id[PACKS_MAX][OBJECT_ID_LEN];
	size_t n;
};

/* Whether nothing was read from this pack before. */
static bool
is_new(struct packs *ps, const uint8_t *pack)
{
	if (ps->n == PACKS_MAX)
		return false;
	for (size_t i = ps->n; i > 0; i--) {
		if (!memcmp(ps->id[i - 1], pack, OBJECT_ID_LEN))
			return false;
	}
	memcpy(ps->id[ps->n++], pack, OBJECT_ID_LEN);
	return true;
}

/* The first of the leaf's chunks that lies in the pack is read. */
static void
read_from(struct native_view *v, const struct page *leaf, const uint8_t *pack)
{
	auto_frame struct frame *frame = NULL;
	const uint8_t *p;
	struct extent x;

	for (uint32_t i = 0; i < leaf->n; i++) {
		page_extent(leaf, i, &x);
		if (x.hole || memcmp(x.ref.place.pack, pack, OBJECT_ID_LEN))
			continue;
		page_cache_chunk(
			v->tree.pages, &x.ref, FRAME_DATA, &frame, &p, NULL);
		return;
	}
}

static void
open_packs(struct native_view *v, const struct page *leaf, struct packs *ps)
{
	size_t n;
	const uint8_t *packs = page_extent_packs(leaf, &n);

	for (size_t i = 0; i < n; i++) {
		const uint8_t *pack = packs + i * OBJECT_ID_LEN;

		if (is_new(ps, pack))
			read_from(v, leaf, pack);
	}
}

static void
open_all(struct native_view *v, const struct map *m)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct packs packs = { .n = 0 };
	uint64_t position = 0;

	for (unsigned i = 0; i < LEAVES_MAX; i++) {
		if (map_find_position(m, position, &at, NULL))
			return;
		open_packs(v, at.leaf->page, &packs);
		position = at.n_before + at.leaf->page->n;
	}
}

/* -- The order of a database's pages ------------------------------------------- */

/* Of pages, all of which have numbers; 0: it is no database. */
static uint32_t
page_size_of(struct native_view *v, const struct map *m)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	auto_frame struct frame *frame = NULL;
	struct sqlite_header h;
	const struct extent *x;
	const uint8_t *p;

	if (map_find_offset(m, 0, &at, NULL))
		return 0;
	x = map_at_extent(&at);
	if (x->hole || x->len < SQLITE_HEADER_LEN ||
		page_cache_chunk(v->tree.pages, &x->ref, FRAME_DATA, &frame, &p,
			NULL) ||
		sqlite_header_decode(p, &h, NULL) || m->span < h.page_size ||
		m->span / h.page_size > UINT32_MAX)
		return 0;
	return h.page_size;
}

/* False: they cannot be read. */
static bool
add_pages(struct native_view *v, const struct extent *x, uint32_t page_size,
	struct page_order_builder *b)
{
	auto_frame struct frame *frame = NULL;
	const uint8_t *p;

	if (x->hole)
		return true;
	if (page_cache_chunk(
		    v->tree.pages, &x->ref, FRAME_DATA, &frame, &p, NULL))
		return false;
	for (uint32_t at = 0; at + page_size <= x->len; at += page_size)
		page_order_add(b, (uint32_t)((x->off + at) / page_size), p + at);
	return true;
}

/* After all interior pages were given, so that they are in memory. */
static void
learn_order(struct native_view *v, const struct tree_node *tn)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map all = native_view_extent_map(v, tn);
	struct map m = interior_map(&v->interior, tn->entry);
	uint32_t page_size = page_size_of(v, &all);
	struct page_order_builder *b;
	struct page_order *o;
	int r;

	if (!page_size)
		return;
	b = page_order_begin(page_size, (uint32_t)(m.span / page_size));
	r = map_find_offset(&m, 0, &at, NULL);
	while (!r && add_pages(v, map_at_extent(&at), page_size, b))
		r = map_next(&m, &at, NULL);
	if (r != -ENOENT) {
		page_order_abandon(b);
		return;
	}
	o = page_order_end(b);
	if (o)
		lookahead_order(&v->ahead, tn->node, o, page_size);
}

void
native_view_at_random(struct view *view, uint64_t node,
	bool (*each)(void *ctx, uint64_t off, const void *data, size_t len),
	void *ctx)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	struct map m;

	/* far from the store all of it is asked for as it is needed */
	if (fetch_is_far(v->fetch) ||
		native_view_locate(v, node, &tn, NULL) ||
		!S_ISREG(tn.entry->mode) || tn.entry->content != CONTENT_MAP ||
		(!each && !tn.entry->interior))
		return;
	if (tn.entry->interior)
		v->interior.random = true;
	m = native_view_extent_map(v, &tn);
	open_all(v, &m);
	if (each && tn.entry->interior &&
		give_interior(v, tn.entry, each, ctx))
		learn_order(v, &tn);
}
