/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every state of replicas that litestream 0.5.16 and 0.5.0 wrote
 * (tests/foreign/litestream05), in both layouts, compared with what its own
 * restore made of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/clock.h"
#include "repo/base/hex.h"
#include "repo/crypto/id.h"
#include "repo/foreign/litestream05.h"
#include "repo/store/s3_time.h"
#include "tests/unit/foreign_fixture.h"

/* -- Making it ----------------------------------------------------------------
 */

#define COLUMNS 4

static char *
file_of(const char *name)
{
	const char *top = getenv("top_srcdir");

	return xasprintf(
		"%s/tests/foreign/litestream05/%s", top ? top : ".", name);
}

static unsigned
each_line(const char *file, void (*each)(void *ctx, char *columns[COLUMNS]),
	void *ctx)
{
	auto_free char *path = file_of(file);
	auto_fclose FILE *f = fopen(path, "r");
	char line[500];
	unsigned n = 0;

	assert_non_null(f);
	for (; fgets(line, sizeof(line), f); n++) {
		char *columns[COLUMNS] = { NULL }, *rest = line;

		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < COLUMNS; i++)
			columns[i] = strsep(&rest, "\t");
		each(ctx, columns);
	}
	return n;
}

struct making {
	const char *version;
	bool s3;	     /* the layout of S3 */
	const char *without; /* names to leave out: "/name/name/" */
};

static void
make_file(void *ctx, char *columns[COLUMNS])
{
	const struct making *m = ctx;
	const char *base = strrchr(columns[0], '/') + 1;
	auto_free char *from = NULL, *to = NULL, *path = NULL, *mark = NULL;
	struct timespec t[2] = { { .tv_sec = 0 } };
	auto_buf struct buf b = BUF_INIT;

	mark = xasprintf("/%s/", columns[0]);
	if (m->without && strstr(m->without, mark))
		return;
	free(mark);
	mark = xasprintf("%s/replica/%s", m->version, columns[0]);
	from = file_of(mark);
	to = m->s3 ? xasprintf("000%c/%s", columns[0][4], base)
		   : xstrdup(columns[0]);
	auto_fclose FILE *f = fopen(from, "rb");

	assert_non_null(f);
	b.len = fread(buf_reserve(&b, 65536), 1, 65536, f);
	fixture_put(to, b.data, b.len);
	assert_int_equal(
		sscanf(columns[1], "%ld.%9ld", &t[0].tv_sec, &t[0].tv_nsec), 2);
	t[1] = t[0];
	path = xasprintf("%s/%s", fixture_dir, to);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void
make(const char *version, bool s3, const char *without)
{
	struct making m = { version, s3, without };
	auto_free char *list = xasprintf("%s/mtimes.tsv", version);

	each_line(list, make_file, &m);
}

/* -- Reading it ---------------------------------------------------------------
 */

static struct history *
open_replica(void)
{
	struct history *h = NULL;

	assert_int_equal(
		fixture_history(&litestream05_format, "", "orders", &h), 0);
	return h;
}

/* SHA-256 of the database as it was before two bytes were changed. */
static int
sum_of(struct view *v, char sum[65])
{
	auto_buf struct buf b = BUF_INIT, raw = BUF_INIT;
	uint8_t hash[HASH_LEN];
	int r = fixture_read(v, "orders", &b);

	if (r < 0)
		return r;
	assert_int_equal(fixture_read(v, "orders.raw", &raw), 0);
	assert_true(b.len >= 512 && b.data[18] == 1 && b.data[19] == 1);
	b.data[18] = b.data[19] = 2;
	assert_int_equal(b.len, raw.len);
	assert_memory_equal(b.data, raw.data, raw.len);
	sha256(b.data, b.len, hash);
	hex_encode(sum, hash, sizeof(hash));
	return 0;
}

/* Of the moment with an id, or (NULL) the newest not later than t_ns. */
static int
sum_at(struct history *h, const char *id, int64_t t_ns, char sum[65],
	struct err *e)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_view struct view *v = NULL;
	struct history_point p;
	int r = id ? history_moment_by_id(h, l, 0, id, &p, e)
		   : history_moment_at(h, l, 0, t_ns, &p, e);

	if (r == 0)
		r = history_open_moment(h, l, &p, &v, e);
	return r < 0 ? r : sum_of(v, sum);
}

static void
compare_txid(void *ctx, char *columns[COLUMNS])
{
	struct err e = ERR_INIT;
	char sum[65];

	if (sum_at(ctx, columns[0], 0, sum, &e) < 0)
		fail_msg("%s: %s", columns[0], e.text);
	assert_string_equal(sum, columns[1]);
}

static void
compare_time(void *ctx, char *columns[COLUMNS])
{
	int64_t t = s3_time_parse(columns[0]);
	struct err e = ERR_INIT;
	char sum[65];
	int r = sum_at(ctx, NULL, t, sum, &e);

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
	void (*compare)(void *ctx, char *columns[COLUMNS]), unsigned n)
{
	auto_free char *list = xasprintf("%s/%s", version, file);
	struct history *h = open_replica();

	assert_int_equal(each_line(list, compare, h), n);
	history_free(h);
}

