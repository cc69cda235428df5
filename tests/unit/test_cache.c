/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"

static void
what_was_written_is_read(void **state)
{
	auto_cache struct cache *c = open_cache();
	const char *a = pack_name(1);
	(void)state;

	assert_false(is_kept(c, a, 100, 1000));
	keep(c, a, 100, 1000);
	assert_true(is_kept(c, a, 100, 1000));
	assert_true(is_kept(c, a, 500, 10));
	assert_false(is_kept(c, a, 99, 10));
	assert_false(is_kept(c, a, 1090, 11));
	assert_false(is_kept(c, pack_name(2), 100, 1000));
}

static void
a_range_over_many_segments_is_read(void **state)
{
	auto_cache struct cache *c = open_cache();
	const char *a = pack_name(1);
	(void)state;

	keep(c, a, 3 * MIB - 77, 5 * MIB + 200);
	assert_true(is_kept(c, a, 3 * MIB - 77, 5 * MIB + 200));
	assert_true(is_kept(c, a, 4 * MIB + 5, 1));
	assert_false(is_kept(c, a, 3 * MIB - 78, 5 * MIB));
}

static void
gaps_say_what_lacks_and_the_rest_is_read(void **state)
{
	auto_cache struct cache *c = open_cache();
	auto_free uint8_t *data = xcalloc(1, 10000);
	const char *a = pack_name(1);
	struct cache_gaps gaps;
	(void)state;

	keep(c, a, 1000, 1000);
	keep(c, a, 5000, 1000);
	assert_false(cache_read(c, a, 500, 6000, data, &gaps));
	assert_int_equal(gaps.n, 3);
	assert_int_equal(gaps.gap[0].off, 500);
	assert_int_equal(gaps.gap[0].len, 500);
	assert_int_equal(gaps.gap[1].off, 2000);
	assert_int_equal(gaps.gap[1].len, 3000);
	assert_int_equal(gaps.gap[2].off, 6000);
	assert_int_equal(gaps.gap[2].len, 500);
	assert_true(content_is(a, 1000, data + 500, 1000));
	assert_true(content_is(a, 5000, data + 4500, 1000));
}

static void
more_gaps_than_can_be_told_are_one(void **state)
{
	auto_cache struct cache *c = open_cache();
	const char *a = pack_name(1);
	struct cache_gaps gaps;
	(void)state;

	for (unsigned i = 0; i < 100; i++)
		keep(c, a, i * 200, 100);
	assert_false(cache_read(c, a, 0, 20000, NULL, &gaps));
	assert_int_equal(gaps.n, CACHE_GAPS_MAX);
	assert_int_equal(gaps.gap[0].off, 100);
	assert_int_equal(gaps.gap[CACHE_GAPS_MAX - 1].off, 3100);
	assert_int_equal(gaps.gap[CACHE_GAPS_MAX - 1].len, 16900);
}

static void
what_was_kept_is_there_after_reopening(void **state)
{
	struct cache *c = open_cache();
	const char *a = pack_name(1), *b = pack_name(2);
	(void)state;

	keep(c, a, 64, 300 * KIB);
	keep(c, b, 1 * MIB + 3, 7);
	cache_close(c);
	c = open_cache();
	assert_true(is_kept(c, a, 64, 300 * KIB));
	assert_true(is_kept(c, b, 1 * MIB + 3, 7));
	cache_close(c);
}

static void
what_is_queued_is_written_before_the_cache_closes(void **state)
{
	struct cache *c = open_cache();
	(void)state;

	for (unsigned i = 0; i < 50; i++) {
		auto_free uint8_t *data = content_of(pack_name(i), 0, 100000);

		cache_write(c, pack_name(i), 0, data, 100000);
	}
	cache_close(c);
	c = open_cache();
	for (unsigned i = 0; i < 50; i++)
		assert_true(is_kept(c, pack_name(i), 0, 100000));
	cache_close(c);
}

