/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/undo.h"

#include <errno.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/native/id_set.h"
#include "repo/upkeep/whole.h"
#include "repo/write/catalogs.h"

/* -- What is in the trash ----------------------------------------------- */

struct loading {
	struct repository *rp;
	struct loaded_record *r;
};

/* The record must be the one that its name says. */
static int
check_name(struct repository *rp, const struct loaded_record *r, struct err *e)
{
	struct record_place own;

	record_place_of(rp, &r->record, &own);
	if (strcmp(own.name, r->place->name) == 0)
		return 0;
	return err_set(e, EBADMSG, "the record is of another snapshot");
}

static int
load(struct repository *rp, struct loaded_record *r, struct err *e)
{
	auto_free uint8_t *plain = NULL;
	char name[STORE_NAME_MAX + 1];
	size_t len;
	int rc;

	trash_name(name, r->place);
	rc = repository_load(rp, name, OBJECT_RECORD, r->place->id,
		RECORD_LEN_MAX, &plain, &len, r->hash, e);
	if (!rc)
		rc = record_decode(plain, len, &r->record, e);
	if (rc)
		return rc;
	memcpy(r->record.id, r->place->id, OBJECT_ID_LEN);
	/* nobody looks at it here */
	free(steal(r->record.root_page));
	r->record.root_page_len = 0;
	rc = check_name(rp, r, e);
	if (rc)
		record_release(&r->record);
	return rc;
}

static int
load_one(void *ctx, size_t i, struct err *e)
{
	struct loading *l = ctx;
	struct loaded_record *r = &l->r[i];
	struct err mine = ERR_INIT;
	int rc = load(l->rp, r, &mine);

	switch (rc) {
	case 0:
		r->state = RECORD_LOADED;
		return 0;
	case -ENOENT:
		r->state = RECORD_GONE;
		return 0;
	case -EBADMSG:
	case -EUCLEAN:
	case -EPROTONOSUPPORT:
		log_warn("%s: in the trash, damaged: %s", r->place->name,
			mine.text);
		r->state = RECORD_DAMAGED;
		return 0;
	}
	*e = mine;
	return rc;
}

/* What is below snap/ exists, whatever the trash says. */
static int
load_all(struct undo *x, struct err *e)
{
	auto_free struct loaded_record *rec =
		xcalloc(x->trash.n + 1, sizeof(*rec));
	auto_id_set struct id_set there = { .n = 0 };
	struct loading l = { .rp = x->u->rp, .r = rec };
	size_t n = 0;
	int r;

	for (size_t i = 0; i < x->there.n; i++)
		id_set_add(&there, x->there.p[i].id);
	id_set_sort(&there);
	for (size_t i = 0; i < x->trash.n; i++) {
		if (!id_set_has(&there, x->trash.e[i].place.id))
			rec[n++].place = &x->trash.e[i].place;
	}
	r = upkeep_together(n, load_one, &l, e);
	if (!r)
		x->nl = native_listing_new(rec, n, NULL);
	for (size_t i = 0; i < n; i++) {
		if (rec[i].state == RECORD_LOADED)
			record_release(&rec[i].record);
	}
	return r;
}

