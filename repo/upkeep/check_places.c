/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of a delta says where the pages lie that changed in its span, its
 * times say when the deltas of the span were made.  Both are compared with what
 * the deltas themselves said: no entry too many, none missing.
 */
#include "repo/upkeep/check_deltas.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct index {
	struct check_base *b;
	struct delta *d;
	uint64_t listed;   /* pages of the span that the index has */
	const char *wrong; /* or NULL */
	bool complete;	   /* all deltas of the span are known */
};

/* -- Runs
 * ----------------------------------------------------------------------- */

/* A frame of a delta whose record cannot be read: nobody has said yet that it
 * is there. */
static void
look_at_frame(struct index *ix, const struct delta_run *run)
{
	struct check_base *b = ix->b;
	auto_frame struct frame *frame = NULL;
	struct frame_place at;
	struct err why = ERR_INIT;

	if (run->off + run->len > check_delta(b, run->n)->tail.len)
		check_delta_frame(b, run->n, run->off, run->len,
			"the delta ends before it");
	else if (b->proving &&
		 !deltas_place(ix->d, run->n, run->writer, run->off, run->len,
			 &at, NULL) &&
		 check_is_fault(fetch_frame(b->c->fetch, &at, &frame, &why)))
		check_delta_frame(b, run->n, run->off, run->len, why.text);
}

/* One page, as the index has it. */
static void
look_at_page(struct index *ix, const struct delta_run *run, uint32_t i)
{
	struct check_base *b = ix->b;
	uint64_t n = run->n, own = ix->d->record.n;
	uint32_t page = run->first + i;
	uint16_t slot = (uint16_t)(run->slot + i);
	const struct check_at *at = check_at(b, page);

	ix->listed++;
	if (run->zeros) {
		/* when they became zeros is not said */
		if (!(at->flags & CHECK_AT_ZEROS))
			check_points_move(b, page, own, 0, 0, CHECK_AT_ZEROS);
		return;
	}
	if (at->n == n && at->off == run->off && at->slot == slot &&
		!(at->flags & CHECK_AT_ZEROS))
		return;
	/* its own, unless they were read; those of one that cannot be read */
	if ((n == own && !(b->proving && at->n == n)) ||
		(check_delta(b, n)->state == DELTA_BAD && at->n < n))
		check_points_move(b, page, n, run->off, slot, 0);
	else
		ix->wrong = "its index has pages in other places";
}

static void
look_at_run(struct index *ix, const struct delta_run *run)
{
	const struct delta *d = ix->d;
	struct check_base *b = ix->b;

	if (!run->zeros &&
		(run->n <= delta_before(d->record.n) || run->n > d->record.n ||
			run->writer >= d->record.n_writers)) {
		ix->wrong = "its index leaves its span";
		return;
	}
	if (!run->zeros && check_delta(b, run->n)->state == DELTA_GOOD &&
		(d->writers[run->writer] != check_delta(b, run->n)->writer ||
			run->off + run->len >
				check_delta(b, run->n)->tail.places_off)) {
		ix->wrong = "its index leaves a delta";
		return;
	}
	if (!run->zeros && check_delta(b, run->n)->state == DELTA_BAD &&
		check_delta(b, run->n)->tail.len)
		look_at_frame(ix, run);
	for (uint32_t i = 0; i < run->count; i++) {
		if (run->first + i <= b->pages)
			look_at_page(ix, run, i);
	}
}

static int
look_at_leaf(struct index *ix, const uint8_t *data, size_t len, struct err *e)
{
	struct delta_places p;
	struct delta_run run;
	int r = delta_places_open(&p, ix->d->record.n, data, len, e);

	while (!r && (r = delta_places_next(&p, &run, e)) == 1) {
		look_at_run(ix, &run);
		r = 0;
	}
	return r;
}

/* -- Frames
 * ------------------------------------------------------------------------ */

static int
get(struct index *ix, uint64_t off, uint32_t len, uint8_t type,
	struct frame **frame, struct err *e)
{
	struct frame_place at;
	int r;

	deltas_own_place(ix->d, off, len, &at);
	r = fetch_frame(ix->b->c->fetch, &at, frame, e);
	if (r || (*frame)->type == type)
		return r;
	frame_put(steal(*frame));
	return err_set(e, EUCLEAN, "a frame of another type");
}

