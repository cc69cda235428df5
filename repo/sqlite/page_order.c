/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SQLite, "Database File Format", 1.6: an interior page of a table (5) or an
 * index (2) has a cell for each page that it leads to, which begins with the
 * number of that page (counted from 1), and in its head that of the last one.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/bytes.h"
#include "repo/base/sort.h"
#include "repo/sqlite/page_order.h"

#define INTERIOR_INDEX 2
#define INTERIOR_TABLE 5
#define HEAD_LEN 12u
/* SQLite has no deeper b-trees. */
#define DEPTH_MAX 20

/* Pages that follow each other. */
struct span {
	uint32_t first;
	uint32_t n;
};

struct interior_page {
	uint32_t page;
	uint32_t first_span;
	uint32_t n_spans;
};

struct run {
	uint32_t page;
	uint32_t position;
	uint32_t n;
};

struct page_order {
	uint32_t pages;
	uint32_t n_runs;
	struct run *runs;  /* by position */
	uint32_t *by_page; /* indexes of runs */
};

struct page_order_builder {
	uint32_t page_size;
	uint32_t pages;
	struct interior_page *interior; /* by page */
	size_t n_interior, cap_interior;
	struct span *spans;
	size_t n_spans, cap_spans;
	uint64_t *known; /* pages that are led to, or lead */
	uint64_t *taken; /* that have their positions */
	struct page_order *order;
	uint32_t cap_runs;
	uint32_t position; /* next */
	bool too_many;
};

/* -- Sets of pages ----------------------------------------------------------- */

static uint64_t *
no_pages(size_t pages)
{
	return xcalloc(pages / 64 + 1, sizeof(uint64_t));
}

static bool
has(const uint64_t *set, uint32_t page)
{
	return set[page / 64] >> page % 64 & 1;
}

/* The bits of one word from `page` on, n pages at most. */
static uint64_t
mask_of(uint32_t page, uint32_t n)
{
	uint64_t bits = n < 64 ? (1ull << n) - 1 : UINT64_MAX;

	return bits << page % 64;
}

static uint32_t
in_word(uint32_t page, uint32_t n)
{
	uint32_t left = 64 - page % 64;

	return n < left ? n : left;
}

static void
add(uint64_t *set, uint32_t page, uint32_t n)
{
	for (uint32_t k; n > 0; page += k, n -= k) {
		k = in_word(page, n);
		set[page / 64] |= mask_of(page, k);
	}
}

/* How many of n pages from this one on are in the set, or are not, until one
 * differs from it. */
static uint32_t
alike(const uint64_t *set, uint32_t page, uint32_t n)
{
	bool in = has(set, page);
	uint32_t same = 0;

	for (uint32_t k; same < n; same += k) {
		uint64_t mask, word = set[(page + same) / 64];

		k = in_word(page + same, n - same);
		mask = mask_of(page + same, k);
		word = (in ? ~word : word) & mask;
		if (word)
			return same + (uint32_t)__builtin_ctzll(word) -
			       (page + same) % 64;
	}
	return same;
}

/* -- Interior pages ------------------------------------------------------------ */

struct page_order_builder *
page_order_begin(uint32_t page_size, uint32_t pages)
{
	struct page_order_builder *b = xcalloc(1, sizeof(*b));

	b->page_size = page_size;
	b->pages = pages;
	return b;
}

void
page_order_abandon(struct page_order_builder *b)
{
	if (!b)
		return;
	free(b->interior);
	free(b->spans);
	free(b->known);
	free(b->taken);
	page_order_free(b->order);
	free(b);
}

void
page_order_free(struct page_order *o)
{
	if (!o)
		return;
	free(o->runs);
	free(o->by_page);
	free(o);
}

/* The page that cell i leads to, counted from 0, i being `cells` for the last
 * one; false: not one of the database. */
static bool
child_of(const struct page_order_builder *b, const uint8_t *data,
	uint32_t cells, uint32_t i, uint32_t *child)
{
	uint32_t at = 8, number;

	if (i < cells)
		at = get_be16(data + HEAD_LEN + 2 * i);
	if (at > b->page_size - 4)
		return false;
	number = get_be32(data + at);
	*child = number - 1;
	return number > 1 && number <= b->pages;
}

