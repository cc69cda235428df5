/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/foreign/json.h"

static int
check(const char *text)
{
	/* memory of exactly that size, so that a sanitizer sees a step out */
	auto_free char *copy = xmemdup(text, strlen(text));
	struct json v;

	return json_check(copy, strlen(text), &v, NULL);
}

static void
what_the_standard_allows_is_json(void **state)
{
	static const char *const good[] = { "0", "-0", "12", "-1.5e300", "1E+2",
		"1.25e-6", "3.0", "\"\"", "\"a\\u0000\\n\\/\"",
		"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"", "[]", "{}",
		" [ ] ", "{ }", "[1,2 , [3]]",
		"{\"a\":{\"b\":[{}]},\"c\":null}", "true", "false", "null",
		"\t\n\r 1 ", "[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]" };

	(void)state;
	for (size_t i = 0; i < n_elements(good); i++)
		assert_int_equal(0, check(good[i]));
}

static void
everything_else_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "01", "-", "1.", ".5", "1e",
		"+1", "nul", "nulll", "tru", "\"", "\"a", "\"\\x\"",
		"\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
		"\"\n\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
		"\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "[", "[1", "[1,",
		"[1,]", "[,1]", "[1 2]", "{", "{1:2}", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{\"a\":1 \"b\":2}", "]", "[}", "{]", "1 2",
		"[1]]", "NaN", "'a'", "\xef\xbb\xbf[]" };

	(void)state;
	for (size_t i = 0; i < n_elements(bad); i++)
		assert_int_equal(-EUCLEAN, check(bad[i]));
}

static void
depth_is_bounded(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 4] = "";

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(0, check(text));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(-EUCLEAN, check(text));
}

static struct json
value(const char *text)
{
	struct json v;

	assert_int_equal(0, json_check(text, strlen(text), &v, NULL));
	return v;
}

static void
members_come_in_order_with_their_names(void **state)
{
	struct json v = value(" { \"a\" : 1 ,\"b\\u0062\":[ true,\"x\"] , "
			      "\"\": {} } "),
		    name, el;
	size_t at = 0, in = 0;

	(void)state;
	assert_true(json_next(v, &at, &name, &el));
	assert_true(json_is_text(name, "a"));
	assert_int_equal(1, el.len);
	assert_true(json_next(v, &at, &name, &el));
	assert_true(json_is_text(name, "bb"));
	assert_memory_equal("[ true,\"x\"]", el.p, el.len);
	struct json list = el;
	assert_true(json_next(list, &in, NULL, &el));
	assert_int_equal(JSON_TRUE, json_kind(el));
	assert_true(json_next(list, &in, NULL, &el));
	assert_true(json_is_text(el, "x"));
	assert_false(json_next(list, &in, NULL, &el));
	assert_true(json_next(v, &at, &name, &el));
	assert_int_equal(JSON_OBJECT, json_kind(el));
	assert_false(json_next(v, &at, &name, &el));
}

static void
escapes_become_the_bytes_they_stand_for(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	json_bytes_of(value("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u20ac"
			    "\\ud83d\\ude00z\""),
		&b);
	assert_int_equal(20, b.len);
	assert_memory_equal("a\"\\/\b\f\n\r\t\0\xc3\xa9\xe2\x82\xac"
			    "\xf0\x9f\x98\x80z",
		b.data, 20);
}

static void
only_whole_numbers_that_fit_are_numbers(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(json_number_of(value("18446744073709551615"), &n));
	assert_true(n == UINT64_MAX);
	assert_true(json_number_of(value("0"), &n));
	assert_false(json_number_of(value("18446744073709551616"), &n));
	assert_false(json_number_of(value("-1"), &n));
	assert_false(json_number_of(value("1.0"), &n));
	assert_false(json_number_of(value("1e3"), &n));
	assert_false(json_number_of(value("\"1\""), &n));
}

/* -- Arrays that come bit by bit ------------------------------------------ */

struct drip {
	const char *text;
	size_t len, at, step;
	struct buf seen; /* "off:element;" */
};

static ssize_t
drip_read(void *ctx, void *to, size_t len, struct err *e)
{
	struct drip *d = ctx;
	size_t n = d->len - d->at;

	(void)e;
	n = n < d->step ? n : d->step;
	n = n < len ? n : len;
	memcpy(to, d->text + d->at, n);
	d->at += n;
	return (ssize_t)n;
}

static int
note(void *ctx, struct json el, uint64_t off, struct err *e)
{
	struct drip *d = ctx;

	(void)e;
	assert_memory_equal(d->text + off, el.p, el.len);
	buf_printf(&d->seen, "%u:%.*s;", (unsigned)off, (int)el.len, el.p);
	return 0;
}

static int
elements(const char *text, size_t step, size_t max, struct buf *seen)
{
	struct drip d = { .text = text, .len = strlen(text), .step = step };
	struct json_source s = { .read = drip_read, .ctx = &d };
	int r = json_elements(&s, max, note, &d, NULL);

	buf_append(&d.seen, "", 1);
	if (seen)
		*seen = d.seen;
	else
		buf_release(&d.seen);
	return r;
}

static void
elements_are_the_same_however_they_come(void **state)
{
	static const char text[] = " [ {\"a\":[1,2]} ,12345, \"x\\u00e9]\" , "
				   "true , [ ] ]\n";

	(void)state;
	for (size_t step = 1; step <= sizeof(text); step++) {
		auto_buf struct buf seen = BUF_INIT;

		assert_int_equal(0, elements(text, step, 100, &seen));
		assert_string_equal("3:{\"a\":[1,2]};16:12345;23:\"x\\u00e9]\";"
				    "36:true;43:[ ];",
			(char *)seen.data);
	}
	assert_int_equal(0, elements("[]", 1, 100, NULL));
	assert_int_equal(0, elements(" [ ] ", 1, 100, NULL));
}

static void
what_is_no_array_is_refused_however_it_comes(void **state)
{
	static const char *const bad[] = { "", "[", "[1", "[1,", "[1,]", "[,]",
		"{}", "1", "[1]x", "[1][2]", "[1 2]", "[tru]", "[\"a]",
		"[1,2" };

	(void)state;
	for (size_t i = 0; i < n_elements(bad); i++) {
		for (size_t step = 1; step <= strlen(bad[i]) + 1; step++)
			assert_int_equal(
				-EUCLEAN, elements(bad[i], step, 100, NULL));
	}
}

static void
an_element_too_long_is_refused(void **state)
{
	(void)state;
	assert_int_equal(0, elements("[[1,2,3],[4]]", 100, 7, NULL));
	assert_int_equal(-EUCLEAN, elements("[[1,2,3],[4]]", 100, 6, NULL));
	assert_int_equal(-EUCLEAN, elements("[[1,2,3],[4]]", 1, 6, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_standard_allows_is_json),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(members_come_in_order_with_their_names),
		cmocka_unit_test(escapes_become_the_bytes_they_stand_for),
		cmocka_unit_test(only_whole_numbers_that_fit_are_numbers),
		cmocka_unit_test(elements_are_the_same_however_they_come),
		cmocka_unit_test(what_is_no_array_is_refused_however_it_comes),
		cmocka_unit_test(an_element_too_long_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
