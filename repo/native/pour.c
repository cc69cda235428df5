/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces come in batches.  A batch is asked for as a whole, so that what lies
 * together travels together, and becomes the threads' when the next one is
 * asked for: whoever came earlier would take single frames out of it.
 */
#include "repo/native/pour.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/thread.h"
#include "repo/base/zeros.h"
#include "repo/crypto/id.h"

#define BATCH_PIECES 128
/* Batches of which there is room for as many. */
#define BATCHES 4
/* What read-ahead has room for, less a batch. */
#define PIECES_MAX 384

/* -- Queues ------------------------------------------------------------------ */

static void
queue_init(struct pour_queue *q)
{
	*q = (struct pour_queue){ .last = &q->first };
}

static void
queue_add(struct pour_queue *q, struct pour_piece *pc)
{
	*q->last = pc;
	q->last = &pc->next;
	q->n++;
	q->weight += pc->weight;
}

/* Everything in b goes behind what is in q. */
static void
queue_join(struct pour_queue *q, struct pour_queue *b)
{
	if (!b->n)
		return;
	*q->last = b->first;
	q->last = b->last;
	q->n += b->n;
	q->weight += b->weight;
	queue_init(b);
}

static struct pour_piece *
queue_take(struct pour_queue *q)
{
	struct pour_piece *pc = q->first;

	if (!pc)
		return NULL;
	q->first = pc->next;
	if (!q->first)
		q->last = &q->first;
	q->n--;
	q->weight -= pc->weight;
	return pc;
}

static void
piece_free(struct pour_piece *pc)
{
	free(pc->runs);
	free(pc);
}

/* -- A piece ------------------------------------------------------------------- */

/* Add the hashes of n pages from `first` on, which lie at data. */
static void
hash_pages(const struct pour *p, uint32_t first, uint32_t n,
	const uint8_t *data, size_t stride, uint8_t sum[PAGE_HASH_LEN])
{
	uint32_t size = p->d->state.page_size;
	uint8_t hash[PAGE_HASH_LEN];

	for (uint32_t i = 0; i < n; i++) {
		if (first + i == database_lock_page(size))
			continue;
		page_hash(p->d->keys, first + i, data + i * stride, size, hash);
		database_hash_add(sum, hash);
	}
}

/* The frame of a piece, and where its bytes are. */
static int
open_piece(const struct pour *p, const struct pour_piece *pc,
	struct frame **frame, const uint8_t **data, struct err *e)
{
	int r;

	if (pc->origin == PAGE_OF_BASE)
		return page_cache_chunk(p->d->pages, &pc->ref, FRAME_DATA,
			frame, data, e);
	r = fetch_frame(p->d->fetch, &pc->ref.place, frame, e);
	if (r == -ENOENT)
		r = -EIO; /* the point is there, part of it is not */
	if (!r)
		*data = (*frame)->data;
	return r;
}

/* Whether it has the pages that it should. */
static int
check_piece(const struct pour *p, const struct pour_piece *pc,
	const struct frame *frame, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < pc->n && pc->origin == PAGE_OF_DELTA && !r; i++)
		r = deltas_check_slots(frame, p->d->state.page_size,
			pc->runs[i].slot, pc->runs[i].first, pc->runs[i].n, e);
	return r;
}

static int
pour_one(struct pour *p, const struct pour_piece *pc,
	uint8_t sum[PAGE_HASH_LEN], struct err *e)
{
	auto_frame struct frame *frame = NULL;
	size_t size = p->d->state.page_size;
	const uint8_t *data = NULL;
	int r = pc->origin == PAGE_ZEROS
			? 0
			: open_piece(p, pc, &frame, &data, e);

	if (!r)
		r = check_piece(p, pc, frame, e);
	if (r)
		return native_database_error(p->d, r, e);
	for (size_t i = 0; i < pc->n && !r; i++) {
		const struct pour_run *run = &pc->runs[i];
		uint64_t off = (run->first - 1) * (uint64_t)size;
		const uint8_t *from = zeros;

		if (pc->origin == PAGE_OF_DELTA)
			from = data + run->slot * size;
		else if (pc->origin == PAGE_OF_BASE)
			from = data + (off - pc->off);
		if (data)
			r = p->to->put(p->to, off, from, run->n * size, e);
		if (!r)
			hash_pages(p, run->first, run->n, from,
				data ? size : 0, sum);
	}
	return r;
}

static uint64_t
pages_of(const struct pour_piece *pc)
{
	uint64_t n = 0;

	for (size_t i = 0; i < pc->n; i++)
		n += pc->runs[i].n;
	return n;
}

/* With the lock held, which is let go of meanwhile; what has failed needs
 * nothing more. */
