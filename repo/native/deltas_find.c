/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for deltas by number or time.  The spans of a chain lie one behind
 * the other, so a number is in exactly one of them, and the times of that one
 * say where it lies, but for the last one, whose record has them.  For a time
 * the chain's own times say which span it is in.
 */
#include <errno.h>
#include <string.h>
#include "repo/native/deltas.h"

/* The member of newest's chain whose span has number n. */
static int
open_span(struct delta *newest, uint64_t n, struct delta **d, struct err *e)
{
	const struct delta_record *rec = &newest->record;
	const struct delta_member *m = NULL;

	for (unsigned i = 0; i < rec->n_chain && rec->chain[i].n >= n; i++)
		m = &rec->chain[i];
	if (!m) {
		*d = delta_get(newest);
		return 0;
	}
	return deltas_open(newest->all, &newest->base,
		newest->writers[m->writer], m->n, &m->tail, NULL, d, e);
}

/* A leaf of the times of d; what it borrows from is held in *frame. */
static int
open_leaf(struct delta *d, uint32_t i, struct frame **frame,
	struct delta_times *t, struct err *e)
{
	const struct delta_leaves *l = &d->record.times;
	struct frame_place at;
	int r;

	if (l->whole) {
		delta_times_open(t, delta_before(d->record.n) + 1, l->whole,
			l->whole_len);
		return 0;
	}
	deltas_own_place(d, l->leaf[i].off, l->leaf[i].len, &at);
	r = fetch_frame(deltas_fetch(d->all), &at, frame, e);
	if (r)
		return r;
	if ((*frame)->type != FRAME_DELTA_TIMES)
		return err_set(e, EUCLEAN, "no times where they should be");
	delta_times_open(t, l->leaf[i].first_n, (*frame)->data, (*frame)->len);
	return 0;
}

static uint32_t
n_leaves(const struct delta *d)
{
	return d->record.times.whole ? 1 : d->record.times.n;
}

/* The leaf to begin with: the last one that begins not behind number n and, for
 * the sake of time ns, not behind it either. */
static uint32_t
leaf_for(const struct delta *d, uint64_t n, int64_t ns)
{
	const struct delta_leaves *l = &d->record.times;
	uint32_t best = 0;

	for (uint32_t i = 1; !l->whole && i < l->n; i++) {
		if (l->leaf[i].first_n <= n ||
			(ns != INT64_MIN && l->leaf[i].first_ns < ns))
			best = i;
	}
	return best;
}

/* An entry of times must name one of their deltas and writers. */
static int
next_time(struct delta_times *t, const struct delta *d, struct delta_time *out,
	struct err *e)
{
	int r = delta_times_next(t, out, e);

	if (r == 1 && (out->n >= d->record.n ||
			      out->writer >= d->record.n_writers))
		return err_set(e, EUCLEAN, "times of deltas that are not");
	return r;
}

/* What times that have d would say of it; 0 is its own number as a writer. */
static struct delta_time
own_time(const struct delta *d)
{
	return (struct delta_time){ .n = d->record.n,
		.time_ns = d->record.time_ns,
		.pages = d->record.state.pages,
		.len = d->tail.len,
		.record_off = d->tail.record_off };
}

struct walk {
	uint64_t from;
	int64_t from_ns;
	deltas_each_fn *each;
	void *ctx;
};

/* 1: the caller had enough. */
static int
walk_leaf(const struct walk *w, struct delta *d, uint32_t leaf, struct err *e)
{
	auto_frame struct frame *frame = NULL;
	struct delta_times t;
	struct delta_time entry;
	int r = open_leaf(d, leaf, &frame, &t, e);

	if (r)
		return r;
	while ((r = next_time(&t, d, &entry, e)) == 1) {
		if (entry.n >= w->from && entry.time_ns >= w->from_ns &&
			!w->each(w->ctx, d, &entry))
			return 1;
	}
	return r;
}

static int
walk_span(const struct walk *w, struct delta *d, struct err *e)
{
	struct delta_time own = own_time(d);
	int r = 0;

	for (uint32_t i = leaf_for(d, w->from, w->from_ns);
		i < n_leaves(d) && own.n > w->from && r == 0; i++)
		r = walk_leaf(w, d, i, e);
	if (r == 0 && own.n >= w->from && own.time_ns >= w->from_ns)
		r = !w->each(w->ctx, d, &own);
	return r;
}

