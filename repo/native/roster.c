/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/roster.h"

#include <errno.h>
#include <string.h>
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/base/sort.h"
#include "repo/native/early.h"

void
roster_init(struct roster *ro, struct repository *rp)
{
	*ro = (struct roster){ .rp = rp,
		.due_ns = clock_mono_ns() + ROSTER_FIRST_S * NS_PER_S };
}

static void
release_sets(struct id_set ids[NEWEST_MAX])
{
	for (unsigned i = 0; i < NEWEST_MAX; i++)
		id_set_release(&ids[i]);
}

void
roster_release(struct roster *ro)
{
	release_sets(ro->ids);
	id_set_release(&ro->extra);
	id_set_release(&ro->gone);
}

void
inventory_release(struct inventory *iv)
{
	for (size_t i = 0; i < iv->n; i++) {
		if (iv->r[i].state == RECORD_LOADED)
			record_release(&iv->r[i].record);
	}
	free(iv->r);
	record_places_release(&iv->places);
	release_sets(iv->ids);
	*iv = (struct inventory){ .n = 0 };
}

static bool
is_remote(const struct roster *ro)
{
	return !ro->rp->store->local_path;
}

/* -- What an inventory has ---------------------------------------------- */

static struct loaded_record *
add(struct inventory *iv, const struct record_place *p)
{
	struct loaded_record *r;

	record_places_add(&iv->places, p);
	if (iv->n == iv->cap) {
		iv->cap = iv->places.cap;
		iv->r = xrealloc(iv->r, iv->cap * sizeof(*iv->r));
	}
	r = &iv->r[iv->n++];
	*r = (struct loaded_record){ .state = RECORD_UNKNOWN };
	return r;
}

/* Places have moved while there came more. */
static void
point_at_places(struct inventory *iv)
{
	for (size_t i = 0; i < iv->n; i++)
		iv->r[i].place = &iv->places.p[i];
}

/* Load what neither a catalog nor the listing before has. */
static void
load_rest(struct roster *ro, const struct native_listing *before,
	struct inventory *iv)
{
	auto_free struct loaded_record **lacking =
		xcalloc(iv->n + 1, sizeof(*lacking));
	size_t n = 0;

	point_at_places(iv);
	for (size_t i = 0; i < iv->n; i++) {
		struct loaded_record *r = &iv->r[i];

		if (r->state == RECORD_UNKNOWN &&
			!(before && native_listing_knows(before, r->place)))
			lacking[n++] = r;
	}
	records_load(ro->rp, lacking, n);
}

/* -- Catalogs ----------------------------------------------------------- */

struct taking {
	const struct roster *ro;
	const struct native_listing *before;
	struct inventory *iv;
	struct id_set *ids; /* of the catalog; NULL: nobody asks for them */
	/* The record before: mostly one of the same source. */
	char host[NAME_LEN_MAX + 1], name[NAME_LEN_MAX + 1];
	uint8_t key[SOURCE_KEY_LEN];
};

static const uint8_t *
key_of(struct taking *t, const struct record *r)
{
	if (strcmp(t->host, r->host) != 0 || strcmp(t->name, r->name) != 0) {
		source_key(t->ro->rp->keys, r->host, r->name, t->key);
		strcpy(t->host, r->host);
		strcpy(t->name, r->name);
	}
	return t->key;
}

/* A record of a catalog, unless it was there already. */
static void
take_record(void *ctx, struct record *rec, const uint8_t hash[HASH_LEN])
{
	struct taking *t = ctx;
	struct record_place p;
	struct loaded_record *r;

	if (t->ids)
		id_set_add(t->ids, rec->id);
	if (id_set_has(&t->ro->gone, rec->id))
		return;
	record_place_below(key_of(t, rec), rec, &p);
	if (t->before && native_listing_knows(t->before, &p))
		return;
	r = add(t->iv, &p);
	r->record = *rec;
	memset(rec, 0, sizeof(*rec));
	memcpy(r->hash, hash, HASH_LEN);
	r->state = RECORD_LOADED;
}

/* As if those after the first n had never come. */
static void
take_back(struct inventory *iv, size_t n)
{
	while (iv->n > n)
		record_release(&iv->r[--iv->n].record);
	iv->places.n = n;
}

