/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot records, oldest first, and what says which there are: their hash
 * chain, the catalogs.  A record that is gone was forgotten, if the catalogs do
 * not say otherwise.
 */
#include "repo/upkeep/check_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/hex.h"
#include "repo/fetch/together.h"
#include "repo/native/newest.h"
#include "repo/native/state.h"

/* Records that are loaded at the same time. */
#define BATCH 32

/* What is kept of a record for the chain and the catalogs. */
struct known {
	uint8_t id[OBJECT_ID_LEN];
	uint8_t hash[HASH_LEN];
	uint8_t link[HASH_LEN]; /* what the next one says of it */
	bool listed;		/* in a catalog */
	bool loaded;
	bool bad; /* there is a fault, which does not name it yet */
};

struct records {
	struct check *c;
	struct known *known; /* one a place, in that order */
	struct state_newest *newest; /* of each source that was met */
	size_t n_newest;
};

struct batch {
	struct check *c;
	const struct record_place *p;
	struct {
		struct record rec;
		uint8_t hash[HASH_LEN];
		struct err e;
		int r;
	} one[BATCH];
};

static void
load_one(void *ctx, size_t i)
{
	struct batch *b = ctx;

	b->one[i].r = records_load_one(b->c->rp, &b->p[i], &b->one[i].rec,
		b->one[i].hash, &b->one[i].e);
}

/* -- One record
 * ------------------------------------------------------------------- */

/* The name of a snapshot whose record is lost: what its object's name tells. */
static void
touch_snapshot(struct check *c, struct check_fault *f,
	const struct record_place *p, const struct record *rec)
{
	char time[HISTORY_TIME_MAX + 1], source[SOURCE_KEY_LEN * 2 + 1];
	struct check_touched t = { .part = CHECK_SNAPSHOT };
	auto_free char *label = NULL;

	history_print_time(time, record_place_time(p));
	label = rec ? check_label(rec)
		    : xasprintf("%s@%s",
			      hex_encode(source, p->source, SOURCE_KEY_LEN),
			      time);
	t.snapshot = label;
	hex_encode(t.id, p->id, OBJECT_ID_LEN);
	check_fault_touches(c, f, &t);
}

/* A record of the number before, if there is one, must be the one this one
 * followed; where writers raced or a stretch was written anew there are
 * several. */
static void
check_chain(struct records *rs, size_t i, const struct record *rec)
{
	const struct record_place *p = rs->c->places.p;
	static const uint8_t none[HASH_LEN];
	bool any = false;

	/* after the source had been forgotten as a whole */
	if (!memcmp(rec->previous, none, HASH_LEN))
		return;
	for (size_t k = i; k-- > 0 && p[k].seq + 1 >= rec->seq &&
			   !memcmp(p[k].source, p[i].source, SOURCE_KEY_LEN);) {
		if (p[k].seq + 1 != rec->seq || !rs->known[k].loaded)
			continue;
		if (!memcmp(rs->known[k].link, rec->previous, HASH_LEN))
			return;
		any = true;
	}
	if (any)
		check_fault(rs->c, CHECK_DAMAGED, CHECK_SPARE, p[i].name,
			"the snapshot before is not the one it followed");
}

/* The newest of a source so far; NULL: it cannot be read. */
static void
note_newest(struct records *rs, size_t i, const struct record *rec)
{
	const struct record_place *p = &rs->c->places.p[i];
	struct state_newest *s = rs->newest + rs->n_newest;

	if (rs->n_newest && !memcmp(s[-1].source, p->source, SOURCE_KEY_LEN)) {
		s--;
	} else {
		*s = (struct state_newest){ .label = NULL };
		memcpy(s->source, p->source, SOURCE_KEY_LEN);
		rs->n_newest++;
	}
	s->seq = p->seq;
	memset(s->hash, 0, HASH_LEN);
	if (!rec)
		return;
	memcpy(s->hash, rs->known[i].link, HASH_LEN);
	if (!s->label)
		s->label = xasprintf("%s/%s", rec->host, rec->name);
}

