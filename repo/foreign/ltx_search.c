/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/ltx_search.h"

#include <errno.h>
#include <stdlib.h>
#include "repo/base/buf.h"

#define PROBES_MAX 64
#define GUESSES 12
#define WINDOW_MIN 1024u /* holds SURE entries and their neighbours */
#define SURE 4		 /* entries that fit each other are no coincidence */
#define NEAR 4096u	 /* pages after an anchor that are read from there on */

/* -- Entries in a window -----------------------------------------------------
 */

/* Whether b may follow a in the index of this file. */
static bool
follows(const struct ltx_search *s, const struct ltx_entry *a,
	const struct ltx_entry *b)
{
	return b->pgno > a->pgno && b->pgno <= s->pages &&
	       a->off <= s->at.off && a->len <= s->at.off - a->off &&
	       b->off == a->off + a->len;
}

/* Whether `p` is where an entry begins: SURE of them, or all up to the end of
 * the index, follow each other. */
static bool
fits(const struct ltx_search *s, const uint8_t *p, const uint8_t *end,
	bool is_end)
{
	struct ltx_entry a = { .pgno = 0 }, b;

	for (int i = 0; i < SURE; i++, a = b) {
		size_t n = ltx_entry_decode(p, end, &b);

		if (n == 0)
			return is_end && p == end && i > 1;
		if (i > 0 ? !follows(s, &a, &b)
			  : b.pgno > s->pages || b.off < LTX_HEADER_LEN)
			return false;
		p += n;
	}
	return true;
}

/* -- What is known -----------------------------------------------------------
 */

static void
learn(struct ltx_search *s, uint64_t pos, uint32_t pgno)
{
	auto_lock(&s->lock);

	for (unsigned i = 0; i < s->n_anchors; i++) {
		if (s->anchors[i].pos == pos)
			return;
	}
	s->anchors[s->next_anchor] = (struct ltx_anchor){ pos, pgno };
	s->next_anchor = (s->next_anchor + 1) % LTX_ANCHORS;
	if (s->n_anchors < LTX_ANCHORS)
		s->n_anchors++;
}

/* The nearest known places before and behind a page. */
static void
bounds(struct ltx_search *s, uint32_t pgno, struct ltx_anchor *lo,
	struct ltx_anchor *hi)
{
	*lo = (struct ltx_anchor){ s->at.off, 1 };
	*hi = (struct ltx_anchor){ s->at.off + s->at.len, s->pages + 1 };
	auto_lock(&s->lock);
	for (unsigned i = 0; i < s->n_anchors; i++) {
		const struct ltx_anchor *a = &s->anchors[i];

		if (a->pgno <= pgno && a->pos > lo->pos)
			*lo = *a;
		if (a->pgno > pgno && a->pos < hi->pos)
			*hi = *a;
	}
}

/* -- Searching ----------------------------------------------------------------
 *
 * First the place of the first page is found, between lo and hi; then entries
 * are read from there on.
 */

struct search {
	struct ltx_search *s;
	uint32_t first, last;
	/* Entries before lo.pos are of pages before lo.pgno, which is at most
	 * `first`; the one at hi.pos is of a page behind `first`. */
	struct ltx_anchor lo, hi;
	struct ltx_entry before; /* the one that ends at lo.pos; pgno 0: not
				  * known */
	bool found;		 /* what is wanted begins at lo.pos */
	struct ltx_entry *out;
	size_t max, n;
	uint8_t *window;
	size_t room;
};

static struct ltx_anchor
end_of(const struct ltx_search *s)
{
	return (struct ltx_anchor){ s->at.off + s->at.len, s->pages + 1 };
}

static int
contradicts(const struct search *q, struct err *e)
{
	return err_set(e, EUCLEAN,
		"its page index contradicts itself near page %u", q->first);
}

static int
read_window(struct search *q, uint64_t from, uint64_t to, struct err *e)
{
	size_t len = (size_t)(to - from);

	if (len > q->room) {
		q->window = xrealloc(q->window, len);
		q->room = len;
	}
	return q->s->read(q->s->ctx, from, len, q->window, e);
}

/* Where the first page is likely to be; in the middle, once guessing has
 * failed too often. */
static uint64_t
guess(const struct search *q, int probe)
{
	uint64_t len = q->hi.pos - q->lo.pos;
	double part = (double)(q->first - q->lo.pgno) /
		      (double)(q->hi.pgno - q->lo.pgno);

	if (probe >= GUESSES)
		part = 0.5;
	return q->lo.pos + (uint64_t)(part * (double)(len - 1));
}