/* Read a catalog; false: it cannot be. */
static bool
read_catalog(struct roster *ro, const struct native_listing *before,
	struct inventory *iv, unsigned at)
{
	struct taking t = { .ro = ro, .before = before, .iv = iv,
		.ids = is_remote(ro) ? &iv->ids[at] : NULL };
	struct err e = ERR_INIT;
	size_t n = iv->n;

	if (newest_each(ro->rp, iv->newest.names[at], take_record, &t, &e)) {
		log_warn("%s: catalog left out: %s", ro->rp->store->name,
			e.text);
		take_back(iv, n);
		id_set_release(&iv->ids[at]);
		return false;
	}
	id_set_sort(&iv->ids[at]);
	return true;
}

/* Those of the newest catalogs that were among them before are not read again;
 * false: what they say together is not all there is.  The oldest first: so the
 * records of a source are mostly in order. */
static bool
read_catalogs(struct roster *ro, const struct native_listing *before,
	struct inventory *iv)
{
	bool complete = iv->newest.n > 0;

	for (unsigned i = iv->newest.n; i-- > 0;) {
		const char *name = iv->newest.names[i];
		unsigned k = 0;

		while (k < ro->newest.n && strcmp(ro->newest.names[k], name))
			k++;
		if (before && k < ro->newest.n)
			id_set_copy(&iv->ids[i], &ro->ids[k]);
		else
			complete &= read_catalog(ro, before, iv, i);
	}
	return complete;
}

static bool
in_catalogs(const struct inventory *iv, const uint8_t id[OBJECT_ID_LEN])
{
	for (unsigned i = 0; i < iv->newest.n; i++) {
		if (id_set_has(&iv->ids[i], id))
			return true;
	}
	return false;
}

/* What is in the listing before and still there. */
static void
add_known(struct roster *ro, const struct native_listing *before,
	struct inventory *iv)
{
	for (size_t i = 0; before && i < before->l.n_points; i++) {
		struct record_place p;

		native_listing_place(before, i, &p);
		if (in_catalogs(iv, p.id) || id_set_has(&ro->extra, p.id))
			add(iv, &p);
	}
}

static int
compare_ids(const void *a, const void *b, void *places)
{
	const size_t *i = a, *k = b;
	const struct record_place *p = places;
	int c = memcmp(p[*i].id, p[*k].id, OBJECT_ID_LEN);

	return c ? c : (*i > *k) - (*i < *k);
}

static int
compare_names(const void *a, const void *b, void *places)
{
	const size_t *i = a, *k = b;
	const struct record_place *p = places;
	int c = strcmp(p[*i].name, p[*k].name);

	return c ? c : (*i > *k) - (*i < *k);
}

/* The numbers of what the inventory has, in order. */
static size_t *
order(const struct inventory *iv,
	int (*compare)(const void *a, const void *b, void *places))
{
	size_t *all = xcalloc(iv->n + 1, sizeof(*all));

	for (size_t i = 0; i < iv->n; i++)
		all[i] = i;
	sort(all, iv->n, sizeof(*all), compare, iv->places.p);
	return all;
}

static void
drop(struct loaded_record *r)
{
	if (r->state == RECORD_LOADED)
		record_release(&r->record);
	r->state = RECORD_GONE;
}

/* A record may be in two catalogs, when writers raced. */
static void
drop_doubles(struct inventory *iv)
{
	auto_free size_t *by_id = order(iv, compare_ids);

	for (size_t i = 1; i < iv->n; i++) {
		if (!memcmp(iv->places.p[by_id[i - 1]].id,
			    iv->places.p[by_id[i]].id, OBJECT_ID_LEN))
			drop(&iv->r[by_id[i]]);
	}
}

/* -- The listing of snap/ ----------------------------------------------- */

/* Take what is listed, in order of names, and nothing else.  A catalog's record
 * is that of a name when it says the same seq, time, source and id. */
static void
take_listed(struct inventory *iv, const struct record_places *listed)
{
	auto_free size_t *by_name = order(iv, compare_names);
	size_t n = iv->n, k = 0;
	auto_free bool *there = xcalloc(n + 1, sizeof(*there));

	for (size_t i = 0; i < listed->n; i++) {
		const struct record_place *p = &listed->p[i];
		int c = -1;

		while (k < n && (c = strcmp(iv->places.p[by_name[k]].name,
					 p->name)) < 0)
			k++;
		if (k < n && c == 0)
			there[by_name[k++]] = true;
		else
			add(iv, p);
	}
	for (size_t i = 0; i < n; i++) {
		if (!there[i])
			drop(&iv->r[i]);
	}
}

