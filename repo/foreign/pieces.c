/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of pieces in memory and on their way.  Who wants a piece that is in
 * neither state enters it as FLYING, with those that follow it and are wanted
 * too, and is the one to fetch them; others that want one of them wait.  A
 * piece that failed is taken out of the table and its waiters try themselves,
 * since the one that failed may only have been interrupted.
 *
 * Read-ahead is the same with nobody waiting: a few threads, started at the
 * first call, take ranges from a short queue.
 */
#include "repo/foreign/pieces_private.h"

#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"

#define MEMORY_MIN (16 * KEPT_PIECE)

/* -- Fetching ---------------------------------------------------------------
 */

static size_t
length_of(const struct pieces_object *o, uint64_t number)
{
	uint64_t left = o->size - number * KEPT_PIECE;

	return left < KEPT_PIECE ? (size_t)left : KEPT_PIECE;
}

static bool
take_kept(struct pieces *p, const struct pieces_object *o, struct piece *x)
{
	size_t want = length_of(o, x->number), len = 0;
	uint8_t *data;

	if (!p->kept || !kept_has(p->kept, o->key, x->number))
		return false;
	data = xmalloc(KEPT_PIECE);
	if (!kept_read(p->kept, o->key, x->number, data, &len) || len != want) {
		free(data);
		return false;
	}
	x->data = data;
	x->len = len;
	return true;
}

/* The pieces [from, to) of a run in one request. */
static int
ask_store(struct pieces *p, const struct pieces_object *o,
	struct pieces_run *run, unsigned from, unsigned to, bool ahead,
	struct err *e)
{
	const struct store_call call = { .ahead = ahead,
		.cancel = cancel_current() };
	uint64_t first = run->piece[from]->number;
	size_t len = (to - from - 1) * (size_t)KEPT_PIECE +
		     length_of(o, first + (to - from - 1)),
	       got = 0;
	auto_free uint8_t *all = NULL;
	int r;

	if (foreign_place_offline(p->place))
		return err_set(e, ENETDOWN,
			"%s is not in the cache, and "
			"offline nothing else is asked",
			o->name);
	all = xmalloc(len);
	r = store_get_call(p->place->store, o->name, first * KEPT_PIECE, len,
		all, &got, &call, e);
	if (r == 0 && got < len)
		r = err_set(e, EBADMSG, "%s is shorter than it was listed",
			o->name);
	for (unsigned i = from; r == 0 && i < to; i++) {
		struct piece *x = run->piece[i];

		x->len = length_of(o, x->number);
		x->data =
			xmemdup(all + (i - from) * (size_t)KEPT_PIECE, x->len);
		if (p->kept)
			kept_write(p->kept, o->key, x->number, x->data, x->len);
	}
	return r;
}

/* Fetch a claimed run; those before the first error have their data. */
int
pieces_fetch(struct pieces *p, const struct pieces_object *o,
	struct pieces_run *run, bool ahead, struct err *e)
{
	unsigned to;
	int r = 0;

	for (unsigned i = 0; i < run->n; i++)
		take_kept(p, o, run->piece[i]);
	for (unsigned i = 0; r == 0 && i < run->n; i = to) {
		to = i + 1;
		if (run->piece[i]->data)
			continue;
		while (to < run->n && !run->piece[to]->data)
			to++;
		r = ask_store(p, o, run, i, to, ahead, e);
	}
	return r;
}

void
pieces_land(struct pieces *p, struct pieces_run *run, bool ahead)
{
	auto_lock(&p->lock);

	for (unsigned i = 0; i < run->n; i++) {
		struct piece *x = run->piece[i];

		if (x->state == FLYING && x->data) {
			x->state = READY;
			x->ahead = ahead;
			p->bytes += x->len;
			p->ahead_pieces += ahead;
			pieces_order_add(p, x);
		} else if (x->state == FLYING) {
			pieces_drop(p, x);
		}
		pieces_put(x);
	}
	pieces_evict(p);
	pthread_cond_broadcast(&p->landed);
}

/* -- Reading ----------------------------------------------------------------
 */

struct waiter {
	struct cancel_waker waker; /* first */
	struct pieces *p;
};

static void
wake(struct cancel_waker *w)
{
	struct pieces *p = ((struct waiter *)w)->p;
	auto_lock(&p->lock);

	pthread_cond_broadcast(&p->landed);
}

/* A READY piece, with a reference; NULL: it is on its way, or *run is to be
 * fetched if that is not empty. */
static struct piece *
look_up(struct pieces *p, uint64_t object, uint64_t number, unsigned n,
	struct pieces_run *run)
{
	auto_lock(&p->lock);
	struct piece *x = pieces_find(p, object, number);

	run->n = 0;
	if (!x) {
		pieces_claim(p, object, number, n, run);
		return NULL;
	}
	if (x->state != READY)
		return NULL;
	pieces_order_remove(p, x);
	pieces_order_add(p, x);
	p->hits++;
	x->ahead = false;
	x->refs++;
	return x;
}

