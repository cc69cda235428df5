/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/cancel.h"
#include "repo/fetch/table.h"
#include "repo/fetch/unsealer.h"

#define BUCKETS_AT_FIRST 32
#define NEVER UINT64_MAX

void
table_init(struct table *t, size_t limit)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
	pthread_mutex_init(&t->evicting, NULL);
	budget_init(&t->ahead, limit / 2);
	for (int i = 0; i < TABLE_SHARDS; i++) {
		struct shard *s = &t->shards[i];

		pthread_mutex_init(&s->lock, NULL);
		s->n_buckets = BUCKETS_AT_FIRST;
		s->buckets = xcalloc(s->n_buckets, sizeof(*s->buckets));
		for (int k = 0; k < TABLE_CLASSES; k++)
			s->order[k].since = NEVER;
	}
}

/* -- A shard; its lock is held ------------------------------------------- */

static uint64_t
hash_of(const struct frame_place *at)
{
	uint64_t h;

	memcpy(&h, at->pack, sizeof(h));
	h = (h ^ (at->off * 0x9e3779b97f4a7c15)) * 0xd6e8feb86659fd93;
	return h ^ (h >> 32);
}

static struct shard *
shard_of(struct table *t, uint64_t hash)
{
	return &t->shards[hash % TABLE_SHARDS];
}

static struct cell **
bucket_of(const struct shard *s, uint64_t hash)
{
	return &s->buckets[(hash / TABLE_SHARDS) & (s->n_buckets - 1)];
}

/* A reference with another length names another frame (which will turn out
 * not to exist). */
static bool
same_place(const struct frame_place *a, const struct frame_place *b)
{
	return a->off == b->off && a->len == b->len && a->object == b->object &&
	       memcmp(a->pack, b->pack, sizeof(a->pack)) == 0;
}

static struct cell *
find(const struct shard *s, uint64_t hash, const struct frame_place *at)
{
	struct cell *c = *bucket_of(s, hash);

	while (c && !same_place(&c->at, at))
		c = c->next;
	return c;
}

static void
grow(struct shard *s)
{
	auto_free struct cell **old = s->buckets;
	size_t n_old = s->n_buckets;

	s->n_buckets = n_old * 2;
	s->buckets = xcalloc(s->n_buckets, sizeof(*s->buckets));
	for (size_t i = 0; i < n_old; i++) {
		while (old[i]) {
			struct cell *c = old[i];
			struct cell **b = bucket_of(s, hash_of(&c->at));

			old[i] = c->next;
			c->next = *b;
			*b = c;
		}
	}
}

static struct cell *
insert(struct shard *s, uint64_t hash, const struct frame_place *at,
	enum cell_state state)
{
	struct cell *c = cell_new(at, state);

	if (++s->n_cells > s->n_buckets)
		grow(s);
	struct cell **b = bucket_of(s, hash);
	c->next = *b;
	*b = c;
	return c;
}

static enum table_class
class_of(const struct cell *c)
{
	if (c->at.object == OBJECT_DELTA)
		return c->frame.type == FRAME_DATA ? CLASS_CONTENT : CLASS_META;
	return c->at.object == OBJECT_META ? CLASS_META : CLASS_CONTENT;
}

static void
note_oldest(struct cell_order *o)
{
	atomic_store_explicit(&o->since, o->oldest ? o->oldest->used : NEVER,
		memory_order_relaxed);
}

static void
use_unlink(struct shard *s, struct cell *c)
{
	struct cell_order *o = &s->order[class_of(c)];

	*(c->newer ? &c->newer->older : &o->newest) = c->older;
	*(c->older ? &c->older->newer : &o->oldest) = c->newer;
	note_oldest(o);
}

static void
use_push(struct shard *s, struct cell *c, uint64_t tick)
{
	struct cell_order *o = &s->order[class_of(c)];

	c->used = tick;
	c->newer = NULL;
	c->older = o->newest;
	*(o->newest ? &o->newest->newer : &o->oldest) = c;
	o->newest = c;
	note_oldest(o);
}