/* What the catalogs say too much or too little. */
static void
note_differences(struct roster *ro, const struct inventory *iv,
	const struct record_places *listed)
{
	auto_id_set struct id_set there = { .n = 0 };

	id_set_release(&ro->extra);
	id_set_release(&ro->gone);
	for (size_t i = 0; i < listed->n; i++) {
		id_set_add(&there, listed->p[i].id);
		if (!in_catalogs(iv, listed->p[i].id))
			id_set_add(&ro->extra, listed->p[i].id);
	}
	id_set_sort(&there);
	id_set_sort(&ro->extra);
	for (unsigned i = 0; i < iv->newest.n; i++) {
		const struct id_set *s = &iv->ids[i];

		for (size_t k = 0; k < s->n; k++) {
			if (!id_set_has(&there, s->ids[k]))
				id_set_add(&ro->gone, s->ids[k]);
		}
	}
	id_set_sort(&ro->gone);
}

/* Whether the store has just what the listing has. */
static bool
is_same(const struct native_listing *before, const struct record_places *listed)
{
	size_t known = 0;

	for (size_t i = 0; before && i < listed->n; i++)
		known += native_listing_knows(before, &listed->p[i]) ||
			 native_listing_hides(before, &listed->p[i]);
	return before && known == listed->n &&
	       listed->n == before->l.n_points + before->n_refused +
				    before->n_hidden;
}

int
roster_complete(struct roster *ro, const struct native_listing *before,
	struct inventory *iv, struct err *e)
{
	struct record_places listed = { .n = 0 };
	int r = early_take_records(ro->rp->early, &listed)
			? 0
			: records_list(ro->rp, "snap/", &listed, e);

	if (!r) {
		iv->whole = true;
		iv->same = is_same(before, &listed);
		take_listed(iv, &listed);
		if (is_remote(ro))
			note_differences(ro, iv, &listed);
		if (!iv->same)
			load_rest(ro, before, iv);
	}
	record_places_release(&listed);
	return r;
}

/* -- Taking it ---------------------------------------------------------- */

static bool
is_due(const struct roster *ro)
{
	return !is_remote(ro) || clock_mono_ns() >= ro->due_ns;
}

static int
find_newest(struct roster *ro, struct inventory *iv, struct err *e)
{
	if (early_take_newest(ro->rp->early, &iv->newest))
		return 0;
	return newest_list(ro->rp->store, &iv->newest, e);
}

/* From catalogs; *whole: they do not suffice. */
static int
ask_catalogs(struct roster *ro, const struct native_listing *before,
	struct inventory *iv, bool *whole, struct err *e)
{
	struct err mine = ERR_INIT;
	int r = find_newest(ro, iv, &mine);

	if (r && is_remote(ro)) {
		if (e)
			*e = mine;
		return r;
	}
	if (r)
		log_warn("%s: catalogs left out: %s", ro->rp->store->name,
			mine.text);
	iv->same = before && newest_same(&iv->newest, &ro->newest);
	if (!read_catalogs(ro, before, iv) && !iv->same)
		*whole = true;
	*whole |= iv->newest.marked;
	return 0;
}

int
roster_take(struct roster *ro, const struct native_listing *before,
	struct inventory *iv, struct err *e)
{
	bool whole = is_due(ro);
	int r = 0;

	if (is_remote(ro) || !before)
		r = ask_catalogs(ro, before, iv, &whole, e);
	if (r || (iv->same && !whole))
		return r;
	add_known(ro, before, iv);
	if (whole) /* which leaves one of each name */
		return roster_complete(ro, before, iv, e);
	drop_doubles(iv);
	load_rest(ro, before, iv);
	return 0;
}

void
roster_keep(struct roster *ro, struct inventory *iv)
{
	if (!is_remote(ro))
		return;
	release_sets(ro->ids);
	memcpy(ro->ids, iv->ids, sizeof(ro->ids));
	memset(iv->ids, 0, sizeof(iv->ids));
	ro->newest = iv->newest;
	if (iv->whole)
		ro->due_ns = clock_mono_ns() + ROSTER_EVERY_S * NS_PER_S;
}
