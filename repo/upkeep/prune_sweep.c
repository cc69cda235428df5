/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is removed, and in which order: segments that do without the packs come
 * before these go, and names of those stay in the state as long as anything may
 * have them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/format/delta.h"
#include "repo/format/segment.h"
#include "repo/native/id_set.h"
#include "repo/native/newest.h"
#include "repo/upkeep/prune_private.h"
#include "repo/write/segments.h"

#define BATCH 1000
/* A segment is written anew when one in so many of its packs is gone. */
#define SEGMENT_SHARE 16

/* -- Removing many -------------------------------------------------------------- */

struct batch {
	struct prune *p;
	char *names[BATCH];
	size_t n;
	uint64_t removed;
};

static int
flush(struct batch *b, struct err *e)
{
	int r = b->n ? sink_remove_many(b->p->o->sink,
			       (const char *const *)b->names, b->n, e)
		     : 0;

	if (!r)
		b->removed += b->n;
	for (size_t i = 0; i < b->n; i++)
		free(b->names[i]);
	b->n = 0;
	return r ? r : prune_check_interrupted(b->p, e);
}

static int
drop(struct batch *b, const char *name, struct err *e)
{
	if (b->p->o->dry_run) {
		b->removed++;
		return 0;
	}
	b->names[b->n++] = xstrdup(name);
	return b->n == BATCH ? flush(b, e) : 0;
}

static bool
is_older(const struct prune *p, int64_t modified_ns, int64_t age_ns)
{
	return modified_ns != STORE_TIME_UNKNOWN &&
	       modified_ns <= p->now_ns - age_ns;
}

/* -- Packs ------------------------------------------------------------------------- */

static bool
is_dead(void *ctx, const struct segment_pack *pk)
{
	const struct prune *p = ctx;
	uint32_t n = stock_find(&p->stock, pk->object, pk->id);

	if (n != STOCK_NONE)
		return p->stock.packs[n].flags & STOCK_SENTENCED;
	return gc_packs_find(&p->state.gone, pk->object, pk->id) ||
	       gc_packs_find(&p->state.sentenced, pk->object, pk->id);
}