static void
do_piece(struct pour *p, struct pour_piece *pc)
{
	uint8_t sum[PAGE_HASH_LEN] = { 0 };
	struct err e = ERR_INIT;
	int r = p->r;

	pthread_mutex_unlock(&p->lock);
	if (!r)
		r = pour_one(p, pc, sum, &e);
	pthread_mutex_lock(&p->lock);
	if (r && !p->r) {
		p->r = r;
		p->e = e;
	}
	database_hash_add(p->sum, sum);
	p->pages += pages_of(pc);
	p->n_out--;
	p->weight_out -= pc->weight;
	piece_free(pc);
	pthread_cond_broadcast(&p->moved);
}

static void *
work(void *ctx)
{
	struct pour *p = ctx;
	struct pour_piece *pc;

	cancel_set_current(p->cancel);
	auto_lock(&p->lock);
	for (;;) {
		pc = queue_take(&p->ready);
		if (pc)
			do_piece(p, pc);
		else if (p->over)
			return NULL;
		else
			pthread_cond_wait(&p->moved, &p->lock);
	}
}

/* -- The producer --------------------------------------------------------------- */

void
pour_begin(struct pour *p, struct native_database *d, struct view_sink *to)
{
	unsigned n = thread_processors();

	*p = (struct pour){ .d = d,
		.to = to,
		.cancel = cancel_current(),
		.window = fetch_window_max(d->fetch) };
	queue_init(&p->batch);
	queue_init(&p->asked);
	queue_init(&p->ready);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->moved, NULL);
	n = n < 2 ? 2 : n > POUR_THREADS_MAX ? POUR_THREADS_MAX : n;
	while (p->n_threads < n && !pthread_create(&p->threads[p->n_threads],
					   NULL, work, p))
		p->n_threads++;
}

struct pour_piece *
pour_piece(struct pour *p, enum page_origin origin, size_t weight)
{
	struct pour_piece *pc = xcalloc(1, sizeof(*pc));

	pc->origin = origin;
	pc->weight = weight;
	queue_add(&p->batch, pc);
	return pc;
}

void
pour_run(struct pour_piece *pc, uint32_t first, uint32_t n, uint32_t slot)
{
	if (pc->n == pc->cap) {
		pc->cap = pc->cap ? 2 * pc->cap : 4;
		pc->runs = xrealloc(pc->runs, pc->cap * sizeof(*pc->runs));
	}
	pc->runs[pc->n++] =
		(struct pour_run){ .first = first, .n = n, .slot = slot };
}

static void
ask_ahead(const struct pour *p, const struct pour_queue *q)
{
	auto_free struct frame_place *at = xcalloc(q->n, sizeof(*at));
	size_t n = 0;

	for (const struct pour_piece *pc = q->first; pc; pc = pc->next) {
		if (pc->origin != PAGE_ZEROS)
			at[n++] = pc->ref.place;
	}
	fetch_ahead(p->d->fetch, at, n);
}

/* With the lock held: what was asked for is for the threads, or, where there
 * are none, done. */
static void
release(struct pour *p)
{
	struct pour_piece *pc;

	queue_join(&p->ready, &p->asked);
	pthread_cond_broadcast(&p->moved);
	while (!p->n_threads && (pc = queue_take(&p->ready)))
		do_piece(p, pc);
}

static int
push(struct pour *p)
{
	struct pour_queue *q = &p->batch;
	bool alone = q->weight > p->window;

	pthread_mutex_lock(&p->lock);
	while (p->n_out && (alone || p->n_out + q->n > PIECES_MAX ||
				   p->weight_out + q->weight > p->window)) {
		if (p->asked.n)
			release(p);
		else
			pthread_cond_wait(&p->moved, &p->lock);
	}
	p->n_out += q->n;
	p->weight_out += q->weight;
	pthread_mutex_unlock(&p->lock);
	ask_ahead(p, q);
	auto_lock(&p->lock);
	release(p);
	queue_join(&p->asked, q);
	return p->r;
}

int
pour_push(struct pour *p)
{
	const struct pour_queue *q = &p->batch;

	return q->weight < p->window / BATCHES && q->n < BATCH_PIECES
		       ? 0
		       : push(p);
}

int
pour_end(struct pour *p, int r, struct err *e)
{
	struct pour_piece *pc;

	if (!r && p->batch.n)
		push(p);
	pthread_mutex_lock(&p->lock);
	if (r && !p->r) { /* the producer's own, which e tells already */
		p->r = r;
		p->e = e ? *e : p->e;
	}
	release(p);
	p->over = true;
	pthread_cond_broadcast(&p->moved);
	pthread_mutex_unlock(&p->lock);
	while (p->n_threads)
		pthread_join(p->threads[--p->n_threads], NULL);
	while ((pc = queue_take(&p->batch)))
		piece_free(pc);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->moved);
	if (p->r && e)
		*e = p->e;
	return p->r ? p->r
		    : native_database_compare(p->d, p->sum, p->pages, e);
}
