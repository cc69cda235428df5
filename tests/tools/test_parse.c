/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values and tests on command lines. */
#include <errno.h>
#include <sys/stat.h>
#include "tests/unit/unit.h"
#include "repo/base/clock.h"
#include "tools/match.h"
#include "tools/parse.h"

static void
a_size_has_a_number_and_perhaps_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} sizes[] = { { "0", 0 }, { "4096", 4096 }, { "10k", 10240 },
		{ "10K", 10240 }, { "1.5M", 1572864 }, { "2G", 2147483648 },
		{ "3TiB", 3298534883328 }, { "1kb", 1024 },
		{ "1e", 1ULL << 60 }, { "15.5E", 31ULL << 59 } };
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < n_elements(sizes); i++) {
		assert_int_equal(parse_size(sizes[i].text, &size), 0);
		assert_int_equal(size, sizes[i].size);
	}
}

static void
what_is_no_size_is_refused(void **state)
{
	static const char *const bad[] = { "", "k", "-1", "+1", " 1", "1 k",
		"1x", "1kk", "0x10", "1e3", "inf", "nan", "16E", "1.2.3",
		"1kbs" };
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < n_elements(bad); i++)
		if (parse_size(bad[i], &size) != -EINVAL)
			fail_msg("%s is a size", bad[i]);
}

static void
a_number_lies_within_its_bounds(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(parse_number("7", 1, 9, &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(parse_number("0", 1, 9, &v), -EINVAL);
	assert_int_equal(parse_number("10", 1, 9, &v), -EINVAL);
	assert_int_equal(parse_number("-1", 0, 9, &v), -EINVAL);
	assert_int_equal(parse_number("1a", 0, 9, &v), -EINVAL);
	assert_int_equal(
		parse_number("18446744073709551616", 0, UINT64_MAX, &v),
		-EINVAL);
}

static const struct view_attr file = {
	.mode = S_IFREG | 0644, .size = 5000, .mtime = { .tv_sec = 10 * 86400 }
};

static bool
size_fits(const char *text)
{
	struct match m = MATCH_INIT;

	assert_int_equal(match_set_size(&m, text), 0);
	return match_entry(&m, "p", "p", &file);
}

static void
sizes_are_compared_in_bytes(void **state)
{
	(void)state;
	assert_true(size_fits("5000"));
	assert_false(size_fits("5k"));
	assert_true(size_fits("+4k"));
	assert_false(size_fits("+5000"));
	assert_true(size_fits("-5k"));
	assert_false(size_fits("-5000"));
}

static bool
days_fit(const char *text, int64_t now_s)
{
	struct match m = MATCH_INIT;

	assert_int_equal(match_set_days(&m, text, now_s * NS_PER_S), 0);
	return match_entry(&m, "p", "p", &file);
}

static void
days_are_whole_ones(void **state)
{
	(void)state;
	assert_true(days_fit("0", 10 * 86400 + 86399));
	assert_true(days_fit("1", 11 * 86400));
	assert_true(days_fit("+1", 12 * 86400));
	assert_false(days_fit("+1", 12 * 86400 - 1));
	assert_true(days_fit("-1", 10 * 86400 + 5));
	assert_true(days_fit("-1", 10 * 86400 - 5)); /* in the future */
	assert_false(days_fit("0", 10 * 86400 - 5));
}

static void
patterns_see_names_and_paths(void **state)
{
	const struct match name = { .name = "*.[ch]" };
	const struct match any_case = { .iname = "READ*" };
	const struct match path = { .path = "src/*.c" };
	const struct match byte = { .name = "?" };

	(void)state;
	assert_true(match_entry(&name, "src/x.c", "x.c", &file));
	assert_false(match_entry(&name, "src/x.o", "x.o", &file));
	assert_true(match_entry(&any_case, "readme", "readme", &file));
	assert_true(match_entry(&path, "src/deep/x.c", "x.c", &file));
	assert_false(match_entry(&path, "lib/x.c", "x.c", &file));
	assert_true(match_entry(&byte, "\xff", "\xff", &file));
}

static void
types_are_single_letters(void **state)
{
	struct match m = MATCH_INIT;
	struct view_attr a = { .mode = S_IFIFO };

	(void)state;
	assert_int_equal(match_set_type(&m, "p"), 0);
	assert_true(match_entry(&m, "x", "x", &a));
	assert_false(match_entry(&m, "x", "x", &file));
	assert_int_equal(match_set_type(&m, "x"), -EINVAL);
	assert_int_equal(match_set_type(&m, "ff"), -EINVAL);
	assert_int_equal(match_set_type(&m, ""), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_size_has_a_number_and_perhaps_a_unit),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(a_number_lies_within_its_bounds),
		cmocka_unit_test(sizes_are_compared_in_bytes),
		cmocka_unit_test(days_are_whole_ones),
		cmocka_unit_test(patterns_see_names_and_paths),
		cmocka_unit_test(types_are_single_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
