/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every state of replicas that litestream 0.5.16 and 0.5.0 wrote
 * (tests/foreign/litestream05), in both layouts, compared with what its own
 * restore made of them.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/foreign/litestream05_files.h"
#include "repo/store/s3_time.h"
#include "tests/foreign/litestream03_replica.h"
#include "tests/foreign/litestream05_replica.h"

static void
compare_txid(void *ctx, char *columns[LTX_COLUMNS])
{
	struct err e = ERR_INIT;
	char sum[65];

	if (ltx_sum_at(ctx, columns[0], 0, sum, &e) < 0)
		fail_msg("%s: %s", columns[0], e.text);
	assert_string_equal(sum, columns[1]);
}

static void
compare_time(void *ctx, char *columns[LTX_COLUMNS])
{
	int64_t t = s3_time_parse(columns[0]);
	struct err e = ERR_INIT;
	char sum[65];
	int r = ltx_sum_at(ctx, NULL, t, sum, &e);

	assert_true(t != S3_TIME_UNKNOWN);
	if (strcmp(columns[1], "ERR") == 0) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	if (r < 0)
		fail_msg("%s: %s", columns[0], e.text);
	if (strcmp(sum, columns[1]) != 0)
		fail_msg("%s: %s, not TXID %s", columns[0], sum, columns[2]);
}

static void
compare_all(const char *version, const char *file,
	void (*compare)(void *ctx, char *columns[LTX_COLUMNS]), unsigned n)
{
	auto_free char *list = xasprintf("%s/%s", version, file);
	struct history *h = ltx_open();

	assert_int_equal(ltx_lines(list, compare, h), n);
	history_free(h);
}

static void
each_txid_is_as_litestream_restores_it(void **state)
{
	(void)state;
	ltx_make("v0.5.16", false, NULL);
	compare_all("v0.5.16", "expected-txid.tsv", compare_txid, 36);
}

static void
each_txid_in_the_layout_of_s3_is_the_same(void **state)
{
	(void)state;
	ltx_make("v0.5.16", true, NULL);
	compare_all("v0.5.16", "expected-txid.tsv", compare_txid, 36);
}

static void
pages_in_lz4_frames_are_read_as_well(void **state)
{
	(void)state;
	ltx_make("v0.5.0", false, NULL);
	compare_all("v0.5.0", "expected-txid.tsv", compare_txid, 16);
}

static void
each_time_is_as_litestream_restores_it(void **state)
{
	(void)state;
	ltx_make("v0.5.16", false, NULL);
	compare_all("v0.5.16", "expected-timestamp.tsv", compare_time, 70);
}

static void
touch(void *ctx, char *columns[LTX_COLUMNS])
{
	(void)ctx;
	fixture_touch(columns[0], 2000000000);
}

static void
times_stand_in_headers_whatever_files_say(void **state)
{
	(void)state;
	ltx_make("v0.5.16", false, NULL);
	ltx_lines("v0.5.16/mtimes.tsv", touch, NULL);
	compare_all("v0.5.16", "expected-timestamp.tsv", compare_time, 70);
}

/* -- Moments
 * ------------------------------------------------------------------- */

static bool
count(void *ctx, const struct history_point *p)
{
	struct history_point *last = ctx;

	assert_true(p->time_ns >= last->time_ns && p->seq > last->seq);
	assert_string_not_equal(p->name, last->name);
	last->source++;
	last->time_ns = p->time_ns;
	last->seq = p->seq;
	strcpy(last->name, p->name);
	return true;
}

static void
every_txid_is_a_moment_and_every_snapshot_a_point(void **state)
{
	auto_listing struct history_listing *l = NULL;
	struct history_point last = { .seq = 0 };
	struct history *h;

	(void)state;
	ltx_make("v0.5.16", false, NULL);
	h = ltx_open();
	l = history_listing(h);
	assert_int_equal(l->n_sources, 1);
	assert_string_equal(l->sources[0].host, "litestream");
	assert_string_equal(l->sources[0].name, "orders");
	assert_int_equal(l->n_generations, 1);
	assert_int_equal(l->n_points, 3);
	assert_string_equal(l->points[0].id, "0000000000000001");
	assert_string_equal(l->points[2].id, "0000000000000018");
	assert_int_equal(
		history_moments(h, l, 0, INT64_MIN, count, &last, NULL), 0);
	assert_int_equal(last.source, 36);
	/* from a moment on, that one and those behind it */
	last = (struct history_point){ .seq = 0 };
	assert_int_equal(history_moments(h, l, 0,
				 s3_time_parse("2026-11-20T20:36:14.211Z"),
				 count, &last, NULL),
		0);
	assert_int_equal(last.source, 1);
	assert_int_equal(last.seq, 0x24);
	history_free(h);
}

