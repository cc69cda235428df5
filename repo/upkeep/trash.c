/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/trash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"

#define SNAP_PREFIX "snap/"
#define OBJECT_LEN_MAX (RECORD_LEN_MAX + (1u << 20))

/* -- Names -------------------------------------------------------------- */

void
trash_name(char out[STORE_NAME_MAX + 1], const struct record_place *p)
{
	snprintf(out, STORE_NAME_MAX + 1, TRASH_PREFIX "%s",
		p->name + strlen(SNAP_PREFIX));
}

static int
parse(const char *name, struct record_place *p)
{
	char was[RECORD_NAME_LEN_MAX + 2];

	snprintf(was, sizeof(was), SNAP_PREFIX "%s",
		name + strlen(TRASH_PREFIX));
	return record_place_parse(was, p);
}

/* -- Listing ------------------------------------------------------------ */

static bool
add_entry(void *ctx, const struct store_object *o)
{
	struct trash *t = ctx;
	struct trash_entry en = { .since_ns = o->modified_ns,
		.size = o->size };

	if (parse(o->name, &en.place)) {
		log_debug("%s: not the name of a record", o->name);
		return true;
	}
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->e = xrealloc(t->e, t->cap * sizeof(*t->e));
	}
	t->e[t->n++] = en;
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct trash_entry *x = a, *y = b;

	return strcmp(x->place.name, y->place.name);
}

int
trash_list(struct repository *rp, struct trash *t, struct err *e)
{
	int r = store_list_objects(
		rp->store, TRASH_PREFIX, "", add_entry, t, e);

	/* a store that does not sort is looked up in all the same */
	if (!r && t->n)
		qsort(t->e, t->n, sizeof(*t->e), compare_entries);
	return r;
}

void
trash_release(struct trash *t)
{
	free(t->e);
	*t = (struct trash){ .n = 0 };
}

static int
compare_name(const void *name, const void *en)
{
	return strcmp(name, ((const struct trash_entry *)en)->place.name);
}

const struct trash_entry *
trash_find(const struct trash *t, const char *name)
{
	return t->n ? bsearch(name, t->e, t->n, sizeof(*t->e), compare_name)
		    : NULL;
}

/* -- Copying ------------------------------------------------------------ */

/* Put an object; one of that name must have the same bytes. */
static int
put_same(struct upkeep *u, const char *name, const uint8_t *data, size_t len,
	struct err *e)
{
	auto_free uint8_t *there = NULL;
	struct err mine = ERR_INIT;
	size_t n;
	int r = sink_put(u->sink, name, data, len, &mine);

	if (r != -EEXIST) {
		if (r && e)
			*e = mine;
		return r;
	}
	r = store_get_all(u->rp->store, name, OBJECT_LEN_MAX, &there, &n, e);
	if (r)
		return r;
	if (n != len || memcmp(there, data, len))
		return err_set(e, EBADMSG, "%s: has other bytes than it should",
			name);
	return 0;
}

#define GONE SIZE_MAX

/* A copy that a run left which died so long ago. */
#define STALE_NS (3600 * NS_PER_S)

struct putting {
	struct upkeep *u;
	const struct trash *before; /* what was there already */
	const struct trash_item *items;
	size_t *sizes; /* GONE: it is not below snap/ any more */
};

static bool
is_known(const uint8_t hash[HASH_LEN])
{
	static const uint8_t unknown[HASH_LEN];

	return memcmp(hash, unknown, HASH_LEN) != 0;
}

bool
trash_is_stale(const struct trash_entry *en)
{
	return en->since_ns != STORE_TIME_UNKNOWN &&
	       en->since_ns <= clock_wall_ns() - STALE_NS;
}

/* The time of a copy is what its age is told by: an old one would be taken away
 * too soon.  (Not one that another run may just be relying on.) */
static int
drop_stale(const struct putting *p, const struct record_place *place,
	const char *name, struct err *e)
{
	const struct trash_entry *en = trash_find(p->before, place->name);

	if (!en || !trash_is_stale(en))
		return 0;
	return sink_remove_many(p->u->sink, &name, 1, e);
}

