/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/deltas.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#define LIVE_BUCKETS 256
#define SMALL (48u << 10) /* a delta that is fetched whole */

struct deltas {
	struct repository *rp;
	struct fetch *fetch;

	pthread_mutex_t lock; /* a leaf */
	struct delta_base *homes;
	uint32_t n_homes;
	uint8_t (*writers)[WRITER_ID_LEN];
	uint32_t n_writers, cap_writers;
	uint32_t *by_id; /* open-addressed: number + 1; 2 * cap_writers */
	struct delta *live[LIVE_BUCKETS]; /* those that somebody holds */
};

/* -- Numbers; the lock is held --------------------------------------------- */

static uint32_t *
writer_slot(struct deltas *ds, const uint8_t id[WRITER_ID_LEN])
{
	uint32_t mask = 2 * ds->cap_writers - 1;
	uint32_t i = get_be32(id) & mask;

	while (ds->by_id[i] &&
		memcmp(ds->writers[ds->by_id[i] - 1], id, WRITER_ID_LEN))
		i = (i + 1) & mask;
	return &ds->by_id[i];
}

static void
grow_writers(struct deltas *ds)
{
	ds->cap_writers = ds->cap_writers ? 2 * ds->cap_writers : 16;
	ds->writers = xrealloc(
		ds->writers, ds->cap_writers * sizeof(*ds->writers));
	free(ds->by_id);
	ds->by_id = xcalloc(2 * (size_t)ds->cap_writers, sizeof(*ds->by_id));
	for (uint32_t i = 0; i < ds->n_writers; i++)
		*writer_slot(ds, ds->writers[i]) = i + 1;
}

static uint32_t
writer_number(struct deltas *ds, const uint8_t id[WRITER_ID_LEN])
{
	uint32_t *slot;

	if (ds->n_writers == ds->cap_writers)
		grow_writers(ds);
	slot = writer_slot(ds, id);
	if (!*slot) {
		memcpy(ds->writers[ds->n_writers], id, WRITER_ID_LEN);
		*slot = ++ds->n_writers;
	}
	return *slot - 1;
}

static uint32_t
home_number(struct deltas *ds, const struct delta_base *base)
{
	for (uint32_t i = ds->n_homes; i-- > 0;) {
		if (!memcmp(ds->homes[i].id, base->id, OBJECT_ID_LEN))
			return i;
	}
	ds->homes = xrealloc(
		ds->homes, (ds->n_homes + 1) * sizeof(*ds->homes));
	ds->homes[ds->n_homes] = *base;
	return ds->n_homes++;
}

/* -- Places ------------------------------------------------------------------ */

/* The numbers, and before them bytes that look like those of a random id: the
 * fetch takes its hashes from there. */
static void
set_place(struct frame_place *at, uint32_t home, uint32_t writer, uint64_t n,
	uint64_t off, uint32_t len)
{
	uint64_t mixed = (n + ((uint64_t)home << 24) +
				 ((uint64_t)writer << 40)) *
			 0x9e3779b97f4a7c15;

	*at = (struct frame_place){ .object = OBJECT_DELTA, .off = off,
		.len = len };
	put_be32(at->pack, (uint32_t)(mixed >> 32));
	put_be32(at->pack + 4, (uint32_t)n);
	put_be32(at->pack + 8, home);
	put_be32(at->pack + 12, writer);
}

static void
name_place(void *ctx, const struct frame_place *at,
	char name[OBJECT_NAME_MAX], uint8_t id[OBJECT_ID_LEN])
{
	struct deltas *ds = ctx;
	uint8_t writer[WRITER_ID_LEN];
	struct delta_place place;
	struct delta_base base;

	pthread_mutex_lock(&ds->lock);
	base = ds->homes[get_be32(at->pack + 8)];
	memcpy(writer, ds->writers[get_be32(at->pack + 12)], WRITER_ID_LEN);
	pthread_mutex_unlock(&ds->lock);
	place = delta_place_of(&base, get_be32(at->pack + 4));
	delta_name(name, &place);
	delta_id(ds->rp->keys, writer, base.id, place.n, id);
}

