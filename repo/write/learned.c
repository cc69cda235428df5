/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/learned.h"

#include <pthread.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

#define LEARNED_MAX (512u << 10)

struct pair {
	uint8_t theirs[CHUNK_ID_LEN]; /* zeros: an empty slot */
	uint8_t ours[CHUNK_ID_LEN];
};

struct learned {
	pthread_mutex_t lock; /* a leaf; guards all below */
	struct pair *pairs;
	size_t n, cap;
};

static const uint8_t none[CHUNK_ID_LEN];

struct learned *
learned_new(void)
{
	struct learned *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void
learned_free(struct learned *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l->pairs);
	free(l);
}

/* The slot of a name, or the empty one where it belongs. */
static struct pair *
slot(const struct learned *l, const uint8_t theirs[CHUNK_ID_LEN])
{
	size_t i;

	memcpy(&i, theirs, sizeof(i));
	for (;; i++) {
		struct pair *p = &l->pairs[i & (l->cap - 1)];

		if (!memcmp(p->theirs, none, CHUNK_ID_LEN) ||
			!memcmp(p->theirs, theirs, CHUNK_ID_LEN))
			return p;
	}
}

static void
grow(struct learned *l)
{
	auto_free struct pair *old = l->pairs;
	size_t n = l->cap;

	l->cap = n ? n * 2 : 4096;
	l->pairs = xcalloc(l->cap, sizeof(*l->pairs));
	for (size_t i = 0; i < n; i++) {
		if (memcmp(old[i].theirs, none, CHUNK_ID_LEN))
			*slot(l, old[i].theirs) = old[i];
	}
}

void
learned_add(struct learned *l, const uint8_t theirs[CHUNK_ID_LEN],
	const uint8_t ours[CHUNK_ID_LEN])
{
	struct pair *p;

	if (!l || !memcmp(theirs, none, CHUNK_ID_LEN))
		return;
	auto_lock(&l->lock);
	if (l->n == LEARNED_MAX)
		return;
	if ((l->n + 1) * 4 > l->cap * 3)
		grow(l);
	p = slot(l, theirs);
	l->n += !memcmp(p->theirs, none, CHUNK_ID_LEN);
	memcpy(p->theirs, theirs, CHUNK_ID_LEN);
	memcpy(p->ours, ours, CHUNK_ID_LEN);
}

bool
learned_find(struct learned *l, const uint8_t theirs[CHUNK_ID_LEN],
	uint8_t ours[CHUNK_ID_LEN])
{
	const struct pair *p;

	if (!l || !memcmp(theirs, none, CHUNK_ID_LEN))
		return false;
	auto_lock(&l->lock);
	if (!l->n)
		return false;
	p = slot(l, theirs);
	if (!memcmp(p->theirs, none, CHUNK_ID_LEN))
		return false;
	memcpy(ours, p->ours, CHUNK_ID_LEN);
	return true;
}
