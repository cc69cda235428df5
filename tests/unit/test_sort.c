/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "repo/base/sort.h"

static int
compare(const void *a, const void *b, void *calls)
{
	const unsigned *x = a, *y = b;

	++*(size_t *)calls;
	return (*x > *y) - (*x < *y);
}

static size_t
sort_them(unsigned *v, size_t n)
{
	size_t calls = 0;

	sort(v, n, sizeof(*v), compare, &calls);
	for (size_t i = 1; i < n; i++)
		assert_true(v[i - 1] <= v[i]);
	return calls;
}

static void
what_is_in_order_is_looked_at_once(void **state)
{
	unsigned v[] = { 1, 2, 2, 3, 5, 8 };

	(void)state;
	assert_int_equal(sort_them(v, n_elements(v)), n_elements(v) - 1);
	assert_int_equal(sort_them(v, 1), 0);
	assert_int_equal(sort_them(NULL, 0), 0);
}

static void
the_rest_is_sorted(void **state)
{
	unsigned last[] = { 1, 2, 3, 4, 0 }, back[] = { 9, 7, 5, 5, 1 };

	(void)state;
	sort_them(last, n_elements(last));
	assert_int_equal(last[0], 0);
	sort_them(back, n_elements(back));
	assert_int_equal(back[4], 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_order_is_looked_at_once),
		cmocka_unit_test(the_rest_is_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
