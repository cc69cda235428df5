/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A handle counts its users; the table is one of them.  A place in the table
 * is found by comparing 64 hashes and evicted by least recent use.
 */
#include "repo/store/handles.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/store/beneath.h"

#define PLACES 64

struct counted {
	struct handle handle; /* first: a handle is its counted */
	atomic_uint users;
	uint64_t hash;
	uint64_t used; /* the table's clock at the last use */
	char name[];
};

struct handles {
	pthread_mutex_t lock;
	struct counted *places[PLACES]; /* NULL or a user of its own */
	uint64_t clock;
	/* immutable */
	int root;
};

struct handles *
handles_new(int root)
{
	struct handles *t = xcalloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	t->root = root;
	return t;
}

void
handles_free(struct handles *t)
{
	for (size_t i = 0; i < PLACES; i++)
		if (t->places[i])
			handle_put(&t->places[i]->handle);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* FNV-1a: names are random hex, so that nobody gains by collisions */
static uint64_t
hash_of(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3;
	return h;
}

static struct counted *
find(struct handles *t, const char *name, uint64_t hash)
{
	auto_lock(&t->lock);

	for (size_t i = 0; i < PLACES; i++) {
		struct counted *c = t->places[i];

		if (!c || c->hash != hash || strcmp(c->name, name) != 0)
			continue;
		c->used = ++t->clock;
		atomic_fetch_add(&c->users, 1);
		return c;
	}
	return NULL;
}

/* Put c where nothing or the least recently used one is; returns the latter. */
static struct counted *
insert(struct handles *t, struct counted *c)
{
	auto_lock(&t->lock);
	size_t best = 0;

	for (size_t i = 0; i < PLACES && t->places[best]; i++)
		if (!t->places[i] || t->places[i]->used < t->places[best]->used)
			best = i;
	struct counted *old = t->places[best];

	c->used = ++t->clock;
	t->places[best] = c;
	return old;
}

static struct counted *
counted_new(int fd, const char *name, uint64_t hash, unsigned users)
{
	struct counted *c = xcalloc(1, sizeof(*c) + strlen(name) + 1);

	c->handle.fd = fd;
	atomic_init(&c->handle.direct, HANDLE_UNTRIED);
	c->hash = hash;
	strcpy(c->name, name);
	atomic_init(&c->users, users);
	return c;
}

int
handle_get(
	struct handles *t, const char *name, struct handle **h, struct err *e)
{
	uint64_t hash = hash_of(name);
	struct counted *c = find(t, name, hash);

	if (!c) {
		int fd = beneath_open_file(t->root, name, O_RDONLY, e);

		if (fd < 0)
			return fd;
		c = counted_new(fd, name, hash, 2); /* the table, the caller */
		struct counted *old = insert(t, c);

		if (old)
			handle_put(&old->handle);
	}
	*h = &c->handle;
	return 0;
}

int
handle_open(
	struct handles *t, const char *name, struct handle **h, struct err *e)
{
	int fd = beneath_open_file(t->root, name, O_RDONLY, e);

	if (fd < 0)
		return fd;
	*h = &counted_new(fd, name, hash_of(name), 1)->handle;
	return 0;
}

int
handle_direct(struct handles *t, struct handle *h)
{
	int fd = h->direct, untried = HANDLE_UNTRIED;

	if (fd != HANDLE_UNTRIED)
		return fd < 0 ? -1 : fd;
	fd = beneath_open_file(t->root, ((struct counted *)h)->name,
		O_RDONLY | O_DIRECT, NULL);
	if (fd < 0)
		fd = HANDLE_NOT_DIRECT;
	if (atomic_compare_exchange_strong(&h->direct, &untried, fd))
		return fd < 0 ? -1 : fd;
	if (fd >= 0)
		close(fd);
	return untried < 0 ? -1 : untried;
}

void
handle_put(struct handle *h)
{
	if (atomic_fetch_sub(&((struct counted *)h)->users, 1) != 1)
		return;
	close(h->fd);
	if (h->direct >= 0)
		close(h->direct);
	free(h);
}
