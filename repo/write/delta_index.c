/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/delta_index.h"

#include <errno.h>
#include <string.h>
#include "repo/write/delta_merge.h"

#define INDEX_LEVEL 3

void
delta_index_init(struct delta_index *ix, struct delta_record *record,
	struct delta_object *object, const struct delta_chain *before,
	const uint8_t writer[WRITER_ID_LEN])
{
	*ix = (struct delta_index){ .record = record,
		.object = object,
		.before = before };
	buf_append(&ix->writers, writer, WRITER_ID_LEN);
}

void
delta_index_release(struct delta_index *ix)
{
	buf_release(&ix->writers);
	buf_release(&ix->times);
	buf_release(&ix->places);
	free(ix->number);
}

/* -- Writers ---------------------------------------------------------------- */

static uint32_t *
number_of(struct delta_index *ix, uint32_t writer)
{
	if (writer >= ix->n_number) {
		uint32_t n = writer + 16;

		ix->number = xrealloc(ix->number, n * sizeof(*ix->number));
		memset(ix->number + ix->n_number, 0,
			(n - ix->n_number) * sizeof(*ix->number));
		ix->n_number = n;
	}
	return &ix->number[writer];
}

int
delta_index_writer(struct delta_index *ix, const struct delta *d,
	uint32_t writer, uint32_t *number, struct err *e)
{
	uint32_t *known;

	if (writer >= d->record.n_writers)
		return err_set(e, EUCLEAN, "a delta of an unknown writer");
	known = number_of(ix, d->writers[writer]);
	if (!*known) {
		const uint8_t *id = delta_record_writer(&d->record, writer);
		size_t n = ix->writers.len / WRITER_ID_LEN;

		if (!memcmp(id, ix->writers.data, WRITER_ID_LEN))
			n = 0;
		else if (n == DELTA_WRITERS_MAX)
			return err_set(e, EOVERFLOW,
				"too many writers followed each other");
		else
			buf_append(&ix->writers, id, WRITER_ID_LEN);
		*known = (uint32_t)n + 1;
	}
	*number = *known - 1;
	return 0;
}

/* -- Leaves --------------------------------------------------------------------- */

static struct delta_leaf *
add_leaf(struct delta_leaves *l)
{
	if ((l->n & (l->n - 1)) == 0) /* a power of two: it is full */
		l->leaf = xrealloc(l->leaf,
			(l->n ? 2 * l->n : 1) * sizeof(*l->leaf));
	return memset(&l->leaf[l->n++], 0, sizeof(*l->leaf));
}

static int
put_leaf(struct delta_index *ix, enum frame_type type, const struct buf *plain,
	struct delta_leaf *leaf, struct err *e)
{
	leaf->off = ix->object->off;
	return delta_object_frame(
		ix->object, type, INDEX_LEVEL, plain, &leaf->len, e);
}

/* -- Times ------------------------------------------------------------------------ */

struct timing {
	struct delta_index *ix;
	struct delta_leaf first; /* of the leaf being filled */
	struct delta_time last;
	uint32_t n; /* entries in it */
	int r;
	struct err *e;
};

static int
flush_times(struct timing *t)
{
	struct delta_index *ix = t->ix;
	struct delta_leaf *leaf = add_leaf(&ix->record->times);
	int r;

	*leaf = t->first;
	r = put_leaf(ix, FRAME_DELTA_TIMES, &ix->times, leaf, t->e);
	ix->times.len = 0;
	t->n = 0;
	return r;
}

static bool
add_time(void *ctx, const struct delta *of, const struct delta_time *told)
{
	struct timing *t = ctx;
	struct delta_index *ix = t->ix;
	struct delta_time now = *told;

	if (told->n <= delta_before(ix->record->n))
		return true;
	t->r = delta_index_writer(ix, of, told->writer, &now.writer, t->e);
	if (!t->r && t->n == DELTA_TIMES_LEAF)
		t->r = flush_times(t);
	if (t->r)
		return false;
	if (t->n == 0)
		t->first = (struct delta_leaf){ .first_n = now.n,
			.first_ns = now.time_ns };
	delta_times_add(&ix->times, &now, t->n ? &t->last : NULL);
	t->last = now;
	t->n++;
	return true;
}

/* Those of the span but the new delta itself, whose record has them. */
static int
write_times(struct delta_index *ix, struct err *e)
{
	struct timing t = { .ix = ix, .e = e };
	struct delta_leaves *l = &ix->record->times;
	uint64_t from = delta_before(ix->record->n) + 1;
	int r = 0;

	if (from < ix->record->n)
		r = deltas_each(ix->before->d[0], from, INT64_MIN, add_time, &t,
			e);
	if (!r)
		r = t.r;
	if (!r && (l->n || t.n > DELTA_TIMES_INLINE))
		return flush_times(&t);
	l->whole_len = ix->times.len;
	l->whole = ix->times.len ? ix->times.data : (const uint8_t *)"";
	return r;
}

