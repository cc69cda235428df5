/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/base/thread.h"
#include "repo/fetch/ahead.h"
#include "repo/fetch/cached.h"
#include "repo/format/object.h"

#define BATCH_MAX 64
#define AROUND (64u << 10)
/* A thread keeps no more than this for its next get: what a local store is asked
 * for at once.  Remote ones have more threads. */
#define ROOM_KEPT_LOCAL ((1u << 20) + 2 * STORE_ALIGN)
#define ROOM_KEPT (256u << 10)

struct run {
	struct cell *cells[AHEAD_RUN_FRAMES_MAX];
	struct store_extent wanted[AHEAD_RUN_FRAMES_MAX];
	size_t n;
	uint8_t *room; /* the thread's, for sealed bytes; kept from get to */
	size_t room_len; /* get, so that its pages are */
};

void
ahead_init(struct ahead *a)
{
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wake, NULL);
}

static uint64_t
end_of(const struct cell *c)
{
	return c->at.off + c->at.len;
}

/* Whether b may follow a in one get that begins with first. */
static bool
joins(const struct ahead *h, const struct cell *first, const struct cell *a,
	const struct cell *b)
{
	return a->beyond == 0 && a->at.object == b->at.object &&
	       memcmp(a->at.pack, b->at.pack, OBJECT_ID_LEN) == 0 &&
	       b->at.off >= end_of(a) && b->at.off - end_of(a) <= h->gap &&
	       end_of(b) - first->at.off <= h->run_max;
}

/* -- One get and what is in it ------------------------------------------- */

/* A cell whose bytes have come, `sealed` NULL when they have not. */
static void
open_cell(struct ahead *a, struct cell *c, uint8_t *sealed)
{
	struct err e = ERR_INIT;
	struct opened o;

	if (!sealed || unsealer_open(a->unsealer, &c->at, sealed, &o, &e) < 0) {
		if (sealed)
			log_debug("read-ahead: %s", e.text);
		table_fail(a->table, c, NULL);
		return;
	}
	table_land(a->table, c, &o);
	a->frames++;
	cell_put(c);
}

/* The place of the frame whose prefix lies at `sealed`, with `left` bytes from
 * there on; false when it is no whole frame of the type. */
static bool
next_place(const struct unsealer *u, const uint8_t *sealed, size_t left,
	struct frame_place *at)
{
	struct frame_prefix p;

	if (left < FRAME_PREFIX_LEN || frame_prefix_decode(sealed, &p, NULL) ||
		!unsealer_type_ok(at->object, p.type) ||
		p.body_len > left - FRAME_PREFIX_LEN)
		return false;
	at->len = FRAME_PREFIX_LEN + p.body_len;
	return unsealer_check(u, at, NULL) == 0;
}

/*
 * Open the frames that follow, one behind the other, in the `left` bytes after
 * a frame.  Their prefixes are not authenticated here: a wrong one makes a
 * frame that does not unseal, at a place that nobody asks for.
 */
static void
open_following(struct ahead *a, const struct frame_place *at, uint8_t *sealed,
	size_t left)
{
	struct frame_place next = *at;

	next.off += at->len;
	while (next_place(a->unsealer, sealed, left, &next)) {
		struct cell *c;
		enum table_queued q = table_queue(a->table, &next, &c);

		if (q == TABLE_FULL)
			return;
		if (q == TABLE_QUEUED && table_claim(a->table, c))
			open_cell(a, c, sealed);
		sealed += next.len;
		left -= next.len;
		next.off += next.len;
	}
}

/* Where to put len bytes of an object from off on. */
static uint8_t *
room_for(struct run *run, uint64_t off, size_t len)
{
	if (run->room_len < len + STORE_ALIGN) {
		free(run->room);
		run->room_len = len + STORE_ALIGN;
		run->room = xmalloc(run->room_len);
	}
	return store_align(run->room, off);
}

/* Where n cells lie; returns the number of stretches. */
static size_t
say_wanted(struct store_extent *wanted, struct cell *const *cells, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		const struct frame_place *at = &cells[i]->at;

		if (k && wanted[k - 1].off + wanted[k - 1].len == at->off)
			wanted[k - 1].len += at->len;
		else
			wanted[k++] = (struct store_extent){ at->off, at->len };
	}
	return k;
}

/* Whether the frames at [off, off + len) of an object bring along what lies
 * around them: there is a cache to keep it, which does not have them. */
