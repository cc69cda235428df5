/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What snapshots use of a pack, compared with what its table says it has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/crypto/seal.h"
#include "repo/upkeep/compact_private.h"

/* A frame of file content that has less than this is put together with others:
 * a solid one, and one with a single small file, which no database is cut
 * into. */
#define SMALL_SOLID (256u << 10)
#define SMALL_ALONE (16u << 10)

/* A pack that is being looked at, and the frame in it. */
struct plan {
	struct compact *c;
	uint32_t pack;
	bool open;
	struct toc toc;
	uint32_t frame; /* the next one in the table that may be meant */
	struct compact_item *items; /* of one frame */
	uint32_t n, cap;
};

static void
close_pack(struct plan *p)
{
	toc_release(&p->toc);
	p->toc = (struct toc)TOC_INIT;
	p->open = false;
	p->frame = 0;
	p->n = 0;
}

static void
open_pack(struct plan *p, uint32_t pack)
{
	struct err why = ERR_INIT;

	close_pack(p);
	p->pack = pack;
	p->open = true;
	if (tables_take(p->c->tables, pack, &p->toc, &why))
		compact_drop(p->c, pack, &why);
}

static bool
is_small(const struct plan *p)
{
	const struct compact_item *last = &p->items[p->n - 1];
	uint64_t len = (uint64_t)last->chunk_off + last->chunk_len;

	if (p->c->o->stock->packs[p->pack].object != OBJECT_DATA)
		return false;
	return len < (p->n > 1 ? SMALL_SOLID : SMALL_ALONE);
}

/* The frame is complete: if all its chunks are in use they stay together. */
static int
end_frame(struct plan *p, struct err *e)
{
	const struct toc_frame *f = &p->toc.frames[p->frame];
	int r = 0;

	if (!p->n)
		return 0;
	for (uint32_t i = 0; i < p->n && !r; i++) {
		struct compact_item *it = &p->items[i];

		it->frame_plain = f->plain_len;
		if (p->n == f->n_chunks) {
			it->order = p->items[0].order;
			it->packed = is_small(p) ? 0 : p->n;
		}
		r = sorter_add(p->c->items, it, e);
	}
	p->n = 0;
	return r;
}

/* The chunk of the frame that begins where the reference says. */
static const struct toc_chunk *
find_chunk(const struct plan *p, const struct live_chunk *l)
{
	const struct toc_frame *f = &p->toc.frames[p->frame];
	uint32_t lo = f->first_chunk, hi = lo + f->n_chunks;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->toc.chunks[mid].off < l->chunk_off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == f->first_chunk + f->n_chunks ||
		p->toc.chunks[lo].off != l->chunk_off ||
		p->toc.chunks[lo].len != l->chunk_len)
		return NULL;
	return &p->toc.chunks[lo];
}

static int
add(struct plan *p, const struct live_chunk *l, struct err *e)
{
	const struct toc_chunk *ch = NULL;
	struct err why = ERR_INIT;
	int r = 0;

	while (p->frame < p->toc.n_frames &&
		p->toc.frames[p->frame].off < l->frame_off && !r) {
		r = end_frame(p, e);
		p->frame++;
	}
	if (r)
		return r;
	if (p->frame < p->toc.n_frames &&
		p->toc.frames[p->frame].off == l->frame_off &&
		p->toc.frames[p->frame].len == l->frame_len &&
		l->frame_len <= FRAME_SEALED_MAX)
		ch = find_chunk(p, l);
	if (!ch) {
		err_set(&why, EUCLEAN,
			"its table lacks what snapshots refer to");
		compact_drop(p->c, p->pack, &why);
		return 0;
	}
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 256;
		p->items = xrealloc(p->items, p->cap * sizeof(*p->items));
	}
	p->items[p->n] = (struct compact_item){ .order = l->order,
		.pack = l->pack,
		.frame_len = l->frame_len,
		.frame_off = l->frame_off,
		.chunk_off = l->chunk_off,
		.chunk_len = l->chunk_len };
	if (p->n && l->order < p->items[0].order)
		p->items[0].order = l->order;
	memcpy(p->items[p->n++].key, ch->id, CHUNK_KEY_LEN);
	return 0;
}

/* Whether a chunk belongs to this batch: those of the trash go with their pack,
 * when that goes. */
static bool
wanted(struct plan *p, const struct live_chunk *l, bool *more)
{
	struct compact *c = p->c;
	uint32_t pack = l->pack;

	if (!(c->o->stock->packs[pack].flags & STOCK_COPY) ||
		l->order >> LIVE_CLASS_SHIFT == LIVE_TRASH)
		return false;
	if (p->open && p->pack == pack)
		return true;
	if (c->planned[pack])
		return false;
	if (sorter_n(c->items) >= BATCH_CHUNKS) {
		*more = true;
		return false;
	}
	c->planned[pack] = 1;
	return true;
}

int
compact_plan(struct compact *c, bool *more, struct err *e)
{
	struct plan p = { .c = c, .toc = TOC_INIT };
	struct live_chunk l;
	int r = live_read(c->o->live, e), got = 0;

	*more = false;
	while (!r && (got = live_next(c->o->live, &l, e)) > 0) {
		if (!wanted(&p, &l, more))
			continue;
		if (!p.open || p.pack != l.pack) {
			if (p.open)
				r = end_frame(&p, e);
			open_pack(&p, l.pack);
		}
		if (!r && c->o->stock->packs[l.pack].flags & STOCK_COPY)
			r = add(&p, &l, e);
	}
	if (!r && got < 0)
		r = got;
	if (!r && p.open)
		r = end_frame(&p, e);
	close_pack(&p);
	free(p.items);
	return r;
}
