/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/pieces_private.h"

#include <stdlib.h>
#include "repo/base/buf.h"

static void
free_task(struct pieces_task *t)
{
	free(t->name);
	free(t->key);
}

/* The next task; false: it is over. */
static bool
take_task(struct pieces *p, struct pieces_task *t)
{
	auto_lock(&p->lock);

	while (p->queued == 0 && !p->ending)
		pthread_cond_wait(&p->work, &p->lock);
	if (p->ending)
		return false;
	*t = p->queue[p->queue_at];
	p->queue_at = (p->queue_at + 1) % PIECES_QUEUE_MAX;
	p->queued--;
	return true;
}

/* Every piece of the task that is not known. */
static void
do_task(struct pieces *p, const struct pieces_task *t)
{
	const struct pieces_object o = {
		.name = t->name, .size = t->size, .key = t->key
	};
	uint64_t object = pieces_hash(t->key);
	struct pieces_run run;

	for (unsigned i = 0; i < t->n; i += run.n ? run.n : 1) {
		pthread_mutex_lock(&p->lock);
		pieces_claim(p, object, t->first + i, t->n - i, &run);
		pthread_mutex_unlock(&p->lock);
		if (run.n > 0) {
			pieces_fetch(p, &o, &run, true, NULL);
			pieces_land(p, &run, true);
		}
	}
}

static void *
work(void *arg)
{
	struct pieces *p = arg;
	struct pieces_task t;

	cancel_set_current(&p->cancel);
	while (take_task(p, &t)) {
		do_task(p, &t);
		free_task(&t);
	}
	return NULL;
}

/* With the lock held. */
static void
start_threads(struct pieces *p)
{
	while (p->n_threads < PIECES_THREADS &&
		pthread_create(&p->threads[p->n_threads], NULL, work, p) == 0)
		p->n_threads++;
}

/* With the lock held: whether nothing of it need be fetched. */
static bool
all_known(struct pieces *p, uint64_t object, uint64_t first, unsigned n)
{
	while (n > 0 && pieces_find(p, object, first + n - 1))
		n--;
	return n == 0;
}

void
pieces_ahead(struct pieces *p, const struct pieces_object *o, uint64_t off,
	uint64_t len)
{
	uint64_t object, number, end;
	unsigned n;

	if (p->place->store->local_path || off >= o->size || len == 0)
		return;
	if (len > o->size - off)
		len = o->size - off;
	object = pieces_hash(o->key);
	end = (off + len + KEPT_PIECE - 1) / KEPT_PIECE;
	auto_lock(&p->lock);
	start_threads(p);
	for (number = off / KEPT_PIECE; number < end; number += n) {
		n = end - number < 16 ? (unsigned)(end - number) : 16;
		if (p->queued == PIECES_QUEUE_MAX)
			return;
		if (all_known(p, object, number, n))
			continue;
		p->queue[(p->queue_at + p->queued++) % PIECES_QUEUE_MAX] =
			(struct pieces_task){ xstrdup(o->name), xstrdup(o->key),
				o->size, number, n };
		pthread_cond_signal(&p->work);
	}
}

void
pieces_ahead_end(struct pieces *p)
{
	cancel_raise(&p->cancel);
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	while (p->n_threads > 0)
		pthread_join(p->threads[--p->n_threads], NULL);
	for (; p->queued > 0; p->queued--) {
		free_task(&p->queue[p->queue_at]);
		p->queue_at = (p->queue_at + 1) % PIECES_QUEUE_MAX;
	}
}
