/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include "tests/unit/unit.h"
#include "tests/unit/directory.h"
#include "repo/foreign/litestream05_files.h"

static struct litestream05_files files;

/* A file of a level, as a listing would tell it. */
static void
add(unsigned level, uint64_t min, uint64_t max)
{
	files.files =
		xrealloc(files.files, (files.n + 1) * sizeof(*files.files));
	files.files[files.n++] = (struct litestream05_file){ .min = min,
		.max = max,
		.level = (uint8_t)level,
		.modified_ns = (int64_t)max };
}

static void
derive(void)
{
	litestream05_files_derive(&files);
}

static int
empty(void **state)
{
	(void)state;
	litestream05_files_release(&files);
	return 0;
}

static char *
moments(void)
{
	auto_buf struct buf b = BUF_INIT;
	size_t len;

	for (size_t i = 0; i < files.n_moments; i++)
		buf_printf(&b, "%lu ", files.moments[i].txid);
	buf_append(&b, "", 1);
	return (char *)buf_steal(&b, &len);
}

#define are_moments(want)                          \
	do {                                       \
		auto_free char *have_ = moments(); \
		assert_string_equal(have_, want);  \
	} while (0)

/* "LEVEL:MIN-MAX " of each file of a plan, or "none". */
static char *
plan(uint64_t txid)
{
	auto_buf struct buf b = BUF_INIT;
	auto_free uint32_t *chosen = NULL;
	size_t n, len;

	if (litestream05_files_plan(&files, txid, &chosen, &n, NULL) < 0)
		return xstrdup("none");
	for (size_t i = 0; i < n; i++) {
		const struct litestream05_file *f = &files.files[chosen[i]];

		buf_printf(&b, "%u:%lu-%lu ", f->level, f->min, f->max);
	}
	buf_append(&b, "", 1);
	return (char *)buf_steal(&b, &len);
}

#define is_plan(txid, want)                         \
	do {                                        \
		auto_free char *have_ = plan(txid); \
		assert_string_equal(have_, want);   \
	} while (0)

static void
names_say_level_and_txids(void **state)
{
	static const struct {
		const char *name;
		unsigned level;
		uint64_t min, max;
	} good[] = {
		{ "ltx/0/0000000000000001-0000000000000001.ltx", 0, 1, 1 },
		{ "ltx/9/0000000000000001-00000000000000ff.ltx", 9, 1, 255 },
		{ "0000/000000000000000a-000000000000000a.ltx", 0, 10, 10 },
		{ "0002/000000000000000a-fffffffffffffffe.ltx", 2, 10,
			0xfffffffffffffffe },
	};
	struct litestream05_file f;
	char again[LITESTREAM05_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < n_elements(good); i++) {
		assert_true(litestream05_file_parse(good[i].name, &f));
		assert_int_equal(f.level, good[i].level);
		assert_int_equal(f.min, good[i].min);
		assert_int_equal(f.max, good[i].max);
		litestream05_file_name(&f, again);
		assert_string_equal(again, good[i].name);
	}
}

static void
other_names_are_none(void **state)
{
	static const char *const bad[] = { "", "ltx/", "ltx/0/", "lock.json",
		"ltx/0/0000000000000001-0000000000000001.ltx.tmp",
		"ltx/10/0000000000000001-0000000000000001.ltx",
		"ltx/a/0000000000000001-0000000000000001.ltx",
		"ltx/0/0000000000000000-0000000000000001.ltx",
		"ltx/0/0000000000000002-0000000000000001.ltx",
		"ltx/0/000000000000000A-000000000000000A.ltx",
		"ltx/0/0000000000000001_0000000000000001.ltx",
		"ltx/0/000000000000001-00000000000000001.ltx",
		"ltx/9/0000000000000002-0000000000000003.ltx",
		"000a/0000000000000001-0000000000000001.ltx",
		"0010/0000000000000001-0000000000000001.ltx",
		"00000/000000000000001-0000000000000001.ltx",
		"generations/0123456789abcdef/wal/00000000_00000000.wal.lz4" };
	struct litestream05_file f;

	(void)state;
	for (size_t i = 0; i < n_elements(bad); i++)
		assert_false(litestream05_file_parse(bad[i], &f));
}

