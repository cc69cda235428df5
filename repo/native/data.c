/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of files.  What a read gives points into decoded frames and
 * pages; each piece holds what it points into by a tagged pointer: bit 0 says
 * that it is a page.
 */
#include <sys/stat.h>
#include <errno.h>
#include "repo/base/zeros.h"
#include "repo/crypto/seal.h"
#include "repo/format/object.h"
#include "repo/native/view.h"

#define OWNER_IS_PAGE 1

static void
release_owner(void *owner)
{
	uintptr_t p = (uintptr_t)owner;

	if (p & OWNER_IS_PAGE)
		cached_page_put((struct cached_page *)(p & ~OWNER_IS_PAGE));
	else
		frame_put(owner);
}

struct map
native_view_extent_map(struct native_view *v, const struct tree_node *tn)
{
	return (struct map){ .pages = v->tree.pages,
		.kind = MAP_EXTENTS,
		.ref = &tn->entry->ref,
		.span = tn->entry->size };
}

/* Locate a regular file. */
static int
locate_file(struct native_view *v, uint64_t node, struct tree_node *tn,
	struct err *e)
{
	int r = native_view_locate(v, node, tn, e);

	if (r || S_ISREG(tn->entry->mode))
		return r;
	r = S_ISDIR(tn->entry->mode) ? EISDIR : EINVAL;
	err_set(e, r, "not a regular file");
	return native_view_error(v, node, -r, e);
}

/* -- Reading ----------------------------------------------------------------- */

/* owner is taken over. */
static void
add_piece(struct view_data *d, const void *p, size_t len, void *owner)
{
	d->iov[d->n] = (struct iovec){ .iov_base = (void *)(uintptr_t)p,
		.iov_len = len };
	d->owner[d->n++] = owner;
	d->len += len;
}

/* False when the pieces are used up. */
static bool
add_zeros(struct view_data *d, uint64_t len)
{
	while (len && d->n < VIEW_DATA_PIECES) {
		size_t n = len < ZEROS_LEN ? len : ZEROS_LEN;

		add_piece(d, zeros, n, NULL);
		len -= n;
	}
	return len == 0;
}

static int
add_chunk(struct native_view *v, struct view_data *d, const struct ref *r,
	uint64_t off, size_t len, struct err *e)
{
	struct frame *frame = NULL;
	const uint8_t *p;
	int rc = page_cache_chunk(v->tree.pages, r, FRAME_DATA, &frame, &p, e);

	if (!rc)
		add_piece(d, p + off, len, frame);
	return rc;
}

static int
read_map(struct native_view *v, const struct map *m, uint64_t off, size_t len,
	struct view_data *d, struct err *e)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	int r = map_find_offset(m, off, &at, e);

	while (!r && d->n < VIEW_DATA_PIECES) {
		const struct extent *x = map_at_extent(&at);
		uint64_t skip = off - x->off;
		uint64_t n = x->len - skip < len ? x->len - skip : len;

		if (x->hole && !add_zeros(d, n))
			return 0;
		if (!x->hole)
			r = add_chunk(v, d, &x->ref, skip, n, e);
		if (!x->hole && d->n == 1)
			d->before = skip;
		d->after = x->hole ? 0 : x->len - skip - n;
		off += n;
		len -= n;
		if (r || len == 0)
			return r;
		r = map_next(m, &at, e);
	}
	return r;
}

static void
look_ahead(struct native_view *v, const struct tree_node *tn, uint64_t off,
	size_t len)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map m;

	if (tn->entry->content == CONTENT_CHUNK) {
		lookahead_walk(&v->ahead, tn, &tn->entry->ref.place);
		return;
	}
	lookahead_await(&v->ahead, tn->node);
	m = native_view_extent_map(v, tn);
	lookahead_extents(&v->ahead, tn->node, &m, off);
	if (off == 0 && !map_find_offset(&m, 0, &at, NULL) &&
		!map_at_extent(&at)->hole)
		lookahead_walk(
			&v->ahead, tn, &map_at_extent(&at)->ref.place);
	lookahead_stream(&v->ahead, tn->node, &m, off, len);
}

/* Of a database, a page that leads to others: 1, it was read; 0. */
static int
read_interior(struct native_view *v, const struct entry *en, uint64_t off,
	size_t len, struct view_data *d)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map m;

	if (!interior_find(&v->interior, en, off, len, &m, &at))
		return 0;
	if (!read_map(v, &m, off, len, d, NULL)) {
		/* nothing lies around it */
		d->before = d->after = 0;
		return 1;
	}
	v->interior.failed = true;
	view_data_release(d);
	d->n = 0;
	d->len = 0;
	return 0;
}

static int
read_located(struct native_view *v, const struct tree_node *tn, uint64_t off,
	size_t len, struct view_data *d, struct err *e)
{
	const struct entry *en = tn->entry;
	struct map m;

	if (en->content == CONTENT_INLINE) {
		uintptr_t owner = (uintptr_t)cached_page_get(tn->page);

		add_piece(d, en->data + off, len,
			(void *)(owner | OWNER_IS_PAGE));
		return 0;
	}
	if (read_interior(v, en, off, len, d))
		return 0;
	look_ahead(v, tn, off, len);
	if (en->content == CONTENT_CHUNK)
		return add_chunk(v, d, &en->ref, off, len, e);
	m = native_view_extent_map(v, tn);
	return read_map(v, &m, off, len, d, e);
}