/* Between two landings nothing is evicted, so the order need not be exact. */
static void
touch(struct table *t, struct shard *s, struct cell *c)
{
	uint64_t tick = atomic_load_explicit(&t->tick, memory_order_relaxed);

	if (c->used == tick)
		return;
	use_unlink(s, c);
	use_push(s, c, tick);
}

/* It leaves the budget of read-ahead. */
static void
unload(struct table *t, struct cell *c)
{
	if (!c->unread)
		return;
	c->unread = false;
	if (c->state == CELL_READY)
		budget_unload(&t->ahead, c->epoch, cell_weight(c));
	else
		budget_return(&t->ahead, c->at.len);
}

/* A reader has come for it. */
static void
wanted(struct table *t, struct shard *s, struct cell *c)
{
	if (c->unread && c->state == CELL_READY)
		s->ahead_read += c->at.len;
	unload(t, c);
}

/* Take the cell out of the table; the table's reference is the caller's. */
static struct cell *
unlist(struct table *t, struct shard *s, struct cell *c)
{
	struct cell **b = bucket_of(s, hash_of(&c->at));

	while (*b != c)
		b = &(*b)->next;
	*b = c->next;
	s->n_cells--;
	if (c->state == CELL_READY) {
		use_unlink(s, c);
		t->bytes[class_of(c)] -= cell_weight(c);
	}
	return c;
}

/* -- Eviction ------------------------------------------------------------ */

/* The oldest cell of a class in a shard that nobody holds.  Held ones are in
 * use, which makes them the newest. */
static struct cell *
oldest_idle(struct table *t, struct shard *s, enum table_class class)
{
	struct cell *first_held = NULL;

	for (;;) {
		struct cell *c = s->order[class].oldest;

		if (!c || c == first_held)
			return NULL;
		if (atomic_load_explicit(&c->refs, memory_order_acquire) == 1)
			return c;
		if (!first_held)
			first_held = c;
		use_unlink(s, c);
		use_push(s, c, t->tick);
	}
}

/* The shard with the oldest cell of a class, but for those tried. */
static int
shard_to_evict(struct table *t, enum table_class class, unsigned tried)
{
	uint64_t oldest = NEVER;
	int best = -1;

	for (int i = 0; i < TABLE_SHARDS; i++) {
		uint64_t since = atomic_load_explicit(
			&t->shards[i].order[class].since, memory_order_relaxed);

		if (since < oldest && !(tried >> i & 1)) {
			oldest = since;
			best = i;
		}
	}
	return best;
}

/* The oldest one of a shard; false: readers hold all that it has. */
static bool
evict_from(struct table *t, struct shard *s, enum table_class class)
{
	struct cell *c;

	pthread_mutex_lock(&s->lock);
	c = oldest_idle(t, s, class);
	if (c) {
		s->unused += c->unread;
		unlist(t, s, c);
		unload(t, c);
	}
	pthread_mutex_unlock(&s->lock);
	if (c)
		cell_put(c);
	return c != NULL;
}

static bool
evict_one(struct table *t, enum table_class class)
{
	unsigned tried = 0;
	int i;

	while ((i = shard_to_evict(t, class, tried)) >= 0) {
		if (evict_from(t, &t->shards[i], class))
			return true;
		tried |= 1u << i;
	}
	return false;
}

static size_t
bytes_held(const struct table *t)
{
	return t->bytes[CLASS_CONTENT] + t->bytes[CLASS_META];
}

static bool
evict_some(struct table *t)
{
	bool meta = t->bytes[CLASS_META] > TABLE_META_SHARE(t->limit);

	return evict_one(t, meta ? CLASS_META : CLASS_CONTENT) ||
	       evict_one(t, meta ? CLASS_CONTENT : CLASS_META);
}

/* Count a cell that is about to be READY, after room was made for it.  Only
 * frames that readers hold can exceed the limit. */
