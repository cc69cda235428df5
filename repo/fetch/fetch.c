/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader asks the table for a frame.  It is there; or somebody fetches it
 * already, and the reader waits for that; or the reader fetches it, in its own
 * thread, and the table tells everyone who has come meanwhile.  Read-ahead
 * (ahead.c) does the same from threads of its own, for frames that nobody
 * wants yet.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/base/thread.h"
#include "repo/crypto/id.h"
#include "repo/fetch/ahead.h"
#include "repo/fetch/bring.h"
#include "repo/fetch/cached.h"
#include "repo/fetch/detour.h"
#include "repo/fetch/fetch.h"
#include "repo/fetch/nearby.h"
#include "repo/fetch/table.h"
#include "repo/fetch/unsealer.h"
#include "repo/format/object.h"

#define KIB 1024u
#define MIB (1024u * KIB)
/* A window in so many gets fills the line; more cost the server more. */
#define STREAMS 6
/* A get costs little there, and who waits for one of its last frames waits until
 * all before are decoded, with other threads idle. */
#define RUN_FRAMES_LOCAL 16
#define THREADS_LOCAL_MAX 8
/* Of a chunk, that are tried: segments that merging left are fewer. */
#define PLACES_MAX 128

struct fetch {
	struct store *store;
	const struct keyring *keys;
	size_t window_max;
	fetch_locator *locate;
	void *locate_ctx;
	struct table table;
	struct unsealer unsealer;
	struct ahead ahead;
	struct bring bring;
	struct detours detours;
	struct nearby nearby;
};

/* Where a frame's bytes come from. */
struct way {
	uint8_t *sealed; /* somebody has them */
	size_t before;	 /* the store; so many that lie before it come too */
};

