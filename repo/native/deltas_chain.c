/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chain of a delta: the members that lack are fetched at the same time, each
 * with as much of its index as is worth it. */
#include "repo/native/deltas.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "repo/fetch/together.h"

/* An index up to here is fetched with its record. */
#define TAIL_WHOLE (2u << 20)

/* Ask for the end of a member in one request; what fails is asked for again. */
static void
fetch_tail(const struct delta *top, const struct delta_member *m)
{
	const struct delta_tail *t = &m->tail;
	bool whole = t->len - t->places_off <= TAIL_WHOLE;
	uint64_t from = whole ? t->places_off : t->set_off;
	uint32_t len = whole ? t->first_len
			     : (uint32_t)(t->record_off - t->set_off);
	struct frame_place at;

	if (from >= t->record_off ||
		deltas_place(top, m->n, m->writer, from, len, &at, NULL))
		return;
	fetch_stretch(deltas_fetch(top->all), &at,
		(size_t)(t->len - DELTA_TRAILER_LEN - from));
}

struct opening {
	struct delta *top;
	struct delta_chain *c;
	struct cancel *cancel; /* the caller's */
	struct err e[DELTA_CHAIN_MAX];
	int r[DELTA_CHAIN_MAX];
};

static void
open_member(void *ctx, size_t i)
{
	struct opening *o = ctx;
	struct delta *top = o->top;
	const struct delta_member *m = &top->record.chain[i];

	if (o->c->d[1 + i])
		return;
	cancel_set_current(o->cancel);
	fetch_tail(top, m);
	o->r[i] = deltas_open(top->all, &top->base, top->writers[m->writer],
		m->n, &m->tail, NULL, &o->c->d[1 + i], &o->e[i]);
}

/* Those of the chain that somebody holds; returns how many lack. */
static unsigned
take_held(const struct delta *top, struct delta_chain *c)
{
	unsigned lack = 0;

	for (unsigned i = 0; i < top->record.n_chain; i++) {
		c->d[1 + i] = deltas_held(top, &top->record.chain[i]);
		lack += !c->d[1 + i];
	}
	return lack;
}

static int
check_member(const struct delta *top, const struct delta *d, struct err *e)
{
	if (d->record.state.page_size == top->record.state.page_size)
		return 0;
	return err_set(e, EUCLEAN, "deltas of different page sizes");
}

int
deltas_chain(struct delta *top, struct delta_chain *c, struct err *e)
{
	struct opening *o = xcalloc(1, sizeof(*o));
	unsigned n = top->record.n_chain, lack;
	int r = 0;

	*c = (struct delta_chain){ .n = 1 + n };
	o->top = top;
	o->c = c;
	o->cancel = cancel_current();
	c->d[0] = delta_get(top);
	lack = take_held(top, c);
	together_run(n, lack > 1 && !deltas_repository(top->all)->store->local_path,
		open_member, o);
	for (unsigned i = 0; i < n && !r; i++) {
		r = o->r[i];
		if (r && e)
			*e = o->e[i];
		if (!r)
			r = check_member(top, c->d[1 + i], e);
	}
	free(o);
	if (r)
		delta_chain_release(c);
	return r;
}

void
delta_chain_release(struct delta_chain *c)
{
	for (unsigned i = 0; i < c->n; i++)
		delta_put(c->d[i]);
	c->n = 0;
}
