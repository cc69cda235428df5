/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sorters: references that lead where their hint says, by place; and those
 * that do not, by key, so that the index is read once from its beginning to its
 * end.  What is found of these joins the first.
 *
 * How much of a frame is in use is told without its table: chunks of a frame
 * follow each other, so of what the last one in use ends at, the chunks in use
 * have a share, and the rest is not in use.  (What comes after the last one is
 * not seen: compaction, which reads tables, sees it.)
 */
#include "repo/upkeep/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/format/object.h"
#include "repo/native/id_set.h"
#include "repo/upkeep/sorter.h"

#define STRAY_SHARE 4 /* of memory, for the second sorter */
#define GONE_SORT 4096

/* A reference whose hint does not do. */
struct stray {
	uint8_t key[CHUNK_KEY_LEN];
	uint32_t pack; /* number of its own, if it is listed; STOCK_NONE */
	struct frame_place place;
	uint32_t chunk_off, chunk_len;
	uint64_t order;
	bool lost;
};

struct live {
	struct stock *stock;
	const struct gc_state *state;
	struct sorter *refs, *strays;
	uint64_t order, class;
	struct id_set gone[2]; /* of data, of pages */
	size_t gone_sorted[2];
	struct gc_packs gone_list;
	uint64_t n_lost;
	/* while reading */
	struct live_chunk ahead;
	bool has_ahead;
};