static void
make_room(struct table *t, const struct cell *c)
{
	auto_lock(&t->evicting);
	size_t weight = cell_weight(c);

	while (bytes_held(t) + weight > t->limit && evict_some(t))
		;
	t->bytes[class_of(c)] += weight;
}

void
table_release(struct table *t)
{
	for (int i = 0; i < TABLE_SHARDS; i++) {
		struct shard *s = &t->shards[i];

		for (int k = 0; k < TABLE_CLASSES; k++) {
			while (s->order[k].oldest)
				cell_put(unlist(t, s, s->order[k].oldest));
		}
		free(s->buckets);
		pthread_mutex_destroy(&s->lock);
	}
	pthread_mutex_destroy(&t->evicting);
	budget_release(&t->ahead);
}

/* -- Readers ------------------------------------------------------------- */

struct cell *
table_peek(struct table *t, const struct frame_place *at)
{
	uint64_t hash = hash_of(at);
	struct shard *s = shard_of(t, hash);
	auto_lock(&s->lock);
	struct cell *c = find(s, hash, at);

	if (!c || c->state != CELL_READY)
		return NULL;
	s->hits++;
	wanted(t, s, c);
	touch(t, s, c);
	return cell_get(c);
}

/* Wakes a reader that waits for another one's flight. */
struct landing_waker {
	struct cancel_waker waker;
	struct shard *shard;
	struct cell *cell;
};

static void
wake_waiting(struct cancel_waker *w)
{
	struct landing_waker *l = (struct landing_waker *)w;

	pthread_mutex_lock(&l->shard->lock);
	pthread_cond_broadcast(&l->cell->landed);
	pthread_mutex_unlock(&l->shard->lock);
}

/*
 * Wait, with the shard's lock (let go meanwhile), until the one who fetches the
 * cell is done.  -EINTR when the reader is cancelled first: the flight goes on
 * for the others.
 */
static int
wait_landed(struct shard *s, struct cell *c)
{
	struct landing_waker l = { .waker = { .wake = wake_waiting },
		.shard = s, .cell = c };
	struct cancel *cancel = cancel_current();
	bool watching;

	/* not with the lock held: the waker takes it */
	pthread_mutex_unlock(&s->lock);
	watching = !cancel || cancel_watch(cancel, &l.waker);
	pthread_mutex_lock(&s->lock);
	while (c->state == CELL_FLYING && !cancel_raised(cancel))
		pthread_cond_wait(&c->landed, &s->lock);
	if (cancel && watching) {
		pthread_mutex_unlock(&s->lock);
		cancel_unwatch(cancel, &l.waker);
		pthread_mutex_lock(&s->lock);
	}
	return c->state == CELL_FLYING ? -EINTR : 0;
}

/* A reader will fetch it himself.  The queue keeps an empty cell: were it the
 * reader's, the frame could not be evicted before the queue gets there. */
static void
take_over(struct table *t, struct shard *s, struct cell *c)
{
	wanted(t, s, c);
	unlist(t, s, c);
	c->state = CELL_FAILED;
	cell_put(c);
}

#define TRY_AGAIN 1

/* One attempt, with the shard's lock. */
static int
enter(struct table *t, struct shard *s, uint64_t hash,
	const struct frame_place *at, struct cell **cell, bool *own,
	struct err *e)
{
	struct cell *c = find(s, hash, at);

	*own = !c || c->state == CELL_QUEUED;
	if (*own) {
		if (c)
			take_over(t, s, c);
		*cell = insert(s, hash, at, CELL_FLYING);
		return 0;
	}
	wanted(t, s, c);
	*cell = cell_get(c);
	if (c->state == CELL_FLYING) {
		s->joined++;
		if (wait_landed(s, c) < 0)
			return err_set(e, EINTR, "interrupted");
	} else {
		s->hits++;
	}
	if (c->state == CELL_READY) {
		touch(t, s, c);
		return 0;
	}
	if (!c->error)
		return TRY_AGAIN;
	if (e)
		*e = *c->error;
	return -c->error->code;
}