int
native_view_read(struct view *view, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = locate_file(v, node, &tn, e);

	data->n = 0;
	data->len = 0;
	data->before = data->after = 0;
	data->release_owner = release_owner;
	if (r || off >= tn.entry->size || len == 0)
		return r;
	if (len > tn.entry->size - off)
		len = tn.entry->size - off;
	r = read_located(v, &tn, off, len, data, e);
	if (!r)
		return 0;
	view_data_release(data);
	return native_view_error(v, node, r, e);
}

/* -- Data and holes ------------------------------------------------------------ */

static int
seek_map(const struct map *m, uint64_t off, bool hole, uint64_t *found,
	struct err *e)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	int r = map_find_offset(m, off, &at, e);

	while (!r) {
		const struct extent *x = map_at_extent(&at);

		if (x->hole == hole) {
			*found = x->off > off ? x->off : off;
			return 0;
		}
		r = map_next(m, &at, e);
	}
	if (r != -ENOENT)
		return r;
	*found = m->span;
	return hole ? 0 : err_set(e, ENXIO, "no data from there on");
}

int
native_view_seek(struct view *view, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = locate_file(v, node, &tn, e);
	struct map m;

	if (r)
		return r;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return err_set(e, EINVAL, "neither data nor hole is sought");
	if (off >= tn.entry->size)
		return err_set(e, ENXIO, "past the end of the file");
	if (tn.entry->content != CONTENT_MAP) {
		*found = whence == SEEK_DATA ? off : tn.entry->size;
		return 0;
	}
	m = native_view_extent_map(v, &tn);
	r = seek_map(&m, off, whence == SEEK_HOLE, found, e);
	return !r || r == -ENXIO ? r : native_view_error(v, node, r, e);
}

/* -- Places -------------------------------------------------------------------- */

static void
show_place(const struct ref *r, struct view_extent *x)
{
	object_pack_name(x->object, r->place.object, r->place.pack);
	x->object_off = r->place.off;
	x->object_len = r->place.len;
	memcpy(x->mark, r->id, sizeof(x->mark));
}

static int
map_places(const struct map *m, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	int r = map_find_offset(m, from, &at, e);

	while (!r) {
		const struct extent *x = map_at_extent(&at);
		struct view_extent out = { .off = x->off,
			.len = x->len,
			.hole = x->hole };

		if (!x->hole)
			show_place(&x->ref, &out);
		if (!each(ctx, &out))
			return 0;
		r = map_next(m, &at, e);
	}
	return r == -ENOENT ? 0 : r;
}

int
native_view_extents(struct view *view, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = locate_file(v, node, &tn, e);
	struct view_extent x = { .off = 0 };
	struct map m;

	if (r || from >= tn.entry->size)
		return r;
	if (tn.entry->content != CONTENT_MAP) {
		x.len = tn.entry->size;
		if (tn.entry->content == CONTENT_CHUNK)
			show_place(&tn.entry->ref, &x);
		each(ctx, &x);
		return 0;
	}
	m = native_view_extent_map(v, &tn);
	r = map_places(&m, from, each, ctx, e);
	return r ? native_view_error(v, node, r, e) : 0;
}

/* -- Neighbours ------------------------------------------------------------------ */

/* Bytes of chunks in a frame, its table not counted. */
static uint32_t
content_len(const struct frame *fr)
{
	if (!(fr->flags & FRAME_SOLID))
		return fr->len;
	/* The table has been checked when the frame was decoded. */
	return fr->len - 4 - 4 * get_be32(fr->data + fr->len - 4);
}

/* The content of an entry when it is inline or lies in the frame, which is
 * that of the entry by; else NULL. */
static const void *
held(const struct entry *en, const struct entry *by, const struct frame *fr)
{
	const struct frame_place *a = &en->ref.place, *b = &by->ref.place;

	if (!S_ISREG(en->mode))
		return NULL;
	if (en->content == CONTENT_INLINE)
		return en->data;
	if (en->content != CONTENT_CHUNK || a->off != b->off ||
		a->len != b->len || memcmp(a->pack, b->pack, OBJECT_ID_LEN))
		return NULL;
	if ((uint64_t)en->ref.chunk_off + en->ref.chunk_len > content_len(fr))
		return NULL;
	return fr->data + en->ref.chunk_off;
}

int
native_view_neighbours(struct view *view, uint64_t node, int max,
	void (*each)(void *ctx, uint64_t node, const void *data, size_t len),
	void *ctx)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	auto_frame struct frame *frame = NULL;
	const struct entry *en;
	const struct page *p;
	uint64_t base;
	int n = 0;

	if (tree_locate(&v->tree, node, &tn, NULL) || !tn.page ||
		tn.entry->content != CONTENT_CHUNK)
		return 0;
	frame = fetch_peek(v->fetch, &tn.entry->ref.place);
	if (!frame || frame->type != FRAME_DATA)
		return 0;
	p = tn.page->page;
	base = node - p->nodes_before[tn.entry - p->entries];
	for (en = tn.entry + 1; en < p->entries + p->n && n < max; en++) {
		const void *data = held(en, tn.entry, frame);

		if (!data)
			continue;
		each(ctx, base + p->nodes_before[en - p->entries], data,
			en->size);
		n++;
	}
	return n;
}