static void
a_database_is_as_long_as_its_last_commit_says(void **state)
{
	auto_listing struct history_listing *l = NULL;
	auto_view struct view *v = NULL;
	struct history_point p;
	struct view_attr a;
	struct history *h;

	(void)state;
	ltx_make("v0.5.16", false, NULL);
	h = ltx_open();
	l = history_listing(h);
	assert_int_equal(
		history_moment_by_id(h, l, 0, "000000000000001c", &p, NULL), 0);
	assert_int_equal(history_open_moment(h, l, &p, &v, NULL), 0);
	assert_int_equal(view_resolve(v, "orders", &a, NULL), 0);
	assert_int_equal(a.size, 12 * 4096); /* vacuumed */
	assert_int_equal(a.mode, S_IFREG | 0444);
	history_free(h); /* views live on */
	char sum[65];

	assert_int_equal(ltx_sum(v, sum), 0);
}

/* -- Gaps
 * ------------------------------------------------------------------------ */

#define L0(n) "/ltx/0/00000000000000" n "-00000000000000" n ".ltx/"
#define GAP                                             \
	L0("0f")                                        \
	"/ltx/9/0000000000000001-0000000000000018.ltx/" \
	"/ltx/1/0000000000000001-0000000000000001.ltx/" \
	"/ltx/1/0000000000000002-0000000000000005.ltx/" \
	"/ltx/1/0000000000000006-0000000000000009.ltx/" \
	"/ltx/1/000000000000000a-000000000000000d.ltx/" \
	"/ltx/1/000000000000000e-0000000000000011.ltx/" \
	"/ltx/1/0000000000000012-0000000000000015.ltx/" \
	"/ltx/1/0000000000000016-0000000000000018.ltx/" \
	"/ltx/1/0000000000000019-000000000000001c.ltx/" \
	"/ltx/1/000000000000001d-0000000000000020.ltx/" \
	"/ltx/1/0000000000000021-0000000000000024.ltx/" \
	"/ltx/2/0000000000000001-0000000000000001.ltx/" \
	"/ltx/2/0000000000000002-0000000000000009.ltx/" \
	"/ltx/2/000000000000000a-0000000000000015.ltx/" \
	"/ltx/2/0000000000000016-0000000000000020.ltx/"

static void
behind_a_gap_nothing_is_shown_and_nothing_older_instead(void **state)
{
	static const char *const lost[] = { "2026-11-20T20:35:47.800Z",
		"2026-11-20T20:35:50.000Z", "2026-11-20T20:36:10.000Z" };
	struct err e = ERR_INIT;
	struct history *h;
	char sum[65];

	(void)state;
	ltx_make("v0.5.16", false, GAP);
	h = ltx_open();
	assert_int_equal(ltx_sum_at(h, "000000000000000e", 0, sum, &e), 0);
	assert_string_equal(sum, "3e263c982a34c2ba45c3070853ce47f629a7ab92e60c"
				 "376e91de0450d520f425");
	assert_int_equal(
		ltx_sum_at(h, NULL, s3_time_parse("2026-11-20T20:35:45.000Z"),
			sum, &e),
		0);
	assert_string_equal(sum, "1dffd4fa6328969d870b754680e2fc13e2785326c09e"
				 "7661b6c766a7918bd3bf");
	for (size_t i = 0; i < n_elements(lost); i++)
		assert_int_equal(
			ltx_sum_at(h, NULL, s3_time_parse(lost[i]), sum, &e),
			-EIO);
	assert_int_equal(ltx_sum_at(h, NULL, INT64_MAX, sum, &e), -EIO);
	assert_non_null(strstr(e.text, "TXID 000000000000000f is missing"));
	assert_int_equal(
		ltx_sum_at(h, "000000000000000f", 0, sum, &e), -ENOENT);
	assert_int_equal(
		ltx_sum_at(h, "0000000000000024", 0, sum, &e), -ENOENT);
	assert_int_equal(
		ltx_sum_at(h, "0000000000000000", 0, sum, &e), -ENOENT);
	assert_int_equal(
		ltx_sum_at(h, "00000000000000001", 0, sum, &e), -ENOENT);
	history_free(h);
}

