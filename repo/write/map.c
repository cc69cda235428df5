/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaves are put away as they end; the pages above them only at the end of the
 * map, one behind the other.  So all of them lie together, before the root
 * page, and one get brings the spine of a directory however large it is.  Of a
 * database the first leaf lies there, too (map_builder_first_last).
 */
#include <errno.h>
#include <string.h>
#include "repo/base/bytes.h"
#include "repo/crypto/id.h"
#include "repo/write/map.h"

struct level {
	struct page_encoder *pe;
	uint32_t n_pages; /* stored so far */
	struct inner sum; /* of what pe holds */
	uint8_t first[NAME_LEN_MAX];
};

struct map_builder {
	bool directory;
	const struct map_cut *cut;
	map_store *store;
	void *ctx;
	struct level levels[MAP_DEPTH_MAX];
	unsigned depth; /* levels in use */
	/* Leaves put away; their first names stand in names, in this order. */
	struct inner *leaves;
	size_t n_leaves, cap_leaves;
	struct buf names;
	struct buf page; /* the last one stored */
	bool first_last;
	struct buf first; /* the first leaf, to be put away at the end */
	struct totals totals; /* of all entries added */
};

void
map_cut_init(struct map_cut *mc, const struct keyring *keys)
{
	cut_table(keys, "page", mc->value, n_elements(mc->value));
}

struct map_builder *
map_builder_new(bool directory, const struct map_cut *cut, map_store *store,
	void *ctx)
{
	struct map_builder *mb = xcalloc(1, sizeof(*mb));

	mb->directory = directory;
	mb->cut = cut;
	mb->store = store;
	mb->ctx = ctx;
	return mb;
}

void
map_builder_free(struct map_builder *mb)
{
	if (!mb)
		return;
	for (unsigned i = 0; i < MAP_DEPTH_MAX; i++)
		page_encoder_free(mb->levels[i].pe);
	buf_release(&mb->page);
	buf_release(&mb->first);
	buf_release(&mb->names);
	free(mb->leaves);
	free(mb);
}

void
map_builder_first_last(struct map_builder *mb)
{
	mb->first_last = true;
}

static enum page_kind
kind_of(const struct map_builder *mb, unsigned depth)
{
	if (mb->directory)
		return depth ? PAGE_DIR_INNER : PAGE_DIR_LEAF;
	return depth ? PAGE_EXTENT_INNER : PAGE_EXTENT_LEAF;
}

static struct level *
level_at(struct map_builder *mb, unsigned depth)
{
	struct level *l = &mb->levels[depth];

	if (!l->pe) {
		l->pe = page_encoder_new(kind_of(mb, depth));
		mb->depth = depth + 1;
	}
	return l;
}

static bool
ends_here(const struct level *l, uint64_t hash)
{
	size_t len = page_encoder_len(l->pe);

	if (len >= MAP_PAGE_MAX)
		return true;
	return len >= MAP_PAGE_MIN && page_encoder_n(l->pe) >= 2 &&
	       hash % MAP_PAGE_ONE_IN == 0;
}

static uint64_t
hash_name(const struct map_cut *cut, const uint8_t *name, size_t len)
{
	uint64_t h = 0;

	for (size_t i = 0; i < len; i++)
		h = ((h << 7) | (h >> 57)) ^ cut->value[name[i]];
	return h ^ (h >> 32);
}

static int store_level(struct map_builder *mb, unsigned depth, struct err *e);

static int
add_inner(struct map_builder *mb, unsigned depth, const struct inner *in,
	struct err *e)
{
	struct level *l;

	if (depth >= MAP_DEPTH_MAX)
		return err_set(e, EFBIG, "a map is too deep");
	l = level_at(mb, depth);
	if (!page_encoder_n(l->pe)) {
		memset(&l->sum, 0, sizeof(l->sum));
		if (in->first_len)
			memcpy(l->first, in->first, in->first_len);
		l->sum.first = l->first;
		l->sum.first_len = in->first_len;
		l->sum.off = in->off;
	}
	page_encoder_inner(l->pe, in);
	l->sum.n += in->n;
	l->sum.len += in->len;
	totals_add(&l->sum.totals, &in->totals);
	if (ends_here(l, get_be64(in->ref.id)))
		return store_level(mb, depth, e);
	return 0;
}

/* Remember a leaf for the level above. */
static void
keep_leaf(struct map_builder *mb, const struct inner *in)
{
	if (mb->n_leaves == mb->cap_leaves) {
		mb->cap_leaves = mb->cap_leaves * 2 + 16;
		mb->leaves = xrealloc(
			mb->leaves, mb->cap_leaves * sizeof(*mb->leaves));
	}
	mb->leaves[mb->n_leaves] = *in;
	mb->leaves[mb->n_leaves++].first = NULL;
	buf_append(&mb->names, in->first, in->first_len);
}

