/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/cache/ranges.h"

#define SPACE 300

/* The set again, a byte each. */
struct model {
	bool has[SPACE];
};

static void
assert_same(const struct ranges *s, const struct model *m)
{
	struct model got = { { false } };

	for (size_t i = 0; i < s->n; i++) {
		assert_true(s->r[i].from < s->r[i].to);
		assert_true(i == 0 || s->r[i - 1].to < s->r[i].from);
		for (uint64_t k = s->r[i].from; k < s->r[i].to; k++)
			got.has[k] = true;
	}
	assert_memory_equal(&got, m, sizeof(got));
}

/* Gaps as the model has them, without a bound on their number. */
static void
assert_gaps(const struct ranges *s, const struct model *m, uint64_t from,
	uint64_t to)
{
	struct range gaps[SPACE];
	size_t n = ranges_gaps(s, from, to, gaps, SPACE);
	struct model lacks = { { false } };

	for (size_t i = 0; i < n; i++)
		for (uint64_t k = gaps[i].from; k < gaps[i].to; k++)
			lacks.has[k] = true;
	for (uint64_t k = 0; k < SPACE; k++)
		assert_int_equal(
			lacks.has[k], k >= from && k < to && !m->has[k]);
}

static uint64_t
count_blocks(const struct model *m, uint64_t block)
{
	uint64_t sum = 0;

	for (uint64_t at = 0; at < SPACE; at += block) {
		bool any = false;

		for (uint64_t k = at; k < at + block && k < SPACE; k++)
			any |= m->has[k];
		sum += any ? block : 0;
	}
	return sum;
}

static void
assert_comes_back(const struct ranges *s)
{
	auto_buf struct buf b = BUF_INIT;
	auto_ranges struct ranges again = RANGES_INIT;

	ranges_encode(s, 0, &b);
	assert_int_equal(ranges_decode(&again, b.data, b.len, 0, SPACE), 0);
	assert_true(ranges_equal(s, &again));
}

static void
random_changes_are_those_of_a_bitmap(void **state)
{
	(void)state;

	srandom(3);
	for (unsigned round = 0; round < 200; round++) {
		auto_ranges struct ranges s = RANGES_INIT;
		struct model m = { { false } };

		for (unsigned i = 0; i < 60; i++) {
			uint64_t from = (uint64_t)random() % SPACE;
			uint64_t to = from + (uint64_t)random() % 20;
			bool add = random() % 3;

			to = to < SPACE ? to : SPACE;
			(add ? ranges_add : ranges_remove)(&s, from, to);
			for (uint64_t k = from; k < to; k++)
				m.has[k] = add;
			assert_same(&s, &m);
			assert_gaps(&s, &m, from / 2, to);
			assert_int_equal(
				ranges_blocks(&s, 16), count_blocks(&m, 16));
			assert_comes_back(&s);
		}
	}
}

static void
too_many_gaps_become_one(void **state)
{
	auto_ranges struct ranges s = RANGES_INIT;
	struct range gaps[2];
	(void)state;

	for (uint64_t i = 0; i < 10; i++)
		ranges_add(&s, i * 10, i * 10 + 5);
	assert_int_equal(ranges_gaps(&s, 0, 93, gaps, 2), 2);
	assert_int_equal(gaps[0].from, 5);
	assert_int_equal(gaps[0].to, 10);
	assert_int_equal(gaps[1].from, 15);
	assert_int_equal(gaps[1].to, 90);
}

static void
clipping_leaves_what_lies_inside(void **state)
{
	auto_ranges struct ranges s = RANGES_INIT;
	(void)state;

	ranges_add(&s, 0, 10);
	ranges_add(&s, 20, 30);
	ranges_clip(&s, 5, 22);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.r[0].from, 5);
	assert_int_equal(s.r[1].to, 22);
	assert_int_equal(ranges_sum(&s), 7);
}

static void
what_is_no_set_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
		{ "", 0 }, { "\x01", 1 }, { "\x01\x05", 2 },
		{ "\x01\x05\x00", 3 },		   /* empty */
		{ "\x02\x00\x05\x00\x05", 5 },	   /* they touch */
		{ "\x01\x00\x65", 3 },		   /* beyond the end */
		{ "\x01\x64\x01", 3 },		   /* behind the end */
		{ "\x01\x00\x05\x00", 4 },	   /* something follows */
		{ "\x02\x00\x60\x01\x05", 5 },	   /* the second beyond */
		{ "\xff\xff\xff\xff\x0f\x01", 6 }, /* too many */
	};
	auto_ranges struct ranges s = RANGES_INIT;
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++)
		assert_int_equal(
			ranges_decode(&s, bad[i].bytes, bad[i].len, 1000, 1100),
			-EUCLEAN);
	assert_int_equal(ranges_decode(&s, "\x01\x00\x64", 3, 1000, 1100), 0);
	assert_int_equal(s.r[0].from, 1000);
	assert_int_equal(s.r[0].to, 1100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_are_those_of_a_bitmap),
		cmocka_unit_test(too_many_gaps_become_one),
		cmocka_unit_test(clipping_leaves_what_lies_inside),
		cmocka_unit_test(what_is_no_set_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