static void
where_level_0_has_expired_the_ends_of_higher_levels_remain(void **state)
{
	static const char without[] =
		L0("0a") L0("0b") L0("0c") L0("0d") L0("0e") L0("0f");
	struct err e = ERR_INIT;
	struct history *h;
	char sum[65], at[65];

	(void)state;
	ltx_make("v0.5.16", false, without);
	h = ltx_open();
	assert_int_equal(
		ltx_sum_at(h, "000000000000000b", 0, sum, &e), -ENOENT);
	assert_int_equal(ltx_sum_at(h, "000000000000000d", 0, sum, &e), 0);
	/* what is left of the time before it is the state before it */
	assert_int_equal(ltx_sum_at(h, "0000000000000009", 0, sum, &e), 0);
	assert_int_equal(
		ltx_sum_at(h, NULL, s3_time_parse("2026-11-20T20:35:43.600Z"),
			at, &e),
		0);
	assert_string_equal(at, sum);
	history_free(h);
}

static void
a_replica_without_its_beginning_cannot_be_opened(void **state)
{
	static const char one[] = "x";
	struct history *h;

	(void)state;
	fixture_put("ltx/0/0000000000000002-0000000000000002.ltx", one, 1);
	assert_int_equal(
		fixture_history(&litestream05_format, "", "orders", &h), -EIO);
}

/* -- Others
 * ------------------------------------------------------------------------ */

static void
files_of_older_versions_are_refused_by_name(void **state)
{
	uint8_t file[200] = "LTX1";
	auto_listing struct history_listing *l = NULL;
	struct err e = ERR_INIT;
	struct view *v;
	struct history *h;

	(void)state;
	file[7] = 1; /* version 1: all pages in one LZ4 block */
	fixture_put("ltx/9/0000000000000001-0000000000000001.ltx", file,
		sizeof(file));
	h = ltx_open();
	l = history_listing(h);
	assert_int_equal(l->n_points, 1);
	assert_true(l->points[0].damaged);
	assert_int_equal(history_open(h, l, 0, &v, &e), -EUCLEAN);
	assert_non_null(strstr(e.text, "of version 1, which is not supported"));
	history_free(h);
}

static void
files_without_levels_are_refused_by_name(void **state)
{
	struct err e = ERR_INIT;
	struct litestream05_files f;
	struct store *s = NULL;
	struct history *h;

	(void)state;
	fixture_put_text("ltx/000000000000000d-000000000000000d.ltx", "LTX1");
	assert_int_equal(-EPROTONOSUPPORT,
		fixture_history(&litestream05_format, "", "orders", &h));
	assert_int_equal(0, store_open_foreign(fixture_dir, &s, NULL));
	assert_int_equal(-EPROTONOSUPPORT,
		litestream05_files_list(s, "", NULL, true, &f, &e));
	assert_non_null(strstr(e.text, "LTX files without levels"));
	store_free(s);
}

/* -- New points
 * ---------------------------------------------------------------------- */

static void
new_files_are_new_moments_after_a_refresh(void **state)
{
	static const char later[] = L0("23")
		L0("24") "/ltx/1/0000000000000021-0000000000000024.ltx/"
			 "/ltx/9/0000000000000001-0000000000000018.ltx/";
	struct err e = ERR_INIT;
	struct history *h;
	char sum[65];

	(void)state;
	ltx_make("v0.5.16", false, later);
	h = ltx_open();
	assert_int_equal(
		ltx_sum_at(h, "0000000000000024", 0, sum, &e), -ENOENT);
	ltx_make("v0.5.16", false, NULL);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_int_equal(ltx_sum_at(h, "0000000000000024", 0, sum, &e), 0);
	auto_listing struct history_listing *l = history_listing(h);

	assert_int_equal(l->n_points, 3);
	history_free(h);
}

