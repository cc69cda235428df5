/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "repo/base/clock.h"
#include "repo/base/err.h"
#include "repo/base/log.h"

static void
assert_escaped(const char *name, size_t len, const char *expected)
{
	char out[256];

	assert_ptr_equal(err_escape(out, sizeof(out), name, len), out);
	assert_string_equal(out, expected);
}

#define ASSERT_ESCAPED(name, expected) \
	assert_escaped(name, sizeof(name) - 1, expected)

static void
good_names_are_left_alone(void **state)
{
	(void)state;
	ASSERT_ESCAPED("", "");
	ASSERT_ESCAPED("a b~\\x", "a b~\\x");
	ASSERT_ESCAPED("\xc3\xa9", "\xc3\xa9");
	ASSERT_ESCAPED("\xc2\xa0", "\xc2\xa0");
	ASSERT_ESCAPED("\xe2\x82\xac", "\xe2\x82\xac");
	ASSERT_ESCAPED("\xef\xbf\xbf", "\xef\xbf\xbf");
	ASSERT_ESCAPED("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
	ASSERT_ESCAPED("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
}

static void
what_a_terminal_would_interpret_is_escaped(void **state)
{
	(void)state;
	ASSERT_ESCAPED("\x1b[2J", "\\x1b[2J");
	ASSERT_ESCAPED("a\nb\tc\r", "a\\x0ab\\x09c\\x0d");
	ASSERT_ESCAPED("\x00\x7f", "\\x00\\x7f");
	ASSERT_ESCAPED("\xc2\x9b"
		       "2J",
		"\\xc2\\x9b2J");
}

static void
broken_utf8_is_escaped(void **state)
{
	(void)state;
	ASSERT_ESCAPED("\xff\xfe", "\\xff\\xfe");
	ASSERT_ESCAPED("a\x80z", "a\\x80z");
	ASSERT_ESCAPED("\xc3", "\\xc3");
	ASSERT_ESCAPED("\xc3z", "\\xc3z");
	ASSERT_ESCAPED("\xe2\x82", "\\xe2\\x82");
	ASSERT_ESCAPED("\xe2\x82z", "\\xe2\\x82z");
	ASSERT_ESCAPED("\xf0\x9f\x98", "\\xf0\\x9f\\x98");
}

static void
overlong_utf8_and_surrogates_are_escaped(void **state)
{
	(void)state;
	ASSERT_ESCAPED("\xc0\xaf", "\\xc0\\xaf");
	ASSERT_ESCAPED("\xc1\xbf", "\\xc1\\xbf");
	ASSERT_ESCAPED("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
	ASSERT_ESCAPED("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
	ASSERT_ESCAPED("\xed\xa0\x80", "\\xed\\xa0\\x80");
	ASSERT_ESCAPED("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	ASSERT_ESCAPED("\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80");
}

static void
escaping_never_leaves_its_room_or_splits_a_character(void **state)
{
	static const char name[] = "ab\xe2\x82\xac\x01z";
	static const char *const expected[] = { "", "a", "ab", "ab", "ab",
		"ab\xe2\x82\xac", "ab\xe2\x82\xac", "ab\xe2\x82\xac",
		"ab\xe2\x82\xac", "ab\xe2\x82\xac\\x01",
		"ab\xe2\x82\xac\\x01z" };

	(void)state;
	for (size_t size = 1; size <= n_elements(expected); size++) {
		auto_free char *out = malloc(size);

		err_escape(out, size, name, sizeof(name) - 1);
		assert_string_equal(out, expected[size - 1]);
	}
}

static void
no_room_writes_nothing(void **state)
{
	char out = 'x';

	(void)state;
	err_escape(&out, 0, "abc", 3);
	assert_int_equal(out, 'x');
}

static void
an_error_is_a_code_and_a_sentence(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, EUCLEAN, "page %d has no keys", 7),
		-EUCLEAN);
	assert_int_equal(e.code, EUCLEAN);
	assert_string_equal(e.text, "page 7 has no keys");
	assert_int_equal(err_sys(&e, ENOENT, "%s", "/x\n"), -ENOENT);
	assert_string_equal(e.text, "/x\\x0a: No such file or directory");
	assert_int_equal(err_sys(&e, 4000, "x"), -4000);
	assert_string_equal(e.text, "x: unknown error");
}

static void
a_prefix_goes_before_the_sentence(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, EIO, "it broke");
	assert_int_equal(err_prefix(&e, "pack %s", "ab\x1b"), -EIO);
	assert_string_equal(e.text, "pack ab\\x1b: it broke");
}

static void
a_sentence_may_quote_the_one_before(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, EIO, "inner\x02");
	err_set(&e, EBADMSG, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner\\x02)");
}

static void
nobody_has_to_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, EIO, "x"), -EIO);
	assert_int_equal(err_sys(NULL, ENOENT, "x"), -ENOENT);
	assert_int_equal(err_prefix(NULL, "x"), -EIO);
}