static bool
brings_around(const struct ahead *a, const char *name, uint64_t off, size_t len)
{
	struct cache *c = cached_cache(a->store);

	return c && off < OBJECT_HEADER_LEN + AROUND &&
	       !cache_read(c, name, off, len, NULL, NULL);
}

/* Cells that lie together, claimed; their references go. */
static void
fetch_together(struct ahead *a, struct run *run, size_t from, size_t n)
{
	struct cell **cells = run->cells + from;
	const struct frame_place *at = &cells[0]->at;
	const struct frame_place last = cells[n - 1]->at;
	size_t known = last.off + last.len - at->off, got = 0;
	size_t len = known + cells[n - 1]->beyond;
	struct store_call call = { .ahead = true,
		.once = at->object == OBJECT_DATA,
		.enough = len > known ? known : 0,
		.wanted = run->wanted,
		.n_wanted = say_wanted(run->wanted, cells, n) };
	uint64_t first = at->off; /* the first cell goes first */
	char name[OBJECT_NAME_MAX];
	struct err e = ERR_INIT;
	uint8_t *sealed;

	unsealer_name(a->unsealer, at, name);
	if (cells[0]->around && brings_around(a, name, first, known)) {
		call = (struct store_call){ .ahead = true };
		first = OBJECT_HEADER_LEN;
		len = end_of(cells[n - 1]) - first;
		len = len < 2 * AROUND ? 2 * AROUND : len;
	}
	sealed = room_for(run, first, len);
	if (store_get_call(a->store, name, first, len, sealed, &got, &call,
		    &e) < 0) {
		log_debug("read-ahead: %s", e.text);
		got = 0;
	}
	for (size_t i = 0; i < n; i++) {
		bool came = end_of(cells[i]) - first <= got;

		open_cell(a, cells[i],
			came ? sealed + (cells[i]->at.off - first) : NULL);
	}
	if (call.enough && got > known)
		open_following(a, &last, sealed + known, got - known);
}

/* Readers may have taken some of the run, so that its ends no longer meet. */
static void
fetch_run(struct ahead *a, struct run *run)
{
	size_t n = 0, from = 0;

	for (size_t i = 0; i < run->n; i++) {
		if (table_claim(a->table, run->cells[i]))
			run->cells[n++] = run->cells[i];
	}
	for (size_t i = 1; i <= n; i++) {
		struct cell **c = run->cells;

		if (i < n && joins(a, c[from], c[i - 1], c[i]))
			continue;
		fetch_together(a, run, from, i - from);
		from = i;
	}
}

/* -- The queue; its lock is held ----------------------------------------- */

/* Gets share what is queued, so that several gets are under way: a
 * run takes no more frames once it has its share; but for a little more no get
 * is made. */
static size_t
share(const struct ahead *a)
{
	size_t len = a->bytes / a->streams;

	if (len > a->run_min)
		return len;
	return a->bytes < a->run_min / 4 * 5 ? a->bytes : a->run_min;
}

/* Whether the run takes the cell too. */
static bool
takes(const struct ahead *a, const struct run *run, const struct cell *c,
	size_t enough)
{
	const struct cell *first = run->cells[0],
			  *last = run->cells[run->n - 1];

	return run->n < a->run_frames &&
	       end_of(last) - first->at.off < enough &&
	       joins(a, first, last, c);
}

/* The oldest cell and all that can travel with it. */
static void
take_run(struct ahead *a, struct run *run)
{
	size_t kept = 0, enough = share(a);

	run->cells[0] = a->queue[0];
	run->n = 1;
	for (size_t i = 1; i < a->n; i++) {
		struct cell *c = a->queue[i];

		if (takes(a, run, c, enough))
			run->cells[run->n++] = c;
		else
			a->queue[kept++] = c;
	}
	a->n = kept;
	for (size_t i = 0; i < run->n; i++)
		a->bytes -= run->cells[i]->at.len;
}

static bool
next_run(struct ahead *a, struct run *run)
{
	auto_lock(&a->lock);

	while (a->n == 0 && !a->stop) {
		a->n_idle++;
		pthread_cond_wait(&a->wake, &a->lock);
		a->n_idle--;
	}
	if (a->stop)
		return false;
	take_run(a, run);
	return true;
}

static void *
work(void *ctx)
{
	struct ahead *a = ctx;
	struct run run = { .room = NULL };
	size_t kept = a->store->local_path ? ROOM_KEPT_LOCAL : ROOM_KEPT;

	while (next_run(a, &run)) {
		fetch_run(a, &run);
		if (run.room_len > kept) {
			free(run.room);
			run.room = NULL;
			run.room_len = 0;
		}
	}
	free(run.room);
	return NULL;
}

