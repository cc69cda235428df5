/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tail that grows to sqrt(2 n) records, n being those of the full catalog,
 * comes to as many bytes as the full ones do: the least there can be with two
 * objects to read (DESIGN, "Views").
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/native/id_set.h"
#include "repo/native/newest.h"
#include "repo/native/records.h"
#include "repo/write/catalogs.h"
#include "repo/write/sealed.h"

#define TAIL_MIN 16
#define TAIL_MAX 400 /* the newest full one is on a listing's first page */
#define CATALOG_FRAME (4u << 20)
#define ROUNDS 5 /* of looking what others wrote meanwhile */

struct catalogs {
	struct repository *rp;
	struct record of; /* the source: host and name only */
	int r; /* of looking */
	struct err e;
	struct newest newest;
	struct catalog full; /* what the newest ones have */
	struct catalog tail; /* what only tails have */
	bool make_full, damaged;
	size_t missing, removed; /* records that they lacked, or had too many */
	char own[NEWEST_NAME_LEN + 1]; /* what was put */
};

/* -- What there is ------------------------------------------------------ */

static void
note_ids(struct id_set *ids, const struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++)
		id_set_add(ids, c->records[i].id);
	id_set_sort(ids);
}

/* Move what is not known yet. */
static void
join(struct catalog *to, struct catalog *from, struct id_set *known)
{
	for (size_t i = 0; i < from->n; i++) {
		if (!id_set_has(known, from->records[i].id))
			catalog_add(to, &from->records[i], from->hashes[i]);
	}
	note_ids(known, to);
}

/* Read the full ones, or the tails.  One that is damaged is made up for by a
 * full one, of what is below snap/. */
static int
load(struct catalogs *cs, bool full, struct id_set *known, struct err *e)
{
	for (unsigned i = 0; i < cs->newest.n; i++) {
		struct catalog c = { .n = 0 };
		struct err mine = ERR_INIT;
		int r = 0;

		if (newest_is_full(cs->newest.names[i]) != full)
			continue;
		r = newest_load(cs->rp, cs->newest.names[i], &c, &mine);
		if (r == -EBADMSG || r == -EUCLEAN || r == -ENOENT) {
			log_warn("catalog left out: %s", mine.text);
			cs->make_full = cs->damaged = true;
			continue;
		}
		if (r) {
			if (e)
				*e = mine;
			return r;
		}
		join(full ? &cs->full : &cs->tail, &c, known);
		catalog_release(&c);
	}
	return 0;
}

static bool
is_due(const struct catalogs *cs)
{
	size_t n = cs->tail.n + 1;

	return n >= TAIL_MAX || (n >= TAIL_MIN && n * n >= 2 * cs->full.n);
}

/* -- Comparing with snap/ ----------------------------------------------- */

/* A copy through its own encoding: what the catalog keeps of a record. */
static int
add_copy(struct catalog *c, const struct record *rec,
	const uint8_t hash[HASH_LEN], struct err *e)
{
	auto_buf struct buf b = BUF_INIT;
	struct record copy;
	int r;

	record_encode(rec, false, &b);
	r = record_decode(b.data, b.len, &copy, e);
	if (r)
		return r;
	memcpy(copy.id, rec->id, OBJECT_ID_LEN);
	catalog_add(c, &copy, hash);
	return 0;
}

/* Load what no catalog has. */
static void
add_missing(struct catalogs *cs, const struct record_places *listed,
	const struct id_set *known)
{
	auto_free struct loaded_record *r = xcalloc(listed->n + 1, sizeof(*r));
	auto_free struct loaded_record **all =
		xcalloc(listed->n + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < listed->n; i++) {
		const uint8_t *id = listed->p[i].id;

		if (id_set_has(known, id))
			continue;
		r[n].place = &listed->p[i];
		all[n] = &r[n];
		n++;
	}
	records_load(cs->rp, all, n);
	for (size_t i = 0; i < n; i++) {
		if (r[i].state != RECORD_LOADED)
			continue;
		catalog_add(&cs->tail, &r[i].record, r[i].hash);
		cs->missing++;
	}
}

/* Drop the records, of one source or (NULL) all, that are not listed; returns
 * how many there were. */
static size_t
drop_removed(
	struct catalog *c, const struct record *of, const struct id_set *listed)
{
	size_t kept = 0, n = c->n;

