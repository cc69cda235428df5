/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include "repo/store/http_head.h"

/* The head that lines, separated by |, make behind a status line. */
static struct http_head
head_of(const char *lines)
{
	struct http_head h;

	http_head_init(&h);
	http_head_line(&h, "HTTP/1.1 206 Partial Content\r\n", 30);
	while (*lines) {
		size_t len = strcspn(lines, "|");

		http_head_line(&h, lines, len);
		lines += len + (lines[len] == '|');
	}
	return h;
}

static void
what_is_known_is_read(void **state)
{
	struct http_head h = head_of(
		"content-LENGTH:  12 \r\n|Content-Range: bytes 4-15/99|"
		"ETag: \"abc\"|Date: Fri, 24 May 2013 00:00:00 GMT|"
		"Retry-After: 7|X-Amz-Bucket-Region: eu-west-1|Other: x|");
	(void)state;

	assert_false(h.bad);
	assert_int_equal(h.status, 206);
	assert_int_equal(h.length, 12);
	assert_true(h.has_range);
	assert_int_equal(h.first, 4);
	assert_int_equal(h.last, 15);
	assert_int_equal(h.size, 99);
	assert_string_equal(h.etag, "\"abc\"");
	assert_int_equal(h.date, 1369353600);
	assert_int_equal(h.retry_after_s, 7);
	assert_string_equal(h.region, "eu-west-1");
	assert_false(h.encoded);
}

static void
sizes_may_be_unknown_and_ranges_unsatisfied(void **state)
{
	struct http_head open = head_of("Content-Range: bytes 0-1/*");
	struct http_head none = head_of("Content-Range: bytes */7");
	(void)state;

	assert_true(open.has_range && !open.bad && open.size == -1);
	assert_true(!none.has_range && !none.bad && none.size == 7);
}

static void
what_is_malformed_marks_the_head(void **state)
{
	static const char *const bad[] = { "Content-Length: -1",
		"Content-Length: 1 2", "Content-Length: x",
		"Content-Length:", "Content-Length: 9223372036854775807",
		"Content-Length: 0x1", "Content-Length: 1|Content-Length: 2",
		"Content-Range: bytes 5-4/9", "Content-Range: bytes 1-9/9",
		"Content-Range: bytes 1-2", "Content-Range: 1-2/3",
		"Content-Range: bytes -2/3", "Content-Range: bytes 1-2/3x",
		"Content-Range: bytes 1-99999999999999999999/*", "HTTP/1.1",
		"HTTP/1.1 2x0 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 OK" };
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++)
		if (!head_of(bad[i]).bad)
			fail_msg("%s is taken", bad[i]);
}

static void
etags_that_are_weak_or_long_are_none(void **state)
{
	char line[400];
	(void)state;

	assert_string_equal(head_of("ETag: W/\"abc\"").etag, "");
	assert_string_equal(head_of("ETag: abc").etag, "");
	snprintf(line, sizeof(line), "ETag: \"%0200d\"", 7);
	assert_string_equal(head_of(line).etag, "");
	assert_false(head_of(line).bad);
}

static void
a_later_head_replaces_the_one_before(void **state)
{
	struct http_head h =
		head_of("Content-Length: 5|HTTP/2 200|ETag: \"y\"");
	(void)state;

	assert_int_equal(h.status, 200);
	assert_int_equal(h.length, -1);
	assert_string_equal(h.etag, "\"y\"");
}

static void
heads_are_bounded(void **state)
{
	struct http_head h;
	(void)state;

	http_head_init(&h);
	for (int i = 0; i < HTTP_LINES_MAX; i++)
		http_head_line(&h, "A: b", 4);
	assert_false(h.bad);
	http_head_line(&h, "A: b", 4);
	assert_true(h.bad);
}

static void
encodings_are_noticed(void **state)
{
	(void)state;

	assert_true(head_of("Content-Encoding: gzip").encoded);
	assert_false(head_of("Content-Encoding: identity").encoded);
}

static void
one_more_header_is_read_when_it_is_wanted(void **state)
{
	struct http_head h;
	char line[400] = "X-Mine: ";
	(void)state;

	http_head_init(&h);
	h.want = "x-mine";
	http_head_line(&h, "HTTP/1.1 100 Continue\r\n", 23);
	http_head_line(&h, "HTTP/1.1 200 OK\r\n", 17);
	http_head_line(&h, "X-Mine2: no\r\n", 13);
	assert_string_equal(h.wanted, "");
	http_head_line(&h, "X-Mine:  yes \r\n", 15);
	assert_string_equal(h.wanted, "yes");
	memset(line + 8, 'x', 300);
	http_head_line(&h, line, 308);
	assert_string_equal(h.wanted, "");
	assert_false(h.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known_is_read),
		cmocka_unit_test(sizes_may_be_unknown_and_ranges_unsatisfied),
		cmocka_unit_test(what_is_malformed_marks_the_head),
		cmocka_unit_test(etags_that_are_weak_or_long_are_none),
		cmocka_unit_test(a_later_head_replaces_the_one_before),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(encodings_are_noticed),
		cmocka_unit_test(one_more_header_is_read_when_it_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