static int
check_one(struct records *rs, size_t i, struct record *rec,
	const uint8_t hash[HASH_LEN], struct err *e)
{
	struct check *c = rs->c;
	const struct record_place *p = &c->places.p[i];
	int r;

	memcpy(rs->known[i].hash, hash, HASH_LEN);
	memcpy(rs->known[i].link, record_link(rec, hash), HASH_LEN);
	rs->known[i].loaded = true;
	c->res->snapshots++;
	if (i == 0 || memcmp(p->source, p[-1].source, SOURCE_KEY_LEN))
		c->res->sources++;
	check_chain(rs, i, rec);
	note_newest(rs, i, rec);
	r = check_tree(c, rec, e);
	if (!r && rec->is_database)
		r = check_deltas(c, rec, p, hash, e);
	return r;
}

static int
refuse(struct records *rs, size_t i, int r, const struct err *why,
	struct err *e)
{
	struct check *c = rs->c;
	const struct record_place *p = &c->places.p[i];

	if (!check_is_fault(r)) {
		*e = *why;
		return r;
	}
	if (r == -ENOENT) /* forgotten meanwhile */
		return 0;
	check_fault(c, CHECK_DAMAGED, CHECK_LOST, p->name, "%s",
		check_reason(p->name, why));
	rs->known[i].bad = true;
	note_newest(rs, i, NULL);
	return 0;
}

static int
check_batch(struct records *rs, size_t first, size_t n, struct err *e)
{
	struct batch *b = xcalloc(1, sizeof(*b));
	int r = 0;

	b->c = rs->c;
	b->p = rs->c->places.p + first;
	together_run(n, !rs->c->rp->store->local_path, load_one, b);
	for (size_t i = 0; i < n; i++) {
		if (!r && b->one[i].r)
			r = refuse(rs, first + i, b->one[i].r, &b->one[i].e, e);
		else if (!r)
			r = check_one(rs, first + i, &b->one[i].rec,
				b->one[i].hash, e);
		if (!b->one[i].r)
			record_release(&b->one[i].rec);
	}
	free(b);
	return r;
}

/* -- Catalogs
 * -------------------------------------------------------------------------- */