int
deltas_each(struct delta *newest, uint64_t from, int64_t from_ns,
	deltas_each_fn *each, void *ctx, struct err *e)
{
	const struct walk w = { .from = from, .from_ns = from_ns,
		.each = each, .ctx = ctx };
	const struct delta_record *rec = &newest->record;
	int r = 0;

	for (unsigned i = rec->n_chain + 1; i-- > 0 && r == 0;) {
		auto_delta struct delta *d = NULL;
		uint64_t n = i ? rec->chain[i - 1].n : rec->n;
		int64_t ns = i ? rec->chain[i - 1].time_ns : rec->time_ns;

		if (n < from || ns < from_ns)
			continue;
		r = open_span(newest, n, &d, e);
		if (!r)
			r = walk_span(&w, d, e);
	}
	return r < 0 ? r : 0;
}

/* -- By time ------------------------------------------------------------------- */

/* Newest entry of d's times not later than t_ns; 0 there is none. */
static int
at_in_span(struct delta *d, int64_t t_ns, uint64_t *n, struct err *e)
{
	auto_frame struct frame *frame = NULL;
	const struct delta_leaves *l = &d->record.times;
	struct delta_times t;
	struct delta_time entry;
	uint32_t leaf = 0;
	int r;

	*n = 0;
	for (uint32_t i = 1; !l->whole && i < l->n; i++) {
		if (l->leaf[i].first_ns <= t_ns)
			leaf = i;
	}
	r = open_leaf(d, leaf, &frame, &t, e);
	while (!r && (r = next_time(&t, d, &entry, e)) == 1) {
		if (entry.time_ns > t_ns)
			return 0;
		*n = entry.n;
		r = 0;
	}
	return r;
}

int
deltas_at(struct delta *newest, int64_t t_ns, uint64_t *n, struct err *e)
{
	const struct delta_record *rec = &newest->record;
	auto_delta struct delta *d = NULL;
	uint64_t span = rec->n; /* the first one that ends too late, */
	unsigned i = 0;
	int r;

	*n = rec->n;
	if (rec->time_ns <= t_ns)
		return 0;
	while (i < rec->n_chain && rec->chain[i].time_ns > t_ns)
		span = rec->chain[i++].n;
	r = open_span(newest, span, &d, e);
	if (!r)
		r = at_in_span(d, t_ns, n, e);
	if (!r && *n == 0) /* and the last of the one before */
		*n = i < rec->n_chain ? rec->chain[i].n : 0;
	return r;
}

/* -- By number ------------------------------------------------------------------ */

struct wanted {
	uint64_t n;
	struct delta_time *t;
	uint32_t writer; /* deltas' number */
	bool found;
};

static bool
take_wanted(void *ctx, const struct delta *of, const struct delta_time *t)
{
	struct wanted *w = ctx;

	if (t->n == w->n) {
		*w->t = *t;
		w->writer = of->writers[t->writer];
		w->found = true;
	}
	return false;
}

static int
find_number(struct delta *newest, struct wanted *w, struct err *e)
{
	auto_delta struct delta *d = NULL;
	const struct walk walk = { .from = w->n, .from_ns = INT64_MIN,
		.each = take_wanted, .ctx = w };
	int r;

	if (w->n == 0 || w->n > newest->record.n)
		return err_set(e, ENOENT, "there is no such delta");
	r = open_span(newest, w->n, &d, e);
	if (!r)
		r = walk_span(&walk, d, e);
	if (r >= 0 && !w->found)
		return err_set(e, EUCLEAN, "times lack a delta");
	return r < 0 ? r : 0;
}

int
deltas_time(struct delta *newest, uint64_t n, struct delta_time *t,
	struct err *e)
{
	struct wanted w = { .n = n, .t = t };

	return find_number(newest, &w, e);
}

int
deltas_number(struct delta *newest, uint64_t n, struct delta **d,
	struct err *e)
{
	struct delta_time t;
	struct wanted w = { .n = n, .t = &t };
	/* what it changed is what its reader wants first: page 1 */
	const struct delta_way way = { .pages = true };
	struct delta_tail tail;
	int r;

	if (n == newest->record.n) {
		*d = delta_get(newest);
		return 0;
	}
	r = find_number(newest, &w, e);
	if (r)
		return r;
	tail = (struct delta_tail){ .len = t.len,
		.record_off = t.record_off };
	return deltas_open(newest->all, &newest->base, w.writer, n, &tail, &way,
		d, e);
}