static size_t
or_default(size_t value, size_t otherwise)
{
	return value ? value : otherwise;
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* As many as there are processors and one that waits for the disk: more would
 * only take them from who reads. */
static unsigned
threads_local(void)
{
	unsigned n = thread_processors() + 1;

	return n > THREADS_LOCAL_MAX ? THREADS_LOCAL_MAX : n;
}

/* A local store answers at once, and short gets stay in the processor's
 * cache. */
static void
set_up_ahead(struct fetch *f, const struct fetch_options *o, size_t memory)
{
	bool local = f->store->local_path != NULL;
	unsigned threads = o->threads ? o->threads
				      : local	  ? threads_local()
						  : AHEAD_THREADS_MAX;

	f->ahead.store = f->store;
	f->ahead.unsealer = &f->unsealer;
	f->ahead.table = &f->table;
	f->ahead.gap = or_default(o->gap, 128 * KIB);
	f->ahead.run_max = smaller(local ? MIB : 4 * MIB, memory / 16);
	f->ahead.run_min = smaller(local ? MIB : 2 * MIB, f->ahead.run_max);
	f->ahead.run_frames = local ? RUN_FRAMES_LOCAL : AHEAD_RUN_FRAMES_MAX;
	f->ahead.max_threads = (unsigned)smaller(threads, AHEAD_THREADS_MAX);
	f->ahead.streams = (unsigned)smaller(f->ahead.max_threads, STREAMS);
	f->window_max = smaller(memory / 4,
		or_default(o->window_max, local ? 8 * MIB : 16 * MIB));
	ahead_init(&f->ahead);
}

struct fetch *
fetch_new(struct store *store, const struct keyring *keys,
	const struct fetch_options *o)
{
	static const struct fetch_options defaults;
	struct fetch *f = xcalloc(1, sizeof(*f));

	if (!o)
		o = &defaults;
	size_t memory = or_default(o->memory, 64 * MIB);
	f->store = store;
	f->keys = keys;
	table_init(&f->table, memory);
	unsealer_init(&f->unsealer, keys);
	detour_init(&f->detours);
	nearby_init(&f->nearby);
	set_up_ahead(f, o, memory);
	bring_init(&f->bring, store, memory / 2);
	return f;
}

void
fetch_free(struct fetch *f)
{
	if (!f)
		return;
	bring_release(&f->bring);
	ahead_release(&f->ahead);
	table_release(&f->table);
	unsealer_release(&f->unsealer);
	detour_release(&f->detours);
	nearby_release(&f->nearby);
	free(f);
}

size_t
fetch_window_max(const struct fetch *f)
{
	return f->window_max;
}

bool
fetch_is_far(const struct fetch *f)
{
	return f->store->local_path == NULL;
}

void
fetch_set_locator(struct fetch *f, fetch_locator *locate, void *ctx)
{
	f->locate = locate;
	f->locate_ctx = ctx;
}

/* -- Frames -------------------------------------------------------------- */

/* Once, with what lies in the `before` bytes before it; what comes from a
 * cache may be worse than what the store has. */
static int
try_get_and_open(struct fetch *f, const struct frame_place *at,
	const char *name, size_t before, struct opened *o, struct err *e)
{
	const struct store_call call = { .once = at->object == OBJECT_DATA,
		.cancel = cancel_current() };
	size_t len = before + at->len;
	auto_free uint8_t *room = xmalloc(len + STORE_ALIGN);
	uint8_t *got = store_align(room, at->off - before);
	int r = store_get_call(
		f->store, name, at->off - before, len, got, NULL, &call, e);
	if (r < 0)
		return r;
	nearby_put(&f->nearby, at, got, before);
	return unsealer_open(&f->unsealer, at, got + before, o, e);
}

/* How much of `before` is worth its way: nothing where a frame can be had
 * without a request. */
static size_t
worth(struct fetch *f, const struct frame_place *at, const char *name,
	size_t before)
{
	struct cache *c = cached_cache(f->store);

	if (before == 0 || f->store->local_path ||
		(c && cache_read(c, name, at->off, at->len, NULL, NULL)))
		return 0;
	return smaller(before, (size_t)(at->off - OBJECT_HEADER_LEN));
}

/* From what came along with another one. */
static int
open_near(struct fetch *f, const struct frame_place *at, struct opened *o)
{
	auto_free uint8_t *sealed = nearby_take(&f->nearby, at);

	return sealed ? unsealer_open(&f->unsealer, at, sealed, o, NULL)
		      : -ENOENT;
}

void
fetch_set_namer(struct fetch *f, fetch_namer *namer, void *ctx)
{
	f->unsealer.namer = namer;
	f->unsealer.namer_ctx = ctx;
}

static int
get_and_open(struct fetch *f, const struct frame_place *at, size_t before,
	struct opened *o, struct err *e)
{
	char name[OBJECT_NAME_MAX];
	int r = unsealer_check(&f->unsealer, at, e);

	if (r < 0)
		return r;
	if (open_near(f, at, o) == 0)
		return 0;
	unsealer_name(&f->unsealer, at, name);
	before = worth(f, at, name, before);
	r = try_get_and_open(f, at, name, before, o, e);
	if ((r == -EBADMSG || r == -EUCLEAN) &&
		store_forget(f->store, name, at->off, at->len))
		r = try_get_and_open(f, at, name, 0, o, e);
	return r;
}

/* Bytes that somebody has; what is wrong with them may not be so in the store,
 * which is then asked. */
static int
open_from(struct fetch *f, const struct frame_place *at, uint8_t *sealed,
	struct opened *o, struct err *e)
{
	int r = unsealer_check(&f->unsealer, at, e);
	char name[OBJECT_NAME_MAX];

	if (r == 0)
		r = unsealer_open(&f->unsealer, at, sealed, o, e);
	if (r == 0)
		return 0;
	unsealer_name(&f->unsealer, at, name);
	return store_forget(f->store, name, at->off, at->len)
		       ? get_and_open(f, at, 0, o, e)
		       : r;
}

/* Fetch a frame for everyone who waits, unless its bytes are there; on failure
 * the reference goes. */
static int
fly(struct fetch *f, struct cell *c, const struct way *way, struct err *e)
{
	struct err own = ERR_INIT;
	struct opened o;
	int r = way->sealed
			? open_from(f, &c->at, way->sealed, &o, &own)
			: get_and_open(f, &c->at, way->before, &o, &own);

	if (r == 0) {
		table_land(&f->table, c, &o);
		return 0;
	}
	own.code = -r;
	if (e)
		*e = own;
	/* Whoever was interrupted speaks for itself only. */
	table_fail(&f->table, c, r == -EINTR ? NULL : &own);
	return r;
}

static int
cell_at(struct fetch *f, const struct frame_place *at, const struct way *way,
	struct cell **c, struct err *e)
{
	bool own;
	int r = table_enter(&f->table, at, c, &own, e);

	return r == 0 && own ? fly(f, *c, way, e) : r;
}

int
fetch_frame_from(struct fetch *f, const struct frame_place *at,
	uint8_t *sealed, struct frame **frame, struct err *e)
{
	const struct way way = { .sealed = sealed };
	struct cell *c;
	int r = cell_at(f, at, &way, &c, e);

	if (r == 0)
		*frame = &c->frame;
	return r;
}

int
fetch_frame(struct fetch *f, const struct frame_place *at, struct frame **frame,
	struct err *e)
{
	return fetch_frame_from(f, at, NULL, frame, e);
}

int
fetch_frame_spine(struct fetch *f, const struct frame_place *at, size_t before,
	struct frame **frame, struct err *e)
{
	const struct way way = { .before = before };
	struct cell *c;
	int r = cell_at(f, at, &way, &c, e);

	if (r == 0)
		*frame = &c->frame;
	return r;
}

struct frame *
fetch_peek(struct fetch *f, const struct frame_place *at)
{
	struct cell *c = table_peek(&f->table, at);

	return c ? &c->frame : NULL;
}

bool
fetch_drop(struct fetch *f, const struct frame_place *at)
{
	return table_drop(&f->table, at);
}

void
fetch_ahead(struct fetch *f, const struct frame_place *at, size_t n)
{
	ahead_ask(&f->ahead, at, n);
}

void
fetch_ahead_around(struct fetch *f, const struct frame_place *at, size_t n)
{
	ahead_around(&f->ahead, at, n);
}

uint64_t
fetch_bring(struct fetch *f, const struct frame_place *at, size_t n,
	uint64_t spare)
{
	struct bring_plan *p = bring_plan(&f->bring, at, n, spare);
	uint64_t len = bring_send(&f->bring, p, n);

	bring_plan_free(p);
	return len;
}

struct bring_plan *
fetch_bring_plan(struct fetch *f, const struct frame_place *at, size_t n,
	uint64_t spare)
{
	return bring_plan(&f->bring, at, n, spare);
}

uint64_t
fetch_bring_send(struct fetch *f, struct bring_plan *p, size_t until)
{
	return bring_send(&f->bring, p, until);
}

uint64_t
fetch_bring_reach(struct fetch *f, unsigned seconds)
{
	return bring_reach(&f->bring, seconds);
}

bool
fetch_brings(struct fetch *f)
{
	return bring_works(&f->bring);
}

void
fetch_ahead_beyond(struct fetch *f, const struct frame_place *at, uint32_t len)
{
	ahead_beyond(&f->ahead, at, f->store->local_path ? 0 : len);
}

void
fetch_stretch(struct fetch *f, const struct frame_place *at, size_t max)
{
	fetch_stretch_around(f, at, 0, max);
}

void
fetch_stretch_around(struct fetch *f, const struct frame_place *at,
	size_t before, size_t max)
{
	if (unsealer_check(&f->unsealer, at, NULL) || max < at->len)
		return;
	if (!cached_cache(f->store))
		before = 0;
	ahead_stretch(&f->ahead, at,
		smaller(before, (size_t)(at->off - OBJECT_HEADER_LEN)),
		smaller(max, 4 * MIB));
}

void
fetch_settle(struct fetch *f)
{
	struct cache *c = cached_cache(f->store);

	if (c)
		cache_sync(c, NULL);
}

/* -- Chunks -------------------------------------------------------------- */

/* The chunk where the reference says it is. */
static int
chunk_at_hint(struct fetch *f, const struct ref *r, size_t before,
	struct frame **frame, const uint8_t **data, struct err *e)
{
	const struct way way = { .before = before };
	struct cell *c;
	int rc = cell_at(f, &r->place, &way, &c, e);

	if (rc < 0)
		return rc;
	if ((uint64_t)r->chunk_off + r->chunk_len > c->content) {
		char name[OBJECT_NAME_MAX];

		unsealer_name(&f->unsealer, &r->place, name);
		rc = err_set(e, EUCLEAN,
			"%s: reference leaves its frame at %" PRIu64, name,
			r->place.off);
		cell_put(c);
		return rc;
	}
	*frame = &c->frame;
	*data = c->frame.data + r->chunk_off;
	return 0;
}

/* A chunk found by its id must have that id. */
static bool
has_id(const struct fetch *f, const struct ref *r, const uint8_t *data)
{
	static const enum chunk_type types[] = { CHUNK_DATA, CHUNK_PAGE,
		CHUNK_XATTRS };
	uint8_t id[CHUNK_ID_LEN];

	for (size_t i = 0; i < n_elements(types); i++) {
		chunk_id(f->keys, types[i], data, r->chunk_len, id);
		if (memcmp(id, r->id, CHUNK_ID_LEN) == 0)
			return true;
	}
	return false;
}

static bool
same_chunk_place(const struct ref *a, const struct ref *b)
{
	return a->place.off == b->place.off && a->place.len == b->place.len &&
	       a->place.object == b->place.object &&
	       memcmp(a->place.pack, b->place.pack, OBJECT_ID_LEN) == 0 &&
	       a->chunk_off == b->chunk_off;
}

/* The chunk at one of the places that the index has; -ENOENT it is no better
 * than the hint. */
static int
chunk_at_place(struct fetch *f, const struct ref *r, const struct ref *better,
	struct frame **frame, const uint8_t **data)
{
	auto_frame struct frame *found = NULL;
	int rc;

	if (better->chunk_len != r->chunk_len || same_chunk_place(r, better))
		return -ENOENT;
	rc = chunk_at_hint(f, better, 0, &found, data, NULL);
	if (rc < 0)
		return rc;
	if (!has_id(f, better, *data))
		return -EUCLEAN;
	*frame = steal(found);
	return 0;
}

static bool
hint_failed(int rc)
{
	return rc == -ENOENT || rc == -EBADMSG || rc == -EUCLEAN;
}

/* The chunk where the index says it is: the first place that has it. */
static int
chunk_at_index(struct fetch *f, const struct ref *r, struct ref *better,
	struct frame **frame, const uint8_t **data)
{
	int rc = -ENOENT;

	for (unsigned nth = 0; hint_failed(rc) && nth < PLACES_MAX; nth++) {
		*better = *r;
		if (f->locate(f->locate_ctx, better, nth, NULL) < 0)
			return -ENOENT;
		rc = chunk_at_place(f, r, better, frame, data);
	}
	return rc;
}

/* The hint led nowhere and the index did better. */
static void
remember_detour(struct fetch *f, const struct ref *r, int rc,
	const struct ref *better, const char *why)
{
	char name[OBJECT_NAME_MAX];

	detour_add(&f->detours, &r->place, rc == -ENOENT);
	unsealer_name(&f->unsealer, &better->place, name);
	log_warn("%s: read from %s instead", why, name);
}

int
fetch_spine(struct fetch *f, const struct ref *r, size_t before,
	struct frame **frame, const uint8_t **data, struct err *e)
{
	struct err hint = ERR_INIT;
	struct ref better;
	int rc;

	if (f->locate && detour_known(&f->detours, &r->place) &&
		chunk_at_index(f, r, &better, frame, data) == 0)
		return 0;
	rc = chunk_at_hint(f, r, before, frame, data, &hint);
	if (f->locate && hint_failed(rc) &&
		chunk_at_index(f, r, &better, frame, data) == 0) {
		remember_detour(f, r, rc, &better, hint.text);
		return 0;
	}
	if (rc < 0 && e)
		*e = hint;
	return rc;
}

int
fetch_chunk(struct fetch *f, const struct ref *r, struct frame **frame,
	const uint8_t **data, struct err *e)
{
	return fetch_spine(f, r, 0, frame, data, e);
}

bool
fetch_is_near(struct fetch *f, const struct frame_place *at)
{
	return nearby_has(&f->nearby, at);
}

void
fetch_stats(struct fetch *f, struct fetch_stats *s)
{
	*s = (struct fetch_stats){
		.unsealed = f->unsealer.unsealed,
		.ahead_frames = f->ahead.frames,
	};
	table_stats(&f->table, s);
}