void
deltas_own_place(const struct delta *d, uint64_t off, uint32_t len,
	struct frame_place *at)
{
	set_place(at, d->home, d->writer, d->record.n, off, len);
}

int
deltas_place(const struct delta *d, uint64_t n, uint32_t writer, uint64_t off,
	uint32_t len, struct frame_place *at, struct err *e)
{
	if (writer >= d->record.n_writers)
		return err_set(e, EUCLEAN, "a delta of an unknown writer");
	set_place(at, d->home, d->writers[writer], n, off, len);
	return 0;
}

int
deltas_check_slots(const struct frame *fr, uint32_t page_size, uint32_t slot,
	uint32_t first, uint32_t n, struct err *e)
{
	uint32_t slots = fr->len / (page_size + 4);
	const uint8_t *numbers = fr->data + (size_t)slots * page_size;

	if (fr->type != FRAME_DATA || fr->len % (page_size + 4) ||
		slot + n > slots)
		return err_set(e, EUCLEAN, "a delta's frame has other pages");
	for (uint32_t i = 0; i < n; i++) {
		if (get_be32(numbers + 4 * (size_t)(slot + i)) != first + i)
			return err_set(e, EUCLEAN,
				"a delta's frame lacks page %" PRIu32,
				first + i);
	}
	return 0;
}

uint32_t
deltas_writer(struct deltas *ds, const uint8_t id[WRITER_ID_LEN])
{
	auto_lock(&ds->lock);

	return writer_number(ds, id);
}

void
deltas_writer_id(struct deltas *ds, uint32_t writer, uint8_t id[WRITER_ID_LEN])
{
	auto_lock(&ds->lock);

	memcpy(id, ds->writers[writer], WRITER_ID_LEN);
}

struct deltas *
deltas_new(struct repository *rp, struct fetch *f)
{
	struct deltas *ds = xcalloc(1, sizeof(*ds));

	ds->rp = rp;
	ds->fetch = f;
	pthread_mutex_init(&ds->lock, NULL);
	fetch_set_namer(f, name_place, ds);
	return ds;
}

struct fetch *
deltas_fetch(struct deltas *ds)
{
	return ds->fetch;
}

struct repository *
deltas_repository(struct deltas *ds)
{
	return ds->rp;
}

void
deltas_free(struct deltas *ds)
{
	if (!ds)
		return;
	pthread_mutex_destroy(&ds->lock);
	free(ds->homes);
	free(ds->writers);
	free(ds->by_id);
	free(ds);
}

/* -- Deltas that are held ------------------------------------------------------ */

static struct delta **
bucket_of(struct deltas *ds, uint32_t home, uint64_t n)
{
	return &ds->live[(home * 31 + n) % LIVE_BUCKETS];
}

static bool
try_get(struct delta *d)
{
	int refs = d->refs;

	while (refs > 0) {
		if (atomic_compare_exchange_weak(&d->refs, &refs, refs + 1))
			return true;
	}
	return false;
}

/* With the lock held. */
static struct delta *
find_live(struct deltas *ds, uint32_t home, uint32_t writer, uint64_t n)
{
	struct delta *d = *bucket_of(ds, home, n);

	for (; d; d = d->next) {
		if (d->home == home && d->record.n == n &&
			d->writer == writer && try_get(d))
			return d;
	}
	return NULL;
}

static void
free_delta(struct delta *d)
{
	delta_record_release(&d->record);
	free((uint32_t *)(uintptr_t)d->writers);
	frame_put(d->frame);
	free(d);
}

struct delta *
delta_get(struct delta *d)
{
	d->refs++;
	return d;
}

