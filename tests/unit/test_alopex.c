/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "tests/unit/foreign_fixture.h"
#include "repo/foreign/alopex.h"
#include "repo/foreign/alopex_manifest.h"
#include "repo/foreign/alopex_view.h"
#include "repo/foreign/gzip.h"

#define BACKUPS ALOPEX_BACKUPS
#define BIG 700001 /* three pieces */

static char big[BIG];

static struct history *
open_data(void)
{
	struct history *h = NULL;

	assert_int_equal(0, fixture_history(&alopex_format, "", "data", &h));
	return h;
}

static void
put(unsigned ts, const char *path, const char *text)
{
	auto_free char *name = xasprintf(BACKUPS "ts-%u/%s", ts, path);

	fixture_put_text(name, text);
}

static void
add_entry(struct buf *b, const char *path, size_t len, uint32_t crc)
{
	buf_printf(b, "%s{\"path\":\"%s\",\"size\":%zu,\"crc32\":%u}",
		b->len ? "," : "", path, len, crc);
}

static void
put_manifest(unsigned ts, struct buf *entries)
{
	auto_free char *text = xasprintf("{\"version\":1,\"entries\":[%.*s]}",
		(int)entries->len, (char *)entries->data);

	put(ts, ALOPEX_MANIFEST, text);
}

/* A backup of three files, of which one has len bytes. */
static void
put_backup(unsigned ts, size_t len)
{
	auto_buf struct buf b = BUF_INIT;

	memset(big, 'x', len);
	big[len] = '\0';
	put(ts, "lsm.wal", big);
	put(ts, "sst/1.sst", "one");
	put(ts, "empty", "");
	add_entry(&b, "sst/1.sst", 3, gzip_crc32(0, "one", 3));
	add_entry(&b, "lsm.wal", len, gzip_crc32(0, big, len));
	add_entry(&b, "empty", 0, 0);
	put_manifest(ts, &b);
}

static void
put_latest(const char *text)
{
	fixture_put_text(BACKUPS "latest", text);
}

/* "id[*],..." of a source's snapshots; * has the tag latest. */
static void
assert_snapshots(struct history *h, const char *source, const char *wanted)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_buf struct buf b = BUF_INIT;
	size_t s = history_find_source(l, "alopex", source);

	for (uint32_t i = 0; s != HISTORY_NONE && i < l->sources[s].n_points;
		i++) {
		const struct history_point *p =
			&l->points[l->sources[s].first_point + i];

		buf_printf(&b, "%s%s,", p->id,
			history_has_tag(p, "latest") ? "*" : "");
	}
	buf_append(&b, "", 1);
	assert_string_equal(wanted, (char *)b.data);
}

static void
a_backup_reads_as_what_was_backed_up(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_backup(1000, BIG - 1);
	struct history *h = open_data();
	auto_view struct view *v = fixture_open(h, "data", "ts-1000");

	history_free(h); /* the view stays */
	assert_non_null(v);
	assert_string_equal(
		"unverified", fixture_xattr(v, "lsm.wal", "user.yore.state"));
	assert_string_equal(
		"1", fixture_xattr(v, "lsm.wal", "user.yore.unverified"));
	assert_int_equal(0, fixture_read(v, "lsm.wal", &b));
	assert_int_equal(BIG - 1, b.len);
	assert_memory_equal(big, b.data, b.len);
	assert_string_equal(
		"ok", fixture_xattr(v, "lsm.wal", "user.yore.state"));
	assert_string_equal(
		"", fixture_xattr(v, "lsm.wal", "user.yore.unverified"));
	assert_int_equal(0, fixture_read(v, "sst/1.sst", &b));
	assert_memory_equal("one", b.data, 3);
	assert_string_equal("ok", fixture_xattr(v, "", "user.yore.state"));
}

