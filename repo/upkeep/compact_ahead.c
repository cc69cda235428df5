/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of items, and slots for the frames that these lie in.  The caller
 * fills the ring when half of it has been used up, not sooner: so there are
 * many frames at once, of which those that lie near each other travel together,
 * in the order in which they are needed first.  A frame goes when the last item
 * in the ring that lies in it has been handed out; opened ones stay in fetch's
 * memory for a while, since chunks of one frame may be far from each other in
 * the walk.
 */
#include "repo/upkeep/compact_ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/format/object.h"

#define ITEMS 8192
#define SLOTS 512
#define AHEAD_LEN (24u << 20)
#define THREADS_LOCAL 3
#define THREADS_FAR 8
/* Frames that are so near each other come in one get, of at most so much. */
#define GAP_LOCAL (16u << 10)
#define GAP_FAR (128u << 10)
#define RUN_LOCAL (1u << 20)
#define RUN_FAR (4u << 20)

struct slot {
	struct compact_frame
		f; /* the thread's that reads it, until it is here */
	bool here; /* guarded by lock */

	/* The caller's; not changed while the slot is in the queue. */
	struct frame_place at;
	uint32_t pack; /* number in the stock */
	bool packed;
	uint64_t cost;
	uint64_t need;	     /* number of the first item that lies in it; of the
			      * first of a run: of all in the run */
	unsigned users;	     /* items in the ring; 0: free */
	struct slot *behind; /* that comes in the same get */
};

struct ahead_item {
	struct compact_item it;
	struct slot *slot;
};

struct compact_ahead {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Guarded by lock: the first slots of runs, a ring. */
	struct slot *queue[SLOTS];
	size_t q_first, q_n;
	bool stop;

	/* Immutable. */
	struct compact *c;
	uint32_t gap, run_max;

	/* The caller's. */
	pthread_t threads[THREADS_FAR];
	unsigned n_threads;
	struct slot slots[SLOTS];
	struct ahead_item ring[ITEMS];
	size_t first, n; /* in the ring; the first was handed out if out */
	bool out;
	struct slot *last;	   /* what the newest item lies in */
	size_t n_slots;		   /* in use */
	uint64_t cost;		   /* of all of them */
	uint64_t number;	   /* of the next item */
	struct compact_item spare; /* that found no room */
	bool has_spare, end;
};

/* -- The threads --------------------------------------------------- */

static void
open_slot(struct compact_ahead *a, struct slot *s, uint8_t *sealed)
{
	const struct compact_options *o = a->c->o;
	struct object_key key;

	if (!s->packed) {
		fetch_frame_from(
			o->fetch, &s->at, sealed, &s->f.frame, &s->f.why);
		return;
	}
	object_key_init(&key, o->rp->keys, s->at.object, s->at.pack);
	if (!frame_unseal_packed(&key, s->at.off, sealed, s->at.len,
		    &s->f.prefix, &s->f.why)) {
		s->f.sealed = xmalloc(s->at.len);
		memcpy(s->f.sealed, sealed, s->at.len);
	}
	secret_wipe(&key, sizeof(key));
}

static bool
is_open_already(struct compact_ahead *a, struct slot *s)
{
	if (!s->packed)
		s->f.frame = fetch_peek(a->c->o->fetch, &s->at);
	return s->f.frame;
}

/* One get, and what is in it. */
static void
read_run(struct compact_ahead *a, struct slot *first)
{
	uint64_t begin = first->at.off, end = begin;
	auto_free uint8_t *sealed = NULL;
	struct err why = ERR_INIT;
	char name[OBJECT_NAME_MAX];
	int r = 0;

	for (struct slot *s = first; s; s = s->behind) {
		if (!is_open_already(a, s))
			end = s->at.off + s->at.len;
	}
	object_pack_name(name, first->at.object, first->at.pack);
	if (end > begin) {
		sealed = xmalloc(end - begin);
		r = store_get(a->c->o->rp->store, name, begin, end - begin,
			sealed, NULL, &why);
	}
	for (struct slot *s = first; s; s = s->behind) {
		if (s->f.frame)
			continue;
		if (r)
			s->f.why = why;
		else
			open_slot(a, s, sealed + (s->at.off - begin));
	}
}

