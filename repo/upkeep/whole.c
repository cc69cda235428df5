/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All records are walked together, each page once; only when something is
 * missing each by itself.
 */
#include "repo/upkeep/whole.h"

#include <errno.h>
#include <string.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/fetch/fetch.h"
#include "repo/native/gc_newest.h"
#include "repo/native/id_set.h"
#include "repo/native/index.h"
#include "repo/upkeep/reach.h"

#define FETCH_MEMORY (64u << 20)
#define INDEX_MEMORY (16u << 20)

struct whole {
	struct upkeep *u;
	struct gc_state state;
	struct id_set there; /* packs */
	struct index *index;
	struct fetch *fetch;
	uint8_t last[OBJECT_ID_LEN]; /* a pack that is there, asked for last */
	bool has_last;
};

static bool
note_pack(void *ctx, const char *name, uint64_t size)
{
	const char *base = strrchr(name, '/');
	uint8_t id[OBJECT_ID_LEN];

	(void)size;
	if (base && strlen(base + 1) == OBJECT_ID_LEN * 2 &&
		!hex_decode(id, OBJECT_ID_LEN, base + 1))
		id_set_add(ctx, id);
	return true;
}

/* The state first: what it does not sentence and was listed afterwards is
 * there for as long as who prunes sees the records. */
static int
begin(struct whole *w, struct err *e)
{
	static const char *const folders[] = { "data/", "meta/" };
	const struct fetch_options fo = { .memory = FETCH_MEMORY };
	struct repository *rp = w->u->rp;
	int r = gc_newest(rp, &w->state, NULL, e);

	for (size_t i = 0; i < n_elements(folders) && !r && w->state.n; i++)
		r = store_list_names(rp->store, folders[i], "", note_pack,
			&w->there, e);
	id_set_sort(&w->there);
	w->index = index_new(rp, INDEX_MEMORY);
	w->fetch = fetch_new(rp->store, rp->keys, &fo);
	fetch_set_locator(w->fetch, index_locate, w->index);
	return r;
}

static void
release(struct whole *w)
{
	fetch_free(w->fetch);
	index_free(w->index);
	id_set_release(&w->there);
	gc_state_release(&w->state);
}

static bool
is_gone(void *ctx, const struct ref *r)
{
	struct whole *w = ctx;
	const struct frame_place *at = &r->place;

	if (w->has_last && !memcmp(w->last, at->pack, OBJECT_ID_LEN))
		return false;
	if (!id_set_has(&w->there, at->pack) ||
		gc_packs_find(&w->state.sentenced, at->object, at->pack))
		return true;
	memcpy(w->last, at->pack, OBJECT_ID_LEN);
	w->has_last = true;
	return false;
}

static int
find_place(void *ctx, enum reach_kind kind, const struct ref *r, struct err *e)
{
	struct whole *w = ctx;
	struct ref elsewhere = *r;
	char hex[CHUNK_ID_LEN * 2 + 1];
	int rc;

	(void)kind;
	if (!is_gone(w, r))
		return 0;
	rc = index_find_but(w->index, &elsewhere, is_gone, w, e);
	if (rc != -ENOENT)
		return rc;
	return err_set(e, ENODATA, "chunk %s has been freed",
		hex_encode(hex, r->id, CHUNK_ID_LEN));
}

static int
walk(struct whole *w, struct reach *re, const struct record_place *p,
	struct err *e)
{
	struct record rec;
	uint8_t hash[HASH_LEN];
	int r = records_load_one(w->u->rp, p, &rec, hash, e);

	if (r)
		return r;
	r = reach_record(re, &rec, e);
	record_release(&rec);
	return r;
}

static int
walk_some(struct whole *w, const struct record_place *places, size_t n,
	struct err *e)
{
	const struct reach_options o = { .keys = w->u->rp->keys,
		.fetch = w->fetch,
		.found = find_place,
		.ctx = w };
	auto_reach struct reach *re = reach_new(&o);
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = walk(w, re, &places[i], e);
	return r;
}

/* What a page or record says that cannot be read for good. */
static bool
is_lost(int r)
{
	return r == -ENODATA || r == -ENOENT || r == -EBADMSG || r == -EUCLEAN;
}

static int
walk_each(struct whole *w, const struct record_place *places, size_t n,
	bool *gone, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct err why = ERR_INIT;
		int r = walk_some(w, &places[i], 1, &why);

		gone[i] = is_lost(r);
		if (gone[i]) {
			log_warn("%s: %s", places[i].name, why.text);
		} else if (r) {
			*e = why;
			return r;
		}
	}
	return 0;
}

int
whole_check(struct upkeep *u, const struct record_place *places, size_t n,
	bool *gone, struct err *e)
{
	struct whole w = { .u = u };
	int r = begin(&w, e);

	if (!r && w.state.n) {
		struct err why = ERR_INIT;

		r = walk_some(&w, places, n, &why);
		if (is_lost(r))
			r = walk_each(&w, places, n, gone, e);
		else if (r)
			*e = why;
	}
	release(&w);
	return r;
}