static void
every_txid_of_level_0_can_be_had(void **state)
{
	(void)state;
	add(0, 1, 1);
	add(0, 2, 2);
	add(0, 3, 3);
	derive();
	are_moments("1 2 3 ");
	assert_int_equal(files.missing, 0);
	is_plan(3, "0:1-1 0:2-2 0:3-3 ");
}

static void
what_reaches_furthest_is_taken(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 12; i++)
		add(0, i, i);
	add(9, 1, 4);
	add(1, 5, 7);
	add(1, 8, 10);
	add(2, 3, 10); /* begins in the snapshot */
	derive();
	is_plan(12, "9:1-4 2:3-10 0:11-11 0:12-12 ");
	is_plan(9, "9:1-4 1:5-7 0:8-8 0:9-9 ");
	is_plan(10, "9:1-4 2:3-10 ");
	is_plan(3, "0:1-1 0:2-2 0:3-3 ");
	is_plan(13, "none");
}

static void
of_equals_the_higher_level_is_taken(void **state)
{
	(void)state;
	add(9, 1, 1);
	add(0, 2, 2);
	add(1, 2, 2);
	add(2, 2, 2);
	derive();
	is_plan(2, "9:1-1 2:2-2 ");
	are_moments("1 2 ");
	assert_int_equal(files.files[files.moments[1].file].level, 0);
}

static void
where_level_0_has_gone_its_txids_cannot_be_had(void **state)
{
	(void)state;
	add(9, 1, 1);
	add(1, 2, 5);
	add(1, 6, 9);
	add(0, 4, 4); /* left over: 2 and 3 have gone */
	add(0, 9, 9);
	add(0, 10, 10);
	derive();
	are_moments("1 5 9 10 ");
	assert_int_equal(files.missing, 0);
	is_plan(4, "none");
	is_plan(10, "9:1-1 1:2-5 1:6-9 0:10-10 ");
}

static void
nothing_can_be_had_behind_a_gap(void **state)
{
	(void)state;
	add(9, 1, 3);
	add(0, 4, 4);
	add(0, 6, 6);
	add(1, 7, 9);
	derive();
	are_moments("3 4 ");
	assert_int_equal(files.missing, 5);
	assert_int_equal(files.newest, 9);
	is_plan(6, "none");
	is_plan(9, "none");
}

static void
a_snapshot_bridges_a_gap(void **state)
{
	(void)state;
	add(9, 1, 3);
	add(0, 6, 6);
	add(0, 7, 7);
	add(9, 1, 6);
	derive();
	are_moments("3 6 7 ");
	assert_int_equal(files.missing, 0);
	is_plan(7, "9:1-6 0:7-7 ");
}

static void
without_a_beginning_nothing_can_be_had(void **state)
{
	(void)state;
	add(0, 2, 2);
	add(1, 2, 5);
	derive();
	are_moments("");
	assert_int_equal(files.missing, 1);
	litestream05_files_release(&files);
	derive();
	are_moments("");
	assert_int_equal(files.missing, 0);
}

/* As Litestream says it, without anything clever: from the state after
 * `reached`, whether txid can be reached. */
static bool
can_reach(uint64_t reached, uint64_t txid)
{
	if (reached == txid)
		return true;
	for (size_t i = 0; i < files.n; i++) {
		const struct litestream05_file *f = &files.files[i];

		if (f->min <= reached + 1 && f->max > reached &&
			f->max <= txid && can_reach(f->max, txid))
			return true;
	}
	return false;
}