static bool
segment_is_there(void *ctx, const uint8_t id[OBJECT_ID_LEN])
{
	const struct prune *p = ctx;

	for (size_t i = 0; i < p->stock.segments.n; i++) {
		uint8_t own[OBJECT_ID_LEN];
		unsigned level;

		if (!segment_name_parse(
			    p->stock.segments.o[i].name, &level, own) &&
			!memcmp(own, id, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

static int
forget_in_index(struct prune *p, struct err *e)
{
	const struct segments_drop d = { .dead = is_dead,
		.there = segment_is_there,
		.ctx = p,
		.share = SEGMENT_SHARE };
	uint64_t stored = 0;

	index_refresh(p->index);
	return segments_drop(p->o->rp, p->o->sink, p->index, &d, NULL, &stored,
		e);
}

static void
tell_deleted(struct prune *p, const struct stock_pack *pack, const char *name)
{
	const struct prune_pack pp = { .name = name,
		.size = pack->size,
		.fate = "deleted",
		.why = "its grace is over" };

	p->res->deleted.n++;
	p->res->deleted.bytes += pack->size;
	if (p->o->pack)
		p->o->pack(p->o->ctx, &pp);
}

int
prune_delete_packs(struct prune *p, struct err *e)
{
	struct batch b = { .p = p };
	int r = forget_in_index(p, e);

	for (size_t i = 0; i < p->stock.n_packs && !r; i++) {
		struct stock_pack *pack = &p->stock.packs[i];
		char name[OBJECT_NAME_MAX];

		if (!(pack->flags & STOCK_SENTENCED))
			continue;
		object_pack_name(name, pack->object, pack->id);
		pack->flags |= STOCK_DELETED;
		r = drop(&b, name, e);
		tell_deleted(p, pack, name);
	}
	if (!r)
		r = flush(&b, e);
	for (size_t i = 0; i < b.n; i++)
		free(b.names[i]);
	return r;
}

/* -- Segments that others contain ---------------------------------------------------- */

/* Ids of what is superseded by a segment in use that is older than the grace:
 * whoever has listed segments before has listed them again since. */
static int
list_superseded(struct prune *p, struct id_set *ids, struct err *e)
{
	size_t n;
	int r;

	index_refresh(p->index);
	r = index_segments(p->index, &n, e);
	for (size_t i = 0; i < n && !r; i++) {
		const struct segment_directory *d =
			index_segment_directory(p->index, i);
		uint8_t id[OBJECT_ID_LEN], own[OBJECT_ID_LEN];
		unsigned level;
		bool old = false;

		index_segment_id(p->index, i, id);
		for (size_t k = 0; k < p->stock.segments.n && !old; k++)
			old = !segment_name_parse(p->stock.segments.o[k].name,
				      &level, own) &&
			      !memcmp(own, id, OBJECT_ID_LEN) &&
			      is_older(p, p->stock.segments.o[k].modified_ns,
				      p->grace_ns);
		for (uint32_t k = 0; k < d->n_supersedes && old; k++)
			id_set_add(ids, d->supersedes[k]);
	}
	id_set_sort(ids);
	return r;
}

static int
drop_segments(struct prune *p, struct batch *b, struct err *e)
{
	auto_id_set struct id_set ids = { .n = 0 };
	int r = list_superseded(p, &ids, e);

	for (size_t i = 0; i < p->stock.segments.n && !r; i++) {
		const char *name = p->stock.segments.o[i].name;
		uint8_t id[OBJECT_ID_LEN];
		unsigned level;

		if (!segment_name_parse(name, &level, id) &&
			id_set_has(&ids, id))
			r = drop(b, name, e);
	}
	return r;
}

/* -- Catalogs ------------------------------------------------------------------------- */

static bool
is_newest(const struct newest *nw, const char *name)
{
	for (unsigned i = 0; i < nw->n; i++) {
		if (!strcmp(nw->names[i], name))
			return true;
	}
	return false;
}

static int
drop_catalogs(struct prune *p, struct batch *b, struct err *e)
{
	const struct stock_objects *c = &p->stock.catalogs;
	struct newest nw = { .n = 0 };
	int r = newest_list(p->o->rp->store, &nw, e);

	/* more than are told of: it is not known which they are */
	if (r || !nw.n || nw.n == NEWEST_MAX)
		return r;
	for (size_t i = 0; i < c->n && !r; i++) {
		if (strlen(c->o[i].name) == NEWEST_NAME_LEN &&
			is_older(p, c->o[i].modified_ns, p->grace_ns) &&
			!is_newest(&nw, c->o[i].name))
			r = drop(b, c->o[i].name, e);
	}
	return r;
}

/* -- States ---------------------------------------------------------------------------- */

/* A state goes when a newer one is old, too, and nothing was condemned since
 * by it or one before. */
static int
drop_states(struct prune *p, struct batch *b, struct err *e)
{
	const struct stock_objects *s = &p->stock.states;
	uint64_t needed = p->state.n;
	bool newer_is_old = false;
	int r = 0;

	for (size_t i = 0; i < p->state.condemned.n; i++) {
		if (p->state.condemned.p[i].since < needed)
			needed = p->state.condemned.p[i].since;
	}
	for (size_t i = 0; i < s->n && !r; i++) {
		bool old = is_older(p, s->o[i].modified_ns, p->keep_ns);

		if (newer_is_old && old && gc_name_parse(s->o[i].name) < needed)
			r = drop(b, s->o[i].name, e);
		newer_is_old |= old;
	}
	return r;
}

/* -- The trash ---------------------------------------------------------------------------- */

static int
drop_trash(struct prune *p, struct batch *b, struct err *e)
{
	const struct stock_objects *t = &p->stock.trash;
	int r = 0;

	for (size_t i = 0; i < t->n && !r; i++) {
		if (is_older(p, t->o[i].modified_ns, p->grace_ns))
			r = drop(b, t->o[i].name, e);
	}
	return r;
}

/* -- Deltas without a base ------------------------------------------------------------------ */

struct folders {
	char (*names)[STORE_NAME_MAX + 1];
	size_t n;
};

static bool
note_folder(void *ctx, const struct store_object *o)
{
	struct folders *f = ctx;
	size_t len = strlen(o->name);

	if (len > STORE_NAME_MAX || !len || o->name[len - 1] != '/')
		return true;
	f->names = xrealloc(f->names, (f->n + 1) * sizeof(*f->names));
	memcpy(f->names[f->n++], o->name, len + 1);
	return true;
}

static bool
has_base(const struct prune *p, const struct delta_place *at)
{
	for (size_t i = 0; i < p->n_bases; i++) {
		const struct prune_base *b = &p->bases[i];

		if (b->seq == at->base_seq && b->epoch == at->epoch &&
			!memcmp(b->source, at->source, SOURCE_KEY_LEN))
			return true;
	}
	return false;
}

struct deltas_seen {
	const struct prune *p;
	bool young;
};

static bool
note_age(void *ctx, const struct store_object *o)
{
	struct deltas_seen *d = ctx;

	d->young = !is_older(d->p, o->modified_ns, d->p->grace_ns);
	return !d->young;
}

static int
drop_stretch(struct prune *p, struct batch *b, const char *folder,
	struct err *e)
{
	struct stock_objects all = { .n = 0 };
	struct deltas_seen d = { .p = p };
	int r = store_list_objects(
		p->o->rp->store, folder, "", note_age, &d, e);

	if (r || d.young)
		return r;
	r = stock_list(p->o->rp->store, folder, &all, e);
	for (size_t i = 0; i < all.n && !r; i++) {
		if (is_older(p, all.o[i].modified_ns, p->grace_ns))
			r = drop(b, all.o[i].name, e);
	}
	stock_objects_release(&all);
	return r;
}

static int
drop_of_source(struct prune *p, struct batch *b, const char *source,
	struct err *e)
{
	struct folders f = { .n = 0 };
	int r = store_list_folder(p->o->rp->store, source, note_folder, &f, e);

	for (size_t i = 0; i < f.n && !r; i++) {
		auto_free char *any = xasprintf("%s999999999998", f.names[i]);
		struct delta_place at;

		if (delta_name_parse(any, &at) && !has_base(p, &at))
			r = drop_stretch(p, b, f.names[i], e);
	}
	free(f.names);
	return r;
}

static int
drop_deltas(struct prune *p, struct batch *b, struct err *e)
{
	struct folders f = { .n = 0 };
	int r = store_list_folder(p->o->rp->store, "db/", note_folder, &f, e);

	/* what got its record while this run was under way */
	if (!r && f.n)
		r = prune_note_new_bases(p, e);

	for (size_t i = 0; i < f.n && !r; i++)
		r = drop_of_source(p, b, f.names[i], e);
	free(f.names);
	return r;
}

int
prune_delete_others(struct prune *p, struct err *e)
{
	struct batch b = { .p = p };
	int r = drop_deltas(p, &b, e);

	if (!r)
		r = drop_segments(p, &b, e);
	if (!r)
		r = drop_catalogs(p, &b, e);
	if (!r)
		r = drop_states(p, &b, e);
	if (!r)
		r = drop_trash(p, &b, e);
	if (!r)
		r = flush(&b, e);
	for (size_t i = 0; i < b.n; i++)
		free(b.names[i]);
	p->res->others = b.removed;
	return r;
}
