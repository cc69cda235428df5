/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open-addressed table of 44-byte entries; ids are keyed hashes, so their
 * first bytes are the hash.  One lock: a look-up takes less than what is done
 * with its answer by orders of magnitude.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/write/known.h"

#define NOT_PLACED UINT32_MAX

struct cell {
	uint8_t id[CHUNK_KEY_LEN];
	uint32_t frame; /* index into frames; NOT_PLACED: only claimed */
	uint32_t chunk_off;
	uint32_t chunk_len;
	uint32_t job; /* of the claim, low bits; 0: cell is free */
};

struct place {
	uint64_t off;
	uint32_t len;
	uint32_t pack;
};

struct known {
	pthread_mutex_t lock;
	struct index *index;
	const struct avoid *avoid;
	struct cell *cells;
	size_t n, cap;
	struct place *frames;
	uint32_t n_frames, cap_frames;
	struct segment_pack *packs;
	uint32_t n_packs;
};

struct known *
known_new(struct index *index, const struct avoid *avoid)
{
	struct known *k = xcalloc(1, sizeof(*k));

	pthread_mutex_init(&k->lock, NULL);
	k->index = index;
	k->avoid = avoid;
	k->cap = 4096;
	k->cells = xcalloc(k->cap, sizeof(*k->cells));
	return k;
}

void
known_free(struct known *k)
{
	if (!k)
		return;
	pthread_mutex_destroy(&k->lock);
	free(k->cells);
	free(k->frames);
	free(k->packs);
	free(k);
}

static struct cell *
cell_of(const struct known *k, const uint8_t *id)
{
	size_t i = get_be64(id) & (k->cap - 1);

	while (k->cells[i].job && memcmp(k->cells[i].id, id, CHUNK_KEY_LEN))
		i = (i + 1) & (k->cap - 1);
	return &k->cells[i];
}

/* Grow by half when three quarters full would be kinder to memory than
 * doubling, but a power of two keeps the mask. */
static void
grow(struct known *k)
{
	struct cell *old = k->cells;
	size_t n = k->cap;

	k->cap *= 2;
	k->cells = xcalloc(k->cap, sizeof(*k->cells));
	for (size_t i = 0; i < n; i++) {
		if (old[i].job)
			*cell_of(k, old[i].id) = old[i];
	}
	free(old);
}

static struct cell *
insert(struct known *k, const uint8_t *id, uint32_t job)
{
	struct cell *c;

	if (k->n * 8 >= k->cap * 7)
		grow(k);
	c = cell_of(k, id);
	memcpy(c->id, id, CHUNK_KEY_LEN);
	c->job = job;
	c->frame = NOT_PLACED;
	k->n++;
	return c;
}

bool
known_has(struct known *k, const uint8_t id[CHUNK_ID_LEN], uint64_t job)
{
	struct ref r;
	const struct cell *c;
	bool claimed, before;

	pthread_mutex_lock(&k->lock);
	c = cell_of(k, id);
	claimed = c->job;
	before = c->frame != NOT_PLACED || c->job <= (uint32_t)job + 1;
	pthread_mutex_unlock(&k->lock);
	if (claimed)
		return before;
	memcpy(r.id, id, CHUNK_ID_LEN);
	return !avoid_find(k->avoid, k->index, &r, NULL);
}

/* With the lock held: what is claimed or placed in this run.  KNOWN_STORED:
 * neither. */
static enum known_answer
claim_cell(struct known *k, const uint8_t *id, uint32_t number)
{
	struct cell *c = cell_of(k, id);

	if (!c->job)
		return KNOWN_STORED;
	if (c->frame != NOT_PLACED || number >= c->job)
		return KNOWN_CLAIMED;
	c->job = number;
	return KNOWN_MINE;
}

enum known_answer
known_claim_again(struct known *k, const uint8_t id[CHUNK_ID_LEN], uint64_t job)
{
	uint32_t number = (uint32_t)job + 1;

	auto_lock(&k->lock);
	enum known_answer a = claim_cell(k, id, number);

	if (a != KNOWN_STORED)
		return a;
	insert(k, id, number);
	return KNOWN_MINE;
}