void
delta_put(struct delta *d)
{
	struct delta **at;

	if (!d || --d->refs > 0)
		return;
	pthread_mutex_lock(&d->all->lock);
	at = bucket_of(d->all, d->home, d->record.n);
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	pthread_mutex_unlock(&d->all->lock);
	free_delta(d);
}

/* -- Opening ------------------------------------------------------------------ */

struct delta *
deltas_held(const struct delta *top, const struct delta_member *m)
{
	auto_lock(&top->all->lock);

	return find_live(top->all, top->home, top->writers[m->writer], m->n);
}

static uint32_t
record_len(const struct delta_tail *t)
{
	return (uint32_t)(t->len - t->record_off - DELTA_TRAILER_LEN);
}

/* d->home, writer, base are set. */
static int
decode(struct delta *d, uint64_t n, struct err *e)
{
	struct delta_place place = delta_place_of(&d->base, n);
	char name[OBJECT_NAME_MAX];
	int r = 0;

	if (d->frame->type != FRAME_DELTA)
		r = err_set(e, EUCLEAN, "no record where it should be");
	if (!r)
		r = delta_record_decode(d->frame->data, d->frame->len,
			&d->record, &d->tail, e);
	if (!r && d->record.n != n)
		r = err_set(e, EUCLEAN, "the delta says another number");
	if (!r)
		return 0;
	delta_name(name, &place);
	if (e)
		err_prefix(e, "%s", name);
	return r;
}

void
deltas_record_hash(const struct delta *d, uint8_t hash[HASH_LEN])
{
	sha256(d->frame->data, d->frame->len, hash);
}

/* Make it known, unless another thread was faster: then that one. */
static struct delta *
enter(struct deltas *ds, struct delta *d)
{
	uint32_t n = d->record.n_writers;
	uint32_t *writers = xcalloc(n, sizeof(*writers));
	struct delta *other, **at;

	d->writers = writers;
	pthread_mutex_lock(&ds->lock);
	other = find_live(ds, d->home, d->writer, d->record.n);
	for (uint32_t i = 0; i < n && !other; i++)
		writers[i] = writer_number(
			ds, delta_record_writer(&d->record, i));
	if (!other) {
		at = bucket_of(ds, d->home, d->record.n);
		d->next = *at;
		*at = d;
	}
	pthread_mutex_unlock(&ds->lock);
	if (!other)
		return d;
	free_delta(d);
	return other;
}

static int
open_delta(struct deltas *ds, const struct delta_base *base, uint32_t home,
	uint32_t writer, uint64_t n, const struct delta_tail *tail,
	const struct delta_way *way, struct delta **out, struct err *e)
{
	struct frame_place at;
	struct delta *d;
	size_t before = 0;
	int r;

	set_place(&at, home, writer, n, tail->record_off, record_len(tail));
	d = xcalloc(1, sizeof(*d));
	*d = (struct delta){ .all = ds, .base = *base, .home = home,
		.writer = writer, .tail = *tail, .refs = 1 };
	if (way && way->pages && at.off <= SMALL)
		before = at.off - OBJECT_HEADER_LEN;
	r = way && way->sealed
		    ? fetch_frame_from(ds->fetch, &at, way->sealed, &d->frame, e)
		    : fetch_frame_spine(
			      ds->fetch, &at, before, &d->frame, e);
	if (!r)
		r = decode(d, n, e);
	if (r)
		free_delta(d);
	else
		*out = enter(ds, d);
	return r;
}

int
deltas_open(struct deltas *ds, const struct delta_base *base, uint32_t writer,
	uint64_t n, const struct delta_tail *tail, const struct delta_way *way,
	struct delta **d, struct err *e)
{
	uint32_t home;

	pthread_mutex_lock(&ds->lock);
	home = home_number(ds, base);
	*d = find_live(ds, home, writer, n);
	pthread_mutex_unlock(&ds->lock);
	if (*d)
		return 0;
	return open_delta(ds, base, home, writer, n, tail, way, d, e);
}