static void
latest_counts_by_its_last_part_wherever_it_was(void **state)
{
	(void)state;
	put_backup(1000, BIG - 1);
	put_backup(2000, BIG - 1);
	put_backup(3000, BIG - 1);
	put_latest("/elsewhere/.lifecycle/backup/ts-2000\n");
	struct history *h = open_data();

	assert_snapshots(h, "data", "ts-1000,ts-2000*,");
	assert_snapshots(h, "data.unfinished", "ts-3000,");
	put_latest("/elsewhere/.lifecycle/backup/ts-3000/");
	assert_int_equal(0, history_refresh(h, NULL));
	assert_snapshots(h, "data", "ts-1000,ts-2000,ts-3000*,");
	assert_snapshots(h, "data.unfinished", "");
	history_free(h);
}

static void
a_latest_that_names_nothing_is_as_none(void **state)
{
	static const char *const texts[] = { "", "/x/ts-20", "ts-99999", "..",
		"/x/ts-", "ts-02000", "ts-2000x", "\xff\xfe" };

	(void)state;
	put_backup(1000, BIG - 1);
	put_backup(2000, BIG - 1);
	for (size_t i = 0; i < n_elements(texts); i++) {
		put_latest(texts[i]);
		struct history *h = open_data();

		assert_snapshots(h, "data", "ts-1000,ts-2000,");
		history_free(h);
	}
}

static void
a_backup_without_manifest_is_not_among_the_others(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_backup(1000, BIG - 1);
	put(2000, "sst/1.sst", "half");
	struct history *h = open_data();
	auto_listing struct history_listing *l = history_listing(h);

	assert_snapshots(h, "data", "ts-1000,");
	assert_snapshots(h, "data.unfinished", "ts-2000,");
	/* nor does a time lead to it */
	assert_string_equal(
		"ts-1000", l->points[history_find_at(l, 0, INT64_MAX)].id);
	auto_view struct view *v =
		fixture_open(h, "data.unfinished", "ts-2000");
	assert_string_equal(
		"unfinished", fixture_xattr(v, "", "user.yore.state"));
	assert_string_equal(
		"unlisted", fixture_xattr(v, "sst/1.sst", "user.yore.state"));
	assert_int_equal(0, fixture_read(v, "sst/1.sst", &b));
	history_free(h);
}

static uint32_t
mode_of(struct view *v, const char *path)
{
	struct view_attr a;

	assert_int_equal(0, view_resolve(v, path, &a, NULL));
	return a.mode & 07777;
}

static void
what_is_not_as_in_the_manifest_is_shown_so(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	add_entry(&b, "gone", 5, 1);
	add_entry(&b, "longer", 2, gzip_crc32(0, "abc", 3));
	add_entry(&b, "other", 3, 12345);
	add_entry(&b, "good", 3, gzip_crc32(0, "abc", 3));
	put_manifest(1000, &b);
	put(1000, "longer", "abc");
	put(1000, "other", "abc");
	put(1000, "good", "abc");
	put(1000, "extra", "abc");
	put(1000, ".lifecycle/backup/x", "abc");
	struct history *h = open_data();
	auto_view struct view *v = fixture_open(h, "data", "ts-1000");
	static const struct {
		const char *path, *before, *after;
		uint32_t mode;
		int r;
	} files[] = { { "gone", "missing", "missing", 0, -EBADMSG },
		{ "longer", "size-differs", "size-differs", 0, -EBADMSG },
		{ "other", "unverified", "crc-differs", 0444, -EBADMSG },
		{ "good", "unverified", "ok", 0444, 0 },
		{ "extra", "unlisted", "unlisted", 01444, 0 } };

	for (size_t i = 0; i < n_elements(files); i++) {
		const char *path = files[i].path;

		assert_string_equal(files[i].before,
			fixture_xattr(v, path, "user.yore.state"));
		assert_int_equal(files[i].mode, mode_of(v, path));
		assert_int_equal(files[i].r, fixture_read(v, path, &b));
		assert_int_equal(files[i].r, fixture_read(v, path, &b));
		assert_string_equal(files[i].after,
			fixture_xattr(v, path, "user.yore.state"));
	}
	assert_int_equal(-ENOENT, fixture_read(v, ".lifecycle/backup/x", &b));
	assert_string_equal("damaged", fixture_xattr(v, "", "user.yore.state"));
	assert_string_equal("3", fixture_xattr(v, "", "user.yore.damaged"));
	assert_string_equal("1", fixture_xattr(v, "", "user.yore.unlisted"));
	history_free(h);
}

