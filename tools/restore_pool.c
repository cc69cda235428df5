/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers take a few neighbouring jobs at a time, so that one of them mostly
 * meets a solid frame alone while the next is in the frame after it.  Whoever
 * restores a big file offers stretches of it to the others and does itself
 * what nobody takes; nobody waits for a stretch but its file.
 */
#include "tools/restore.h"

#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/thread.h"

#define QUEUE_MAX 512 /* jobs waiting: bounds memory and descriptors */
#define BATCH_MAX 16
#define BATCH_BYTES (256u << 10)
#define PIECES_MAX 64
#define THREADS_MAX PIECES_MAX

struct pool {
	struct restore *restore;
	void (*work)(struct restore *r, struct job *j);

	pthread_mutex_t lock;
	pthread_cond_t more; /* jobs, pieces, or closing */
	pthread_cond_t less; /* room in the queue */
	pthread_cond_t piece_done;
	struct job *queue[QUEUE_MAX];
	size_t head, n;
	struct piece pieces[PIECES_MAX];
	unsigned n_pieces;
	unsigned idle;
	bool closing;

	unsigned n_threads;
	pthread_t threads[THREADS_MAX];
};

/* -- Pieces
 * --------------------------------------------------------------------- */

/* Run one; the lock is held before and after, not meanwhile. */
static void
run_piece(struct pool *p)
{
	struct piece piece = p->pieces[--p->n_pieces];
	struct err e = ERR_INIT;

	pthread_mutex_unlock(&p->lock);
	big_file_piece(p->restore, &piece, &e);
	pthread_mutex_lock(&p->lock);
	if (e.code && !piece.big->code) {
		piece.big->code = e.code;
		piece.big->e = e;
	}
	piece.big->pending--;
	pthread_cond_broadcast(&p->piece_done);
}

bool
pool_offer(struct pool *p, const struct piece *piece)
{
	auto_lock(&p->lock);
	if (p->idle <= p->n_pieces || p->n_pieces == PIECES_MAX)
		return false;
	p->pieces[p->n_pieces++] = *piece;
	piece->big->pending++;
	pthread_cond_signal(&p->more);
	return true;
}

void
pool_wait_big(struct pool *p, struct big_file *big)
{
	auto_lock(&p->lock);
	while (big->pending)
		if (p->n_pieces)
			run_piece(p);
		else
			pthread_cond_wait(&p->piece_done, &p->lock);
}

/* -- Jobs
 * ------------------------------------------------------------------------- */

static size_t
take_batch(struct pool *p, struct job **batch)
{
	uint64_t bytes = 0;
	size_t n = 0;

	while (p->n && n < BATCH_MAX && bytes < BATCH_BYTES) {
		batch[n] = p->queue[p->head];
		bytes += batch[n++]->attr.size;
		p->head = (p->head + 1) % QUEUE_MAX;
		p->n--;
	}
	if (p->n <= QUEUE_MAX / 2)
		pthread_cond_signal(&p->less);
	return n;
}

static void
run_batch(struct pool *p, struct job **batch, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!restore_stopped(p->restore))
			p->work(p->restore, batch[i]);
		rdir_put(batch[i]->dir);
		free(batch[i]);
	}
}

static void *
worker(void *arg)
{
	struct pool *p = arg;
	struct job *batch[BATCH_MAX];
	size_t n;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		if (p->n_pieces) {
			run_piece(p);
		} else if (p->n) {
			n = take_batch(p, batch);
			pthread_mutex_unlock(&p->lock);
			run_batch(p, batch, n);
			pthread_mutex_lock(&p->lock);
		} else if (p->closing) {
			break;
		} else {
			p->idle++;
			pthread_cond_wait(&p->more, &p->lock);
			p->idle--;
		}
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static unsigned
choose_threads(unsigned wanted)
{
	unsigned n = thread_processors();

	if (wanted)
		return wanted > THREADS_MAX ? THREADS_MAX : wanted;
	return n < 2 ? 2 : n > 8 ? 8 : n;
}

struct pool *
pool_new(struct restore *r, unsigned threads,
	void (*work)(struct restore *r, struct job *j))
{
	struct pool *p = xcalloc(1, sizeof(*p));

	p->restore = r;
	p->work = work;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	pthread_cond_init(&p->less, NULL);
	pthread_cond_init(&p->piece_done, NULL);
	threads = choose_threads(threads);
	while (p->n_threads < threads &&
		pthread_create(&p->threads[p->n_threads], NULL, worker, p) == 0)
		p->n_threads++;
	return p;
}

void
pool_add(struct pool *p, struct job *j)
{
	struct job *batch[BATCH_MAX];
	size_t n = 0;

	pthread_mutex_lock(&p->lock);
	while (p->n == QUEUE_MAX && p->n_threads)
		pthread_cond_wait(&p->less, &p->lock);
	p->queue[(p->head + p->n++) % QUEUE_MAX] = j;
	if (p->idle)
		pthread_cond_signal(&p->more);
	if (p->n_threads == 0) /* none could be started: do it here */
		n = take_batch(p, batch);
	pthread_mutex_unlock(&p->lock);
	run_batch(p, batch, n);
}

void
pool_finish(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->piece_done);
	pthread_cond_destroy(&p->less);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
