/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "fs/nodes.h"
#include "fs/numbers.h"

#define CLASS(number) ((number) >> 62)

static const struct history_source orders = { .host = "web1",
	.name = "orders.db" };
static const struct history_source stock = { .host = "web1",
	.name = "stock.db" };

static uint64_t
moment(const struct history_source *s, uint64_t key, uint64_t ino)
{
	struct history_point p = { .key = key };

	return numbers_inode(numbers_of_moment(s, &p), ino);
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
each_kind_of_file_has_numbers_of_its_own(void **state)
{
	struct history_point last = { .key = (1 << 24) - 1 };
	uint64_t most = (1ULL << NODE_SHIFT) - 2;

	(void)state;
	assert_true(CLASS(numbers_inode(numbers_of_snapshot(&last), most)) < 2);
	assert_int_equal(2, CLASS(numbers_virtual(0, "")));
	assert_int_equal(2, CLASS(numbers_virtual(UINT64_MAX, "at")));
	assert_int_equal(3, CLASS(moment(&orders, 0, 0)));
	assert_int_equal(3, CLASS(moment(&orders, UINT64_MAX, most)));
}

static void
no_two_files_of_a_source_share_a_number(void **state)
{
	enum { KEYS = 2000, INOS = 6 };
	static uint64_t all[2 * KEYS * INOS];
	size_t n = 0;

	(void)state;
	for (uint64_t k = 0; k < KEYS; k++) {
		for (uint64_t ino = 0; ino < INOS; ino++) {
			all[n++] = moment(&orders, k, ino);
			all[n++] = moment(&orders, (1ULL << 47) + k, ino);
		}
	}
	qsort(all, n, sizeof(*all), compare);
	for (size_t i = 1; i < n; i++)
		assert_true(all[i - 1] != all[i]);
}

static void
two_sources_with_the_same_keys_do_not_either(void **state)
{
	(void)state;
	for (uint64_t k = 0; k < 100000; k++) {
		assert_true(moment(&orders, k, 1) != moment(&stock, k, 1));
		assert_true(moment(&orders, k, 9) != moment(&stock, k, 9));
	}
}

/* A mount of the next version must find them where this one left them. */
static void
numbers_stay_what_they_are(void **state)
{
	struct history_point p = { .key = 7 };

	(void)state;
	assert_int_equal((7ULL << 39) + 6, numbers_inode(7, 5));
	assert_int_equal(7, numbers_of_snapshot(&p));
	assert_int_equal(moment(&orders, 7, 2), moment(&orders, 7, 2));
	assert_int_equal(moment(&orders, 7, 0) + 2, moment(&orders, 7, 2));
	assert_int_equal(
		moment(&orders, 7, 0) ^ moment(&orders, 5, 0), (7 ^ 5) << 2);
	assert_int_equal(0xd19c2189d3dde4e1, moment(&orders, 7, 1));
	assert_int_equal(0xec4f8840915ac93f, moment(&orders, 7, 1000));
	assert_int_equal(0x8fd94d750e41b760, numbers_virtual(0, "sources"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_file_has_numbers_of_its_own),
		cmocka_unit_test(no_two_files_of_a_source_share_a_number),
		cmocka_unit_test(two_sources_with_the_same_keys_do_not_either),
		cmocka_unit_test(numbers_stay_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