static void
what_changes_after_it_was_verified_is_found(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_backup(1000, BIG - 1);
	struct history *h = open_data();
	auto_view struct view *v = fixture_open(h, "data", "ts-1000");

	assert_int_equal(0, fixture_read(v, "lsm.wal", &b));
	big[BIG / 2] = 'y';
	put(1000, "lsm.wal", big);
	assert_int_equal(-EBADMSG, fixture_read(v, "lsm.wal", &b));
	assert_int_equal(0, fixture_read(v, "sst/1.sst", &b));
	history_free(h);
}

#define HUGE (ALOPEX_VERIFY_FIRST + 5000)

/* A backup of one file of zeros, most of it a hole, with this sum. */
static void
put_huge(unsigned ts, uint32_t crc)
{
	auto_free char *name =
		xasprintf("%s/" BACKUPS "ts-%u/lsm.wal", fixture_dir, ts);
	auto_buf struct buf b = BUF_INIT;

	put(ts, "lsm.wal", "");
	assert_int_equal(0, truncate(name, HUGE));
	add_entry(&b, "lsm.wal", HUGE, crc);
	put_manifest(ts, &b);
}

/* The first byte at once, and what is said of the file in the end. */
static const char *
state_in_the_end(struct view *v)
{
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	const char *state = "unverified";
	struct view_attr a;

	assert_int_equal(0, view_resolve(v, "lsm.wal", &a, NULL));
	assert_int_equal(0, view_read(v, a.node, 0, 1, &d, NULL));
	for (int i = 0; i < 3000 && !strcmp(state, "unverified"); i++) {
		usleep(10000);
		state = fixture_xattr(v, "lsm.wal", "user.yore.state");
	}
	return state;
}

static void
huge_files_are_verified_beside_reading_them(void **state)
{
	auto_free uint8_t *zeros = xcalloc(HUGE, 1);
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put_huge(1000, gzip_crc32(0, zeros, HUGE));
	put_huge(2000, 4711);
	struct history *h = open_data();
	auto_view struct view *good = fixture_open(h, "data", "ts-1000");
	auto_view struct view *bad = fixture_open(h, "data", "ts-2000");
	auto_view struct view *left = fixture_open(h, "data", "ts-1000");

	assert_string_equal("ok", state_in_the_end(good));
	assert_string_equal("crc-differs", state_in_the_end(bad));
	assert_int_equal(-EBADMSG, fixture_read(bad, "lsm.wal", &b));
	/* a view may go while it is at it */
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	struct view_attr a;
	assert_int_equal(0, view_resolve(left, "lsm.wal", &a, NULL));
	assert_int_equal(0, view_read(left, a.node, HUGE - 1, 1, &d, NULL));
	history_free(h);
}

static int
decode(const char *text, struct alopex_manifest *m)
{
	auto_free char *copy = xmemdup(text, strlen(text));

	return alopex_manifest_decode(copy, strlen(text), m, NULL);
}

static void
hostile_paths_of_a_manifest_are_refused(void **state)
{
	static const char *const paths[] = { "", "/", "/etc/passwd", "..", ".",
		"../a", "a/../b", "a/..", "a//b", "a/", "a\\u0000b",
		".lifecycle", ".lifecycle/x", "a/.lifecycle/b" };

	(void)state;
	for (size_t i = 0; i < n_elements(paths); i++) {
		auto_alopex_manifest struct alopex_manifest m =
			ALOPEX_MANIFEST_INIT;
		auto_buf struct buf b = BUF_INIT;

		add_entry(&b, paths[i], 1, 1);
		add_entry(&b, "good", 1, 1);
		auto_free char *text =
			xasprintf("{\"version\":1,\"entries\":[%.*s]}",
				(int)b.len, (char *)b.data);
		assert_int_equal(0, decode(text, &m));
		assert_int_equal(1, m.n_refused);
		assert_int_equal(1, m.n);
		assert_string_equal("good", m.entries[0].path);
	}
}

