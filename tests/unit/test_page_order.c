/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which a scan reads a database's pages. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include "repo/base/bytes.h"
#include "repo/sqlite/page_order.h"

#define SIZE 512u
#define END UINT32_MAX

struct interior_page {
	uint32_t page; /* counted from 0, as these */
	uint8_t type;
	uint32_t children[12]; /* up to END */
};

/* As SQLite writes it: cells from the end on, the last child in the head. */
static void
write_page(uint8_t out[SIZE], const struct interior_page *p)
{
	uint32_t n = 0, at = SIZE;

	memset(out, 0, SIZE);
	while (p->children[n] != END)
		n++;
	out[0] = p->type;
	put_be16(out + 3, (uint16_t)(n - 1));
	put_be32(out + 8, p->children[n - 1] + 1);
	for (uint32_t i = 0; i + 1 < n; i++) {
		at -= 9;
		put_be32(out + at, p->children[i] + 1);
		put_be16(out + 12 + 2 * i, (uint16_t)at);
	}
}

static struct page_order *
order_of(uint32_t pages, const struct interior_page *p, size_t n)
{
	struct page_order_builder *b = page_order_begin(SIZE, pages);
	auto_free uint8_t *exact = xmalloc(SIZE);

	for (size_t i = 0; i < n; i++) {
		write_page(exact, &p[i]);
		page_order_add(b, p[i].page, exact);
	}
	return page_order_end(b);
}

static void
assert_order(const struct page_order *o, const uint32_t *wanted, uint32_t n)
{
	assert_non_null(o);
	assert_int_equal(page_order_pages(o), n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t same = 1, m;

		while (i + same < n && wanted[i + same] == wanted[i] + same)
			same++;
		assert_int_equal(page_order_page(o, i, &m), wanted[i]);
		assert_int_equal(m, same);
		assert_int_equal(page_order_position(o, wanted[i], &m), i);
		assert_int_equal(m, same);
	}
}

#define ASSERT_ORDER(o, ...)                                        \
	do {                                                        \
		const uint32_t wanted[] = { __VA_ARGS__ };          \
		assert_order(o, wanted, sizeof(wanted) / sizeof(*wanted)); \
	} while (0)

static void
tables_that_take_turns_stand_one_after_the_other(void **state)
{
	const struct interior_page p[] = {
		{ 1, 5, { 3, 4, 7, 8, END } },
		{ 2, 5, { 5, 6, 9, END } },
	};
	struct page_order *o = order_of(10, p, 2);

	(void)state;
	ASSERT_ORDER(o, 0, 1, 3, 4, 7, 8, 2, 5, 6, 9);
	page_order_free(o);
}

static void
an_interior_page_stands_before_what_it_leads_to(void **state)
{
	/* an index, whose root leads to two interior pages, of which the first
	 * lies behind the second */
	const struct interior_page p[] = {
		{ 1, 2, { 8, 4, END } },
		{ 4, 2, { 7, 5, END } },
		{ 8, 2, { 6, 2, 3, END } },
	};
	struct page_order *o = order_of(9, p, 3);

	(void)state;
	ASSERT_ORDER(o, 0, 1, 8, 6, 2, 3, 4, 7, 5);
	page_order_free(o);
}

static void
what_nothing_leads_to_follows_the_page_before_it(void **state)
{
	/* 4 and 5: a leaf's overflow pages; 0, 1: before all others */
	const struct interior_page p[] = {
		{ 2, 5, { 7, 3, END } },
	};
	struct page_order *o = order_of(9, p, 1);

	(void)state;
	ASSERT_ORDER(o, 0, 1, 2, 7, 8, 3, 4, 5, 6);
	page_order_free(o);
}

static void
without_interior_pages_there_is_no_order(void **state)
{
	const struct interior_page leaf = { 1, 13, { 2, 3, END } };
	const struct interior_page beyond = { 1, 5, { 2, 9, END } };
	const struct interior_page first = { 1, 5, { 2, UINT32_MAX - 1, END } };

	(void)state;
	assert_null(order_of(9, NULL, 0));
	assert_null(order_of(9, &leaf, 1));
	assert_null(order_of(9, &beyond, 1));
	assert_null(order_of(9, &first, 1));
}

static void
pages_that_lead_in_circles_or_twice_to_one_come_once(void **state)
{
	const struct interior_page p[] = {
		{ 1, 5, { 2, 3, 5, END } },
		{ 3, 5, { 5, 1, 3, 4, END } }, /* back, to itself */
		{ 6, 5, { 2, 7, 7, END } },
	};
	struct page_order *o = order_of(9, p, 3);

	(void)state;
	/* 1 and 3 lead to each other: neither is a root */
	ASSERT_ORDER(o, 0, 1, 6, 2, 3, 4, 5, 7, 8);
	page_order_free(o);
}

/* Numbers by xorshift, so that all runs are alike. */
static uint32_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 16);
}

static void
shuffle(uint32_t *p, uint32_t n, uint64_t *x)
{
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t k = next_random(x) % (i + 1), t = p[i];

		p[i] = p[k];
		p[k] = t;
	}
}

#define MANY 1001u

static void
a_scattered_table_is_found_page_by_page(void **state)
{
	struct interior_page p[100], sorted[100];
	uint32_t at[MANY], wanted[MANY], n = 0;
	uint64_t x = 20261122;
	struct page_order *o;

	(void)state;
	/* 1 root leads to 9, these to 10 each, these to 10 leaves: 1 + 9 + 90 +
	 * 900, and page 0 */
	for (uint32_t i = 0; i < MANY; i++)
		at[i] = i;
	shuffle(at + 1, MANY - 1, &x);
	memset(p, 0, sizeof(p));
	for (uint32_t i = 0; i < 100; i++) {
		uint32_t k = 0, first = i == 0 ? 2 : 11 + (i - 1) * 10;

		p[i] = (struct interior_page){ .page = at[i + 1], .type = 5 };
		for (; k < (i == 0 ? 9 : 10); k++)
			p[i].children[k] = at[first + k];
		p[i].children[k] = END;
	}
	wanted[n++] = 0;
	wanted[n++] = at[1];
	for (uint32_t i = 1; i < 10; i++) {
		wanted[n++] = at[i + 1];
		for (uint32_t k = 0; k < 10; k++) {
			uint32_t of = 11 + (i - 1) * 10 + k;

			wanted[n++] = at[of];
			for (uint32_t l = 0; l < 10; l++)
				wanted[n++] = at[11 + (of - 2) * 10 + l];
		}
	}
	assert_int_equal(n, MANY);
	memcpy(sorted, p, sizeof(p));
	for (int i = 0; i < 100; i++) {
		for (int k = i; k > 0 && sorted[k].page < sorted[k - 1].page;
			k--) {
			struct interior_page t = sorted[k];

			sorted[k] = sorted[k - 1];
			sorted[k - 1] = t;
		}
	}
	o = order_of(MANY, sorted, 100);
	assert_order(o, wanted, MANY);
	page_order_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			tables_that_take_turns_stand_one_after_the_other),
		cmocka_unit_test(
			an_interior_page_stands_before_what_it_leads_to),
		cmocka_unit_test(
			what_nothing_leads_to_follows_the_page_before_it),
		cmocka_unit_test(without_interior_pages_there_is_no_order),
		cmocka_unit_test(
			pages_that_lead_in_circles_or_twice_to_one_come_once),
		cmocka_unit_test(a_scattered_table_is_found_page_by_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
