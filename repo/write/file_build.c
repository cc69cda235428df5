/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A big file's chunks, in order, become a map of extents.  What is left of it
 * then is an entry like others, which ITEM_ENDED stands for.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/write/run.h"

static void
begin_file(
	struct run *run, struct file_build *f, struct job *j, struct item *it)
{
	f->data = run->data;
	item_keep(&f->item, &f->arena, it, j);
	f->off = f->n_extents = 0;
}

struct map_builder *
file_build_map(struct run *run)
{
	return map_builder_new(false, &run->w->map_cut, place_page, run);
}

/* What begins a database is in every query, as are its root and what is new. */
static int
begin_extents(struct run *run, struct file_build *f, struct err *e)
{
	f->extents = file_build_map(run);
	if (run->o->database)
		map_builder_first_last(f->extents);
	return map_builder_extent(f->extents, &f->first_extent, e);
}

static int
add_extent(struct run *run, struct file_build *f, const struct extent *x,
	struct err *e)
{
	int r = 0;

	f->off += x->len;
	if (f->n_extents++ == 0) {
		f->first_extent = *x;
		return 0;
	}
	if (!f->extents)
		r = begin_extents(run, f, e);
	return r ? r : map_builder_extent(f->extents, x, e);
}

static int
place_chunk(
	struct run *run, struct file_build *f, struct item *it, struct err *e)
{
	struct extent x = { .off = f->off,
		.len = it->en.size,
		.hole = it->op == ITEM_HOLE,
		.ref = it->en.ref };

	if (it->dropped) {
		f->item.dropped = true;
		return 0;
	}
	if (!x.hole && place_find(run, &x.ref, e))
		return -e->code;
	if (!x.hole)
		scatter_use(&run->scatter, &x.ref.place, false);
	return add_extent(run, f, &x, e);
}

static int
finish_extents(
	struct run *run, struct file_build *f, struct entry *en, struct err *e)
{
	const struct extent *x = &f->first_extent;
	const uint8_t *page;
	size_t len;
	bool any;
	int r = 0;

	en->size = f->off;
	if (run->o->stdin_name || run->o->database)
		en->blocks = (en->size + 511) / 512;
	if (f->n_extents == 0) {
		en->content = CONTENT_NONE;
		return 0;
	}
	if (f->n_extents == 1 && !x->hole) {
		en->content = CONTENT_CHUNK;
		en->ref = x->ref;
		return 0;
	}
	en->content = CONTENT_MAP;
	if (!f->extents)
		r = begin_extents(run, f, e);
	if (!r)
		r = map_builder_finish(
			f->extents, &any, &en->ref, &page, &len, e);
	map_builder_free(steal(f->extents));
	return r;
}

static int
finish_interior(
	struct run *run, struct file_build *f, struct item *it, struct err *e)
{
	int r = -ENOENT;

	if (it->en.content == CONTENT_MAP)
		r = interior_finish(run, f, it->en.size, &it->interior, e);
	interior_free(steal(f->interior));
	it->has_interior = r == 0;
	return r == -ENOENT ? 0 : r;
}

/* it has what was known only at the end: attributes and extended ones. */
static int
end_file(struct run *run, struct file_build *f, struct job *j, struct item *it,
	struct err *e)
{
	int r = finish_extents(run, f, &it->en, e);

	if (!r)
		r = finish_interior(run, f, it, e);
	it->name_at = job_keep(
		j, f->arena.data + f->item.name_at, f->item.en.name_len);
	it->en.name_len = f->item.en.name_len;
	it->dropped |= f->item.dropped;
	it->op = ITEM_ENDED;
	f->off = 0;
	return r;
}

int
file_build_place(struct run *run, struct file_build *f, struct job *j,
	struct item *it, struct err *e)
{
	switch ((enum item_op)it->op) {
	case ITEM_BEGIN:
		begin_file(run, f, j, it);
		return 0;
	case ITEM_HOLE:
	case ITEM_CHUNK:
		return place_chunk(run, f, it, e);
	case ITEM_INTERIOR:
		return interior_keep(
			run, f, it->off, (uint32_t)it->en.size, &it->en.ref, e);
	case ITEM_END:
		return end_file(run, f, j, it, e);
	default:
		return 0;
	}
}

void
file_build_release(struct file_build *f)
{
	map_builder_free(f->extents);
	interior_free(f->interior);
	buf_release(&f->arena);
}