/* Frames of which none can travel with the one before it. */
static size_t
count_apart(const struct ahead *a, struct cell **cells, size_t n)
{
	size_t apart = 0;

	for (size_t i = 1; i < n; i++)
		apart += !joins(a, cells[i - 1], cells[i - 1], cells[i]);
	return apart;
}

/* As many threads as there are gets to make. */
static void
start_threads(struct ahead *a, size_t apart)
{
	size_t gets = 1 + (a->bytes / a->run_min > apart
					  ? a->bytes / a->run_min
					  : apart);
	size_t wanted = a->n_threads - a->n_idle + gets;

	while (a->n_threads < a->max_threads && a->n_threads < wanted &&
		!thread_start(&a->threads[a->n_threads], work, a))
		a->n_threads++;
}

/* Returns how many of the cells found room. */
static size_t
push(struct ahead *a, struct cell **cells, size_t n)
{
	auto_lock(&a->lock);
	size_t i = 0;

	for (; i < n && a->n < AHEAD_QUEUE_MAX && !a->stop; i++) {
		a->bytes += cells[i]->at.len;
		a->queue[a->n++] = cells[i];
	}
	if (i > 0) {
		start_threads(a, count_apart(a, cells, i));
		pthread_cond_broadcast(&a->wake);
	}
	return i;
}

/* -- Asking -------------------------------------------------------------- */

/* Returns false when there is no room for all of them. */
static bool
push_batch(struct ahead *a, struct cell **cells, size_t n)
{
	size_t pushed = push(a, cells, n);

	for (size_t i = pushed; i < n; i++)
		table_forget(a->table, cells[i]);
	return pushed == n;
}

static void
ask(struct ahead *a, const struct frame_place *at, size_t n, bool around)
{
	struct cell *batch[BATCH_MAX];
	enum table_queued q = TABLE_KNOWN;
	size_t n_batch = 0;

	for (size_t i = 0; i < n && q != TABLE_FULL; i++) {
		if (unsealer_check(a->unsealer, &at[i], NULL) < 0)
			continue;
		q = table_queue(a->table, &at[i], &batch[n_batch]);
		if (q != TABLE_QUEUED)
			continue;
		batch[n_batch]->around =
			around && at[i].object == OBJECT_DELTA;
		if (++n_batch == BATCH_MAX) {
			if (!push_batch(a, batch, n_batch))
				return;
			n_batch = 0;
		}
	}
	push_batch(a, batch, n_batch);
}

void
ahead_ask(struct ahead *a, const struct frame_place *at, size_t n)
{
	ask(a, at, n, false);
}

void
ahead_around(struct ahead *a, const struct frame_place *at, size_t n)
{
	ask(a, at, n, true);
}

void
ahead_beyond(struct ahead *a, const struct frame_place *at, uint32_t len)
{
	struct cell *c;

	if (unsealer_check(a->unsealer, at, NULL) < 0 ||
		table_queue(a->table, at, &c) != TABLE_QUEUED)
		return;
	c->beyond = len;
	push_batch(a, &c, 1);
}

/* -- A stretch ----------------------------------------------------------- */

void
ahead_stretch(struct ahead *a, const struct frame_place *at, size_t before,
	size_t max)
{
	const struct store_call call = { .enough = before + at->len,
		.cancel = cancel_current() };
	auto_free uint8_t *sealed = NULL;
	char name[OBJECT_NAME_MAX];
	struct err e = ERR_INIT;
	struct cell *first;
	size_t got = 0;

	if (table_queue(a->table, at, &first) != TABLE_QUEUED ||
		!table_claim(a->table, first))
		return;
	sealed = xmalloc(before + max);
	unsealer_name(a->unsealer, at, name);
	if (store_get_call(a->store, name, at->off - before, before + max,
		    sealed, &got, &call, &e) < 0) {
		log_debug("read-ahead: %s", e.text);
		got = 0;
	}
	got = got > before ? got - before : 0;
	open_cell(a, first, got >= at->len ? sealed + before : NULL);
	if (got > at->len)
		open_following(a, at, sealed + before + at->len, got - at->len);
}

void
ahead_release(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->wake);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->n_threads; i++)
		pthread_join(a->threads[i], NULL);
	for (size_t i = 0; i < a->n; i++)
		table_forget(a->table, a->queue[i]);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
}