int
table_enter(struct table *t, const struct frame_place *at, struct cell **cell,
	bool *own, struct err *e)
{
	uint64_t hash = hash_of(at);
	struct shard *s = shard_of(t, hash);
	int r;

	do {
		pthread_mutex_lock(&s->lock);
		r = enter(t, s, hash, at, cell, own, e);
		pthread_mutex_unlock(&s->lock);
		if (r != 0)
			cell_put(*cell);
	} while (r == TRY_AGAIN);
	return r;
}

/* -- Read-ahead ---------------------------------------------------------- */

enum table_queued
table_queue(struct table *t, const struct frame_place *at, struct cell **cell)
{
	uint64_t hash = hash_of(at);
	struct shard *s = shard_of(t, hash);
	auto_lock(&s->lock);

	if (find(s, hash, at))
		return TABLE_KNOWN;
	if (!budget_take(&t->ahead, at->len))
		return TABLE_FULL;
	*cell = insert(s, hash, at, CELL_QUEUED);
	(*cell)->ahead = (*cell)->unread = true;
	return TABLE_QUEUED;
}

bool
table_claim(struct table *t, struct cell *c)
{
	struct shard *s = shard_of(t, hash_of(&c->at));
	bool ours;

	pthread_mutex_lock(&s->lock);
	ours = c->state == CELL_QUEUED;
	if (ours)
		c->state = CELL_FLYING;
	pthread_mutex_unlock(&s->lock);
	if (!ours)
		cell_put(c);
	return ours;
}

void
table_forget(struct table *t, struct cell *c)
{
	if (table_claim(t, c))
		table_fail(t, c, NULL);
}

bool
table_drop(struct table *t, const struct frame_place *at)
{
	uint64_t hash = hash_of(at);
	struct shard *s = shard_of(t, hash);
	struct cell *c, *found;

	pthread_mutex_lock(&s->lock);
	c = found = find(s, hash, at);
	if (c && (c->state != CELL_READY || c->refs != 1))
		c = NULL;
	if (c) {
		s->unused += c->unread;
		unlist(t, s, c);
		unload(t, c);
	}
	pthread_mutex_unlock(&s->lock);
	if (c)
		cell_put(c);
	return found != NULL;
}

/* -- The end of a flight ------------------------------------------------- */

void
table_land(struct table *t, struct cell *c, struct opened *o)
{
	struct shard *s = shard_of(t, hash_of(&c->at));

	c->frame.len = o->len;
	c->frame.type = o->type;
	c->frame.flags = o->flags;
	c->frame.data = steal(o->plain);
	c->content = o->content;
	make_room(t, c);

	auto_lock(&s->lock);
	c->state = CELL_READY;
	use_push(s, c, ++t->tick);
	if (c->ahead)
		s->ahead_bytes += c->at.len;
	if (c->ahead && !c->unread)
		s->ahead_read += c->at.len;
	if (c->unread)
		c->epoch = budget_land(&t->ahead, c->at.len, cell_weight(c));
	pthread_cond_broadcast(&c->landed);
}

void
table_fail(struct table *t, struct cell *c, const struct err *e)
{
	struct shard *s = shard_of(t, hash_of(&c->at));

	pthread_mutex_lock(&s->lock);
	wanted(t, s, c);
	unlist(t, s, c);
	c->error = e ? xmemdup(e, sizeof(*e)) : NULL;
	c->state = CELL_FAILED;
	pthread_cond_broadcast(&c->landed);
	pthread_mutex_unlock(&s->lock);
	cell_put(c); /* the table's */
	cell_put(c);
}

void
table_stats(struct table *t, struct fetch_stats *st)
{
	st->memory_bytes = bytes_held(t);
	for (int i = 0; i < TABLE_SHARDS; i++) {
		struct shard *s = &t->shards[i];
		auto_lock(&s->lock);

		st->memory_hits += s->hits;
		st->joined += s->joined;
		st->ahead_unused += s->unused;
		st->ahead_bytes += s->ahead_bytes;
		st->ahead_unread_bytes += s->ahead_bytes - s->ahead_read;
	}
}
