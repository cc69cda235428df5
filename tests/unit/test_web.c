/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of a static tree, and its head. */
#include "tests/unit/s3_fixture.h"

#include <errno.h>
#include "repo/store/web_head.h"

#define HEAD_TEXT "yore-head 1\n7 cat/a\n8 cat/b\n132 keys/0\n1 snap/x/y\n"

static bool
collect(void *ctx, const char *name, uint64_t size)
{
	buf_printf(ctx, "%s=%llu ", name, (unsigned long long)size);
	return strcmp(name, "cat/b") != 0;
}

static void
assert_head(const char *text, const char *prefix, const char *after, int code,
	const char *expected)
{
	auto_buf struct buf got = BUF_INIT;
	const struct web_head_filter f = {
		.prefix = prefix, .after = after, .each = collect, .ctx = &got
	};

	assert_int_equal(web_head_list(text, strlen(text), &f, NULL), -code);
	buf_append(&got, "", 1);
	assert_string_equal((char *)got.data, expected);
}

static void
a_head_is_listed_like_a_store(void **state)
{
	(void)state;

	assert_head(HEAD_TEXT, "", "", 0, "cat/a=7 cat/b=8 ");
	assert_head(HEAD_TEXT, "keys/", "", 0, "keys/0=132 ");
	assert_head(HEAD_TEXT, "snap/", "", 0, "snap/x/y=1 ");
	assert_head(HEAD_TEXT, "", "cat/b", 0, "keys/0=132 snap/x/y=1 ");
	assert_head(HEAD_TEXT, "idx/", "", 0, "");
	assert_head("yore-head 1\n", "", "", 0, "");
}

static void
what_is_no_head_is_refused(void **state)
{
	static const char *const bad[] = { "", "<html>", "yore-head 2\n",
		"yore-head 1", "yore-head 1\n1 a", "yore-head 1\n a\n",
		"yore-head 1\n1  a\n", "yore-head 1\nx a\n",
		"yore-head 1\n1 ../a\n", "yore-head 1\n1 a\r\n",
		"yore-head 1\n12345678901234567890 a\n",
		"yore-head 1\n1 b\n1 a\n", "yore-head 1\n1 b\n1 b\n",
		"yore-head 1\n\n1 a\n" };
	auto_buf struct buf got = BUF_INIT;
	const struct web_head_filter f = {
		.prefix = "", .after = "", .each = collect, .ctx = &got
	};
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++)
		if (web_head_list(bad[i], strlen(bad[i]), &f, NULL) != -EUCLEAN)
			fail_msg("taken: %s", bad[i]);
}

static int
set_up(void **state)
{
	static const struct answer none[] = { { .then = THEN_CLOSE } };
	auto_free char *address = NULL;
	(void)state;

	server_start(&server, none, 1);
	address = xasprintf("%s/pub/?timeout=2", server.url);
	return store_open(address, &store, NULL);
}

static void
a_static_tree_is_read_without_keys(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 206 OK\r\nContent-Length: 3\r\n"
			  "Content-Range: bytes 2-4/9\r\n\r\nabc" },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" },
		{ .text = NOT_FOUND },
		{ .text = BUSY },
		{ .text = "HTTP/1.1 200 OK\r\nConnection: "
			  "close\r\n\r\n" HEAD_TEXT,
			.then = THEN_CLOSE },
	};
	auto_buf struct buf got = BUF_INIT;
	struct err e = ERR_INIT;
	uint64_t size;
	char buf[4] = "";
	(void)state;

	SCRIPT(script);
	assert_int_equal(
		store_get(store, "data/00/x", 2, 3, buf, NULL, NULL), 0);
	assert_string_equal(buf, "abc");
	assert_asked(&server, 0, "GET /pub/data/00/x HTTP");
	assert_not_asked(&server, 0, "Authorization");
	assert_not_asked(&server, 0, "x-amz");
	assert_int_equal(store_size(store, "format", &size, NULL), 0);
	assert_int_equal(size, 9);
	assert_int_equal(store_size(store, "none", &size, &e), -ENOENT);
	assert_non_null(strstr(e.text, "/pub/none: there is no such object"));
	assert_int_equal(
		store_list(store, "keys/", "", collect, &got, NULL), 0);
	assert_asked(&server, 4, "GET /pub/head HTTP");
	assert_int_equal(got.len, strlen("keys/0=132 "));
	/* soon after, the same head answers */
	assert_int_equal(
		store_list(store, "snap/", "", collect, &got, NULL), 0);
	assert_int_equal(server_seen(&server), 5);
	assert_int_equal(got.len, strlen("keys/0=132 snap/x/y=1 "));
}

static void
a_tree_without_head_says_what_it_lacks(void **state)
{
	static const struct answer script[] = { { .text = NOT_FOUND } };
	struct err e = ERR_INIT;
	(void)state;

	SCRIPT(script);
	assert_int_equal(
		store_list(store, "", "", collect, NULL, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "yore head"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_listed_like_a_store),
		cmocka_unit_test(what_is_no_head_is_refused),
		cmocka_unit_test_setup_teardown(
			a_static_tree_is_read_without_keys, set_up,
			s3_tear_down),
		cmocka_unit_test_setup_teardown(
			a_tree_without_head_says_what_it_lacks, set_up,
			s3_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
