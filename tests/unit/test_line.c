/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "repo/base/auto.h"
#include "repo/fetch/line.h"

#define MS 1000000LL
#define MB 1000000u

#define auto_line AUTO(line_release)

static void
assert_about(uint64_t value, uint64_t expected)
{
	assert_in_range(value, expected - expected / 50,
		expected + expected / 50);
}

static void
of_an_unknown_line_a_moderate_gap_is_worth_a_get(void **state)
{
	auto_line struct line l;

	(void)state;
	line_init(&l);
	assert_int_equal(0, line_rate(&l));
	assert_int_equal(512 << 10, line_gap(&l, 0));
	line_note(&l, 10 * MB, 100 * MS); /* how much of it was the answer? */
	assert_int_equal(0, line_rate(&l));
}

static void
a_gap_is_worth_what_comes_while_an_answer_begins(void **state)
{
	auto_line struct line l;

	(void)state;
	line_init(&l);
	line_note(&l, 1000, 20 * MS);
	line_note(&l, 5 * MB, 220 * MS);
	assert_about(line_rate(&l), 25 * MB);
	assert_about(line_gap(&l, 0), 500000);
	/* all gets together bring more than one */
	assert_about(line_gap(&l, 50 * MB), MB);
	assert_about(line_gap(&l, MB), 500000);
}

static void
a_gap_is_bounded(void **state)
{
	auto_line struct line fast, slow;

	(void)state;
	line_init(&fast);
	line_note(&fast, 1000, 30 * MS);
	line_note(&fast, 10 * MB, 30 * MS); /* no time at all */
	assert_int_equal(LINE_GAP_MAX, line_gap(&fast, 0));
	line_init(&slow);
	line_note(&slow, 1000, 30 * MS);
	line_note(&slow, MB, 1030 * MS);
	assert_int_equal(LINE_GAP_MIN, line_gap(&slow, 0));
}

static void
a_busy_moment_does_not_look_like_a_long_line(void **state)
{
	auto_line struct line l;

	(void)state;
	line_init(&l);
	line_note(&l, 1000, 20 * MS);
	line_note(&l, 5 * MB, 220 * MS);
	line_note(&l, 1000, 100 * MS);
	assert_about(line_gap(&l, 0), 625000);
	line_note(&l, 1000, 20 * MS);
	assert_about(line_gap(&l, 0), 500000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			of_an_unknown_line_a_moderate_gap_is_worth_a_get),
		cmocka_unit_test(
			a_gap_is_worth_what_comes_while_an_answer_begins),
		cmocka_unit_test(a_gap_is_bounded),
		cmocka_unit_test(a_busy_moment_does_not_look_like_a_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
