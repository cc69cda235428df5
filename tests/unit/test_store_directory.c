/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/directory.h"

#include <errno.h>
#include <fcntl.h>
#include "repo/store/direct.h"

static void
what_was_put_is_read(void **state)
{
	uint64_t size = 0;
	char buf[8];
	size_t got = 0;
	(void)state;

	put("data/ab/cd", "0123456789");
	assert_holds("data/ab/cd", "0123456789");
	assert_int_equal(store_size(store, "data/ab/cd", &size, NULL), 0);
	assert_int_equal(size, 10);
	assert_int_equal(
		store_get(store, "data/ab/cd", 3, 4, buf, NULL, NULL), 0);
	assert_memory_equal(buf, "3456", 4);
	assert_int_equal(
		store_get(store, "data/ab/cd", 7, 8, buf, &got, NULL), 0);
	assert_int_equal(got, 3);
	assert_memory_equal(buf, "789", 3);
	assert_int_equal(
		store_get(store, "data/ab/cd", 99, 8, buf, &got, NULL), 0);
	assert_int_equal(got, 0);
}

static void
a_read_past_the_end_is_cut_off(void **state)
{
	char buf[8];
	struct err e = ERR_INIT;
	(void)state;

	put("a", "0123");
	assert_int_equal(store_get(store, "a", 2, 3, buf, NULL, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "a is cut off"));
	assert_int_equal(
		store_get(store, "a", UINT64_MAX, 8, buf, NULL, &e), -EINVAL);
	assert_int_equal(
		store_get(store, "a", INT64_MAX, 8, buf, NULL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "beyond"));
}

static void
a_whole_object_is_bounded(void **state)
{
	auto_buf struct buf big = BUF_INIT;
	auto_free uint8_t *data = NULL, *again = NULL;
	size_t len = 0;
	(void)state;

	for (size_t i = 0; i < 50000; i++)
		buf_printf(&big, "%05zu", i);
	assert_int_equal(sink_put(sink, "big", big.data, big.len, NULL), 0);
	assert_int_equal(store_get_all(store, "big", 249999, &data, &len, NULL),
		-EUCLEAN);
	assert_int_equal(
		store_get_all(store, "big", 10, &data, &len, NULL), -EUCLEAN);
	assert_null(data);
	assert_int_equal(
		store_get_all(store, "big", 250000, &data, &len, NULL), 0);
	assert_int_equal(len, big.len);
	assert_memory_equal(data, big.data, len);
	/* exactly what a first get takes */
	assert_int_equal(sink_put(sink, "64k", big.data, 65536, NULL), 0);
	assert_int_equal(
		store_get_all(store, "64k", 65536, &again, &len, NULL), 0);
	assert_int_equal(len, 65536);
}

static void
a_small_object_takes_one_get(void **state)
{
	struct store_stats st;
	(void)state;

	put("a", "0123");
	assert_holds("a", "0123");
	store_stats(store, &st);
	assert_int_equal(st.gets, 1);
	assert_int_equal(st.bytes, 4);
	assert_int_equal(st.lists, 0);
}

static void
a_missing_object_is_named(void **state)
{
	struct err e = ERR_INIT;
	uint64_t size;
	char c;
	(void)state;

	put("file", "");
	assert_int_equal(
		store_get(store, "data/none", 0, 1, &c, NULL, &e), -ENOENT);
	assert_non_null(strstr(e.text, "data/none"));
	assert_int_equal(store_size(store, "none", &size, &e), -ENOENT);
	assert_int_equal(store_size(store, "file/below", &size, &e), -ENOENT);
}

static void
symbolic_links_are_not_followed(void **state)
{
	auto_free char *out = path_of("out"), *dir = path_of("dir");
	struct err e = ERR_INIT;
	uint64_t size;
	(void)state;

	assert_int_equal(symlink("/etc/passwd", out), 0);
	assert_int_equal(symlink("/etc", dir), 0);
	assert_int_equal(store_size(store, "out", &size, &e), -ELOOP);
	assert_int_equal(store_size(store, "dir/passwd", &size, &e), -ELOOP);
	assert_non_null(strstr(e.text, "dir/passwd"));
}