/* Appends to the page that is being added. */
static void
add_child(struct page_order_builder *b, const struct interior_page *p,
	uint32_t child)
{
	struct span *last = NULL;

	if (b->n_spans > p->first_span)
		last = &b->spans[b->n_spans - 1];
	if (last && last->first + last->n == child) {
		last->n++;
		return;
	}
	if (b->n_spans == b->cap_spans) {
		b->cap_spans = b->cap_spans ? b->cap_spans * 2 : 256;
		b->spans = xrealloc(
			b->spans, b->cap_spans * sizeof(*b->spans));
	}
	b->spans[b->n_spans++] = (struct span){ child, 1 };
}

static bool
is_interior(const struct page_order_builder *b, const uint8_t *data)
{
	return (data[0] == INTERIOR_INDEX || data[0] == INTERIOR_TABLE) &&
	       HEAD_LEN + 2 * get_be16(data + 3) <= b->page_size;
}

void
page_order_add(struct page_order_builder *b, uint32_t page, const uint8_t *data)
{
	struct interior_page p = { .page = page,
		.first_span = (uint32_t)b->n_spans };
	uint32_t cells, child;

	if (page >= b->pages || b->too_many || !is_interior(b, data) ||
		(b->n_interior && b->interior[b->n_interior - 1].page >= page))
		return;
	cells = get_be16(data + 3);
	for (uint32_t i = 0; i <= cells; i++) {
		if (!child_of(b, data, cells, i, &child)) {
			b->n_spans = p.first_span;
			return;
		}
		add_child(b, &p, child);
	}
	p.n_spans = (uint32_t)b->n_spans - p.first_span;
	b->too_many = b->n_spans > PAGE_ORDER_RUNS_MAX;
	if (b->n_interior == b->cap_interior) {
		b->cap_interior = b->cap_interior ? b->cap_interior * 2 : 64;
		b->interior = xrealloc(b->interior,
			b->cap_interior * sizeof(*b->interior));
	}
	b->interior[b->n_interior++] = p;
}

