/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the newest delta of a base, and opening it by its end: nothing is known
 * of it but its name and size. */
#include "repo/native/deltas.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* What is read before anything is known. */
#define TAIL_GUESS (64u << 10)

struct first {
	uint64_t n, size;
};

static bool
take_first(void *ctx, const char *name, uint64_t size)
{
	struct first *f = ctx;

	f->n = delta_name_n(name);
	f->size = size;
	return f->n == 0;
}

static int
is_there(struct deltas *ds, const struct delta_base *base, uint64_t n,
	uint64_t *size, struct err *e)
{
	struct delta_place place = delta_place_of(base, n);
	char name[OBJECT_NAME_MAX];

	delta_name(name, &place);
	return store_size(deltas_repository(ds)->store, name, size, e);
}

/* From one that was the newest on: in ever longer steps up to one that is not
 * there, then by bisection back to the last one that is.  What came since has
 * no gaps. */
static int
search_local(struct deltas *ds, const struct delta_base *base, uint64_t known,
	struct first *f, struct err *e)
{
	uint64_t lo = known, hi = 0, step = 1, size;

	while (!hi || hi - lo > 1) {
		uint64_t n = hi ? lo + (hi - lo) / 2 : lo + step;
		int r = n > DELTA_N_MAX ? -ENOENT
					: is_there(ds, base, n, &size, e);

		if (r && r != -ENOENT)
			return r;
		if (r)
			hi = n;
		else
			lo = n;
		step *= 2;
	}
	f->n = lo;
	return lo ? is_there(ds, base, lo, &f->size, e) : 0;
}

static int
search(struct deltas *ds, const struct delta_base *base, uint64_t known,
	struct first *f, struct err *e)
{
	struct delta_place place = delta_place_of(base, 0);
	char prefix[OBJECT_NAME_MAX];
	int r;

	*f = (struct first){ .n = 0 };
	/* a directory is read as a whole, so only once: a delta that is lost
	 * must not hide those behind it */
	if (known && deltas_repository(ds)->store->local_path)
		return search_local(ds, base, known, f, e);
	delta_prefix(prefix, &place);
	r = store_list_few(
		deltas_repository(ds)->store, prefix, take_first, f, e);
	if (!r && f->n && !f->size)
		r = is_there(ds, base, f->n, &f->size, e);
	return r;
}

/* The trailer in the last `got` bytes of an object; *rest is what lies before
 * it there. */
static int
read_trailer(const uint8_t *end, size_t got, uint64_t size,
	struct delta_trailer *t, struct delta_tail *tail, struct err *e)
{
	int r;

	if (got < DELTA_TRAILER_LEN || size < OBJECT_HEADER_LEN + got)
		return err_set(e, EBADMSG, "cut off");
	r = delta_trailer_decode(end + got - DELTA_TRAILER_LEN, t, e);
	if (r)
		return r;
	*tail = (struct delta_tail){ .len = size,
		.record_off = t->record.toc_off };
	if (tail->record_off < OBJECT_HEADER_LEN ||
		t->record.toc_len < FRAME_OVERHEAD ||
		tail->record_off > size - DELTA_TRAILER_LEN ||
		size - DELTA_TRAILER_LEN - tail->record_off !=
			t->record.toc_len)
		return err_set(e, EBADMSG, "its trailer does not fit it");
	return 0;
}

/* Open a delta of which name and size are known, by its end. */
static int
open_by_end(struct deltas *ds, const struct delta_base *base,
	const struct first *f, struct delta **d, struct err *e)
{
	uint64_t most = f->size > OBJECT_HEADER_LEN
				? f->size - OBJECT_HEADER_LEN
				: 0;
	size_t got = most < TAIL_GUESS ? (size_t)most : TAIL_GUESS;
	auto_free uint8_t *end = xmalloc(TAIL_GUESS);
	struct delta_place place = delta_place_of(base, f->n);
	char name[OBJECT_NAME_MAX];
	struct delta_way way = { .sealed = NULL };
	struct delta_trailer t;
	struct delta_tail tail;
	int r;

	delta_name(name, &place);
	const struct store_call call = { .cancel = cancel_current() };
	r = store_get_call(deltas_repository(ds)->store, name, f->size - got, got, end, NULL,
		&call, e);
	if (r)
		return r;
	r = read_trailer(end, got, f->size, &t, &tail, e);
	if (r) {
		store_forget(deltas_repository(ds)->store, name, f->size - got, got);
		return err_prefix(e, "%s", name);
	}
	if (memcmp(t.base, base->id, OBJECT_ID_LEN))
		return err_set(e, ESTALE, "%s: not of this snapshot", name);
	if (tail.record_off >= f->size - got)
		way.sealed = end + (tail.record_off - (f->size - got));
	return deltas_open(ds, base, deltas_writer(ds, t.writer), f->n, &tail,
		&way, d, e);
}

int
deltas_newest(struct deltas *ds, const struct delta_base *base, uint64_t known,
	struct delta **d, struct err *e)
{
	struct first f;
	int r = search(ds, base, known, &f, e);

	if (r)
		return r;
	if (f.n == 0)
		return err_set(e, ENOENT, "there are no deltas");
	return open_by_end(ds, base, &f, d, e);
}