static void
whatever_files_there_are_moments_and_plans_agree(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		empty(NULL);
		for (int i = 0; i < 12; i++) {
			unsigned r = seed = seed * 1664525 + 1013904223;
			uint64_t min = 1 + (r >> 8) % 14;
			uint64_t max = min + (r >> 16) % 4;

			add(i == 0 ? 9 : (r >> 24) % 9, i == 0 ? 1 : min, max);
		}
		derive();
		for (uint64_t txid = 1; txid < 20; txid++) {
			auto_free uint32_t *chosen = NULL;
			size_t at = litestream05_files_find(&files, txid), n;
			bool is_moment = at < files.n_moments &&
					 files.moments[at].txid == txid;
			uint64_t reached = 0;

			assert_int_equal(is_moment, can_reach(0, txid));
			assert_int_equal(litestream05_files_plan(&files, txid,
						 &chosen, &n, NULL),
				is_moment ? 0 : -ENOENT);
			for (size_t k = 0; is_moment && k < n; k++) {
				assert_true(files.files[chosen[k]].min <=
					    reached + 1);
				reached = files.files[chosen[k]].max;
			}
			assert_int_equal(reached, is_moment ? txid : 0);
		}
	}
}

/* -- Listing ----------------------------------------------------------------
 */

static void
make(const char *name)
{
	assert_int_equal(sink_put(sink, name, "x", 1, NULL), 0);
}

static void
both_layouts_are_listed_below_a_prefix(void **state)
{
	(void)state;
	make("a/ltx/0/0000000000000001-0000000000000001.ltx");
	make("a/ltx/9/0000000000000001-0000000000000002.ltx");
	make("a/ltx/9/readme");
	make("b/0000/0000000000000001-0000000000000001.ltx");
	make("b/0001/0000000000000002-0000000000000003.ltx");
	make("b/lock.json");
	make("b/generations/0123456789abcdef/x");
	assert_int_equal(
		litestream05_files_list(store, "a/", NULL, true, &files, NULL),
		0);
	assert_int_equal(files.n, 2);
	are_moments("1 2 ");
	empty(NULL);
	assert_int_equal(
		litestream05_files_list(store, "b/", NULL, true, &files, NULL),
		0);
	assert_int_equal(files.n, 2);
	are_moments("1 3 ");
	empty(NULL);
	assert_int_equal(
		litestream05_files_list(store, "c/", NULL, true, &files, NULL),
		0);
	assert_int_equal(files.n, 0);
	empty(NULL);
}

static void
of_many_files_only_new_ones_are_asked_for(void **state)
{
	struct litestream05_files again = { .n = 0 };

	(void)state;
	for (unsigned i = 1; i <= 5001; i++)
		add(0, i, i);
	derive();
	make("ltx/0/0000000000001389-0000000000001389.ltx"); /* 5001 */
	make("ltx/0/000000000000138a-000000000000138a.ltx");
	make("ltx/1/000000000000138b-000000000000138b.ltx");
	assert_int_equal(
		litestream05_files_list(store, "", &files, false, &again, NULL),
		0);
	assert_int_equal(again.n, 5002);
	assert_int_equal(again.newest, 5002);
	assert_false(litestream05_files_same(&files, &again));
	litestream05_files_release(&again);
	assert_int_equal(
		litestream05_files_list(store, "", &files, true, &again, NULL),
		0);
	assert_int_equal(again.n, 3);
	litestream05_files_release(&again);
	empty(NULL);
}

#define test(f) cmocka_unit_test_teardown(f, empty)
#define stored(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(names_say_level_and_txids),
		test(other_names_are_none),
		test(every_txid_of_level_0_can_be_had),
		test(what_reaches_furthest_is_taken),
		test(of_equals_the_higher_level_is_taken),
		test(where_level_0_has_gone_its_txids_cannot_be_had),
		test(nothing_can_be_had_behind_a_gap),
		test(a_snapshot_bridges_a_gap),
		test(without_a_beginning_nothing_can_be_had),
		test(whatever_files_there_are_moments_and_plans_agree),
		stored(both_layouts_are_listed_below_a_prefix),
		stored(of_many_files_only_new_ones_are_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
