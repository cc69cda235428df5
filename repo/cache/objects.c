/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/cache/objects.h"

#include <stdatomic.h>
#include <string.h>
#include "repo/cache/cache.h"

void
objects_init(struct objects *t, size_t n)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	t->n_places = n;
	t->places = xcalloc(n, sizeof(*t->places));
}

void
objects_release(struct objects *t)
{
	objects_clear(t);
	for (size_t i = 0; i < t->n_left; i++)
		ranges_release(&t->left[i].segments);
	free(t->places);
	pthread_mutex_destroy(&t->lock);
}

/* -- One object ---------------------------------------------------------- */

struct object *
object_new(const struct key *k, struct epoch ep, int fd)
{
	struct object *o = xcalloc(1, sizeof(*o));

	pthread_mutex_init(&o->lock, NULL);
	o->key = *k;
	o->taken = ep.taken;
	o->added = ep.added;
	o->fd = fd;
	atomic_init(&o->users, 1);
	return o;
}

void
object_put(struct object *o)
{
	if (!o || atomic_fetch_sub(&o->users, 1) != 1)
		return;
	auto_close_(&o->fd);
	ranges_release(&o->present);
	ranges_release(&o->touched);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

void
object_touch(struct object *o, uint64_t off, uint64_t len)
{
	uint64_t first = o->whole ? 0 : off / CACHE_SEGMENT;
	uint64_t last = o->whole ? 0 : (off + len - 1) / CACHE_SEGMENT;
	auto_lock(&o->lock);

	if (o->touched.n < RANGES_MAX)
		ranges_add(&o->touched, first, last + 1);
}

/* -- The table ----------------------------------------------------------- */

static bool
same_key(const struct key *a, const struct key *b)
{
	return memcmp(a->id, b->id, FILES_KEY_LEN) == 0 &&
	       memcmp(a->repository, b->repository, REPOSITORY_ID_LEN) == 0;
}

/* The place of an object, or NULL; with the lock held. */
static struct object **
place_of(struct objects *t, const struct key *k)
{
	for (size_t i = 0; i < t->n_places; i++)
		if (t->places[i] && same_key(&t->places[i]->key, k))
			return &t->places[i];
	return NULL;
}

struct object *
objects_find(struct objects *t, const struct key *k)
{
	auto_lock(&t->lock);
	struct object **place = place_of(t, k);

	if (!place)
		return NULL;
	(*place)->used = ++t->clock;
	atomic_fetch_add(&(*place)->users, 1);
	return *place;
}

/* Empty, or else the one used longest ago. */
static struct object **
worst_place(struct objects *t)
{
	size_t worst = 0;

	for (size_t i = 0; i < t->n_places && t->places[worst]; i++)
		if (!t->places[i] ||
			t->places[i]->used < t->places[worst]->used)
			worst = i;
	return &t->places[worst];
}

/* Move what an object has of touches; with the lock held. */
static size_t
take_touched(struct object *o, struct touch *out)
{
	auto_lock(&o->lock);

	if (!o->touched.n)
		return 0;
	*out = (struct touch){
		.key = o->key, .whole = o->whole, .segments = o->touched
	};
	o->touched = (struct ranges)RANGES_INIT;
	return 1;
}

static void
leave(struct objects *t, struct object *o)
{
	if (o && t->n_left < TOUCHES_MAX)
		t->n_left += take_touched(o, &t->left[t->n_left]);
	object_put(o);
}

void
objects_enter(struct objects *t, struct object *o)
{
	auto_lock(&t->lock);
	struct object **place = place_of(t, &o->key);

	if (!place)
		place = worst_place(t);
	leave(t, *place);
	atomic_fetch_add(&o->users, 1);
	o->used = ++t->clock;
	*place = o;
}

void
objects_clear(struct objects *t)
{
	auto_lock(&t->lock);

	for (size_t i = 0; i < t->n_places; i++) {
		leave(t, t->places[i]);
		t->places[i] = NULL;
	}
}

void
objects_added(struct objects *t, const struct key *k, struct epoch before,
	const struct ranges *set)
{
	auto_lock(&t->lock);
	struct object **place = place_of(t, k);

	if (!place || (*place)->taken != before.taken)
		return;
	if ((*place)->fd < 0) { /* there is a file by now */
		leave(t, *place);
		*place = NULL;
		return;
	}
	pthread_mutex_lock(&(*place)->lock);
	if ((*place)->added == before.added) {
		ranges_join(&(*place)->present, set);
		(*place)->added++;
	}
	pthread_mutex_unlock(&(*place)->lock);
}

void
objects_removed(
	struct objects *t, const struct key *k, uint64_t from, uint64_t to)
{
	auto_lock(&t->lock);
	struct object **place = place_of(t, k);

	if (!place)
		return;
	pthread_mutex_lock(&(*place)->lock);
	if ((*place)->whole)
		(*place)->present.n = 0;
	else
		ranges_remove(&(*place)->present, from, to);
	pthread_mutex_unlock(&(*place)->lock);
}

size_t
objects_touched(struct objects *t, struct touch *touches, size_t max)
{
	auto_lock(&t->lock);
	size_t n = 0;

	while (n < max && t->n_left > 0)
		touches[n++] = t->left[--t->n_left];
	for (size_t i = 0; i < t->n_places && n < max; i++)
		if (t->places[i])
			n += take_touched(t->places[i], &touches[n]);
	return n;
}