static int
copy_one(void *ctx, size_t i, struct err *e)
{
	struct putting *p = ctx;
	const struct trash_item *it = &p->items[i];
	auto_free uint8_t *data = NULL;
	char name[STORE_NAME_MAX + 1];
	uint8_t hash[HASH_LEN];
	struct err mine = ERR_INIT;
	size_t len;
	int r = store_get_all(p->u->rp->store, it->place.name, OBJECT_LEN_MAX,
		&data, &len, &mine);

	p->sizes[i] = GONE;
	if (r == -ENOENT)
		return 0;
	if (r) {
		*e = mine;
		return r;
	}
	sha256(data, len, hash);
	if (is_known(it->hash) && memcmp(hash, it->hash, HASH_LEN))
		return err_set(e, EBADMSG,
			"%s: the record is not the one that was listed",
			it->place.name);
	p->sizes[i] = len;
	trash_name(name, &it->place);
	r = drop_stale(p, &it->place, name, e);
	return r ? r : put_same(p->u, name, data, len, e);
}

/* Nothing is removed on the word of a single answer. */
static int
see_copies(const struct putting *p, size_t n, struct err *e)
{
	auto_trash struct trash t = { .n = 0 };
	int r = trash_list(p->u->rp, &t, e);

	for (size_t i = 0; i < n && !r; i++) {
		const char *name = p->items[i].place.name;
		const struct trash_entry *en = trash_find(&t, name);

		if (p->sizes[i] != GONE &&
			(!en || en->size != p->sizes[i]))
			r = err_set(e, EIO,
				"%s: its copy in the trash is not there", name);
	}
	return r;
}

/* -- Moving ------------------------------------------------------------- */

int
trash_put(struct upkeep *u, const struct trash_item *items, size_t n,
	struct err *e)
{
	auto_free size_t *sizes = xcalloc(n + 1, sizeof(*sizes));
	auto_free const char **names = xcalloc(n + 1, sizeof(*names));
	auto_trash struct trash before = { .n = 0 };
	struct putting p = { .u = u, .before = &before, .items = items,
		.sizes = sizes };
	size_t there = 0;
	int r = n ? trash_list(u->rp, &before, e) : 0;

	if (!r)
		r = upkeep_together(n, copy_one, &p, e);
	if (!r && n)
		r = see_copies(&p, n, e);
	for (size_t i = 0; i < n; i++) {
		if (sizes[i] != GONE)
			names[there++] = items[i].place.name;
	}
	return r || !there ? r : sink_remove_many(u->sink, names, there, e);
}

struct restoring {
	struct upkeep *u;
	const struct record_place *places;
};

static int
restore_one(void *ctx, size_t i, struct err *e)
{
	const struct restoring *x = ctx;
	const struct record_place *p = &x->places[i];
	auto_free uint8_t *data = NULL, *plain = NULL;
	char name[STORE_NAME_MAX + 1];
	struct err why = ERR_INIT;
	size_t len, n;
	int r;

	trash_name(name, p);
	r = store_get_all(
		x->u->rp->store, name, OBJECT_LEN_MAX, &data, &len, e);
	if (r)
		return r;
	r = put_same(x->u, p->name, data, len, e);
	if (!r && repository_unseal(x->u->rp, data, len, OBJECT_RECORD, p->id,
			  RECORD_LEN_MAX, &plain, &n, &why))
		log_warn("%s: is back as it was, damaged: %s", p->name,
			why.text);
	return r;
}

int
trash_restore(struct upkeep *u, const struct record_place *places, size_t n,
	struct err *e)
{
	struct restoring x = { .u = u, .places = places };

	return upkeep_together(n, restore_one, &x, e);
}

int
trash_remove(struct upkeep *u, const struct record_place *places, size_t n,
	struct err *e)
{
	auto_free char(*text)[STORE_NAME_MAX + 1] =
		xcalloc(n + 1, sizeof(*text));
	auto_free const char **names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++) {
		trash_name(text[i], &places[i]);
		names[i] = text[i];
	}
	return n ? sink_remove_many(u->sink, names, n, e) : 0;
}

int
trash_withdraw(struct upkeep *u, const struct record_place *places, size_t n,
	struct err *e)
{
	auto_free const char **names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++)
		names[i] = places[i].name;
	return n ? sink_remove_many(u->sink, names, n, e) : 0;
}