/* -- Places ----------------------------------------------------------------------- */

struct placing {
	struct delta_index *ix;
	struct delta_places_encoder leaf;
	uint32_t first; /* page of it */
	struct buf set;
	struct buf plain;
};

/* Those of a leaf go into the set. */
static int
add_to_set(struct placing *p, struct err *e)
{
	struct delta_places leaf;
	struct delta_run run;
	int r;

	if (!p->set.len)
		delta_set_begin(&p->set, p->ix->record->state.pages);
	r = delta_places_open(
		&leaf, p->ix->record->n, p->plain.data, p->plain.len, e);
	if (r)
		return r;
	delta_places_seek(&leaf, 1);
	while ((r = delta_places_next(&leaf, &run, e)) == 1)
		delta_set_add(&p->set, run.first, run.count);
	return r;
}

static int
flush_places(struct placing *p, struct err *e)
{
	struct delta_leaf *leaf = add_leaf(&p->ix->record->places);
	int r;

	leaf->first_page = p->first;
	p->plain.len = 0;
	delta_places_finish(&p->leaf, &p->plain);
	if (p->ix->record->places.n == 1)
		delta_object_keep(p->ix->object);
	r = put_leaf(p->ix, FRAME_DELTA_PLACES, &p->plain, leaf, e);
	return r ? r : add_to_set(p, e);
}

static int
add_run(struct placing *p, const struct delta_run *run, struct err *e)
{
	int r = 0;

	if (delta_places_len(&p->leaf) >= DELTA_PLACES_LEAF)
		r = flush_places(p, e);
	if (!p->leaf.any)
		p->first = run->first;
	delta_places_add(&p->leaf, run);
	return r;
}

static int
end_places(struct placing *p, struct err *e)
{
	struct delta_index *ix = p->ix;
	struct delta_leaves *l = &ix->record->places;
	uint32_t len;
	int r;

	if (l->n == 0) {
		delta_places_finish(&p->leaf, &ix->places);
		l->whole = ix->places.data;
		l->whole_len = ix->places.len;
		delta_object_keep(ix->object);
		return 0;
	}
	r = flush_places(p, e);
	if (!r)
		r = delta_object_frame(ix->object, FRAME_DELTA_SET, INDEX_LEVEL,
			&p->set, &len, e);
	return r;
}

/* The new delta's own, and those of the deltas before as far as its span goes. */
static int
add_runs(struct placing *p, const struct delta_own *own, struct err *e)
{
	struct delta_index *ix = p->ix;
	uint64_t n = ix->record->n;
	auto_delta_merge struct delta_merge *m = delta_merge_new(
		ix->before, delta_before(n), ix->record->state.pages);
	const struct delta *d;
	struct delta_run run;
	int r;

	delta_merge_own(m, n, own);
	while ((r = delta_merge_next(m, &run, &d, e)) == 1) {
		r = d && !run.zeros ? delta_index_writer(ix, d, run.writer,
					      &run.writer, e)
				    : 0;
		if (!r)
			r = add_run(p, &run, e);
		if (r)
			break;
	}
	return r;
}

static int
write_places(struct delta_index *ix, struct delta_own *own, struct err *e)
{
	struct placing p = { .ix = ix, .leaf = { .n = ix->record->n } };
	int r = add_runs(&p, own, e);

	if (!r)
		r = end_places(&p, e);
	delta_places_release(&p.leaf);
	buf_release(&p.set);
	buf_release(&p.plain);
	return r;
}

/* -- The chain ---------------------------------------------------------------------- */

/* Each span of the new chain belongs to delta n - 1 or is in its chain. */
static int
fill_chain(struct delta_index *ix, struct err *e)
{
	struct delta_record *rec = ix->record;
	uint64_t n = delta_before(rec->n);
	int r = 0;

	for (unsigned i = 0; i < ix->before->n && n && !r; i++) {
		struct delta *d = ix->before->d[i];
		struct delta_member *m = &rec->chain[rec->n_chain];

		if (d->record.n != n)
			continue;
		m->n = n;
		m->time_ns = d->record.time_ns;
		m->tail = d->tail;
		r = delta_index_writer(ix, d, 0, &m->writer, e);
		rec->n_chain++;
		n = delta_before(n);
	}
	if (!r && n)
		return err_set(e, EUCLEAN, "the chain of deltas has a gap");
	return r;
}

int
delta_index_write(struct delta_index *ix, struct delta_own *own, struct err *e)
{
	int r = write_times(ix, e);

	if (!r)
		r = write_places(ix, own, e);
	if (!r)
		r = fill_chain(ix, e);
	ix->record->writers = ix->writers.data;
	ix->record->n_writers = (uint32_t)(ix->writers.len / WRITER_ID_LEN);
	return r;
}