static void
a_manifest_that_contradicts_itself_is_refused(void **state)
{
#define ENTRY "{\"path\":\"a\",\"size\":1,\"crc32\":2}"
	static const struct {
		const char *text;
		int r;
	} texts[] = { { "{\"version\":1,\"entries\":[" ENTRY "]}", 0 },
		{ "{\"version\":1,\"entries\":[" ENTRY "," ENTRY "]}", 0 },
		{ "{\"version\":1,\"entries\":[],\"more\":{}}", 0 },
		{ "{\"version\":2,\"entries\":[]}", -EUCLEAN },
		{ "{\"entries\":[]}", -EUCLEAN },
		{ "{\"version\":1}", -EUCLEAN },
		{ "{\"version\":1,\"version\":1,\"entries\":[]}", -EUCLEAN },
		{ "{\"version\":1,\"entries\":{}}", -EUCLEAN },
		{ "{\"version\":1,\"entries\":[1]}", -EUCLEAN },
		{ "{\"version\":1,\"entries\":[{\"path\":\"a\",\"size\":-1,"
		  "\"crc32\":2}]}",
			-EUCLEAN },
		{ "{\"version\":1,\"entries\":[{\"path\":1,\"size\":1,"
		  "\"crc32\":2}]}",
			-EUCLEAN },
		{ "{\"version\":1,\"entries\":[{\"path\":\"a\",\"size\":1,"
		  "\"crc32\":4294967296}]}",
			-EUCLEAN },
		{ "{\"version\":1,\"entries\":[" ENTRY ",{\"path\":\"a\","
		  "\"size\":1,\"crc32\":3}]}",
			-EUCLEAN },
		{ "[]", -EUCLEAN }, { "", -EUCLEAN } };

	(void)state;
	for (size_t i = 0; i < n_elements(texts); i++) {
		auto_alopex_manifest struct alopex_manifest m =
			ALOPEX_MANIFEST_INIT;

		assert_int_equal(texts[i].r, decode(texts[i].text, &m));
	}
}

/* Whatever is read is what was backed up, or said to be in no manifest. */
static bool
check_file(struct view *v, const char *path, const char *content, size_t len)
{
	auto_buf struct buf b = BUF_INIT;
	int r = fixture_read(v, path, &b);

	if (r || strcmp(fixture_xattr(v, path, "user.yore.state"), "ok"))
		return false;
	assert_int_equal(len, b.len);
	assert_memory_equal(content, b.data ? (char *)b.data : "", len);
	return true;
}

static void
check_damaged(void *ctx, const char *name, enum fixture_damage how)
{
	unsigned *whole = ctx;
	struct history *h = open_data();

	(void)name, (void)how;
	for (unsigned ts = 1000; ts <= 2000; ts += 1000) {
		auto_free char *id = xasprintf("ts-%u", ts);
		auto_view struct view *v = fixture_open(h, "data", id);

		if (!v)
			continue;
		bool all = check_file(v, "lsm.wal", big, 300);
		all = check_file(v, "sst/1.sst", "one", 3) && all;
		all = check_file(v, "empty", "", 0) && all;
		*whole += all;
	}
	history_free(h);
}

static void
no_damage_is_read_as_data(void **state)
{
	unsigned whole = 0;

	(void)state;
	put_backup(1000, 300);
	put_backup(2000, 300);
	fixture_damage(check_damaged, &whole);
	assert_true(whole > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(a_backup_reads_as_what_was_backed_up),
		IN_FIXTURE(latest_counts_by_its_last_part_wherever_it_was),
		IN_FIXTURE(a_latest_that_names_nothing_is_as_none),
		IN_FIXTURE(a_backup_without_manifest_is_not_among_the_others),
		IN_FIXTURE(what_is_not_as_in_the_manifest_is_shown_so),
		IN_FIXTURE(what_changes_after_it_was_verified_is_found),
		IN_FIXTURE(huge_files_are_verified_beside_reading_them),
		cmocka_unit_test(hostile_paths_of_a_manifest_are_refused),
		cmocka_unit_test(a_manifest_that_contradicts_itself_is_refused),
		IN_FIXTURE(no_damage_is_read_as_data),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
