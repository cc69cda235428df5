/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each source tells its runs in order; of all that have the next page the
 * newest is taken, up to where a newer one begins.  Sources are numbered from
 * the newest: first comes the new delta itself, if there is one.
 */
#include "repo/write/delta_merge.h"

#include <errno.h>
#include <string.h>
#include "repo/write/delta_index.h"

#define SOURCES_MAX (DELTA_CHAIN_MAX + 1)

struct source {
	struct delta *d; /* NULL: the new delta */
	uint32_t leaf;	 /* the next one to open */
	struct frame *frame;
	struct delta_places places;
	bool open; /* places is */
	struct delta_run run;
	bool any; /* run is the next one */
};

struct delta_merge {
	uint32_t pages; /* of the database */
	uint64_t n;	/* the new delta, if own is one */
	const struct delta_own *own;
	size_t next_own; /* page of own that comes next, */
	size_t frame;	 /* the frame it lies in, */
	size_t first;	 /* and the first page of that */
	uint32_t next_zero;
	struct source s[SOURCES_MAX];
	unsigned n_sources;
	bool begun;
};

/* -- The new delta's own ------------------------------------------------------- */

/* As many of own's pages as follow each other in number and in a frame. */
static void
own_pages(struct delta_merge *m, struct delta_run *run)
{
	const struct delta_own *own = m->own;
	const struct delta_frame *f = &own->frames[m->frame];
	size_t i = m->next_own;

	if (i == f->end) {
		m->first = i;
		f = &own->frames[++m->frame];
	}
	*run = (struct delta_run){ .first = own->pgno[i],
		.count = 1,
		.n = m->n,
		.off = f->off,
		.len = f->len,
		.slot = (uint32_t)(i - m->first) };
	while (++i < f->end &&
		own->pgno[i] == run->first + run->count)
		run->count++;
	m->next_own = i;
	if (run->first + run->count > m->next_zero)
		m->next_zero = run->first + run->count;
}

static bool
next_own(struct delta_merge *m, struct delta_run *run)
{
	const struct delta_own *own = m->own;
	uint64_t end = (uint64_t)m->pages + 1;
	bool pages = m->next_own < own->n;
	uint64_t next = pages ? own->pgno[m->next_own] : end;

	if (m->next_zero < next) {
		*run = (struct delta_run){ .first = m->next_zero,
			.count = (uint32_t)(next - m->next_zero),
			.zeros = true };
		m->next_zero = (uint32_t)next;
		return true;
	}
	if (!pages)
		return false;
	own_pages(m, run);
	return true;
}

/* -- A member's ------------------------------------------------------------------ */

/* 1: the next leaf is open; 0: there is none. */
static int
open_leaf(struct source *s, struct err *e)
{
	const struct delta_leaves *l = &s->d->record.places;
	struct frame_place at;
	int r;

	frame_put(steal(s->frame));
	s->open = false;
	if (s->leaf >= (l->whole ? 1 : l->n))
		return 0;
	if (l->whole) {
		r = delta_places_open(&s->places, s->d->record.n, l->whole,
			l->whole_len, e);
	} else {
		deltas_own_place(s->d, l->leaf[s->leaf].off,
			l->leaf[s->leaf].len, &at);
		r = fetch_frame(deltas_fetch(s->d->all), &at, &s->frame, e);
		if (!r && s->frame->type != FRAME_DELTA_PLACES)
			r = err_set(e, EUCLEAN,
				"no places where they should be");
		if (!r)
			r = delta_places_open(&s->places, s->d->record.n,
				s->frame->data, s->frame->len, e);
	}
	s->leaf++;
	s->open = !r;
	return r ? r : 1;
}

static int
next_of_member(struct source *s, struct err *e)
{
	int r;

	for (;;) {
		r = s->open ? delta_places_next(&s->places, &s->run, e) : 0;
		if (r)
			return r;
		r = open_leaf(s, e);
		if (r <= 0)
			return r;
	}
}

/* Step to the source's next run, cut at the end of the database. */
static int
advance(struct delta_merge *m, struct source *s, struct err *e)
{
	int r = s->d ? next_of_member(s, e) : next_own(m, &s->run);

	s->any = r == 1 && s->run.first <= m->pages;
	if (s->any && s->run.count > m->pages - s->run.first + 1)
		s->run.count = m->pages - s->run.first + 1;
	return r < 0 ? r : 0;
}

/* -- All of them ------------------------------------------------------------------ */

static void
cut_front(struct delta_run *run, uint32_t n)
{
	run->first += n;
	run->count -= n;
	run->slot += run->zeros ? 0 : n;
}

/* The newest source that has the lowest page, and up to where. */
static struct source *
choose(struct delta_merge *m, uint64_t *end)
{
	struct source *best = NULL;

	for (unsigned i = 0; i < m->n_sources; i++) {
		if (m->s[i].any &&
			(!best || m->s[i].run.first < best->run.first))
			best = &m->s[i];
	}
	if (!best)
		return NULL;
	*end = (uint64_t)best->run.first + best->run.count;
	for (struct source *s = m->s; s < best; s++) {
		if (s->any && s->run.first < *end)
			*end = s->run.first;
	}
	return best;
}

/* Everybody's runs begin behind `end` now. */
static int
pass(struct delta_merge *m, uint64_t end, struct err *e)
{
	for (unsigned i = 0; i < m->n_sources; i++) {
		struct source *s = &m->s[i];
		int r = 0;

		while (!r && s->any &&
			(uint64_t)s->run.first + s->run.count <= end)
			r = advance(m, s, e);
		if (r)
			return r;
		if (s->any && s->run.first < end)
			cut_front(&s->run, (uint32_t)(end - s->run.first));
	}
	return 0;
}

/* -- Outside ---------------------------------------------------------------------- */

struct delta_merge *
delta_merge_new(const struct delta_chain *c, uint64_t from, uint32_t pages)
{
	struct delta_merge *m = xcalloc(1, sizeof(*m));

	m->pages = pages;
	for (unsigned i = 0; i < c->n; i++) {
		if (c->d[i]->record.n > from)
			m->s[m->n_sources++].d = c->d[i];
	}
	return m;
}

void
delta_merge_own(struct delta_merge *m, uint64_t n, const struct delta_own *own)
{
	memmove(m->s + 1, m->s, m->n_sources * sizeof(*m->s));
	m->s[0] = (struct source){ .d = NULL };
	m->n_sources++;
	m->n = n;
	m->own = own;
	m->next_zero = own->zeros_from;
}

void
delta_merge_free(struct delta_merge *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->n_sources; i++)
		frame_put(m->s[i].frame);
	free(m);
}

static int
begin(struct delta_merge *m, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < m->n_sources && !r; i++)
		r = advance(m, &m->s[i], e);
	m->begun = true;
	return r;
}

int
delta_merge_next(struct delta_merge *m, struct delta_run *run,
	const struct delta **d, struct err *e)
{
	struct source *s;
	uint64_t end;
	int r = m->begun ? 0 : begin(m, e);

	if (r)
		return r;
	s = choose(m, &end);
	if (!s)
		return 0;
	*run = s->run;
	run->count = (uint32_t)(end - run->first);
	*d = s->d;
	r = pass(m, end, e);
	return r ? r : 1;
}
