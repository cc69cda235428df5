/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records are walked source by source, the newest first, so that the order in
 * which chunks are met is that of a walk through the newest snapshot that uses
 * them.  Whatever cannot be read may refer to anything: then nothing is deleted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/fetch/together.h"
#include "repo/format/delta.h"
#include "repo/native/id_set.h"
#include "repo/native/newest.h"
#include "repo/native/records.h"
#include "repo/upkeep/prune_private.h"

#define TOGETHER 64 /* records loaded at a time */

/* -- Catalogs against the listing -------------------------------------------- */

/* Catalogs are read after records were listed; so a record that only they have
 * may have come since.  Then another listing has it. */
struct cross {
	struct prune *p;
	struct id_set listed, later;
	bool again;
};

static void
cross_release(struct cross *x)
{
	id_set_release(&x->listed);
	id_set_release(&x->later);
}

#define auto_cross AUTO(cross_release)

static void
add_ids(struct id_set *set, const struct record_places *all)
{
	for (size_t i = 0; i < all->n; i++)
		id_set_add(set, all->p[i].id);
	id_set_sort(set);
}

static int
list_again(struct cross *x, struct err *e)
{
	struct record_places all = { .n = 0 };
	int r = stock_records(x->p->o->rp->store, &all, e);

	if (!r)
		add_ids(&x->later, &all);
	x->again = !r;
	record_places_release(&all);
	return r;
}

/* A record that a catalog has and the listing has not: it was removed, or has
 * come, unless it is there when asked for by name and not even then listed. */
static int
check_absent(struct cross *x, const struct record *r, struct err *e)
{
	struct store *store = x->p->o->rp->store;
	struct record_place at;
	uint64_t size;
	int rc;

	record_place_of(x->p->o->rp, r, &at);
	rc = store_size(store, at.name, &size, e);
	if (!rc && !x->again)
		rc = list_again(x, e);
	if (!rc && id_set_has(&x->later, r->id))
		return 0;
	if (!rc) /* removed just now? */
		rc = store_size(store, at.name, &size, e);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	return err_set(e, EUCLEAN,
		"the listing of snap/ is not to be believed: it lacks %s, "
		"which is there", at.name);
}

static int
check_catalog(struct cross *x, const char *name, struct err *e)
{
	struct catalog c = { .n = 0 };
	struct err why = ERR_INIT;
	int r = newest_load(x->p->o->rp, name, &c, &why);

	if (r == -ENOENT || r == -EBADMSG || r == -EUCLEAN) {
		log_warn("catalog left out: %s", why.text);
		return 0;
	}
	if (r) {
		*e = why;
		return r;
	}
	for (size_t i = 0; i < c.n && !r; i++) {
		if (!id_set_has(&x->listed, c.records[i].id))
			r = check_absent(x, &c.records[i], e);
	}
	catalog_release(&c);
	return r;
}

int
prune_cross_check(struct prune *p, struct err *e)
{
	auto_cross struct cross x = { .p = p };
	struct newest nw = { .n = 0 };
	int r = newest_list(p->o->rp->store, &nw, e);

	add_ids(&x.listed, &p->stock.records);
	p->marked = nw.marked;
	for (unsigned i = 0; i < nw.n && !r; i++)
		r = check_catalog(&x, nw.names[i], e);
	return r;
}

/* -- One record ------------------------------------------------------------------- */

/* Of a record in the trash that damage is no reason to keep everything: undo
 * refuses it, too. */
static int
unread(void *ctx, const struct ref *r, const struct err *why)
{
	const struct prune *p = ctx;
	char name[OBJECT_NAME_MAX];

	object_pack_name(name, OBJECT_META, r->place.pack);
	if (p->in_trash && (why->code == EBADMSG || why->code == EUCLEAN ||
				   why->code == ENOENT)) {
		log_warn("a removed snapshot cannot be brought back: %s at "
			"%" PRIu64 ": %s", name, r->place.off, why->text);
		return 0;
	}
	log_error("a page in %s at %" PRIu64
		" cannot be read, so what it refers to is not known: %s",
		name, r->place.off, why->text);
	return why->code == EINTR ? -EINTR : -EUCLEAN;
}

static bool
is_of_no_use(void *ctx, const struct ref *at)
{
	struct prune *p = ctx;

	return stock_find(&p->stock, at->place.object, at->place.pack) ==
	       STOCK_NONE;
}

/* A page whose pack is not there is read where the index says. */
static void
where(void *ctx, struct ref *r)
{
	struct prune *p = ctx;
	struct ref at = *r;

	if (is_of_no_use(p, r) &&
		!index_find_but(p->index, &at, is_of_no_use, p, NULL) &&
		at.chunk_len == r->chunk_len)
		*r = at;
}

static int
found(void *ctx, enum reach_kind kind, const struct ref *r, struct err *e)
{
	struct prune *p = ctx;

	if (p->o->interrupted && *p->o->interrupted)
		return err_set(e, EINTR, "interrupted");
	return live_found(p->live, kind, r, e);
}