static int
compare_places(const void *a, const void *b)
{
	const struct record_place *x = a, *y = b;
	int c = memcmp(x->source, y->source, SOURCE_KEY_LEN);

	return c ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

/* The record below snap/ that has a point's number, or NULL. */
static const struct record_place *
find_same_number(const struct undo *x, size_t point)
{
	struct record_place p;

	native_listing_place(x->nl, point, &p);
	return x->there.n ? bsearch(&p, x->there.p, x->there.n,
				    sizeof(p), compare_places)
			  : NULL;
}

int
undo_open(struct upkeep *u, struct undo **x, struct err *e)
{
	auto_undo struct undo *p = xcalloc(1, sizeof(*p));
	size_t n;
	int r;

	p->u = u;
	r = trash_list(u->rp, &p->trash, e);
	if (!r)
		r = records_list(u->rp, "snap/", &p->there, e);
	if (!r)
		r = load_all(p, e);
	if (r)
		return r;
	if (p->there.n)
		qsort(p->there.p, p->there.n, sizeof(*p->there.p),
			compare_places);
	n = p->nl->l.n_points;
	p->replaced = xcalloc(n + 1, sizeof(*p->replaced));
	p->chosen = xcalloc(n + 1, sizeof(*p->chosen));
	p->gone = xcalloc(n + 1, sizeof(*p->gone));
	for (size_t i = 0; i < n; i++)
		p->replaced[i] = find_same_number(p, i) != NULL;
	*x = steal(p);
	return 0;
}

void
undo_free(struct undo *x)
{
	if (!x)
		return;
	if (x->nl)
		history_listing_put(&x->nl->l);
	trash_release(&x->trash);
	record_places_release(&x->there);
	free(x->replaced);
	free(x->chosen);
	free(x->gone);
	free(x);
}

void
undo_choose(struct undo *x, size_t point)
{
	x->n_chosen += !x->chosen[point];
	x->chosen[point] = true;
}

int64_t
undo_since(const struct undo *x, size_t point)
{
	struct record_place p;
	const struct trash_entry *en;

	native_listing_place(x->nl, point, &p);
	en = trash_find(&x->trash, p.name);
	return en ? en->since_ns : STORE_TIME_UNKNOWN;
}

/* -- Bringing it back --------------------------------------------------- */

/* What is on its way: n records, and the point that each is. */
struct batch {
	struct record_place *places;
	size_t *points;
	bool *gone;
	size_t n;
};

static void
batch_release(struct batch *b)
{
	free(b->places);
	free(b->points);
	free(b->gone);
}

static struct batch
gather(const struct undo *x)
{
	size_t max = x->n_chosen + 1;
	struct batch b = { .places = xcalloc(max, sizeof(*b.places)),
		.points = xcalloc(max, sizeof(*b.points)),
		.gone = xcalloc(max, sizeof(*b.gone)) };

	for (size_t i = 0; i < x->nl->l.n_points; i++) {
		if (!x->chosen[i])
			continue;
		native_listing_place(x->nl, i, &b.places[b.n]);
		b.points[b.n++] = i;
	}
	return b;
}

/* Who prunes takes a record out of the trash, looks at snap/, and only then
 * frees what else was its. */
static int
still_in_trash(struct undo *x, struct batch *b, struct err *e)
{
	auto_trash struct trash now = { .n = 0 };
	int r = trash_list(x->u->rp, &now, e);

	for (size_t i = 0; i < b->n && !r; i++)
		b->gone[i] |= !trash_find(&now, b->places[i].name);
	return r;
}

/* Those that are gone are taken away again; they are put last. */
static int
withdraw(struct undo *x, struct batch *b, struct err *e)
{
	auto_free struct record_place *gone =
		xcalloc(b->n + 1, sizeof(*gone));
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++) {
		x->gone[b->points[i]] = b->gone[i];
		if (b->gone[i]) {
			gone[x->n_gone++] = b->places[i];
			continue;
		}
		b->places[kept] = b->places[i];
		b->points[kept++] = b->points[i];
	}
	b->n = kept;
	return trash_withdraw(x->u, gone, x->n_gone, e);
}

/* The thinned ones give way. */
static int
swap(struct undo *x, const struct batch *b, struct err *e)
{
	auto_free struct trash_item *items =
		xcalloc(x->there.n + 1, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		for (size_t k = 0; k < x->there.n &&
			x->replaced[b->points[i]]; k++) {
			const struct record_place *p = &x->there.p[k];

			if (!compare_places(p, &b->places[i]))
				items[n++].place = *p;
		}
	}
	return trash_put(x->u, items, n, e);
}

/* Records below snap/ that nobody has looked at are worse than none. */
static int
restore(struct undo *x, struct batch *b, struct err *e)
{
	struct upkeep *u = x->u;
	struct err ignored;
	int r = trash_restore(u, b->places, b->n, e);

	if (!r)
		r = whole_check(u, b->places, b->n, b->gone, e);
	if (!r)
		r = still_in_trash(x, b, e);
	if (r && trash_withdraw(u, b->places, b->n, &ignored))
		log_warn("records that came back were not looked at: %s",
			ignored.text);
	return r;
}

static int
bring_back(struct undo *x, struct batch *b, struct err *e)
{
	struct upkeep *u = x->u;
	int r = restore(x, b, e);

	if (!r)
		r = withdraw(x, b, e);
	if (!r)
		r = swap(x, b, e);
	if (!r)
		r = catalogs_settle(u->rp, u->sink, e);
	return r ? r : trash_remove(u, b->places, b->n, e);
}

/* -- What others left ---------------------------------------------------- */

/* In the trash as well as below snap/: of a run that died.  A younger one may
 * be of somebody who is about to remove the record. */
static struct batch
gather_left(const struct undo *x)
{
	struct batch b = { .places = xcalloc(x->trash.n + 1,
				   sizeof(*b.places)),
		.gone = xcalloc(x->trash.n + 1, sizeof(*b.gone)) };
	auto_id_set struct id_set there = { .n = 0 };

	for (size_t i = 0; i < x->there.n; i++)
		id_set_add(&there, x->there.p[i].id);
	id_set_sort(&there);
	for (size_t i = 0; i < x->trash.n; i++) {
		const struct trash_entry *en = &x->trash.e[i];

		if (trash_is_stale(en) && id_set_has(&there, en->place.id))
			b.places[b.n++] = en->place;
	}
	return b;
}

/* They exist; if all of them is there they are out of the trash, too. */
static int
clear_left(struct undo *x, struct batch *b, struct err *e)
{
	size_t kept = 0;
	int r = b->n ? whole_check(x->u, b->places, b->n, b->gone, e) : 0;

	for (size_t i = 0; i < b->n && !r; i++) {
		if (!b->gone[i])
			b->places[kept++] = b->places[i];
	}
	return r ? r : trash_remove(x->u, b->places, kept, e);
}

int
undo_carry_out(struct undo *x, struct err *e)
{
	struct batch b = gather(x), left = gather_left(x);
	int r = clear_left(x, &left, e);

	if (!r)
		r = bring_back(x, &b, e);
	batch_release(&left);
	batch_release(&b);
	return r;
}