static struct known *
find_known(struct records *rs, const struct record_place *p)
{
	for (size_t lo = 0, hi = rs->c->places.n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = strcmp(rs->c->places.p[mid].name, p->name);

		if (cmp == 0)
			return &rs->known[mid];
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static bool
in_trash(const struct check *c, const struct record_place *p)
{
	for (size_t i = 0; i < c->trash.n; i++) {
		if (!memcmp(c->trash.p[i].id, p->id, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

/* Whether a second listing has a snapshot with that number or a higher one. */
static bool
is_listed(struct check *c, const uint8_t source[SOURCE_KEY_LEN], uint64_t seq)
{
	char prefix[OBJECT_NAME_MAX], hex[SOURCE_KEY_LEN * 2 + 1];
	struct record_places all = { .n = 0 };
	bool there = false;

	snprintf(prefix, sizeof(prefix), "snap/%s/",
		hex_encode(hex, source, SOURCE_KEY_LEN));
	if (!records_list(c->rp, prefix, &all, NULL) && all.n)
		there = all.p[all.n - 1].seq >= seq;
	record_places_release(&all);
	return there;
}

/* Put while this run looked elsewhere, or not listed though it was there. */
static int
check_late(struct check *c, const struct record_place *p, struct err *e)
{
	uint8_t hash[HASH_LEN];
	struct record rec;
	int r;

	if (!is_listed(c, p->source, p->seq)) {
		check_listing_fault(c, p->name, "is there and was not listed");
		return 0;
	}
	r = records_load_one(c->rp, p, &rec, hash, e);
	if (r)
		return r;
	c->res->snapshots++;
	r = check_tree(c, &rec, e);
	if (!r && rec.is_database)
		r = check_deltas(c, &rec, p, hash, e);
	record_release(&rec);
	return r;
}

/* A record that a catalog names, and nothing else does. */
static int
check_absent(struct check *c, const struct record_place *p,
	const struct record *rec, struct err *e)
{
	uint64_t size;
	int r = store_size(c->rp->store, p->name, &size, e);

	if (!r)
		return check_late(c, p, e);
	if (r != -ENOENT)
		return r;
	touch_snapshot(c,
		check_fault(c, CHECK_MISSING, CHECK_SPARE, p->name,
			"the snapshot's record is not there"),
		p, rec);
	return 0;
}

static int
check_catalog(struct records *rs, const char *name, const struct catalog *cat,
	struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < cat->n && !r; i++) {
		struct record_place p;
		struct known *k;

		record_place_of(rs->c->rp, &cat->records[i], &p);
		k = find_known(rs, &p);
		if (!k && !in_trash(rs->c, &p))
			r = check_absent(rs->c, &p, &cat->records[i], e);
		if (!k)
			continue;
		k->listed = true;
		if (k->bad)
			touch_snapshot(rs->c,
				check_fault_find(rs->c, p.name, 0), &p,
				&cat->records[i]);
		k->bad = false;
		if (k->loaded && memcmp(k->hash, cat->hashes[i], HASH_LEN))
			check_fault(rs->c, CHECK_DAMAGED, CHECK_SPARE, name,
				"the catalog has another hash of %s", p.name);
	}
	return r;
}

static int
load_catalog(struct records *rs, const char *name, struct err *e)
{
	struct catalog cat = { .n = 0 };
	struct err why = ERR_INIT;
	int r = newest_load(rs->c->rp, name, &cat, &why);

	if (!r)
		r = check_catalog(rs, name, &cat, e);
	else if (!check_is_fault(r))
		*e = why;
	else
		check_fault(rs->c, CHECK_DAMAGED, CHECK_SPARE, name, "%s",
			check_reason(name, &why));
	catalog_release(&cat);
	return check_is_fault(r) ? 0 : r;
}

static int
check_catalogs(struct records *rs, struct err *e)
{
	struct newest *nw = xcalloc(1, sizeof(*nw));
	uint64_t lacks = 0;
	int r = newest_list(rs->c->rp->store, nw, e);

	for (unsigned i = 0; i < nw->n && !r; i++)
		r = load_catalog(rs, nw->names[i], e);
	for (size_t i = 0; i < rs->c->places.n && !r; i++) {
		const struct record_place *p = &rs->c->places.p[i];

		if (rs->known[i].bad)
			touch_snapshot(rs->c,
				check_fault_find(rs->c, p->name, 0), p, NULL);
		lacks += rs->known[i].loaded && !rs->known[i].listed;
	}
	if (!r && lacks && !nw->marked)
		check_fault(rs->c, CHECK_MISSING, CHECK_SPARE, "cat/",
			"the catalogs lack %" PRIu64 " snapshots", lacks);
	free(nw);
	return r;
}

/* -- What was here before
 * --------------------------------------------------------------- */

static void
tell_behind(void *ctx, const struct state_behind *b)
{
	struct check *c = ctx;
	char name[OBJECT_NAME_MAX], hex[SOURCE_KEY_LEN * 2 + 1];

	snprintf(name, sizeof(name), "snap/%s/",
		hex_encode(hex, b->source, SOURCE_KEY_LEN));
	if (b->seq >= b->before)
		check_fault(c, CHECK_DAMAGED, CHECK_SPARE, name, "%s", b->text);
	else if (is_listed(c, b->source, b->before))
		check_listing_fault(c, name, "lacked snapshots that are there");
	else
		check_fault(c, CHECK_MISSING, CHECK_SPARE, name,
			"%s; if that was meant, remove %s", b->text, b->path);
}

static void
release(struct records *rs)
{
	for (size_t i = 0; i < rs->n_newest; i++)
		free((char *)(uintptr_t)rs->newest[i].label);
	free(rs->newest);
	free(rs->known);
}

int
check_records(struct check *c, struct err *e)
{
	struct records rs = { .c = c };
	size_t n = c->places.n;
	int r = 0;

	rs.known = xcalloc(n + 1, sizeof(*rs.known));
	rs.newest = xcalloc(n + 1, sizeof(*rs.newest));
	for (size_t i = 0; i < n && !r; i += BATCH)
		r = check_batch(&rs, i, n - i < BATCH ? n - i : BATCH, e);
	if (!r)
		r = check_catalogs(&rs, e);
	if (!r)
		state_compare(c->rp, rs.newest, rs.n_newest, tell_behind, c);
	release(&rs);
	return r;
}