static void
each_txid_is_as_litestream_restores_it(void **state)
{
	(void)state;
	make("v0.5.16", false, NULL);
	compare_all("v0.5.16", "expected-txid.tsv", compare_txid, 36);
}

static void
each_txid_in_the_layout_of_s3_is_the_same(void **state)
{
	(void)state;
	make("v0.5.16", true, NULL);
	compare_all("v0.5.16", "expected-txid.tsv", compare_txid, 36);
}

static void
pages_in_lz4_frames_are_read_as_well(void **state)
{
	(void)state;
	make("v0.5.0", false, NULL);
	compare_all("v0.5.0", "expected-txid.tsv", compare_txid, 16);
}

static void
each_time_is_as_litestream_restores_it(void **state)
{
	(void)state;
	make("v0.5.16", false, NULL);
	compare_all("v0.5.16", "expected-timestamp.tsv", compare_time, 70);
}

static void
touch(void *ctx, char *columns[COLUMNS])
{
	(void)ctx;
	fixture_touch(columns[0], 2000000000);
}

static void
times_stand_in_headers_whatever_files_say(void **state)
{
	(void)state;
	make("v0.5.16", false, NULL);
	each_line("v0.5.16/mtimes.tsv", touch, NULL);
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
	make("v0.5.16", false, NULL);
	h = open_replica();
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
	make("v0.5.16", false, NULL);
	h = open_replica();
	l = history_listing(h);
	assert_int_equal(
		history_moment_by_id(h, l, 0, "000000000000001c", &p, NULL), 0);
	assert_int_equal(history_open_moment(h, l, &p, &v, NULL), 0);
	assert_int_equal(view_resolve(v, "orders", &a, NULL), 0);
	assert_int_equal(a.size, 12 * 4096); /* vacuumed */
	assert_int_equal(a.mode, S_IFREG | 0444);
	history_free(h); /* views live on */
	char sum[65];

	assert_int_equal(sum_of(v, sum), 0);
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
	make("v0.5.16", false, GAP);
	h = open_replica();
	assert_int_equal(sum_at(h, "000000000000000e", 0, sum, &e), 0);
	assert_string_equal(sum, "3e263c982a34c2ba45c3070853ce47f629a7ab92e60c"
				 "376e91de0450d520f425");
	assert_int_equal(
		sum_at(h, NULL, s3_time_parse("2026-11-20T20:35:45.000Z"), sum,
			&e),
		0);
	assert_string_equal(sum, "1dffd4fa6328969d870b754680e2fc13e2785326c09e"
				 "7661b6c766a7918bd3bf");
	for (size_t i = 0; i < n_elements(lost); i++)
		assert_int_equal(
			sum_at(h, NULL, s3_time_parse(lost[i]), sum, &e), -EIO);
	assert_int_equal(sum_at(h, NULL, INT64_MAX, sum, &e), -EIO);
	assert_non_null(strstr(e.text, "TXID 000000000000000f is missing"));
	assert_int_equal(sum_at(h, "000000000000000f", 0, sum, &e), -ENOENT);
	assert_int_equal(sum_at(h, "0000000000000024", 0, sum, &e), -ENOENT);
	assert_int_equal(sum_at(h, "0000000000000000", 0, sum, &e), -ENOENT);
	assert_int_equal(sum_at(h, "00000000000000001", 0, sum, &e), -ENOENT);
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
	make("v0.5.16", false, without);
	h = open_replica();
	assert_int_equal(sum_at(h, "000000000000000b", 0, sum, &e), -ENOENT);
	assert_int_equal(sum_at(h, "000000000000000d", 0, sum, &e), 0);
	/* what is left of the time before it is the state before it */
	assert_int_equal(sum_at(h, "0000000000000009", 0, sum, &e), 0);
	assert_int_equal(
		sum_at(h, NULL, s3_time_parse("2026-11-20T20:35:43.600Z"), at,
			&e),
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
	h = open_replica();
	l = history_listing(h);
	assert_int_equal(l->n_points, 1);
	assert_true(l->points[0].damaged);
	assert_int_equal(history_open(h, l, 0, &v, &e), -EUCLEAN);
	assert_non_null(strstr(e.text, "of version 1, which is not supported"));
	history_free(h);
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
	make("v0.5.16", false, later);
	h = open_replica();
	assert_int_equal(sum_at(h, "0000000000000024", 0, sum, &e), -ENOENT);
	make("v0.5.16", false, NULL);
	assert_int_equal(history_refresh(h, NULL), 0);
	assert_int_equal(sum_at(h, "0000000000000024", 0, sum, &e), 0);
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
	make("v0.5.16", false, "/ltx/1/0000000000000021-0000000000000024.ltx/");
	h = open_replica();
	assert_int_equal(sum_at(h, "0000000000000024", 0, sum, &e), 0);
	make("v0.5.16", false, NULL);
	fixture_remove("ltx/0/0000000000000021-0000000000000021.ltx");
	fixture_remove("ltx/0/0000000000000022-0000000000000022.ltx");
	assert_int_equal(sum_at(h, "0000000000000024", 0, again, &e), 0);
	assert_string_equal(sum, again);
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
		test(new_files_are_new_moments_after_a_refresh),
		test(a_file_that_was_joined_with_others_is_read_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