static void
a_hit_asks_the_ledger_nothing(void **state)
{
	auto_cache struct cache *c = open_cache();
	auto_free char *ledger = xasprintf("%s/ledger.db", cache_dir);
	auto_free char *away = xasprintf("%s/away", cache_dir);
	(void)state;

	keep(c, pack_name(1), 0, 300000);
	assert_true(is_kept(c, pack_name(1), 0, 10));
	assert_int_equal(rename(ledger, away), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_true(is_kept(c, pack_name(1), i * 1000, 1000));
	assert_false(is_kept(c, pack_name(2), 0, 10));
	assert_int_equal(rename(away, ledger), 0);
}

static void
what_is_forgotten_lacks_until_it_is_written_again(void **state)
{
	auto_cache struct cache *c = open_cache();
	auto_free uint8_t *right = content_of(pack_name(1), 10000, 5000);
	const char *a = pack_name(1);
	(void)state;

	keep(c, a, 0, 600000);
	flip(file_of(a), 12000);
	assert_true(cache_read(c, a, 10000, 10, NULL, NULL));
	cache_forget(c, a, 10000, 5000);
	/* at once, not when the thread has come to it */
	assert_false(is_kept(c, a, 14999, 1));
	assert_true(is_kept(c, a, 0, 10000));
	cache_write(c, a, 10000, right, 5000);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_true(is_kept(c, a, 0, 600000));
}

static void
a_rewritten_place_has_the_new_bytes(void **state)
{
	auto_cache struct cache *c = open_cache();
	const char *a = pack_name(1);
	(void)state;

	keep(c, a, 0, 600000);
	flip(file_of(a), 300000);
	assert_int_equal(read_through(c, a, 290000, 20000), OUT_BAD);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_true(is_kept(c, a, 0, 600000));
}

static void
a_truncated_file_is_a_miss(void **state)
{
	auto_cache struct cache *c = open_cache();
	const char *a = pack_name(1);
	(void)state;

	keep(c, a, 0, 600000);
	assert_int_equal(truncate(file_of(a), 250000), 0);
	assert_true(is_kept(c, a, 0, 250000));
	assert_int_equal(read_through(c, a, 240000, 20000), OUT_MISS);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_true(is_kept(c, a, 240000, 20000));
}

static void
a_removed_file_is_a_miss(void **state)
{
	struct cache *c = open_cache();
	const char *a = pack_name(1);
	(void)state;

	keep(c, a, 0, 600000);
	cache_close(c);
	assert_int_equal(unlink(file_of(a)), 0);
	c = open_cache();
	assert_int_equal(read_through(c, a, 1000, 20000), OUT_MISS);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_true(is_kept(c, a, 1000, 20000));
	cache_close(c);
}

/* Put something else in the place of an object's file. */
static void
replace_file(const char *path, unsigned kind)
{
	auto_free char *other = xasprintf("%s.other", path);

	assert_int_equal(rename(path, other), 0);
	switch (kind) {
	case 0:
		assert_int_equal(symlink(other, path), 0);
		break;
	case 1:
		assert_int_equal(mkfifo(path, 0600), 0);
		break;
	case 2:
		assert_int_equal(link(other, path), 0);
	}
}

static void
a_foreign_thing_in_a_files_place_is_not_used(void **state)
{
	(void)state;

	for (unsigned kind = 0; kind < 3; kind++) {
		struct cache *c = open_cache();
		const char *a = pack_name(kind);

		keep(c, a, 0, 1000);
		cache_close(c);
		replace_file(file_of(a), kind);
		c = open_cache();
		assert_int_equal(read_through(c, a, 0, 900), OUT_MISS);
		assert_int_equal(cache_sync(c, NULL), 0);
		assert_true(is_kept(c, a, 0, 900));
		cache_close(c);
	}
}

static void
ranges_that_make_no_sense_are_misses(void **state)
{
	auto_cache struct cache *c = open_cache();
	uint8_t byte = 0;
	(void)state;

	cache_write(c, pack_name(1), UINT64_MAX, &byte, 1);
	cache_write(c, pack_name(1), INT64_MAX, &byte, 1);
	cache_write(c, pack_name(1), 5, &byte, 0);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_false(cache_read(c, pack_name(1), UINT64_MAX, 1, &byte, NULL));
	assert_false(cache_read(c, pack_name(1), INT64_MAX, 1, &byte, NULL));
	cache_forget(c, pack_name(1), 0, UINT64_MAX);
	assert_int_equal(cache_sync(c, NULL), 0);
}

/* -- Whole objects ------------------------------------------------------- */

static void
assert_whole(struct cache *c, const char *name, const char *text)
{
	auto_free uint8_t *data = NULL;
	size_t len = 0;

	assert_int_equal(cache_get(c, name, 1 << 20, &data, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
}

static void
put(struct cache *c, const char *name, const char *text)
{
	cache_put(c, name, text, strlen(text));
	assert_int_equal(cache_sync(c, NULL), 0);
}

static void
a_whole_object_comes_back_until_it_is_replaced(void **state)
{
	struct cache *c = open_cache();
	uint8_t *data = NULL;
	size_t len;
	(void)state;

	assert_int_equal(cache_get(c, "format", 99, &data, &len), -ENOENT);
	put(c, "format", "yore-repository 1");
	assert_whole(c, "format", "yore-repository 1");
	put(c, "format", "short");
	assert_whole(c, "format", "short");
	put(c, "format", "somewhat longer than before");
	assert_whole(c, "format", "somewhat longer than before");
	assert_int_equal(cache_get(c, "format", 5, &data, &len), -ENOENT);
	cache_close(c);
	c = open_cache();
	assert_whole(c, "format", "somewhat longer than before");
	cache_forget(c, "format", 0, UINT64_MAX);
	assert_int_equal(cache_get(c, "format", 99, &data, &len), -ENOENT);
	cache_close(c);
}

static void
a_whole_object_takes_the_place_of_ranges(void **state)
{
	auto_cache struct cache *c = open_cache();
	char text[4] = "";
	(void)state;

	cache_write(c, "cat/1", 1 * MIB, "tail", 4);
	assert_int_equal(cache_sync(c, NULL), 0);
	put(c, "cat/1", "all of it");
	assert_whole(c, "cat/1", "all of it");
	assert_false(cache_read(c, "cat/1", 1 * MIB, 4, text, NULL));
	assert_true(cache_read(c, "cat/1", 4, 2, text, NULL));
	assert_memory_equal(text, "of", 2);
}

static void
big_whole_objects_are_kept_too(void **state)
{
	auto_cache struct cache *c = open_cache();
	auto_free uint8_t *right = content_of("cat/2", 0, 3 * MIB + 17);
	auto_free uint8_t *data = NULL;
	size_t len = 0;
	(void)state;

	cache_put(c, "cat/2", right, 3 * MIB + 17);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_int_equal(cache_get(c, "cat/2", 4 * MIB, &data, &len), 0);
	assert_int_equal(len, 3 * MIB + 17);
	assert_memory_equal(data, right, len);
}

/* -- The directory ------------------------------------------------------- */

static int
try_open(struct err *e)
{
	struct cache_options o = { .repository_id = cache_repository };
	struct cache *c = NULL;
	int r = cache_open(cache_dir, &o, &c, e);

	cache_close(c);
	return r;
}

static void
a_directory_that_others_may_write_to_is_refused(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;
	(void)state;

	assert_int_equal(try_open(&e), 0);
	assert_int_equal(stat(cache_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(chmod(cache_dir, 0770), 0);
	assert_int_equal(try_open(&e), -EACCES);
	assert_non_null(strstr(e.text, cache_dir));
	assert_int_equal(chmod(cache_dir, 0702), 0);
	assert_int_equal(try_open(&e), -EACCES);
	assert_int_equal(chmod(cache_dir, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(cache_dir, 1, 1), 0);
		assert_int_equal(try_open(&e), -EACCES);
		assert_non_null(strstr(e.text, "another user"));
	}
}

static void
the_default_directory_is_that_of_xdg(void **state)
{
	char *dir;
	(void)state;

	setenv("HOME", "/home/ann", 1);
	unsetenv("XDG_CACHE_HOME");
	dir = cache_default_dir();
	assert_string_equal(dir, "/home/ann/.cache/yore");
	free(dir);
	setenv("XDG_CACHE_HOME", "/var/c", 1);
	dir = cache_default_dir();
	assert_string_equal(dir, "/var/c/yore");
	free(dir);
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	assert_null(cache_default_dir());
}

static void
nothing_readable_lies_on_the_disk(void **state)
{
	struct cache *c = open_cache();
	char command[700];
	(void)state;

	put(c, "snap/0123/000001-20261120-abc", "sealed");
	cache_close(c);
	snprintf(command, sizeof(command), "grep -rqa 000001-2026 %s",
		cache_dir);
	assert_int_not_equal(system(command), 0);
}

static void
status_counts_what_there_is(void **state)
{
	auto_cache struct cache *c = open_cache_of(64 * MIB);
	struct cache_status st;
	(void)state;

	keep(c, pack_name(1), 0, 1 * MIB);
	keep(c, pack_name(2), 100, 10);
	assert_true(is_kept(c, pack_name(1), 0, 100));
	assert_false(is_kept(c, pack_name(3), 0, 100));
	assert_int_equal(cache_status(c, &st, NULL), 0);
	assert_int_equal(st.objects, 2);
	assert_int_equal(st.repositories, 1);
	assert_int_equal(st.limit, 64 * MIB);
	assert_int_equal(st.min_free, 0);
	assert_int_equal(st.hits, 1);
	assert_int_equal(st.misses, 1);
	assert_int_equal(st.written_bytes, 1 * MIB + 10);
	assert_in_range(st.bytes, 1 * MIB + 4096, 1 * MIB + 600 * KIB);
	assert_in_range(st.bytes, disk_use() - 64 * KIB, disk_use());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(what_was_written_is_read),
		WITH_CACHE(a_range_over_many_segments_is_read),
		WITH_CACHE(gaps_say_what_lacks_and_the_rest_is_read),
		WITH_CACHE(more_gaps_than_can_be_told_are_one),
		WITH_CACHE(what_was_kept_is_there_after_reopening),
		WITH_CACHE(what_is_queued_is_written_before_the_cache_closes),
		WITH_CACHE(a_hit_asks_the_ledger_nothing),
		WITH_CACHE(what_is_forgotten_lacks_until_it_is_written_again),
		WITH_CACHE(a_rewritten_place_has_the_new_bytes),
		WITH_CACHE(a_truncated_file_is_a_miss),
		WITH_CACHE(a_removed_file_is_a_miss),
		WITH_CACHE(a_foreign_thing_in_a_files_place_is_not_used),
		WITH_CACHE(ranges_that_make_no_sense_are_misses),
		WITH_CACHE(a_whole_object_comes_back_until_it_is_replaced),
		WITH_CACHE(a_whole_object_takes_the_place_of_ranges),
		WITH_CACHE(big_whole_objects_are_kept_too),
		WITH_CACHE(a_directory_that_others_may_write_to_is_refused),
		WITH_CACHE(nothing_readable_lies_on_the_disk),
		WITH_CACHE(status_counts_what_there_is),
		WITH_CACHE(the_default_directory_is_that_of_xdg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