static void
a_name_too_long_never_hides_the_reason(void **state)
{
	static const char reason[] = "...: Permission denied";
	struct err e = ERR_INIT;
	char path[4096];

	(void)state;
	for (int byte = 'a'; byte > 0; byte = byte == 'a' ? '\n' : 0) {
		memset(path, byte, sizeof(path) - 1);
		path[sizeof(path) - 1] = '\0';
		err_sys(&e, EACCES, "%s", path);
		assert_true(strlen(e.text) < ERR_TEXT_MAX);
		assert_true(strlen(e.text) > ERR_TEXT_MAX - 10);
		assert_string_equal(
			e.text + strlen(e.text) - strlen(reason), reason);
		err_prefix(&e, "%s", path);
		assert_true(strlen(e.text) < ERR_TEXT_MAX);
	}
}

static void
a_sentence_too_long_says_that_it_was_cut(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	err_set(&e, EIO, "%01000d", 1);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_string_equal(e.text + ERR_TEXT_MAX - 5, "0...");
}

/* What log(fmt, arg) writes to standard error, in out. */
static void
logged(char *out, size_t size, void (*log)(const char *, ...), const char *arg)
{
	int pipe_fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
	log("%s", arg);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(pipe_fds[0], out, size - 1);
	close(pipe_fds[0]);
	assert_true(n >= 0);
	out[n] = '\0';
}

static void
an_event_is_one_line_whatever_is_in_it(void **state)
{
	char line[8192], huge[6000];

	(void)state;
	log_set_program("yore");
	logged(line, sizeof(line), log_error, "a\nb\x1b");
	assert_string_equal(line, "yore: a\\x0ab\\x1b\n");
	logged(line, sizeof(line), log_warn, "x");
	assert_string_equal(line, "yore: warning: x\n");

	memset(huge, '\n', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	logged(line, sizeof(line), log_error, huge);
	assert_true(strlen(line) < 4096);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
lines_above_the_level_are_dropped(void **state)
{
	char line[100];

	(void)state;
	logged(line, sizeof(line), log_info, "x");
	assert_string_equal(line, "");
	log_set_level(LOG_LEVEL_DEBUG);
	logged(line, sizeof(line), log_debug, "x");
	assert_string_equal(line, "yore: debug: x\n");
	log_set_level(LOG_LEVEL_ERROR);
	logged(line, sizeof(line), log_warn, "x");
	assert_string_equal(line, "");
}

static void
the_clocks_are_in_nanoseconds(void **state)
{
	int64_t mono = clock_mono_ns();
	int64_t wall = clock_wall_ns();

	(void)state;
	usleep(2000);
	assert_true(clock_mono_ns() - mono >= 2000000);
	assert_true(clock_mono_ns() - mono < 60 * NS_PER_S);
	assert_true(wall > 1700000000 * NS_PER_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names_are_left_alone),
		cmocka_unit_test(what_a_terminal_would_interpret_is_escaped),
		cmocka_unit_test(broken_utf8_is_escaped),
		cmocka_unit_test(overlong_utf8_and_surrogates_are_escaped),
		cmocka_unit_test(
			escaping_never_leaves_its_room_or_splits_a_character),
		cmocka_unit_test(no_room_writes_nothing),
		cmocka_unit_test(an_error_is_a_code_and_a_sentence),
		cmocka_unit_test(a_prefix_goes_before_the_sentence),
		cmocka_unit_test(a_sentence_may_quote_the_one_before),
		cmocka_unit_test(nobody_has_to_listen),
		cmocka_unit_test(a_name_too_long_never_hides_the_reason),
		cmocka_unit_test(a_sentence_too_long_says_that_it_was_cut),
		cmocka_unit_test(an_event_is_one_line_whatever_is_in_it),
		cmocka_unit_test(lines_above_the_level_are_dropped),
		cmocka_unit_test(the_clocks_are_in_nanoseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