	for (size_t i = 0; i < n; i++) {
		struct record *r = &c->records[i];
		bool asked = !of || (!strcmp(r->host, of->host) &&
					    !strcmp(r->name, of->name));

		if (asked && !id_set_has(listed, r->id)) {
			record_release(r);
			continue;
		}
		if (kept != i) {
			c->records[kept] = *r;
			memcpy(c->hashes[kept], c->hashes[i], HASH_LEN);
		}
		kept++;
	}
	c->n = kept;
	return n - kept;
}

/* List the own source's records, or all, and make the catalogs say the same. */
static int
compare(struct catalogs *cs, bool all, const struct id_set *known,
	struct err *e)
{
	auto_id_set struct id_set there = { .n = 0 };
	char prefix[OBJECT_NAME_MAX] = "snap/", hex[SOURCE_KEY_LEN * 2 + 1];
	struct record_places listed = { .n = 0 };
	const struct record *of = all ? NULL : &cs->of;
	uint8_t source[SOURCE_KEY_LEN];
	int r;

	source_key(cs->rp->keys, cs->of.host, cs->of.name, source);
	if (!all)
		snprintf(prefix, sizeof(prefix), "snap/%s/",
			hex_encode(hex, source, SOURCE_KEY_LEN));
	r = records_list(cs->rp, prefix, &listed, e);
	for (size_t i = 0; i < listed.n && !r; i++)
		id_set_add(&there, listed.p[i].id);
	id_set_sort(&there);
	if (!r) {
		add_missing(cs, &listed, known);
		cs->removed += drop_removed(&cs->full, of, &there);
		cs->removed += drop_removed(&cs->tail, of, &there);
		cs->make_full |= cs->removed > 0;
	}
	record_places_release(&listed);
	return r;
}

/* -- Writing ------------------------------------------------------------ */

static int
put(struct catalogs *cs, struct sink *sink, const struct catalog *c, char kind,
	struct err *e)
{
	auto_sealed struct sealed s = { .packer = NULL };
	auto_buf struct buf plain = BUF_INIT;
	char hex[OBJECT_ID_LEN * 2 + 1];
	int r = 0;

	if (cs->newest.number >= NEWEST_NUMBER_MAX)
		return err_set(
			e, EOVERFLOW, "there is no number left below cat/");
	sealed_init(&s, cs->rp->keys, OBJECT_CATALOG);
	catalog_encode(c, &plain);
	for (size_t off = 0; off < plain.len && !r; off += CATALOG_FRAME) {
		size_t left = plain.len - off;

		r = sealed_add(&s, FRAME_CATALOG, plain.data + off,
			left < CATALOG_FRAME ? left : CATALOG_FRAME, e);
	}
	if (r)
		return r;
	snprintf(cs->own, sizeof(cs->own), "cat/%012" PRIu64 "-%c-%s",
		NEWEST_NUMBER_MAX - (cs->newest.number + 1), kind,
		hex_encode(hex, s.id, OBJECT_ID_LEN));
	return sink_put(sink, cs->own, s.bytes.data, s.bytes.len, e);
}

/* Everything is compared before a full one is made, and when there is none:
 * whoever reads a lone tail believes it. */
static int
bring_up_to_date(struct catalogs *cs, struct err *e)
{
	auto_id_set struct id_set known = { .n = 0 };
	bool all;
	int r = load(cs, true, &known, e);

	if (!r)
		r = load(cs, false, &known, e);
	if (r)
		return r;
	all = !cs->newest.full || cs->make_full || is_due(cs);
	r = compare(cs, all, &known, e);
	cs->make_full |= is_due(cs);
	if (!r && cs->make_full && !all) {
		note_ids(&known, &cs->tail);
		r = compare(cs, true, &known, e);
	}
	return r;
}

/* -- Looking ------------------------------------------------------------ */

static struct catalogs *
look(struct repository *rp, const char *host, const char *name, bool full)
{
	struct catalogs *cs = xcalloc(1, sizeof(*cs));

	cs->rp = rp;
	cs->of.host = xstrdup(host);
	cs->of.name = xstrdup(name);
	cs->make_full = full;
	cs->r = newest_list(rp->store, &cs->newest, &cs->e);
	if (!cs->r)
		cs->r = bring_up_to_date(cs, &cs->e);
	return cs;
}

struct catalogs *
catalogs_look(struct repository *rp, const char *host, const char *name)
{
	return look(rp, host, name, false);
}