enum known_answer
known_claim(struct known *k, const uint8_t id[CHUNK_ID_LEN], uint64_t job)
{
	enum known_answer a;
	struct ref r;

	pthread_mutex_lock(&k->lock);
	a = claim_cell(k, id, (uint32_t)job + 1);
	pthread_mutex_unlock(&k->lock);
	if (a != KNOWN_STORED)
		return a;
	memcpy(r.id, id, CHUNK_ID_LEN);
	if (!avoid_find(k->avoid, k->index, &r, NULL))
		return KNOWN_STORED;
	return known_claim_again(k, id, job);
}

int
known_find_placed(struct known *k, struct ref *r)
{
	auto_lock(&k->lock);
	const struct cell *c = cell_of(k, r->id);
	const struct place *p;

	if (!c->job || c->frame == NOT_PLACED)
		return -ENOENT;
	p = &k->frames[c->frame];
	memcpy(r->place.pack, k->packs[p->pack].id, OBJECT_ID_LEN);
	r->place.object = k->packs[p->pack].object;
	r->place.off = p->off;
	r->place.len = p->len;
	r->chunk_off = c->chunk_off;
	r->chunk_len = c->chunk_len;
	return 0;
}

int
known_find(struct known *k, struct ref *r)
{
	return known_find_placed(k, r)
		       ? avoid_find(k->avoid, k->index, r, NULL)
		       : 0;
}

static uint32_t
pack_number(struct known *k, const struct frame_place *at)
{
	for (uint32_t i = k->n_packs; i-- > 0;) {
		if (!memcmp(k->packs[i].id, at->pack, OBJECT_ID_LEN))
			return i;
	}
	k->packs = xrealloc(k->packs, (k->n_packs + 1) * sizeof(*k->packs));
	memcpy(k->packs[k->n_packs].id, at->pack, OBJECT_ID_LEN);
	k->packs[k->n_packs].object = at->object;
	return k->n_packs++;
}

static uint32_t
frame_number(struct known *k, const struct frame_place *at)
{
	uint32_t pack = pack_number(k, at);
	struct place *last = k->n_frames ? &k->frames[k->n_frames - 1] : NULL;

	if (last && last->off == at->off && last->pack == pack)
		return k->n_frames - 1;
	if (k->n_frames == k->cap_frames) {
		k->cap_frames = k->cap_frames ? k->cap_frames * 2 : 256;
		k->frames = xrealloc(k->frames,
			k->cap_frames * sizeof(*k->frames));
	}
	k->frames[k->n_frames] = (struct place){ .off = at->off,
		.len = at->len,
		.pack = pack };
	return k->n_frames++;
}

bool
known_place(struct known *k, const struct ref *r)
{
	auto_lock(&k->lock);
	struct cell *c = cell_of(k, r->id);

	if (!c->job)
		c = insert(k, r->id, 1);
	if (c->frame != NOT_PLACED)
		return false;
	c->frame = frame_number(k, &r->place);
	c->chunk_off = r->chunk_off;
	c->chunk_len = r->chunk_len;
	return true;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct cell *)a)->id,
		((const struct cell *)b)->id, CHUNK_KEY_LEN);
}

/* Sorts the table itself: it is of no more use as a table afterwards. */
size_t
known_sorted(struct known *k, struct segment_entry **en,
	struct segment_pack **packs, uint32_t *n_packs)
{
	size_t n = 0;

	auto_lock(&k->lock);
	for (size_t i = 0; i < k->cap; i++) {
		if (k->cells[i].job && k->cells[i].frame != NOT_PLACED)
			k->cells[n++] = k->cells[i];
	}
	qsort(k->cells, n, sizeof(*k->cells), by_id);
	*en = xcalloc(n + 1, sizeof(**en));
	for (size_t i = 0; i < n; i++) {
		const struct cell *c = &k->cells[i];
		struct segment_entry *x = *en + i;

		memcpy(x->id, c->id, CHUNK_KEY_LEN);
		x->pack = k->frames[c->frame].pack;
		x->frame_off = k->frames[c->frame].off;
		x->frame_len = k->frames[c->frame].len;
		x->chunk_off = c->chunk_off;
		x->chunk_len = c->chunk_len;
	}
	*packs = steal(k->packs);
	*n_packs = k->n_packs;
	free(k->cells);
	k->cap = 4096;
	k->n = k->n_packs = k->n_frames = 0;
	k->cells = xcalloc(k->cap, sizeof(*k->cells));
	return n;
}
