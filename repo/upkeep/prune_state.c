/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/format/segment.h"
#include "repo/native/gc_newest.h"
#include "repo/upkeep/prune_private.h"
#include "repo/write/gc_put.h"

/* -- The newest state ------------------------------------------------------------ */

/*
 * The newest one is damaged: who can say what it sentenced?  Whatever the one
 * before condemned may be gone, and is not to be referred to.
 */
static int
load_before(struct prune *p, uint64_t n, const struct err *why, struct err *e)
{
	auto_free uint8_t *object = NULL;
	char name[GC_NAME_LEN + 1];
	size_t len;
	int r;

	log_warn("%s; going on from the state before", why->text);
	gc_name(name, n);
	r = store_get_all(
		p->o->rp->store, name, GC_LEN_MAX * 2, &object, &len, e);
	if (r)
		return r;
	sha256(object, len, p->state_hash);
	if (n > 1)
		r = gc_newest_at(p->o->rp, n - 1, &p->state, NULL, e);
	if (r == -ENOENT)
		r = 0;
	p->state.n = n;
	return r;
}

/* The newest state that is as old as names of packs that are gone are kept. */
static int
load_old_gone(struct prune *p, struct err *e)
{
	const struct stock_objects *states = &p->stock.states;
	auto_gc_state struct gc_state old = { .n = 0 };
	int r;

	for (size_t i = 0; i < states->n; i++) {
		if (states->o[i].modified_ns > p->now_ns - p->keep_ns)
			continue;
		r = gc_newest_at(p->o->rp, gc_name_parse(states->o[i].name),
			&old, NULL, e);
		if (r == -EBADMSG || r == -EUCLEAN || r == -ENOENT)
			continue;
		p->old_gone = old.gone;
		old.gone = (struct gc_packs){ .n = 0 };
		return r;
	}
	return 0;
}

int
prune_load_state(struct prune *p, struct err *e)
{
	struct err why = ERR_INIT;
	uint64_t n;
	int r = gc_newest(p->o->rp, &p->state, p->state_hash, &why);

	if (r == -EBADMSG || r == -EUCLEAN) {
		gc_state_release(&p->state);
		r = gc_newest_number(p->o->rp->store, &n, e);
		if (!r)
			r = load_before(p, n, &why, e);
	} else if (r) {
		*e = why;
	}
	return r ? r : load_old_gone(p, e);
}

/* -- What it says of packs ---------------------------------------------------------- */

/* When a state was put: that of the number, or, if that one is gone, the next
 * one that is there. */
static int64_t
time_of(const struct prune *p, uint64_t n)
{
	const struct stock_objects *s = &p->stock.states;
	int64_t t = p->now_ns;

	/* the newest comes first */
	for (size_t i = 0; i < s->n && gc_name_parse(s->o[i].name) >= n; i++)
		t = s->o[i].modified_ns;
	return t == STORE_TIME_UNKNOWN ? p->now_ns : t;
}

void
prune_note_state(struct prune *p)
{
	for (size_t i = 0; i < p->state.condemned.n; i++) {
		const struct gc_pack *c = &p->state.condemned.p[i];
		uint32_t n = stock_find(&p->stock, c->object, c->id);
		struct stock_pack *pack;

		if (n == STOCK_NONE)
			continue;
		pack = &p->stock.packs[n];
		pack->flags |= STOCK_CONDEMNED;
		if (gc_packs_find(&p->state.sentenced, c->object, c->id) ||
			time_of(p, c->since) <= p->now_ns - p->grace_ns)
			pack->flags |= STOCK_DUE;
	}
}

/* -- What segments name ------------------------------------------------------------------ */

/* Call with each pack that a segment in use names and that is not there. */
static int
each_named(struct prune *p,
	int (*each)(struct prune *p, const struct segment_pack *pk,
		struct err *e),
	struct err *e)
{
	size_t n;
	int r = index_segments(p->index, &n, e);

	for (size_t i = 0; i < n && !r; i++) {
		const struct segment_directory *d =
			index_segment_directory(p->index, i);

		for (uint32_t k = 0; k < d->n_packs && !r; k++) {
			uint32_t pack = stock_find(&p->stock,
				d->packs[k].object, d->packs[k].id);

			if (pack == STOCK_NONE ||
				p->stock.packs[pack].flags & STOCK_DELETED)
				r = each(p, &d->packs[k], e);
		}
	}
	return r;
}