static int
by_place(const void *a, const void *b)
{
	const struct live_chunk *x = a, *y = b;

	if (x->pack != y->pack)
		return x->pack < y->pack ? -1 : 1;
	if (x->frame_off != y->frame_off)
		return x->frame_off < y->frame_off ? -1 : 1;
	if (x->chunk_off != y->chunk_off)
		return x->chunk_off < y->chunk_off ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static int
by_key(const void *a, const void *b)
{
	const struct stray *x = a, *y = b;
	int c = memcmp(x->key, y->key, CHUNK_KEY_LEN);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

struct live *
live_new(struct stock *stock, const struct gc_state *state, size_t memory)
{
	struct live *l = xcalloc(1, sizeof(*l));

	l->stock = stock;
	l->state = state;
	l->refs = sorter_new(sizeof(struct live_chunk), by_place,
		memory - memory / STRAY_SHARE);
	l->strays = sorter_new(
		sizeof(struct stray), by_key, memory / STRAY_SHARE);
	l->class = (uint64_t)LIVE_SNAPSHOT << LIVE_CLASS_SHIFT;
	return l;
}

void
live_free(struct live *l)
{
	if (!l)
		return;
	sorter_free(l->refs);
	sorter_free(l->strays);
	id_set_release(&l->gone[0]);
	id_set_release(&l->gone[1]);
	free(l->gone_list.p);
	free(l);
}

void
live_class(struct live *l, enum live_class class)
{
	l->class = (uint64_t)class << LIVE_CLASS_SHIFT;
}

uint64_t
live_lost(const struct live *l)
{
	return l->n_lost;
}

/* -- References as they come ------------------------------------------------- */

static void
note_gone(struct live *l, const struct frame_place *at)
{
	unsigned i = at->object == OBJECT_META;
	struct id_set *s = &l->gone[i];

	if (s->n && !memcmp(s->ids[s->n - 1], at->pack, OBJECT_ID_LEN))
		return;
	id_set_add(s, at->pack);
	if (s->n - l->gone_sorted[i] < GONE_SORT + l->gone_sorted[i])
		return;
	id_set_sort(s);
	l->gone_sorted[i] = s->n;
}

static int
add_stray(struct live *l, const struct ref *r, uint32_t pack, uint64_t order,
	struct err *e)
{
	struct stray s = { .pack = pack,
		.place = r->place,
		.chunk_off = r->chunk_off,
		.chunk_len = r->chunk_len,
		.order = order };

	memcpy(s.key, r->id, CHUNK_KEY_LEN);
	s.lost = gc_frames_has(&l->state->lost, &r->place);
	return sorter_add(l->strays, &s, e);
}

static int
add_ref(struct live *l, const struct ref *r, uint32_t pack, uint64_t order,
	struct err *e)
{
	const struct live_chunk c = { .pack = pack,
		.frame_len = r->place.len,
		.frame_off = r->place.off,
		.chunk_off = r->chunk_off,
		.chunk_len = r->chunk_len,
		.order = order };

	return sorter_add(l->refs, &c, e);
}

/* Whether a pack is as long as a place in it needs. */
static bool
holds(const struct stock_pack *p, const struct frame_place *at)
{
	return p->size > OBJECT_TRAILER_LEN &&
	       at->off <= p->size - OBJECT_TRAILER_LEN &&
	       at->len <= p->size - OBJECT_TRAILER_LEN - at->off;
}

static int
too_short(const struct stock_pack *p, struct err *e)
{
	char name[OBJECT_NAME_MAX];

	object_pack_name(name, p->object, p->id);
	return err_set(e, EUCLEAN,
		"%s: listed with %llu bytes, which is less than snapshots use "
		"of it", name, (unsigned long long)p->size);
}

int
live_found(void *ctx, enum reach_kind kind, const struct ref *r, struct err *e)
{
	struct live *l = ctx;
	uint64_t order = l->class | l->order++;
	bool trash = l->class >> LIVE_CLASS_SHIFT == LIVE_TRASH;
	uint32_t pack = stock_find(l->stock, r->place.object, r->place.pack);
	struct stock_pack *p;

	(void)kind;
	if (pack == STOCK_NONE) {
		if (!trash)
			note_gone(l, &r->place);
		return add_stray(l, r, pack, order, e);
	}
	p = &l->stock->packs[pack];
	if (!trash)
		p->flags |= STOCK_HINTED;
	if (!holds(p, &r->place))
		return too_short(p, e);
	if (p->flags & STOCK_CONDEMNED ||
		gc_frames_has(&l->state->lost, &r->place))
		return add_stray(l, r, pack, order, e);
	return add_ref(l, r, pack, order, e);
}

/* -- Strays -------------------------------------------------------------------- */

/* One key's references: the first one, and whether its own pack would do. */
struct seeker {
	struct live *l;
	struct stray first; /* the least order of all */
	struct stray own;   /* of the least order of those whose pack is listed */
	bool has_own, known_lost, due;
	bool any;      /* one that is condemned does, too: it is used again */
	uint32_t pack; /* the one that does */
};

/* Whether a place that the index knows will not do. */
static bool
will_not_do(void *ctx, const struct ref *at)
{
	struct seeker *s = ctx;
	uint32_t pack =
		stock_find(s->l->stock, at->place.object, at->place.pack);
	const struct stock_pack *p;

	if (pack == STOCK_NONE || at->chunk_len != s->first.chunk_len)
		return true;
	p = &s->l->stock->packs[pack];
	if (!holds(p, &at->place) ||
		gc_frames_has(&s->l->state->lost, &at->place) ||
		gc_packs_find(&s->l->state->gone, at->place.object,
			at->place.pack) ||
		(p->flags & STOCK_CONDEMNED && !s->any))
		return true;
	s->pack = pack;
	return false;
}

static int
missing(const struct seeker *s, struct err *e)
{
	char name[OBJECT_NAME_MAX], hex[CHUNK_KEY_LEN * 2 + 1];

	object_pack_name(name, s->first.place.object, s->first.place.pack);
	return err_set(e, EUCLEAN,
		"%s is not listed, and no index segment knows another place "
		"of chunk %s, which a snapshot uses",
		name, hex_encode(hex, s->first.key, CHUNK_KEY_LEN));
}

static int
settle_key(struct live *l, struct index *index, struct seeker *s,
	struct err *e)
{
	struct stray *own = &s->own;
	struct ref at = { .chunk_len = s->first.chunk_len };
	int r;

	memcpy(at.id, s->first.key, CHUNK_KEY_LEN);
	r = index_find_but(index, &at, will_not_do, s, e);
	if (r == -ENOENT && !s->has_own) {
		s->any = true;
		r = index_find_but(index, &at, will_not_do, s, e);
	}
	if (r == 0) {
		if (s->due)
			l->stock->packs[s->pack].flags |= STOCK_HEIR;
		return add_ref(l, &at, s->pack, s->first.order, e);
	}
	if (r != -ENOENT)
		return r;
	if (s->known_lost)
		l->n_lost++;
	if (s->has_own) {
		const struct ref back = { .place = own->place,
			.chunk_off = own->chunk_off,
			.chunk_len = own->chunk_len };

		return add_ref(l, &back, own->pack, s->first.order, e);
	}
	if (s->known_lost || s->first.order >> LIVE_CLASS_SHIFT == LIVE_TRASH)
		return 0;
	return missing(s, e);
}

static void
join(struct seeker *s, const struct stray *x)
{
	const struct stock_pack *p =
		x->pack == STOCK_NONE ? NULL : &s->l->stock->packs[x->pack];

	s->known_lost |= x->lost;
	if (!p)
		return;
	s->due |= (p->flags & (STOCK_DUE | STOCK_SENTENCED)) != 0;
	if (!s->has_own)
		s->own = *x;
	s->has_own = true;
}

static int
settle_strays(struct live *l, struct index *index, struct err *e)
{
	struct seeker s = { .l = l };
	const void *record;
	bool any = false;
	int r = sorter_read(l->strays, e), got = 0;

	while (!r && (got = sorter_next(l->strays, &record, e)) > 0) {
		const struct stray *x = record;

		if (any && memcmp(x->key, s.first.key, CHUNK_KEY_LEN)) {
			r = settle_key(l, index, &s, e);
			any = false;
		}
		if (!any)
			s = (struct seeker){ .l = l, .first = *x };
		any = true;
		join(&s, x);
	}
	if (!r && got < 0)
		r = got;
	return !r && any ? settle_key(l, index, &s, e) : r;
}

/* -- What is live ---------------------------------------------------------------- */

/* The frame whose chunks are being read. */
struct frame_sum {
	uint32_t pack, len;
	uint64_t off;
	uint64_t sum, end; /* of chunks in use */
};

static void
add_frame(struct stock *stock, const struct frame_sum *f)
{
	if (f->end)
		stock->packs[f->pack].live += f->len * f->sum / f->end;
}

static void
flag_pack(struct stock_pack *p, const struct live_chunk *c)
{
	switch (c->order >> LIVE_CLASS_SHIFT) {
	case LIVE_PINNED:
		p->flags |= STOCK_PINNED | STOCK_LIVE;
		break;
	case LIVE_SNAPSHOT:
		p->flags |= STOCK_LIVE;
		break;
	default:
		p->flags |= STOCK_TRASH;
	}
}

static int
sum_up(struct live *l, struct err *e)
{
	struct frame_sum f = { .end = 0 };
	struct live_chunk c;
	int r = live_read(l, e), got = 0;

	while (!r && (got = live_next(l, &c, e)) > 0) {
		flag_pack(&l->stock->packs[c.pack], &c);
		if (c.order >> LIVE_CLASS_SHIFT == LIVE_TRASH)
			continue;
		if (f.pack != c.pack || f.off != c.frame_off) {
			add_frame(l->stock, &f);
			f = (struct frame_sum){ .pack = c.pack,
				.len = c.frame_len, .off = c.frame_off };
		}
		if (c.chunk_off < f.end || c.frame_len != f.len)
			l->stock->packs[c.pack].flags |= STOCK_ODD;
		f.sum += c.chunk_len;
		f.end = (uint64_t)c.chunk_off + c.chunk_len;
	}
	add_frame(l->stock, &f);
	return r ? r : got;
}

int
live_settle(struct live *l, struct index *index, struct err *e)
{
	int r = settle_strays(l, index, e);

	return r ? r : sum_up(l, e);
}

int
live_read(struct live *l, struct err *e)
{
	l->has_ahead = false;
	return sorter_read(l->refs, e);
}

int
live_next(struct live *l, struct live_chunk *c, struct err *e)
{
	const void *record;
	int r = 1;

	if (!l->has_ahead) {
		r = sorter_next(l->refs, &record, e);
		if (r <= 0)
			return r;
		memcpy(&l->ahead, record, sizeof(l->ahead));
	}
	*c = l->ahead;
	l->has_ahead = false;
	while ((r = sorter_next(l->refs, &record, e)) > 0) {
		memcpy(&l->ahead, record, sizeof(l->ahead));
		if (l->ahead.pack != c->pack ||
			l->ahead.frame_off != c->frame_off ||
			l->ahead.chunk_off != c->chunk_off) {
			l->has_ahead = true;
			return 1;
		}
	}
	return r < 0 ? r : 1;
}

const struct gc_packs *
live_gone(struct live *l)
{
	static const enum object_type types[] = { OBJECT_DATA, OBJECT_META };

	if (l->gone_list.n)
		return &l->gone_list;
	for (unsigned i = 0; i < 2; i++) {
		id_set_sort(&l->gone[i]);
		for (size_t k = 0; k < l->gone[i].n; k++)
			gc_packs_add(&l->gone_list, types[i],
				l->gone[i].ids[k], 0);
	}
	return &l->gone_list;
}