static int
wait_for(struct pieces *p, uint64_t object, uint64_t number, const char *name,
	struct err *e)
{
	struct cancel *c = cancel_current();
	struct waiter w = { .waker = { .wake = wake }, .p = p };
	bool watched = c && cancel_watch(c, &w.waker);
	struct piece *x;

	pthread_mutex_lock(&p->lock);
	p->joined++;
	while (!cancel_raised(c) && (x = pieces_find(p, object, number)) &&
		x->state == FLYING)
		pthread_cond_wait(&p->landed, &p->lock);
	pthread_mutex_unlock(&p->lock);
	if (watched)
		cancel_unwatch(c, &w.waker);
	return cancel_raised(c)
		       ? err_set(e, EINTR, "%s: reading was interrupted", name)
		       : 0;
}

/* Copy what is wanted of a piece. */
static void
copy(const struct piece *x, uint64_t off, size_t len, uint8_t *buf)
{
	uint64_t at = x->number * KEPT_PIECE;
	uint64_t from = off > at ? off : at;
	uint64_t to = off + len < at + x->len ? off + len : at + x->len;

	memcpy(buf + (from - off), x->data + (from - at), to - from);
}

/* Bring one piece, with as many of the n from it on as are not known. */
static int
bring(struct pieces *p, const struct pieces_object *o, uint64_t object,
	uint64_t number, unsigned n, struct piece **x, struct err *e)
{
	for (;;) {
		struct pieces_run run;
		int r;

		*x = look_up(p, object, number, n, &run);
		if (*x)
			return 0;
		if (run.n == 0) {
			r = wait_for(p, object, number, o->name, e);
			if (r < 0)
				return r;
			continue;
		}
		r = pieces_fetch(p, o, &run, false, e);
		if (run.piece[0]->data) {
			/* a reference of the reader's own, whatever is evicted
			 */
			pthread_mutex_lock(&p->lock);
			run.piece[0]->refs++;
			pthread_mutex_unlock(&p->lock);
			*x = run.piece[0];
			r = 0;
		}
		pieces_land(p, &run, false);
		if (*x || r < 0)
			return r;
	}
}

static int
read_local(struct pieces *p, const struct pieces_object *o, uint64_t off,
	size_t len, void *buf, struct err *e)
{
	return store_get(p->place->store, o->name, off, len, buf, NULL, e);
}

int
pieces_read(struct pieces *p, const struct pieces_object *o, uint64_t off,
	size_t len, void *buf, struct err *e)
{
	uint64_t object, number, last;
	int r = 0;

	if (len == 0)
		return 0;
	if (off > o->size || len > o->size - off)
		return err_set(e, EBADMSG, "%s ends before byte %llu", o->name,
			(unsigned long long)off + len);
	if (p->place->store->local_path)
		return read_local(p, o, off, len, buf, e);
	object = pieces_hash(o->key);
	last = (off + len - 1) / KEPT_PIECE;
	for (number = off / KEPT_PIECE; r == 0 && number <= last; number++) {
		uint64_t n = last - number + 1;
		struct piece *x = NULL;

		r = bring(p, o, object, number,
			n < PIECES_RUN_MAX ? (unsigned)n : PIECES_RUN_MAX, &x,
			e);
		if (r < 0)
			break;
		copy(x, off, len, buf);
		pthread_mutex_lock(&p->lock);
		pieces_put(x);
		pthread_mutex_unlock(&p->lock);
	}
	return r;
}

/* -- The rest ---------------------------------------------------------------
 */

void
pieces_forget(struct pieces *p, const struct pieces_object *o)
{
	uint64_t object = pieces_hash(o->key);

	if (p->kept)
		kept_forget(p->kept, o->key);
	auto_lock(&p->lock);
	for (unsigned i = 0; i < PIECES_BUCKETS; i++) {
		struct piece *x = p->buckets[i];

		while (x) {
			struct piece *next = x->chain;

			if (x->object == object && x->state == READY)
				pieces_drop(p, x);
			x = next;
		}
	}
}

void
pieces_stats(struct pieces *p, struct history_stats *s)
{
	auto_lock(&p->lock);

	s->memory_hits += p->hits;
	s->joined += p->joined;
	s->ahead_frames += p->ahead_pieces;
	s->ahead_unused += p->ahead_unused;
	s->ahead_bytes += p->ahead_pieces * KEPT_PIECE;
	s->memory_bytes += p->bytes;
}

struct pieces *
pieces_new(struct foreign_place *place, struct kept *kept, size_t memory)
{
	struct pieces *p = xcalloc(1, sizeof(*p));

	p->place = place;
	p->kept = kept;
	p->limit = memory > MEMORY_MIN ? memory : MEMORY_MIN;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->landed, NULL);
	pthread_cond_init(&p->work, NULL);
	return p;
}

void
pieces_free(struct pieces *p)
{
	if (!p)
		return;
	pieces_ahead_end(p);
	while (p->oldest)
		pieces_drop(p, p->oldest);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->landed);
	pthread_cond_destroy(&p->work);
	free(p);
}