/* Lock is held. */
static struct slot *
next_run(struct compact_ahead *a)
{
	struct slot *s;

	while (!a->q_n && !a->stop)
		pthread_cond_wait(&a->changed, &a->lock);
	if (a->stop)
		return NULL;
	s = a->queue[a->q_first];
	a->q_first = (a->q_first + 1) % SLOTS;
	a->q_n--;
	return s;
}

static void *
reader_main(void *arg)
{
	struct compact_ahead *a = arg;
	struct slot *s;

	pthread_mutex_lock(&a->lock);
	while ((s = next_run(a))) {
		pthread_mutex_unlock(&a->lock);
		read_run(a, s);
		pthread_mutex_lock(&a->lock);
		for (struct slot *next; s; s = next) {
			next = s->behind; /* the caller may use it again */
			s->here = true;
		}
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* -- The caller: slots --------------------------------------------- */

static bool
lies_in(const struct slot *s, const struct compact_item *it)
{
	return s->users && s->pack == it->pack && s->at.off == it->frame_off;
}

static void
begin_slot(
	struct compact_ahead *a, struct slot *s, const struct compact_item *it)
{
	const struct stock_pack *p = &a->c->o->stock->packs[it->pack];

	*s = (struct slot){ .f = { .why = ERR_INIT },
		.at = { .off = it->frame_off,
			.len = it->frame_len,
			.object = p->object },
		.pack = it->pack,
		.packed = it->packed,
		.cost = it->packed ? it->frame_len : it->frame_plain,
		.need = a->number };
	memcpy(s->at.pack, p->id, OBJECT_ID_LEN);
	a->n_slots++;
	a->cost += s->cost;
}

static void
end_slot(struct compact_ahead *a, struct slot *s)
{
	a->n_slots--;
	a->cost -= s->cost;
	frame_put(s->f.frame);
	free(s->f.sealed);
	s->f = (struct compact_frame){ .why = ERR_INIT };
}

/* The slot of the item's frame, maybe a new one; NULL: no room. */
static struct slot *
slot_of(struct compact_ahead *a, const struct compact_item *it)
{
	struct slot *room = NULL;

	if (a->last && lies_in(a->last, it))
		return a->last;
	for (size_t i = 0; i < SLOTS; i++) {
		if (lies_in(&a->slots[i], it))
			return &a->slots[i];
		if (!a->slots[i].users)
			room = &a->slots[i];
	}
	if (!room || (a->n && a->cost >= AHEAD_LEN))
		return NULL;
	begin_slot(a, room, it);
	return room;
}

/* -- Runs ---------------------------------------------------------- */

static int
by_place(const void *x, const void *y)
{
	const struct slot *a = *(struct slot *const *)x;
	const struct slot *b = *(struct slot *const *)y;

	if (a->pack != b->pack)
		return a->pack < b->pack ? -1 : 1;
	return (a->at.off > b->at.off) - (a->at.off < b->at.off);
}

static int
by_need(const void *x, const void *y)
{
	const struct slot *a = *(struct slot *const *)x;
	const struct slot *b = *(struct slot *const *)y;

	return (a->need > b->need) - (a->need < b->need);
}

static bool
joins(const struct compact_ahead *a, const struct slot *first,
	const struct slot *last, const struct slot *s)
{
	uint64_t end = last->at.off + last->at.len;

	return s->pack == first->pack && s->at.off >= end &&
	       s->at.off - end <= a->gap &&
	       s->at.off + s->at.len - first->at.off <= a->run_max;
}

/* New slots become runs, whose first ones go into the queue. */
static void
queue_runs(struct compact_ahead *a, struct slot **fresh, size_t n)
{
	size_t n_runs = 0;
	struct slot *last = NULL;

	qsort(fresh, n, sizeof(*fresh), by_place);
	for (size_t i = 0; i < n; i++) {
		struct slot *s = fresh[i];

		if (n_runs && joins(a, fresh[n_runs - 1], last, s)) {
			last->behind = s;
			if (s->need < fresh[n_runs - 1]->need)
				fresh[n_runs - 1]->need = s->need;
		} else {
			fresh[n_runs++] = s;
		}
		last = s;
	}
	qsort(fresh, n_runs, sizeof(*fresh), by_need);
	auto_lock(&a->lock);
	for (size_t i = 0; i < n_runs; i++)
		a->queue[(a->q_first + a->q_n++) % SLOTS] = fresh[i];
	pthread_cond_broadcast(&a->changed);
}

/* -- The ring ------------------------------------------------------ */

/* The next item of the sorter, in spare. */
static int
pull(struct compact_ahead *a, struct err *e)
{
	const void *record;
	int got;

	if (a->has_spare)
		return 0;
	got = sorter_next(a->c->items, &record, e);
	if (got > 0)
		memcpy(&a->spare, record, sizeof(a->spare));
	a->has_spare = got > 0;
	a->end = got == 0;
	return got < 0 ? got : 0;
}

static int
fill(struct compact_ahead *a, struct err *e)
{
	struct slot *fresh[SLOTS];
	size_t n = 0;
	int r = 0;

	while (a->n < ITEMS && !(r = pull(a, e)) && a->has_spare) {
		struct slot *s = slot_of(a, &a->spare);

		if (!s)
			break;
		if (!s->users++)
			fresh[n++] = s;
		a->ring[(a->first + a->n++) % ITEMS] =
			(struct ahead_item){ a->spare, s };
		a->last = s;
		a->has_spare = false;
		a->number++;
	}
	if (n)
		queue_runs(a, fresh, n);
	return r;
}

/* What was handed out goes. */
static void
let_go(struct compact_ahead *a)
{
	struct slot *s = a->ring[a->first].slot;

	if (!a->out)
		return;
	a->out = false;
	a->first = (a->first + 1) % ITEMS;
	a->n--;
	if (!--s->users)
		end_slot(a, s);
}

static bool
is_half_used(const struct compact_ahead *a)
{
	return !a->end && a->n < ITEMS / 2 && a->n_slots < SLOTS / 2 &&
	       a->cost < AHEAD_LEN / 2;
}

int
compact_ahead_next(struct compact_ahead *a, const struct compact_item **it,
	const struct compact_frame **f, struct err *e)
{
	struct ahead_item *x;
	int r = 0;

	let_go(a);
	if (is_half_used(a))
		r = fill(a, e);
	if (r || !a->n)
		return r;
	x = &a->ring[a->first];
	pthread_mutex_lock(&a->lock);
	while (!x->slot->here)
		pthread_cond_wait(&a->changed, &a->lock);
	pthread_mutex_unlock(&a->lock);
	a->out = true;
	*it = &x->it;
	*f = &x->slot->f;
	return 1;
}

/* -- Beginning and end --------------------------------------------- */

int
compact_ahead_new(struct compact *c, struct compact_ahead **out, struct err *e)
{
	bool far = !c->o->rp->store->local_path;
	auto_compact_ahead struct compact_ahead *a = xcalloc(1, sizeof(*a));
	unsigned want = far ? THREADS_FAR : THREADS_LOCAL;

	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	a->c = c;
	a->gap = far ? GAP_FAR : GAP_LOCAL;
	a->run_max = far ? RUN_FAR : RUN_LOCAL;
	while (a->n_threads < want && !pthread_create(&a->threads[a->n_threads],
					      NULL, reader_main, a))
		a->n_threads++;
	if (!a->n_threads)
		return err_set(e, EAGAIN, "cannot start a thread");
	*out = steal(a);
	return sorter_read(c->items, e);
}

void
compact_ahead_free(struct compact_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->changed);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->n_threads; i++)
		pthread_join(a->threads[i], NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		if (a->slots[i].users)
			end_slot(a, &a->slots[i]);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	free(a);
}