static void
a_fifo_does_not_hold_a_reader_up(void **state)
{
	auto_free char *path = path_of("fifo");
	uint64_t size;
	char c;
	(void)state;

	assert_int_equal(mkfifo(path, 0600), 0);
	make_directory("dir");
	assert_int_equal(
		store_get(store, "fifo", 0, 1, &c, NULL, NULL), -EUCLEAN);
	assert_int_equal(store_size(store, "dir", &size, NULL), -EUCLEAN);
}

static void
names_of_no_object_are_refused(void **state)
{
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
		"..", "a/../b", "../etc/passwd", ".a", "a/.b", "a b", "a\nb",
		"a\x7f", "a\xc3\xa4", "tmp", "tmp/x" };
	char longest[STORE_NAME_MAX + 2];
	char c;
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		assert_false(store_name_ok(bad[i]));
		assert_int_equal(store_get(store, bad[i], 0, 1, &c, NULL, NULL),
			-EINVAL);
		assert_int_equal(sink_put(sink, bad[i], "", 0, NULL), -EINVAL);
		assert_int_equal(sink_remove(sink, bad[i], NULL), -EINVAL);
	}
	memset(longest, 'x', sizeof(longest));
	longest[STORE_NAME_MAX + 1] = '\0';
	assert_false(store_name_ok(longest));
	longest[STORE_NAME_MAX] = '\0';
	assert_true(store_name_ok(longest));
	assert_true(store_name_ok("data/0f/a.b-c_d~!"));
	assert_true(store_name_ok("tmpx/a"));
	assert_true(store_name_ok("a/tmp/b"));
}

static unsigned
count_descriptors(void)
{
	auto_closedir DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static void
no_more_than_64_descriptors_stay_open(void **state)
{
	unsigned before = count_descriptors();
	(void)state;

	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 200; i++) {
			char name[8];

			snprintf(name, sizeof(name), "o%u", i);
			if (round == 0)
				put(name, name);
			assert_holds(name, name);
		}
	}
	assert_in_range(count_descriptors(), before + 60, before + 64);
}

static void
a_recently_read_object_stays_open(void **state)
{
	auto_free char *often = path_of("often"), *first = path_of("o0");
	char name[8], c;
	(void)state;

	put("often", "x");
	assert_int_equal(store_get(store, "often", 0, 1, &c, NULL, NULL), 0);
	assert_int_equal(unlink(often), 0);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "o%u", i);
		put(name, "y");
		assert_int_equal(
			store_get(store, name, 0, 1, &c, NULL, NULL), 0);
		assert_int_equal(
			store_get(store, "often", 0, 1, &c, NULL, NULL), 0);
	}
	assert_int_equal(unlink(first), 0);
	assert_int_equal(store_get(store, "o0", 0, 1, &c, NULL, NULL), -ENOENT);
}

static void *
read_all(void *wrong)
{
	for (unsigned i = 0; i < 4000; i++) {
		unsigned at = i * 17 % 150;
		char name[8], text[8];

		snprintf(name, sizeof(name), "o%u", at);
		if (store_get(store, name, 0, strlen(name), text, NULL, NULL) <
				0 ||
			memcmp(text, name, strlen(name)) != 0)
			++*(unsigned *)wrong;
	}
	return NULL;
}

static void
threads_share_descriptors(void **state)
{
	pthread_t threads[8];
	unsigned wrong[8] = { 0 };
	(void)state;

	for (unsigned i = 0; i < 150; i++) {
		char name[8];

		snprintf(name, sizeof(name), "o%u", i);
		put(name, name);
	}
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, read_all, &wrong[i]),
			0);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(wrong[i], 0);
	}
}

/* -- What -r names ------------------------------------------------------- */

static void
a_directory_is_named_in_three_ways(void **state)
{
	auto_free char *url = xasprintf("file://%s", root);
	auto_free char *absolute = realpath(root, NULL);
	const char *names[] = { root, url, "." };
	(void)state;

	assert_int_equal(chdir(root), 0);
	for (size_t i = 0; i < n_elements(names); i++) {
		auto_store struct store *s = NULL;
		auto_sink struct sink *k = NULL;

		assert_int_equal(store_open(names[i], &s, NULL), 0);
		assert_int_equal(sink_open(names[i], false, &k, NULL), 0);
		assert_string_equal(s->local_path, absolute);
	}
	assert_int_equal(chdir("/"), 0);
}

