/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/upkeep/thin_pages.h"

#include <errno.h>
#include <string.h>

static const struct database_state *
state_of(const struct thin_pages *p)
{
	return &p->chain->d[0]->record.state;
}

static struct fetch *
fetch_of(const struct thin_pages *p)
{
	return deltas_fetch(p->chain->d[0]->all);
}

static void
begin(struct thin_pages *p)
{
	delta_merge_free(p->merge);
	p->merge = delta_merge_new(p->chain, p->from, state_of(p)->pages);
}

void
thin_pages_release(struct thin_pages *p)
{
	delta_merge_free(p->merge);
	frame_put(p->frame);
	free(p->pgno);
	free(p->ahead);
	*p = (struct thin_pages){ .chain = NULL };
}

/* -- Which ------------------------------------------------------------------- */

static void
add(struct thin_pages *p, uint32_t pgno)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 256;
		p->pgno = xrealloc(p->pgno, p->cap * sizeof(*p->pgno));
	}
	p->pgno[p->n++] = pgno;
}

/* Zeros do not say since when.  Behind the former end a delta has them by
 * itself. */
static int
add_zeros(struct thin_pages *p, struct delta_writer *dw, uint32_t former,
	const struct delta_run *run, struct err *e)
{
	uint64_t end = (uint64_t)run->first + run->count;
	bool zeros;
	int r = 0;

	if (end > (uint64_t)former + 1)
		end = (uint64_t)former + 1;
	for (uint64_t pgno = run->first; pgno < end && !r; pgno++) {
		r = delta_writer_has_zeros(dw, (uint32_t)pgno, &zeros, e);
		if (!r && !zeros)
			add(p, (uint32_t)pgno);
	}
	return r;
}

int
thin_pages_find(struct thin_pages *p, struct delta_writer *dw, struct err *e)
{
	struct delta_writer_state before;
	const struct delta *d;
	struct delta_run run;
	int r;

	delta_writer_state(dw, &before);
	begin(p);
	while ((r = delta_merge_next(p->merge, &run, &d, e)) == 1) {
		if (run.zeros)
			r = add_zeros(p, dw, before.pages, &run, e);
		/* a member's span may begin long before */
		for (uint32_t i = 0; i < run.count && !run.zeros &&
				     run.n > p->from;
			i++)
			add(p, run.first + i);
		if (r < 0)
			break;
	}
	begin(p);
	return r;
}

/* -- What -------------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct frame_place *x = a, *y = b;
	int c = memcmp(x->pack, y->pack, OBJECT_ID_LEN);

	return c ? c : (x->off > y->off) - (x->off < y->off);
}

/* Those of one delta together: then it is one request. */
static void
ask(struct fetch *f, struct frame_place *at, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(at, n, sizeof(*at), compare);
	for (size_t i = 0; i < n; i++) {
		if (!kept || compare(&at[kept - 1], &at[i]))
			at[kept++] = at[i];
	}
	if (kept > 1)
		fetch_ahead(f, at, kept);
}

/* Pieces until there is room for no more, and their frames asked for. */
static int
look_ahead(struct thin_pages *p, struct err *e)
{
	auto_free struct frame_place *at =
		xcalloc(THIN_PAGES_AHEAD, sizeof(*at));
	const struct delta *d;
	size_t n = 0;
	int r = 1;

	if (!p->ahead)
		p->ahead = xcalloc(THIN_PAGES_AHEAD, sizeof(*p->ahead));
	p->next = p->n_ahead = 0;
	while (p->n_ahead < THIN_PAGES_AHEAD) {
		struct thin_piece *x = &p->ahead[p->n_ahead];

		r = delta_merge_next(p->merge, &x->run, &d, e);
		if (r != 1)
			break;
		if (!x->run.zeros && x->run.n <= p->from)
			continue;
		p->n_ahead++;
		if (x->run.zeros)
			continue;
		r = deltas_place(d, x->run.n, x->run.writer, x->run.off,
			x->run.len, &x->at, e);
		if (r)
			return r;
		at[n++] = x->at;
	}
	ask(fetch_of(p), at, n);
	return r < 0 ? r : 0;
}

static int
next_piece(struct thin_pages *p, struct err *e)
{
	int r = p->next == p->n_ahead ? look_ahead(p, e) : 0;

	if (r)
		return r;
	if (p->n_ahead == 0)
		return err_set(e, EUCLEAN, "the index of a delta changes");
	p->now = p->ahead[p->next++];
	frame_put(steal(p->frame));
	if (p->now.run.zeros)
		return 0;
	r = fetch_frame(fetch_of(p), &p->now.at, &p->frame, e);
	if (!r)
		r = deltas_check_slots(p->frame, state_of(p)->page_size,
			p->now.run.slot, p->now.run.first, p->now.run.count,
			e);
	return r == -ENOENT ? -EIO : r;
}

static bool
has(const struct delta_run *run, uint32_t pgno)
{
	return pgno >= run->first && pgno - run->first < run->count;
}

int
thin_pages_read(void *ctx, size_t i, void *page, struct err *e)
{
	struct thin_pages *p = ctx;
	uint32_t size = state_of(p)->page_size, pgno = p->pgno[i];
	int r = 0;

	while (!r && !has(&p->now.run, pgno))
		r = next_piece(p, e);
	if (r)
		return r;
	if (p->now.run.zeros)
		memset(page, 0, size);
	else
		memcpy(page,
			p->frame->data + (size_t)size * (p->now.run.slot +
							 pgno -
							 p->now.run.first),
			size);
	return 0;
}