static void
a_file_that_was_joined_with_others_is_read_there(void **state)
{
	struct err e = ERR_INIT;
	struct history *h;
	char sum[65], again[65];

	(void)state;
	ltx_make("v0.5.16", false,
		"/ltx/1/0000000000000021-0000000000000024.ltx/");
	h = ltx_open();
	assert_int_equal(ltx_sum_at(h, "0000000000000024", 0, sum, &e), 0);
	ltx_make("v0.5.16", false, NULL);
	fixture_remove("ltx/0/0000000000000021-0000000000000021.ltx");
	fixture_remove("ltx/0/0000000000000022-0000000000000022.ltx");
	assert_int_equal(ltx_sum_at(h, "0000000000000024", 0, again, &e), 0);
	assert_string_equal(sum, again);
	history_free(h);
}

/* -- Beside Litestream 0.3
 * -------------------------------------------------------- */

static void
an_older_replica_in_the_same_place_is_the_same_history(void **state)
{
	static const char last03[] = "eb5572489dec9d4dcbf2947726c073eea96b914de"
				     "722e5b9cef036d06896b34a";
	struct err e = ERR_INIT;
	struct history_point p, last = { .seq = 0 };
	struct history *h;
	char sum[65], at[65];

	(void)state;
	ltx_make("v0.5.16", false, NULL);
	replica_make(LS03_SEGMENT);
	h = ltx_open();
	auto_listing struct history_listing *l = history_listing(h);

	assert_int_equal(l->n_sources, 1);
	assert_string_equal(l->sources[0].host, "litestream");
	assert_int_equal(l->n_generations, 3);
	assert_int_equal(l->n_points, 3 + 5);
	for (size_t i = 1; i < l->n_points; i++) {
		assert_true(l->points[i].seq > l->points[i - 1].seq);
		assert_string_not_equal(
			l->points[i].name, l->points[i - 1].name);
	}
	/* this 0.3 is younger, whatever its number */
	assert_int_equal(ltx_sum_at(h, NULL, INT64_MAX, sum, &e), 0);
	assert_string_equal(sum, last03);
	assert_int_equal(ltx_sum_at(h, "0000000000000024", 0, sum, &e), 0);
	assert_int_equal(
		ltx_sum_at(h, NULL, s3_time_parse("2026-11-20T20:37:00.000Z"),
			at, &e),
		0);
	assert_string_equal(at, sum);
	assert_int_equal(
		ltx_sum_at(h, "10fecc8c20264bfa-00000001", 0, sum, &e), 0);
	for (size_t g = 0; g < l->n_generations; g++) {
		last = (struct history_point){ .seq = 0 };
		assert_int_equal(
			history_moments(h, l, g, INT64_MIN, count, &last, NULL),
			0);
		assert_true(last.source > 0);
		assert_int_equal(
			history_moment_by_name(h, l, g, last.name, &p, NULL),
			0);
		assert_int_equal(p.generation, g);
	}
	history_free(h);
}

#define test(f) IN_FIXTURE(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(each_txid_is_as_litestream_restores_it),
		test(each_txid_in_the_layout_of_s3_is_the_same),
		test(pages_in_lz4_frames_are_read_as_well),
		test(each_time_is_as_litestream_restores_it),
		test(times_stand_in_headers_whatever_files_say),
		test(every_txid_is_a_moment_and_every_snapshot_a_point),
		test(a_database_is_as_long_as_its_last_commit_says),
		test(behind_a_gap_nothing_is_shown_and_nothing_older_instead),
		test(where_level_0_has_expired_the_ends_of_higher_levels_remain),
		test(a_replica_without_its_beginning_cannot_be_opened),
		test(files_of_older_versions_are_refused_by_name),
		test(files_without_levels_are_refused_by_name),
		test(new_files_are_new_moments_after_a_refresh),
		test(a_file_that_was_joined_with_others_is_read_there),
		test(an_older_replica_in_the_same_place_is_the_same_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