/* The first interior page that is not before `page`: its index. */
static size_t
interior_from(const struct page_order_builder *b, uint32_t page)
{
	size_t from = 0, to = b->n_interior;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (b->interior[mid].page < page)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* -- Going through the b-trees ----------------------------------------------- */

/* Called with pages in the order of a scan, some of them more than once. */
typedef void visit(struct page_order_builder *b, struct span s);

static void descend(struct page_order_builder *b, size_t i, unsigned depth,
	const uint64_t *seen, visit *v);

/* What an interior page leads to by one span. */
static void
go_through(struct page_order_builder *b, struct span s, unsigned depth,
	const uint64_t *seen, visit *v)
{
	size_t i = interior_from(b, s.first);

	while (s.n > 0) {
		uint32_t leaves = s.n;

		if (i < b->n_interior && b->interior[i].page - s.first < s.n)
			leaves = b->interior[i].page - s.first;
		if (leaves)
			v(b, (struct span){ s.first, leaves });
		s.first += leaves;
		s.n -= leaves;
		if (s.n == 0)
			return;
		descend(b, i++, depth + 1, seen, v);
		s.first++;
		s.n--;
	}
}

/* Interior page number i and what it leads to, unless it was seen. */
static void
descend(struct page_order_builder *b, size_t i, unsigned depth,
	const uint64_t *seen, visit *v)
{
	const struct interior_page *p = &b->interior[i];

	if (depth > DEPTH_MAX || has(seen, p->page))
		return;
	v(b, (struct span){ p->page, 1 });
	for (uint32_t k = 0; k < p->n_spans; k++)
		go_through(b, b->spans[p->first_span + k], depth, seen, v);
}

/* The interior pages that another one leads to, by number. */
static uint64_t *
led_to(const struct page_order_builder *b)
{
	uint64_t *below = no_pages(b->n_interior);

	for (size_t k = 0; k < b->n_spans; k++) {
		struct span s = b->spans[k];
		size_t i = interior_from(b, s.first);

		for (; i < b->n_interior && b->interior[i].page - s.first < s.n;
			i++)
			add(below, (uint32_t)i, 1);
	}
	return below;
}

static void
all_trees(struct page_order_builder *b, const uint64_t *below,
	const uint64_t *seen, visit *v)
{
	for (size_t i = 0; i < b->n_interior; i++) {
		if (!has(below, (uint32_t)i))
			descend(b, i, 0, seen, v);
	}
}

static void
note_known(struct page_order_builder *b, struct span s)
{
	add(b->known, s.first, s.n);
}

/* -- Positions ----------------------------------------------------------------- */

static void
take(struct page_order_builder *b, uint32_t page, uint32_t n)
{
	struct page_order *o = b->order;
	struct run *last = o->n_runs ? &o->runs[o->n_runs - 1] : NULL;

	add(b->taken, page, n);
	if (last && last->page + last->n == page) {
		last->n += n;
		b->position += n;
		return;
	}
	if (o->n_runs == PAGE_ORDER_RUNS_MAX) {
		b->too_many = true;
		return;
	}
	if (o->n_runs == b->cap_runs) {
		b->cap_runs = b->cap_runs ? b->cap_runs * 2 : 256;
		o->runs = xrealloc(o->runs, b->cap_runs * sizeof(*o->runs));
	}
	o->runs[o->n_runs++] = (struct run){ page, b->position, n };
	b->position += n;
}

/* Pages from this one on that nothing leads to. */
static void
take_unknown(struct page_order_builder *b, uint32_t page)
{
	if (page < b->pages && !has(b->known, page))
		take(b, page, alike(b->known, page, b->pages - page));
}

static void
take_span(struct page_order_builder *b, struct span s)
{
	while (s.n > 0) {
		uint32_t n = alike(b->taken, s.first, s.n);

		if (!has(b->taken, s.first)) {
			take(b, s.first, n);
			take_unknown(b, s.first + n);
		}
		s.first += n;
		s.n -= n;
	}
}

static int
compare_pages(const void *a, const void *b, void *ctx)
{
	const struct run *runs = ctx;
	uint32_t x = runs[*(const uint32_t *)a].page;
	uint32_t y = runs[*(const uint32_t *)b].page;

	return (x > y) - (x < y);
}

static void
sort_by_page(struct page_order *o)
{
	o->by_page = xcalloc(o->n_runs, sizeof(*o->by_page));
	for (uint32_t i = 0; i < o->n_runs; i++)
		o->by_page[i] = i;
	sort(o->by_page, o->n_runs, sizeof(*o->by_page), compare_pages,
		o->runs);
}

struct page_order *
page_order_end(struct page_order_builder *b)
{
	auto_free uint64_t *below = led_to(b);
	struct page_order *o = NULL;

	if (b->n_interior && !b->too_many) {
		b->known = no_pages(b->pages);
		b->taken = no_pages(b->pages);
		b->order = xcalloc(1, sizeof(*b->order));
		b->order->pages = b->pages;
		all_trees(b, below, b->known, note_known);
		take_unknown(b, 0);
		all_trees(b, below, b->taken, take_span);
	}
	if (b->n_interior && !b->too_many)
		o = steal(b->order);
	page_order_abandon(b);
	if (o)
		sort_by_page(o);
	return o;
}

/* -- Looking up ------------------------------------------------------------------ */

uint32_t
page_order_pages(const struct page_order *o)
{
	return o->pages;
}

/* The run that has a page, or what stands at a position. */
static const struct run *
run_of(const struct page_order *o, uint32_t key, bool is_page)
{
	uint32_t from = 0, to = o->n_runs;

	while (to - from > 1) {
		uint32_t mid = from + (to - from) / 2;

		if ((is_page ? o->runs[o->by_page[mid]].page
			     : o->runs[mid].position) <= key)
			from = mid;
		else
			to = mid;
	}
	return &o->runs[is_page ? o->by_page[from] : from];
}

uint32_t
page_order_position(const struct page_order *o, uint32_t page, uint32_t *n)
{
	const struct run *r = run_of(o, page, true);

	*n = r->n - (page - r->page);
	return r->position + (page - r->page);
}

uint32_t
page_order_page(const struct page_order *o, uint32_t position, uint32_t *n)
{
	const struct run *r = run_of(o, position, false);

	*n = r->n - (position - r->position);
	return r->page + (position - r->position);
}
