/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/undo.h"

#include <errno.h>
#include <string.h>
#include "repo/base/log.h"
#include "repo/native/id_set.h"
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

static bool
is_there(const struct id_set *there, const struct trash_entry *en)
{
	return id_set_has(there, en->place.id);
}

/* What is below snap/ exists, whatever the trash says. */
static int
list_there(struct undo *x, struct id_set *there, struct err *e)
{
	struct record_places listed = { .n = 0 };
	int r = x->trash.n ? records_list(x->u->rp, "snap/", &listed, e) : 0;

	for (size_t i = 0; i < listed.n; i++)
		id_set_add(there, listed.p[i].id);
	id_set_sort(there);
	record_places_release(&listed);
	return r;
}

static int
load_all(struct undo *x, const struct id_set *there, struct err *e)
{
	auto_free struct loaded_record *rec =
		xcalloc(x->trash.n + 1, sizeof(*rec));
	struct loading l = { .rp = x->u->rp, .r = rec };
	size_t n = 0;
	int r;

	for (size_t i = 0; i < x->trash.n; i++) {
		if (!is_there(there, &x->trash.e[i]))
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

int
undo_open(struct upkeep *u, struct undo **x, struct err *e)
{
	auto_undo struct undo *p = xcalloc(1, sizeof(*p));
	auto_id_set struct id_set there = { .n = 0 };
	int r;

	p->u = u;
	r = trash_list(u->rp, &p->trash, e);
	if (!r)
		r = list_there(p, &there, e);
	if (!r)
		r = load_all(p, &there, e);
	if (r)
		return r;
	p->chosen = xcalloc(p->nl->l.n_points + 1, sizeof(*p->chosen));
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
	free(x->chosen);
	free(x);
}

/* -- Bringing it back --------------------------------------------------- */

void
undo_choose(struct undo *x, size_t point)
{
	x->n_chosen += !x->chosen[point];
	x->chosen[point] = true;
}

void
undo_choose_all(struct undo *x)
{
	for (size_t i = 0; i < x->nl->l.n_points; i++)
		undo_choose(x, i);
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

static struct record_place *
gather(const struct undo *x)
{
	struct record_place *places =
		xcalloc(x->n_chosen + 1, sizeof(*places)), *p = places;

	for (size_t i = 0; i < x->nl->l.n_points; i++) {
		if (x->chosen[i])
			native_listing_place(x->nl, i, p++);
	}
	return places;
}

int
undo_carry_out(struct undo *x, struct err *e)
{
	auto_free struct record_place *places = gather(x);
	struct upkeep *u = x->u;
	int r = trash_restore(u, places, x->n_chosen, e);

	if (!r)
		r = catalogs_settle(u->rp, u->sink, e);
	return r ? r : trash_remove(u, places, x->n_chosen, e);
}