/* Build the level above the leaves. */
static int
add_leaves(struct map_builder *mb, struct err *e)
{
	const uint8_t *name = mb->names.data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < mb->n_leaves; i++) {
		struct inner *in = &mb->leaves[i];

		in->first = name;
		if (in->first_len)
			name += in->first_len;
		r = add_inner(mb, 1, in, e);
	}
	return r;
}

/* A leaf ends: it is put away, or kept until the others are. */
static int
store_leaf(struct map_builder *mb, struct level *l, struct err *e)
{
	int r = 0;

	if (mb->first_last && !mb->n_leaves)
		buf_append(&mb->first, mb->page.data, mb->page.len);
	else
		r = mb->store(mb->ctx, mb->page.data, mb->page.len,
			&l->sum.ref, e);
	if (!r)
		keep_leaf(mb, &l->sum);
	return r;
}

static int
store_first(struct map_builder *mb, struct err *e)
{
	return mb->first.len ? mb->store(mb->ctx, mb->first.data,
				       mb->first.len, &mb->leaves[0].ref, e)
			     : 0;
}

/* End the page of a level, put it away, tell the level above. */
static int
store_level(struct map_builder *mb, unsigned depth, struct err *e)
{
	struct level *l = &mb->levels[depth];
	int r;

	mb->page.len = 0;
	page_encoder_finish(l->pe, &mb->page);
	l->n_pages++;
	if (depth == 0)
		return store_leaf(mb, l, e);
	r = mb->store(mb->ctx, mb->page.data, mb->page.len, &l->sum.ref, e);
	return r ? r : add_inner(mb, depth + 1, &l->sum, e);
}

static struct level *
begin_leaf(struct map_builder *mb)
{
	struct level *l = level_at(mb, 0);

	if (mb->depth < 1)
		mb->depth = 1;
	if (!page_encoder_n(l->pe))
		memset(&l->sum, 0, sizeof(l->sum));
	return l;
}

int
map_builder_entry(struct map_builder *mb, const struct entry *en,
	struct err *e)
{
	struct level *l = begin_leaf(mb);
	struct totals t;

	if (!page_encoder_n(l->pe)) {
		memcpy(l->first, en->name, en->name_len);
		l->sum.first = l->first;
		l->sum.first_len = en->name_len;
	}
	page_encoder_entry(l->pe, en);
	entry_totals(en, &t);
	totals_add(&l->sum.totals, &t);
	totals_add(&mb->totals, &t);
	l->sum.n++;
	if (ends_here(l, hash_name(mb->cut, en->name, en->name_len)))
		return store_level(mb, 0, e);
	return 0;
}

int
map_builder_extent(struct map_builder *mb, const struct extent *x,
	struct err *e)
{
	struct level *l = begin_leaf(mb);

	if (!page_encoder_n(l->pe))
		l->sum.off = x->off;
	page_encoder_extent(l->pe, x);
	l->sum.len += x->len;
	l->sum.n++;
	if (ends_here(l, x->hole ? x->len * 0x9e3779b97f4a7c15 >> 20
				 : get_be64(x->ref.id)))
		return store_level(mb, 0, e);
	return 0;
}

/* Levels are ended from below; the first that is the last and has stored no
 * page holds the root.  Ending a level may add one above it. */
int
map_builder_finish(struct map_builder *mb, bool *any, struct ref *root,
	const uint8_t **page, size_t *len, struct err *e)
{
	*any = mb->depth > 0;
	for (unsigned d = 0; d < mb->depth; d++) {
		struct level *l = &mb->levels[d];
		bool last = d + 1 == mb->depth;
		int r;

		if (last && l->n_pages == 0) {
			mb->page.len = 0;
			page_encoder_finish(l->pe, &mb->page);
			*page = mb->page.data;
			*len = mb->page.len;
			return mb->store(mb->ctx, *page, *len, root, e);
		}
		r = page_encoder_n(l->pe) ? store_level(mb, d, e) : 0;
		if (r == 0 && d == 0)
			r = store_first(mb, e);
		if (r == 0 && d == 0)
			r = add_leaves(mb, e);
		if (r)
			return r;
	}
	return *any ? err_set(e, EUCLEAN, "a map has no root") : 0;
}

struct totals
map_builder_totals(const struct map_builder *mb)
{
	return mb->totals;
}