static int
look_at_places(struct index *ix, struct err *e)
{
	const struct delta_leaves *lv = &ix->d->record.places;
	const struct delta_tail *t = &ix->d->tail;
	auto_frame struct frame *set = NULL;
	int r = 0;

	if (lv->whole)
		return look_at_leaf(ix, lv->whole, lv->whole_len, e);
	r = get(ix, t->set_off, (uint32_t)(t->record_off - t->set_off),
		FRAME_DELTA_SET, &set, e);
	for (uint32_t i = 0; i < lv->n && !r; i++) {
		auto_frame struct frame *frame = NULL;

		r = get(ix, lv->leaf[i].off, lv->leaf[i].len,
			FRAME_DELTA_PLACES, &frame, e);
		if (!r)
			r = look_at_leaf(ix, frame->data, frame->len, e);
	}
	return r;
}

/* -- Times
 * ----------------------------------------------------------------------------
 */

static int
look_at_times(struct index *ix, uint64_t first, const uint8_t *data, size_t len,
	struct err *e)
{
	struct delta_times t;
	struct delta_time one;
	int r = 0;

	delta_times_open(&t, first, data, len);
	while (!r && (r = delta_times_next(&t, &one, e)) == 1) {
		const struct check_delta *cd;

		r = 0;
		if (one.n >= ix->d->record.n) {
			ix->wrong = "its times leave its span";
			return 0;
		}
		cd = check_delta(ix->b, one.n);
		if (cd->state == DELTA_GOOD &&
			(one.time_ns != cd->time_ns || one.pages != cd->pages ||
				one.len != cd->tail.len ||
				one.record_off != cd->tail.record_off))
			ix->wrong = "its times have another delta";
	}
	return r;
}

static int
look_at_all_times(struct index *ix, struct err *e)
{
	const struct delta_leaves *lv = &ix->d->record.times;
	uint64_t first = delta_before(ix->d->record.n) + 1;
	int r = 0;

	if (lv->whole)
		return look_at_times(ix, first, lv->whole, lv->whole_len, e);
	for (uint32_t i = 0; i < lv->n && !r; i++) {
		auto_frame struct frame *frame = NULL;

		r = get(ix, lv->leaf[i].off, lv->leaf[i].len, FRAME_DELTA_TIMES,
			&frame, e);
		if (!r)
			r = look_at_times(ix, lv->leaf[i].first_n, frame->data,
				frame->len, e);
	}
	return r;
}

/* -- Both
 * -----------------------------------------------------------------------------
 */

/* Pages that lie in the deltas of the span are as many as the index has. */
static void
count_pages(struct index *ix)
{
	uint64_t n = ix->d->record.n, there = 0;

	for (uint64_t i = delta_before(n) + 1; i <= n; i++) {
		if (check_delta(ix->b, i)->state != DELTA_GOOD)
			return;
		there += check_delta(ix->b, i)->count;
	}
	if (there != ix->listed && !ix->wrong)
		ix->wrong = "its index lacks pages that changed";
}

/* What cannot be read of it is a fault; else -errno. */
static int
lacks(struct index *ix, enum check_lacks what, int r, const struct err *why,
	struct err *e)
{
	if (check_is_fault(r)) {
		check_delta_fault(
			ix->b, ix->d->record.n, what, CHECK_DAMAGED, why->text);
		return 1;
	}
	if (r)
		*e = *why;
	return r;
}

int
check_places(struct check_base *b, struct delta *d, struct err *e)
{
	struct index ix = { .b = b, .d = d };
	struct err why = ERR_INIT;
	int r = look_at_all_times(&ix, &why);

	r = lacks(&ix, CHECK_TIMES, r, &why, e);
	if (r < 0)
		return r;
	r = look_at_places(&ix, &why);
	r = lacks(&ix, CHECK_INDEX, r, &why, e);
	if (!r)
		count_pages(&ix);
	if (r || !ix.wrong)
		return r;
	check_delta_fault(b, d->record.n, CHECK_INDEX, CHECK_DAMAGED, ix.wrong);
	return 1;
}
