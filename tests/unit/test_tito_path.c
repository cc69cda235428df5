/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "repo/foreign/tito_path.h"

/* The path of a key, '/' between its parts; static. */
static const char *
path(const char *key, size_t len)
{
	static struct buf b;
	auto_buf struct buf back = BUF_INIT;

	b.len = 0;
	tito_path(key, len, &b);
	assert_true(tito_path_key((char *)b.data, b.len, &back));
	assert_int_equal(len, back.len);
	assert_memory_equal(key, len ? (char *)back.data : "", len);
	for (size_t i = 0; i < b.len; i++) {
		if (b.data[i] == TITO_PATH_SEPARATOR)
			b.data[i] = '/';
	}
	buf_append(&b, "", 1);
	return (char *)b.data;
}

static void
keys_have_the_paths_that_are_documented(void **state)
{
	static const struct {
		const char *key, *path;
	} keys[] = { { "table:users:0001", "table/users/0001.json" },
		{ "table:users:0001:profile", "table/users/0001/profile.json" },
		{ "event:a:1:2:3:4:5", "event/a/1/2/3%3A4%3A5.json" },
		{ "table:docs:", "table/docs/%.json" },
		{ "table::x", "table/%/x.json" }, { "", "%.json" },
		{ "alone", "alone.json" },
		{ "table:docs:.", "table/docs/%2E.json" },
		{ "table:docs:..", "table/docs/%2E..json" },
		{ "table:..:x", "table/%2E./x.json" },
		{ "table:docs:../../../etc/passwd",
			"table/docs/%2E.%2F..%2F..%2Fetc%2Fpasswd.json" },
		{ "table:docs:a%2Fb", "table/docs/a%252Fb.json" },
		{ "table:docs:a/b", "table/docs/a%2Fb.json" },
		{ "table:docs:a.json", "table/docs/a.json.json" },
		{ "table:a.json:x", "table/a%2Ejson/x.json" },
		{ "table:.json:x", "table/%2Ejson/x.json" },
		{ "q\"\\*?<>|\n\x7f", "q%22%5C%2A%3F%3C%3E%7C%0A%7F.json" },
		{ "caf\xc3\xa9 \xe9\xa7\x85",
			"caf\xc3\xa9 \xe9\xa7\x85.json" } };

	(void)state;
	for (size_t i = 0; i < n_elements(keys); i++)
		assert_string_equal(
			keys[i].path, path(keys[i].key, strlen(keys[i].key)));
	assert_string_equal("a%00b.json", path("a\0b", 3));
}

/* No name of a path is longer than 255 bytes, hidden, or none. */
static void
assert_names(const char *p)
{
	for (;;) {
		size_t n = strcspn(p, "/");

		assert_true(n > 0 && n <= 255 && *p != '.');
		if (!p[n])
			return;
		/* a directory is no file */
		assert_true(n < 5 || memcmp(p + n - 5, ".json", 5) != 0);
		p += n + 1;
	}
}

static void
long_keys_are_cut_into_directories(void **state)
{
	static const char *const fills[] = { "x", ".", "/", "\xe9\xa7\x85", "%",
		":", ".json" };

	(void)state;
	for (size_t f = 0; f < n_elements(fills); f++) {
		for (size_t len = 200; len < 1100; len++) {
			auto_buf struct buf key = BUF_INIT;

			buf_printf(&key, "table:long:");
			for (size_t i = 0; i < len % 300; i++)
				buf_append(&key, "y", 1);
			while (key.len < len)
				buf_append(&key, fills[f], strlen(fills[f]));
			assert_names(path((char *)key.data, key.len));
			/* as the name of a table, too */
			buf_append(&key, ":z", 2);
			assert_names(path((char *)key.data + 6, key.len - 6));
		}
	}
}

static void
paths_that_no_key_has_have_none(void **state)
{
	static const char *const paths[] = { "", ".json", "a", "a.JSON",
		"a%.json", "a%2.json", "a%2f.json", "a%41.json", "a:b.json",
		"a\1.json", "%\1.json", "a\1\1b.json", "a%\1b.json",
		"a.json\1b.json", "..\1b.json", "a/b.json" };

	(void)state;
	for (size_t i = 0; i < n_elements(paths); i++) {
		auto_buf struct buf key = BUF_INIT;

		assert_false(tito_path_key(paths[i], strlen(paths[i]), &key));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_have_the_paths_that_are_documented),
		cmocka_unit_test(long_keys_are_cut_into_directories),
		cmocka_unit_test(paths_that_no_key_has_have_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