static void
note_base(struct prune *p, const struct record_place *at,
	const struct record *r)
{
	struct prune_base *b;

	if (!r->is_database)
		return;
	if (p->n_bases == p->cap_bases) {
		p->cap_bases = p->cap_bases ? p->cap_bases * 2 : 64;
		p->bases = xrealloc(
			p->bases, p->cap_bases * sizeof(*p->bases));
	}
	b = &p->bases[p->n_bases++];
	*b = (struct prune_base){ .seq = r->seq, .epoch = r->epoch };
	memcpy(b->source, at->source, SOURCE_KEY_LEN);
}

static int
not_read(const struct record_place *at, struct err *e)
{
	return err_set(e, EUCLEAN,
		"%s cannot be read, so what it refers to is not known", at->name);
}

/* -- Many records --------------------------------------------------------------------- */

static int
walk_loaded(struct prune *p, struct reach *re, struct loaded_record *lr,
	size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		if (lr[i].state == RECORD_LOADED)
			reach_ahead(re, &lr[i].record);
	}
	for (size_t i = 0; i < n && !r; i++) {
		if (lr[i].state == RECORD_GONE)
			continue;
		if (lr[i].state != RECORD_LOADED) {
			r = not_read(lr[i].place, e);
			break;
		}
		note_base(p, lr[i].place, &lr[i].record);
		r = reach_record(re, &lr[i].record, e);
		if (r == -EUCLEAN && !e->code)
			r = not_read(lr[i].place, e);
	}
	return r;
}

/* Walk n records, the last one first. */
static int
walk_back(struct prune *p, struct reach *re, const struct record_place *at,
	size_t n, struct err *e)
{
	int r = 0;

	while (n && !r) {
		struct loaded_record lr[TOGETHER], *all[TOGETHER];
		size_t k = 0;

		for (; k < TOGETHER && n; k++) {
			lr[k] = (struct loaded_record){ .place = &at[--n] };
			all[k] = &lr[k];
		}
		records_load(p->o->rp, all, k);
		r = walk_loaded(p, re, lr, k, e);
		for (size_t i = 0; i < k; i++) {
			if (lr[i].state == RECORD_LOADED)
				record_release(&lr[i].record);
		}
	}
	return r;
}

static size_t
same_source(const struct record_places *all, size_t from)
{
	size_t n = 1;

	while (from + n < all->n && !memcmp(all->p[from].source,
					    all->p[from + n].source,
					    SOURCE_KEY_LEN))
		n++;
	return n;
}

/* -- Blind writers (DESIGN, B5) -------------------------------------------------------- */

static bool
is_marked(const struct prune *p, const uint8_t source[SOURCE_KEY_LEN])
{
	char mark[OBJECT_NAME_MAX];

	newest_mark_name(mark, source);
	for (size_t i = 0; i < p->stock.catalogs.n; i++) {
		if (!strcmp(p->stock.catalogs.o[i].name, mark))
			return true;
	}
	return false;
}

/* The newest snapshots of marked sources keep what they refer to where it
 * is. */
static int
walk_pinned(struct prune *p, struct reach *re, struct err *e)
{
	const struct record_places *all = &p->stock.records;
	int r = 0;

	if (!p->marked)
		return 0;
	live_class(p->live, LIVE_PINNED);
	for (size_t i = 0, n; i < all->n && !r; i += n) {
		n = same_source(all, i);
		if (is_marked(p, all->p[i].source))
			r = walk_back(p, re, &all->p[i + n - 1], 1, e);
	}
	return r;
}

/* -- The trash --------------------------------------------------------------------------- */

struct trashed {
	struct prune *p;
	const struct record_place *at;
	struct record record;
	int r;
	struct err e;
};

static void
load_trashed(void *ctx, size_t i)
{
	struct trashed *t = (struct trashed *)ctx + i;
	auto_free uint8_t *plain = NULL;
	size_t len;

	t->r = repository_load(t->p->o->rp, t->at->name, OBJECT_RECORD,
		t->at->id, RECORD_LEN_MAX, &plain, &len, NULL, &t->e);
	if (!t->r)
		t->r = record_decode(plain, len, &t->record, &t->e);
}

/* One that cannot be read cannot be brought back either. */
static int
walk_trashed(struct prune *p, struct reach *re, struct trashed *t,
	struct err *e)
{
	int r = 0;

	if (t->r == -ENOENT)
		return 0;
	if (t->r == -EBADMSG || t->r == -EUCLEAN) {
		log_warn("%s: cannot be brought back: %s", t->at->name,
			t->e.text);
		return 0;
	}
	if (t->r) {
		*e = t->e;
		return t->r;
	}
	note_base(p, t->at, &t->record);
	if (re)
		r = reach_record(re, &t->record, e);
	return r;
}

static bool
any_is_due(const struct prune *p)
{
	for (size_t i = 0; i < p->stock.n_packs; i++) {
		if (p->stock.packs[i].flags & STOCK_DUE)
			return true;
	}
	return false;
}

/* What they use matters when packs are sentenced (DESIGN, P2), else only which
 * databases there are. */
