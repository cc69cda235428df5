/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All of a database, each frame once: of the base in the order of the file, of
 * deltas in the order in which they were written, one beside the other, since the
 * first want the line and the second its answers.  What lies in deltas is found
 * first, for as many pages as there is room to remember.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "repo/native/pour.h"

#define FOUND_MAX (256u << 10)
/* A frame of a delta, decoded, about. */
#define DELTA_WEIGHT (24u << 10)

/* Pages that follow each other in a frame of a delta. */
struct found {
	struct page_source s; /* of the first */
	uint32_t first, n;
};

struct pouring {
	struct pour pour; /* first */
	struct native_database *d;
	struct page_source s[DATABASE_LOOKUP_MAX];
	struct found *found;
	size_t n_found, cap_found, next;
	struct pour_piece *last; /* of the base, in the batch; or NULL */
};

/* -- Pages of deltas ------------------------------------------------------------ */

static int
by_place(const void *x, const void *y)
{
	const struct page_source *a = &((const struct found *)x)->s;
	const struct page_source *b = &((const struct found *)y)->s;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	if (a->off != b->off)
		return a->off < b->off ? -1 : 1;
	return (a->slot > b->slot) - (a->slot < b->slot);
}

static void
remember(struct pouring *p, const struct page_source *s, uint32_t first,
	uint32_t n)
{
	if (p->n_found == p->cap_found) {
		p->cap_found = p->cap_found ? 2 * p->cap_found : 1024;
		p->found = xrealloc(
			p->found, p->cap_found * sizeof(*p->found));
	}
	p->found[p->n_found++] =
		(struct found){ .s = *s, .first = first, .n = n };
}

/* How many of n pages of s, from i on, follow each other. */
static uint32_t
run_from(const struct page_source *s, uint32_t i, uint32_t n)
{
	uint32_t end = i + 1;

	while (end < n && native_database_follows(&s[end - 1], &s[end]))
		end++;
	return end - i;
}

static uint32_t
pages_at_once(const struct pouring *p, uint32_t page)
{
	uint32_t left = p->d->state.pages - page + 1;

	return left < DATABASE_LOOKUP_MAX ? left : DATABASE_LOOKUP_MAX;
}

/* What of the pages from `page` on lies in deltas; *page is where that ended. */
static int
find_in_deltas(struct pouring *p, uint32_t *page, struct err *e)
{
	int r = 0;

	p->n_found = p->next = 0;
	while (*page <= p->d->state.pages && p->n_found < FOUND_MAX && !r) {
		uint32_t n = pages_at_once(p, *page), len;

		r = native_database_find(p->d, *page, n, LOOK_UP, p->s, e);
		for (uint32_t i = 0; i < n && !r; i += len) {
			len = run_from(p->s, i, n);
			if (p->s[i].origin == PAGE_OF_DELTA)
				remember(p, &p->s[i], *page + i, len);
		}
		*page += n;
	}
	if (p->n_found)
		qsort(p->found, p->n_found, sizeof(*p->found), by_place);
	return r;
}

static bool
same_frame(const struct found *a, const struct found *b)
{
	return a->s.n == b->s.n && a->s.off == b->s.off;
}

/* The next frame that was found. */
static int
pour_delta(struct pouring *p, struct err *e)
{
	const struct found *f = &p->found[p->next];
	struct pour_piece *pc =
		pour_piece(&p->pour, PAGE_OF_DELTA, DELTA_WEIGHT);

	for (; p->next < p->n_found && same_frame(f, &p->found[p->next]);
		p->next++) {
		const struct found *x = &p->found[p->next];

		pour_run(pc, x->first, x->n, x->s.slot);
	}
	return native_database_place(p->d, &f->s, &pc->ref.place, e);
}

/* Those up to `until`, and the rest of the delta that the last one is in. */
static int
pour_deltas(struct pouring *p, size_t until, struct err *e)
{
	int r = 0;

	while (p->next < p->n_found && !r) {
		const struct found *f = &p->found[p->next];

		if (p->next >= until && (p->next == 0 || f->s.n != f[-1].s.n))
			break;
		r = pour_delta(p, e);
	}
	return r;
}

