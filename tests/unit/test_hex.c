/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <errno.h>
#include "repo/base/hex.h"

static void
every_byte_comes_back(void **state)
{
	uint8_t bytes[256], back[256];
	char digits[2 * sizeof(bytes) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_ptr_equal(hex_encode(digits, bytes, sizeof(bytes)), digits);
	assert_int_equal(strlen(digits), 2 * sizeof(bytes));
	assert_memory_equal(digits, "000102", 6);
	assert_string_equal(digits + 506, "fdfeff");
	assert_int_equal(hex_decode(back, sizeof(back), digits), 0);
	assert_memory_equal(back, bytes, sizeof(bytes));
}

static void
nothing_is_an_empty_string(void **state)
{
	char digits[1] = "x";

	(void)state;
	assert_string_equal(hex_encode(digits, "", 0), "");
	assert_int_equal(hex_decode(digits, 0, ""), 0);
}

static void
what_is_not_a_lower_case_digit_is_refused(void **state)
{
	static const char *const wrong[] = { "AB", "aB", "Ab", "g0", "0g",
		"/0", "0:", "`0", " 1", "0x", "-1", "\xff\xff" };
	uint8_t out;

	(void)state;
	for (size_t i = 0; i < n_elements(wrong); i++)
		assert_int_equal(hex_decode(&out, 1, wrong[i]), -EINVAL);
}

/* From the heap, so that a sanitizer sees a read past the end. */
static void
a_short_string_is_refused_without_reading_past_it(void **state)
{
	uint8_t out[4];

	(void)state;
	for (size_t len = 0; len < 8; len++) {
		auto_free char *digits = strndup("01234567", len);

		assert_int_equal(hex_decode(out, 4, digits), -EINVAL);
	}
}

static void
only_the_digits_asked_for_are_read(void **state)
{
	uint8_t out[2];

	(void)state;
	assert_int_equal(hex_decode(out, 2, "01feZZ"), 0);
	assert_memory_equal(out, "\x01\xfe", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_comes_back),
		cmocka_unit_test(nothing_is_an_empty_string),
		cmocka_unit_test(what_is_not_a_lower_case_digit_is_refused),
		cmocka_unit_test(
			a_short_string_is_refused_without_reading_past_it),
		cmocka_unit_test(only_the_digits_asked_for_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
