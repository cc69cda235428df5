/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include "repo/upkeep/sorter.h"

struct item {
	uint64_t key, more;
};

static int
by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* Add n items, read them twice: ascending, each once. */
static void
sort(unsigned n, size_t memory)
{
	auto_sorter struct sorter *s =
		sorter_new(sizeof(struct item), by_key, memory);
	struct err e = ERR_INIT;
	const void *record;

	for (uint64_t i = 0; i < n; i++) {
		struct item it = { .key = i * 7919 % n, .more = i };

		assert_int_equal(sorter_add(s, &it, &e), 0);
	}
	assert_int_equal(sorter_n(s), n);
	for (unsigned pass = 0; pass < 2; pass++) {
		assert_int_equal(sorter_read(s, &e), 0);
		for (uint64_t i = 0; i < n; i++) {
			const struct item *it;

			assert_int_equal(sorter_next(s, &record, &e), 1);
			it = record;
			assert_int_equal(it->key, i);
			assert_int_equal(it->more * 7919 % n, i);
		}
		assert_int_equal(sorter_next(s, &record, &e), 0);
	}
}

static void
what_fits_memory_is_sorted(void **state)
{
	(void)state;
	sort(0, 4096);
	sort(1, 4096);
	sort(10007, 1 << 20);
}

static void
what_does_not_is_sorted_too(void **state)
{
	(void)state;
	sort(10007, 16 * sizeof(struct item));
	sort(10007, 1000 * sizeof(struct item));
	sort(1024, 512 * sizeof(struct item));
	sort(100003, 4096);
}

static void
reading_may_end_early_and_begin_again(void **state)
{
	auto_sorter struct sorter *s =
		sorter_new(sizeof(struct item), by_key, 4096);
	struct err e = ERR_INIT;
	const void *record;

	(void)state;
	for (uint64_t i = 0; i < 5000; i++) {
		struct item it = { .key = 5000 - i };

		assert_int_equal(sorter_add(s, &it, &e), 0);
	}
	for (unsigned pass = 0; pass < 3; pass++) {
		assert_int_equal(sorter_read(s, &e), 0);
		for (uint64_t i = 1; i < 2000; i++) {
			assert_int_equal(sorter_next(s, &record, &e), 1);
			assert_int_equal(((const struct item *)record)->key, i);
		}
	}
}

static void
a_scratch_directory_that_is_none_is_told(void **state)
{
	auto_sorter struct sorter *s =
		sorter_new(sizeof(struct item), by_key, 1024);
	struct item it = { .key = 1 };
	struct err e = ERR_INIT;
	int r = 0;

	(void)state;
	setenv("TMPDIR", "/nowhere", 1);
	for (unsigned i = 0; i < 1000 && !r; i++)
		r = sorter_add(s, &it, &e);
	unsetenv("TMPDIR");
	assert_true(r < 0);
	assert_non_null(strstr(e.text, "/nowhere"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_memory_is_sorted),
		cmocka_unit_test(what_does_not_is_sorted_too),
		cmocka_unit_test(reading_may_end_early_and_begin_again),
		cmocka_unit_test(a_scratch_directory_that_is_none_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