/* -- Pages of the base ------------------------------------------------------------ */

/* Pages from `first` on that lie in one extent, or in a hole. */
static int
pour_extent(struct pouring *p, const struct extent *x, uint32_t first,
	uint32_t n, struct err *e)
{
	uint64_t size = p->d->state.page_size, off = (first - 1) * size;
	struct pour_piece *pc = p->last;

	/* who cuts pages in two has to be read in order */
	if (x->off % size || (off + n * size > x->off + x->len))
		return err_set(e, EOPNOTSUPP, "chunks do not end with pages");
	if (!pc || pc->off != x->off) {
		pc = pour_piece(&p->pour, x->hole ? PAGE_ZEROS : PAGE_OF_BASE,
			x->hole ? 0 : x->len);
		pc->ref = x->ref;
		pc->off = x->off;
		p->last = pc;
	}
	pour_run(pc, first, n, 0);
	return 0;
}

/* As many of the n pages from `first` on as lie in one extent; *done is how
 * many. */
static int
pour_some(struct pouring *p, uint32_t first, uint32_t n, uint32_t *done,
	struct err *e)
{
	const struct native_database *d = p->d;
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct extent x = { .off = 0, .len = d->base->size,
		.ref = d->base->ref };
	uint64_t size = d->state.page_size, off = (first - 1) * size;
	struct map m;
	int r;

	if (native_database_map(d, &m)) {
		r = map_find_offset(&m, off, &at, e);
		if (r == -ENOENT)
			r = err_set(e, EUCLEAN, "the base is too short");
		if (r)
			return r;
		x = *map_at_extent(&at);
	}
	*done = (uint32_t)((x.off + x.len - off + size - 1) / size);
	if (*done > n)
		*done = n;
	return pour_extent(p, &x, first, *done, e);
}

static int
pour_base(struct pouring *p, uint32_t first, uint32_t n, struct err *e)
{
	uint32_t done;
	int r = 0;

	for (; n && !r; first += done, n -= done)
		r = pour_some(p, first, n, &done, e);
	return r;
}

/* All of the n pages from `first` on but those of deltas. */
static int
pour_batch(struct pouring *p, uint32_t first, uint32_t n, struct err *e)
{
	int r = native_database_find(p->d, first, n, LOOK_UP, p->s, e);
	uint32_t len;

	for (uint32_t i = 0; i < n && !r; i += len) {
		len = run_from(p->s, i, n);
		if (p->s[i].origin == PAGE_OF_BASE)
			r = pour_base(p, first + i, len, e);
		else if (p->s[i].origin == PAGE_ZEROS)
			pour_run(pour_piece(&p->pour, PAGE_ZEROS, 0), first + i,
				len, 0);
	}
	return r;
}

/* -- Both --------------------------------------------------------------------------- */

/* Pages [from, to): deltas keep step with the base. */
static int
pour_pages(struct pouring *p, uint32_t from, uint32_t to, struct err *e)
{
	int r = 0;

	for (uint32_t page = from; page < to && !r;) {
		uint32_t n = pages_at_once(p, page);

		r = pour_batch(p, page, n, e);
		page += n;
		if (!r)
			r = pour_deltas(p, (size_t)((uint64_t)p->n_found *
				(page - from) / (to - from)), e);
		if (!r)
			r = pour_push(&p->pour);
		p->last = NULL;
	}
	return r;
}

int
native_database_pour(struct database *db, struct view_sink *to, struct err *e)
{
	struct pouring *p = xcalloc(1, sizeof(*p));
	uint32_t page = 1;
	int r = 0;

	p->d = (struct native_database *)db;
	pour_begin(&p->pour, p->d, to);
	while (page <= p->d->state.pages && !r) {
		uint32_t from = page;

		r = find_in_deltas(p, &page, e);
		if (!r)
			r = pour_pages(p, from, page, e);
	}
	if (r && r != -EOPNOTSUPP)
		native_database_error(p->d, r, e);
	r = pour_end(&p->pour, r, e);
	free(p->found);
	free(p);
	return r;
}