/* The window to read next: [*from, *to), inside [lo.pos, hi.pos). */
static void
choose_window(const struct search *q, int probe, uint64_t *from, uint64_t *to)
{
	uint64_t mask = ~(uint64_t)(q->s->window - 1);
	uint64_t pos = q->found || q->first - q->lo.pgno <= NEAR
			       ? q->lo.pos
			       : guess(q, probe);

	*from = pos & mask;
	*to = *from + q->s->window;
	if (*from < q->lo.pos)
		*from = q->lo.pos;
	if (*to < *from + WINDOW_MIN)
		*to = *from + WINDOW_MIN;
	if (*to > q->hi.pos)
		*to = q->hi.pos;
	if (*to < *from + WINDOW_MIN)
		*from = *to < q->lo.pos + WINDOW_MIN ? q->lo.pos
						     : *to - WINDOW_MIN;
}

/*
 * Where an entry begins in the window of len bytes; NULL: nowhere.  The first
 * place that fits may lie inside the number of a page, which then reads as a
 * smaller one while the rest is right; the entry behind it begins where it
 * seems to.
 */
static const uint8_t *
synchronise(const struct search *q, uint64_t from, size_t len, bool is_end)
{
	const uint8_t *p = q->window, *end = p + len;
	struct ltx_entry x;

	if (from == q->lo.pos)
		return p;
	for (; p < end && p < q->window + LTX_ENTRY_MAX; p++) {
		if (fits(q->s, p, end, is_end))
			return p + ltx_entry_decode(p, end, &x);
	}
	return NULL;
}

/* An entry that is `at` there, in order: true when it was the last one. */
static bool
take(struct search *q, uint64_t at, const struct ltx_entry *x)
{
	q->found |= x->pgno >= q->first;
	if (q->found && (x->pgno > q->last || q->n == q->max)) {
		learn(q->s, at, x->pgno);
		return true;
	}
	if (q->found)
		q->out[q->n++] = *x;
	return false;
}

static bool
in_order(const struct search *q, const struct ltx_entry *x)
{
	if (q->before.pgno)
		return follows(q->s, &q->before, x);
	return x->pgno >= q->lo.pgno && x->pgno <= q->s->pages;
}

/* What begins at the window's first entry, which is of a page behind the one
 * that is looked for. */
static void
look_before(struct search *q, uint64_t pos, uint32_t pgno)
{
	q->hi = (struct ltx_anchor){ pos, pgno };
	learn(q->s, pos, pgno);
}

/*
 * Go through the entries of the window [from, to): 1 when all is found, 0 when
 * there is more to read.
 */
static int
scan(struct search *q, uint64_t from, uint64_t to, struct err *e)
{
	bool is_end = to == q->hi.pos;
	const uint8_t *p = synchronise(q, from, (size_t)(to - from), is_end);
	const uint8_t *end = q->window + (to - from), *start = p;
	struct ltx_entry x;
	size_t n;

	if (!p)
		return contradicts(q, e);
	if (from > q->lo.pos)
		q->before.pgno = 0;
	for (; (n = ltx_entry_decode(p, end, &x)) > 0; p += n, q->before = x) {
		uint64_t pos = from + (uint64_t)(p - q->window);

		if (!in_order(q, &x))
			return contradicts(q, e);
		if (p == start && !q->found && pos > q->lo.pos &&
			x.pgno > q->first) {
			look_before(q, pos, x.pgno);
			return 0;
		}
		if (take(q, pos, &x))
			return 1;
	}
	if (p == start || (is_end && p < end))
		return contradicts(q, e);
	q->lo.pos = from + (uint64_t)(p - q->window);
	q->lo.pgno = q->before.pgno + 1;
	learn(q->s, q->lo.pos, q->lo.pgno);
	return 0;
}

/* Read until all is found, or the index ends. */
static int
search(struct search *q, struct err *e)
{
	for (int probe = 0;; probe += !q->found) {
		uint64_t from, to;
		int r;

		if (q->found || q->lo.pos == q->hi.pos) {
			q->found = true;
			q->hi = end_of(q->s);
		}
		if (q->lo.pos == q->hi.pos)
			return 0;
		if (probe == PROBES_MAX || q->lo.pos > q->hi.pos)
			return contradicts(q, e);
		choose_window(q, probe, &from, &to);
		r = read_window(q, from, to, e);
		if (r == 0)
			r = scan(q, from, to, e);
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

int
ltx_search_pages(struct ltx_search *s, uint32_t first, uint32_t last,
	struct ltx_entry *out, size_t max, size_t *n, struct err *e)
{
	struct search q = { .s = s,
		.first = first ? first : 1,
		.last = last < s->pages ? last : s->pages,
		.out = out,
		.max = max };
	int r = 0;

	if (q.first <= q.last && s->at.len > 0) {
		bounds(s, q.first, &q.lo, &q.hi);
		r = search(&q, e);
	}
	free(q.window);
	*n = r == 0 ? q.n : 0;
	return r;
}

void
ltx_search_init(struct ltx_search *s)
{
	pthread_mutex_init(&s->lock, NULL);
	s->n_anchors = s->next_anchor = 0;
}

void
ltx_search_release(struct ltx_search *s)
{
	pthread_mutex_destroy(&s->lock);
}