static int
walk_trash(struct prune *p, struct reach *re, struct err *e)
{
	const struct record_places *all = &p->stock.trashed;
	bool far = !p->o->rp->store->local_path;
	int r = 0;

	if (!any_is_due(p))
		re = NULL;
	for (size_t i = 0, k; i < all->n && !r; i += k) {
		struct trashed t[TOGETHER] = { { .r = 0 } };

		k = all->n - i < TOGETHER ? all->n - i : TOGETHER;
		for (size_t j = 0; j < k; j++)
			t[j] = (struct trashed){ .p = p, .at = &all->p[i + j] };
		together_run(k, far, load_trashed, t);
		for (size_t j = 0; j < k && re; j++) {
			if (!t[j].r)
				reach_ahead(re, &t[j].record);
		}
		for (size_t j = 0; j < k; j++) {
			if (!r)
				r = walk_trashed(p, re, &t[j], e);
			if (!t[j].r)
				record_release(&t[j].record);
		}
	}
	return r;
}

static struct reach *
new_reach(struct prune *p)
{
	const struct reach_options o = { .keys = p->o->rp->keys,
		.fetch = p->fetch,
		.found = found,
		.unread = unread,
		.where = where,
		.ctx = p };

	return reach_new(&o);
}

static int
why_refused(int r, struct err *e)
{
	if (r && !e->code)
		err_set(e, -r, "what snapshots refer to is not known");
	return r;
}

int
prune_walk(struct prune *p, struct err *e)
{
	auto_reach struct reach *re = new_reach(p);
	const struct record_places *all = &p->stock.records;
	int r = walk_pinned(p, re, e);

	live_class(p->live, LIVE_SNAPSHOT);
	for (size_t i = 0, n; i < all->n && !r; i += n) {
		n = same_source(all, i);
		r = walk_back(p, re, &all->p[i], n, e);
	}
	live_class(p->live, LIVE_TRASH);
	p->in_trash = true;
	if (!r)
		r = walk_trash(p, re, e);
	p->in_trash = false;
	p->res->snapshots = all->n;
	p->res->trash = p->stock.trashed.n;
	return why_refused(r, e);
}

/* -- Looking again ------------------------------------------------------------------------- */

static bool
is_not_kept(void *ctx, const struct ref *at)
{
	struct prune *p = ctx;
	uint32_t pack = stock_find(&p->stock, at->place.object, at->place.pack);

	return pack == STOCK_NONE ||
	       p->stock.packs[pack].flags & STOCK_CONDEMNED ||
	       gc_state_avoids(&p->state, &at->place);
}

/* A new record uses this: if that is being deleted, it must be elsewhere. */
static int
found_again(void *ctx, enum reach_kind kind, const struct ref *r,
	struct err *e)
{
	struct prune *p = ctx;
	uint32_t n = stock_find(&p->stock, r->place.object, r->place.pack);
	struct ref at = *r;
	struct stock_pack *pack;

	(void)kind;
	(void)e;
	if (n == STOCK_NONE)
		return 0;
	pack = &p->stock.packs[n];
	pack->flags |= STOCK_HINTED;
	if (!(pack->flags & STOCK_SENTENCED) ||
		!index_find_but(p->index, &at, is_not_kept, p, NULL))
		return 0;
	pack->flags &= (uint16_t) ~(STOCK_SENTENCED | STOCK_CONDEMNED);
	pack->flags |= STOCK_LIVE;
	p->res->resurrected.n++;
	p->res->resurrected.bytes += pack->size;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct record_place *)a)->name,
		((const struct record_place *)b)->name);
}

int
prune_note_new_bases(struct prune *p, struct err *e)
{
	const struct record_places *old = &p->stock.records;
	struct record_places now = { .n = 0 };
	int r = stock_records(p->o->rp->store, &now, e);

	for (size_t i = 0; i < now.n && !r; i++) {
		struct loaded_record lr = { .place = &now.p[i] }, *one = &lr;

		if (old->n && bsearch(&now.p[i], old->p, old->n,
				      sizeof(*old->p), by_name))
			continue;
		records_load(p->o->rp, &one, 1);
		if (lr.state == RECORD_LOADED) {
			note_base(p, lr.place, &lr.record);
			record_release(&lr.record);
		} else if (lr.state != RECORD_GONE) {
			r = not_read(lr.place, e);
		}
	}
	record_places_release(&now);
	return r;
}

int
prune_look_again(struct prune *p, struct err *e)
{
	const struct reach_options o = { .keys = p->o->rp->keys,
		.fetch = p->fetch,
		.found = found_again,
		.unread = unread,
		.where = where,
		.ctx = p };
	auto_reach struct reach *re = reach_new(&o);
	const struct record_places *old = &p->stock.records;
	struct record_places now = { .n = 0 };
	int r;

	index_refresh(p->index);
	r = stock_records(p->o->rp->store, &now, e);
	for (size_t i = now.n; i-- > 0 && !r;) {
		if (!old->n || !bsearch(&now.p[i], old->p, old->n,
				       sizeof(*old->p), by_name))
			r = walk_back(p, re, &now.p[i], 1, e);
	}
	record_places_release(&now);
	return why_refused(r, e);
}