/* It may have been listed, when it was put before that. */
static bool
has(const struct catalog *c, const uint8_t id[OBJECT_ID_LEN])
{
	for (size_t i = c->n; i-- > 0;) {
		if (!memcmp(c->records[i].id, id, OBJECT_ID_LEN))
			return true;
	}
	return false;
}

/* Put the tail, or all of it as a full one. */
static int
put_either(struct catalogs *cs, struct sink *sink, struct err *e)
{
	if (cs->make_full) {
		auto_id_set struct id_set known = { .n = 0 };

		note_ids(&known, &cs->full);
		join(&cs->full, &cs->tail, &known);
	}
	return put(cs, sink, cs->make_full ? &cs->full : &cs->tail,
		cs->make_full ? 'f' : 't', e);
}

static bool
lists(const struct newest *nw, const char *name)
{
	for (unsigned i = 0; i < nw->n; i++) {
		if (!strcmp(nw->names[i], name))
			return true;
	}
	return false;
}

/* -- A record that is new ----------------------------------------------- */

/* What others put since looking: *counts, whether the own one does still;
 * *full, whether there is a full one of somebody else. */
static int
look_back(const struct catalogs *cs, bool *counts, bool *full, struct err *e)
{
	struct newest now;
	int r = newest_list(cs->rp->store, &now, e);

	if (r)
		return r;
	*counts = lists(&now, cs->own);
	*full = false;
	for (unsigned i = 0; i < now.n; i++) {
		const char *name = now.names[i];

		*full |= newest_is_full(name) && strcmp(name, cs->own) &&
			 !lists(&cs->newest, name);
	}
	return 0;
}

static int
put_record(struct catalogs *cs, struct sink *sink, const struct record *rec,
	const uint8_t hash[HASH_LEN], struct err *e)
{
	int r = cs->r;

	if (r) {
		*e = cs->e;
		return r;
	}
	if (!has(&cs->tail, rec->id))
		r = add_copy(&cs->tail, rec, hash, e);
	return r ? r : put_either(cs, sink, e);
}

int
catalogs_put(struct catalogs *cs, struct sink *sink, const struct record *rec,
	const uint8_t hash[HASH_LEN], struct err *e)
{
	bool counts = false, full = false;
	int r = put_record(cs, sink, rec, hash, e);

	if (!r)
		r = look_back(cs, &counts, &full, e);
	for (unsigned i = 1; i < ROUNDS && !r && (!counts || full); i++) {
		struct catalogs *again = look(cs->rp, rec->host, rec->name, full);

		r = put_record(again, sink, rec, hash, e);
		if (!r)
			r = look_back(again, &counts, &full, e);
		catalogs_free(again);
	}
	return r;
}

void
catalogs_free(struct catalogs *cs)
{
	if (!cs)
		return;
	catalog_release(&cs->full);
	catalog_release(&cs->tail);
	record_release(&cs->of);
	free(cs);
}

int
catalogs_add(struct repository *rp, struct sink *sink,
	const struct record *rec, const uint8_t hash[HASH_LEN], struct err *e)
{
	struct catalogs *cs = catalogs_look(rp, rec->host, rec->name);
	int r = catalogs_put(cs, sink, rec, hash, e);

	catalogs_free(cs);
	return r;
}

/* -- Records that went away or came back -------------------------------- */

/* Whether the full one that was put is all that counts now. */
static int
is_alone(const struct catalogs *cs, bool *alone, struct err *e)
{
	struct newest now;
	int r = newest_list(cs->rp->store, &now, e);

	*alone = !r && now.n == 1 && lists(&now, cs->own);
	return r;
}

/* One look, and a full catalog unless they say what is there. */
static int
settle(struct repository *rp, struct sink *sink, bool *done, struct err *e)
{
	struct catalogs *cs = look(rp, "", "", true);
	int r = cs->r;

	*done = !cs->missing && !cs->removed && !cs->damaged;
	if (r)
		*e = cs->e;
	if (!r && !*done) {
		r = put_either(cs, sink, e);
		if (!r)
			r = is_alone(cs, done, e);
	}
	catalogs_free(cs);
	return r;
}

int
catalogs_settle(struct repository *rp, struct sink *sink, struct err *e)
{
	bool done = false;
	int r = 0;

	for (unsigned i = 0; i < ROUNDS && !r && !done; i++)
		r = settle(rp, sink, &done, e);
	return r;
}