static void
assert_not_opened(const char *repo, int code, const char *says)
{
	struct store *s = NULL;
	struct sink *k = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(store_open(repo, &s, &e), -code);
	assert_non_null(strstr(e.text, says));
	assert_int_equal(sink_open(repo, false, &k, &e), -code);
	assert_non_null(strstr(e.text, says));
	assert_null(strchr(e.text, '\n'));
	assert_int_equal(store_open(repo, &s, NULL), -code);
}

static void
what_is_no_local_directory_is_refused_by_name(void **state)
{
	auto_free char *missing = path_of("missing"), *file = path_of("file");
	(void)state;

	write_file("file", "");
	assert_not_opened("file://host/x", EINVAL, "absolute");
	assert_not_opened("", EINVAL, "no repository");
	assert_not_opened(missing, ENOENT, "missing");
	assert_not_opened(file, ENOTDIR, "file");
}

#define LONG 300000u

/* A long object that is not in the page cache. */
static void
put_cold(const char *name)
{
	auto_buf struct buf b = BUF_INIT;
	auto_free char *path = path_of(name);

	while (b.len < LONG)
		buf_printf(&b, "%07zu,", b.len);
	assert_int_equal(sink_put(sink, name, b.data, LONG, NULL), 0);
	auto_close int fd = open(path, O_RDONLY);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

static bool
is_cached(const char *name)
{
	auto_free char *path = path_of(name);
	auto_close int fd = open(path, O_RDONLY);

	return direct_is_cached(fd, 0, LONG);
}

static void
assert_long(uint64_t off, const char *p, size_t n)
{
	char number[24];

	for (size_t i = 0; i < n; i++) {
		snprintf(number, sizeof(number), "%07llu,",
			(unsigned long long)(off + i) / 8 * 8);
		assert_int_equal(p[i], number[(off + i) % 8]);
	}
}

static void
content_goes_past_the_page_cache(void **state)
{
	static const struct store_call once = { .once = true };
	static const uint32_t offs[] = { 0, 1, 4095, 4096, 4097, 64, 290000 };
	static const uint32_t lens[] = { 8192, 9000, 12288, 100000, 290000 };
	auto_free char *room = xmalloc(LONG + STORE_ALIGN);
	(void)state;

	put_cold("a");
	for (size_t i = 0; i < n_elements(offs) * n_elements(lens); i++) {
		uint32_t off = offs[i % n_elements(offs)];
		uint32_t len = lens[i / n_elements(offs)];
		char *p = store_align(room, off);
		size_t got = 0;

		memset(room, 'x', LONG + STORE_ALIGN);
		assert_int_equal(
			store_get_call(store, "a", off, len, p, &got, &once,
				NULL), 0);
		assert_int_equal(got, len < LONG - off ? len : LONG - off);
		assert_long(off, p, got);
		for (char *c = room; c < room + LONG + STORE_ALIGN; c++)
			assert_true(*c == 'x' || (c >= p && c < p + len));
	}
	assert_false(is_cached("a"));
	/* what is there already is taken from there */
	assert_int_equal(store_get(store, "a", 1, LONG - 1, room, NULL, NULL),
		0);
	assert_true(is_cached("a"));
	assert_int_equal(store_get_call(store, "a", 0, LONG,
				 store_align(room, 0), NULL, &once, NULL), 0);
	assert_long(0, store_align(room, 0), LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(what_was_put_is_read),
		IN_DIRECTORY(a_read_past_the_end_is_cut_off),
		IN_DIRECTORY(a_whole_object_is_bounded),
		IN_DIRECTORY(a_small_object_takes_one_get),
		IN_DIRECTORY(a_missing_object_is_named),
		IN_DIRECTORY(symbolic_links_are_not_followed),
		IN_DIRECTORY(a_fifo_does_not_hold_a_reader_up),
		IN_DIRECTORY(names_of_no_object_are_refused),
		IN_DIRECTORY(no_more_than_64_descriptors_stay_open),
		IN_DIRECTORY(a_recently_read_object_stays_open),
		IN_DIRECTORY(threads_share_descriptors),
		IN_DIRECTORY(content_goes_past_the_page_cache),
		IN_DIRECTORY(a_directory_is_named_in_three_ways),
		IN_DIRECTORY(what_is_no_local_directory_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
