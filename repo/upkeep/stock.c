/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/stock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/format/gc.h"
#include "repo/format/segment.h"

#define TRASH "gc/snap/"

/* -- A listing that is checked ------------------------------------------------ */

struct check {
	const char *prefix;
	char last[STORE_NAME_MAX + 1];
	struct err e;
	bool (*each)(void *ctx, const struct store_object *o);
	void *ctx;
};

static bool
check_one(void *ctx, const struct store_object *o)
{
	struct check *c = ctx;

	if (strlen(o->name) > STORE_NAME_MAX ||
		strncmp(o->name, c->prefix, strlen(c->prefix)) ||
		strcmp(c->last, o->name) >= 0) {
		err_set(&c->e, EUCLEAN,
			"the listing of %s is not to be believed: %.*s comes "
			"after %s",
			c->prefix, STORE_NAME_MAX, o->name, c->last);
		return false;
	}
	memcpy(c->last, o->name, strlen(o->name) + 1);
	return c->each(c->ctx, o);
}

static int
list(struct store *store, const char *prefix,
	bool (*each)(void *ctx, const struct store_object *o), void *ctx,
	struct err *e)
{
	struct check c = { .prefix = prefix, .each = each, .ctx = ctx };
	int r = store_list_objects(store, prefix, "", check_one, &c, e);

	if (r || !c.e.code)
		return r;
	if (e)
		*e = c.e;
	return -c.e.code;
}

static void
add_object(struct stock_objects *l, const struct store_object *o)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->o = xrealloc(l->o, l->cap * sizeof(*l->o));
	}
	l->o[l->n++] = (struct stock_object){ .name = xstrdup(o->name),
		.size = o->size,
		.modified_ns = o->modified_ns };
}

static bool
note_object(void *ctx, const struct store_object *o)
{
	add_object(ctx, o);
	return true;
}

int
stock_list(struct store *store, const char *prefix, struct stock_objects *l,
	struct err *e)
{
	return list(store, prefix, note_object, l, e);
}

void
stock_objects_release(struct stock_objects *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->o[i].name);
	free(l->o);
	*l = (struct stock_objects){ .n = 0 };
}

/* -- Packs ---------------------------------------------------------------------- */

static bool
note_pack(void *ctx, const struct store_object *o)
{
	struct stock *s = ctx;
	struct stock_pack p = { .size = o->size,
		.modified_ns = o->modified_ns };
	char name[OBJECT_NAME_MAX];

	p.object = o->name[0] == 'd' ? OBJECT_DATA : OBJECT_META;
	if (strlen(o->name) != 8 + 2 * OBJECT_ID_LEN ||
		hex_decode(p.id, OBJECT_ID_LEN, o->name + 8)) {
		log_debug("%s: not the name of a pack", o->name);
		return true;
	}
	object_pack_name(name, p.object, p.id);
	if (strcmp(name, o->name))
		return true;
	if (s->n_packs == s->cap_packs) {
		s->cap_packs = s->cap_packs ? s->cap_packs * 3 / 2 : 1024;
		s->packs = xrealloc(
			s->packs, s->cap_packs * sizeof(*s->packs));
	}
	s->packs[s->n_packs++] = p;
	return true;
}

static int
compare_pack(uint8_t object, const uint8_t *id, const struct stock_pack *p)
{
	if (object != p->object)
		return object < p->object ? -1 : 1;
	return memcmp(id, p->id, OBJECT_ID_LEN);
}

uint32_t
stock_find(const struct stock *s, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN])
{
	size_t lo = 0, hi = s->n_packs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_pack(object, id, &s->packs[mid]);

		if (!c)
			return (uint32_t)mid;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return STOCK_NONE;
}

/* -- Records, states, trash ------------------------------------------------------ */

static bool
note_record(void *ctx, const struct store_object *o)
{
	struct record_place p;

	if (record_place_parse(o->name, &p) == 0)
		record_places_add(ctx, &p);
	else
		log_debug("%s: not the name of a record", o->name);
	return true;
}

int
stock_records(struct store *store, struct record_places *all, struct err *e)
{
	return list(store, "snap/", note_record, all, e);
}

/* A record in the trash is called as it was below snap/. */
static bool
parse_trash(const char *name, struct record_place *p)
{
	return strncmp(name, TRASH, strlen(TRASH)) == 0 &&
	       record_place_parse(name + strlen("gc/"), p) == 0;
}

static bool
note_gc(void *ctx, const struct store_object *o)
{
	struct stock *s = ctx;
	struct record_place p;

	if (gc_name_parse(o->name)) {
		add_object(&s->states, o);
	} else if (parse_trash(o->name, &p)) {
		add_object(&s->trash, o);
		snprintf(p.name, sizeof(p.name), "%.*s",
			RECORD_NAME_LEN_MAX, o->name);
		record_places_add(&s->trashed, &p);
	}
	return true;
}

int
stock_take(struct store *store, struct stock *s, struct err *e)
{
	int r = stock_records(store, &s->records, e);

	if (!r)
		r = list(store, "gc/", note_gc, s, e);
	if (!r)
		r = list(store, "cat/", note_object, &s->catalogs, e);
	return r ? r : list(store, "idx/", note_object, &s->segments, e);
}

int
stock_take_packs(struct store *store, struct stock *s, struct err *e)
{
	int r = list(store, "data/", note_pack, s, e);

	if (!r)
		r = list(store, "meta/", note_pack, s, e);
	return !r && s->n_packs >= STOCK_NONE
		       ? err_set(e, EFBIG, "too many packs")
		       : r;
}

void
stock_release(struct stock *s)
{
	free(s->packs);
	stock_objects_release(&s->segments);
	stock_objects_release(&s->catalogs);
	stock_objects_release(&s->states);
	stock_objects_release(&s->trash);
	record_places_release(&s->records);
	record_places_release(&s->trashed);
	*s = (struct stock){ .n_packs = 0 };
}