static int
check_named(struct prune *p, const struct segment_pack *pk, struct err *e)
{
	char name[OBJECT_NAME_MAX];
	uint64_t size;
	int r;

	if (gc_packs_find(&p->state.gone, pk->object, pk->id) ||
		gc_packs_find(&p->state.condemned, pk->object, pk->id))
		return 0;
	object_pack_name(name, pk->object, pk->id);
	r = store_size(p->o->rp->store, name, &size, e);
	if (r == -ENOENT)
		return 0;
	return r ? r
		 : err_set(e, EUCLEAN,
			   "the listing of packs is not to be believed: it "
			   "lacks %s, which is there", name);
}

int
prune_check_named(struct prune *p, struct err *e)
{
	return each_named(p, check_named, e);
}

/* -- The next state ------------------------------------------------------------------------ */

static int
add_gone(struct prune *p, const struct segment_pack *pk, struct err *e)
{
	(void)e;
	gc_packs_add(&p->next->gone, pk->object, pk->id, 0);
	return 0;
}

/* Packs that are not there, but named: by hints, by segments, or by states
 * that somebody may not have seen yet. */
static int
list_gone(struct prune *p, struct gc_state *next, struct err *e)
{
	const struct gc_packs *hinted = live_gone(p->live);
	const struct gc_packs *before = &p->state.gone;

	for (size_t i = 0; i < hinted->n; i++)
		gc_packs_add(&next->gone, hinted->p[i].object, hinted->p[i].id,
			0);
	for (size_t i = 0; i < before->n; i++) {
		if (!gc_packs_find(&p->old_gone, before->p[i].object,
			    before->p[i].id))
			gc_packs_add(&next->gone, before->p[i].object,
				before->p[i].id, 0);
	}
	for (size_t i = 0; i < p->state.condemned.n; i++) {
		const struct gc_pack *c = &p->state.condemned.p[i];
		uint32_t n = stock_find(&p->stock, c->object, c->id);

		if (n == STOCK_NONE ||
			p->stock.packs[n].flags & STOCK_DELETED)
			gc_packs_add(&next->gone, c->object, c->id, 0);
	}
	p->next = next;
	return each_named(p, add_gone, e);
}

static void
list_packs(struct prune *p, struct gc_state *next)
{
	for (size_t i = 0; i < p->stock.n_packs; i++) {
		const struct stock_pack *pack = &p->stock.packs[i];
		const struct gc_pack *was = gc_packs_find(
			&p->state.condemned, pack->object, pack->id);

		if (!(pack->flags & STOCK_CONDEMNED) ||
			pack->flags & STOCK_DELETED)
			continue;
		gc_packs_add(&next->condemned, pack->object, pack->id,
			was ? was->since : next->n);
		if (pack->flags & STOCK_SENTENCED)
			gc_packs_add(&next->sentenced, pack->object, pack->id,
				0);
	}
}

/* Frames that are lost, unless their pack is gone. */
static void
list_lost(struct prune *p, struct gc_state *next)
{
	for (size_t i = 0; i < p->state.lost.n; i++) {
		const struct gc_frame *f = &p->state.lost.p[i];
		struct frame_place at = { .off = f->off,
			.len = f->len,
			.object = f->object };
		uint32_t n = stock_find(&p->stock, f->object, f->pack);

		if (n != STOCK_NONE && p->stock.packs[n].flags & STOCK_DELETED)
			continue;
		memcpy(at.pack, f->pack, OBJECT_ID_LEN);
		gc_frames_add(&next->lost, &at);
	}
}

int
prune_put_state(struct prune *p, struct err *e)
{
	struct gc_state next = { .n = p->state.n + 1,
		.time_ns = clock_wall_ns() };
	uint8_t hash[HASH_LEN];
	int r = list_gone(p, &next, e);

	if (p->state.n)
		memcpy(next.previous, p->state_hash, HASH_LEN);
	list_packs(p, &next);
	list_lost(p, &next);
	gc_state_sort(&next);
	if (!r)
		r = gc_put(p->o->rp, p->o->sink, &next, hash, e);
	if (r) {
		gc_state_release(&next);
		return r;
	}
	gc_state_release(&p->state);
	p->state = next;
	memcpy(p->state_hash, hash, HASH_LEN);
	return 0;
}
