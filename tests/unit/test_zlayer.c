/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replicas as zlayer-storage writes them, of databases that SQLite writes; what
 * a state has to be is what SQLite makes of the same database and log.
 */
#include <errno.h>
#include <stdio.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <zstd.h>
#include "tests/unit/foreign_fixture.h"
#include "tests/unit/scratch.h"
#include "repo/foreign/zlayer.h"

static char work[64]; /* where the application's database is */
static sqlite3 *db;
static struct history *h;

/* -- The application ----------------------------------------------------------
 */

static void
sql(const char *text)
{
	char *why = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
}

static int
set_up(void **state)
{
	auto_free char *path = NULL;

	h = NULL;
	if (fixture_set_up(state) || !scratch_make(work, sizeof(work)))
		return 1;
	path = xasprintf("%s/db", work);
	sqlite3_open(path, &db);
	sql("PRAGMA page_size=1024; PRAGMA journal_mode=WAL;"
	    "PRAGMA wal_autocheckpoint=0; CREATE TABLE t(x);"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 300) INSERT INTO t SELECT i || 'some text' FROM n");
	return 0;
}

static int
tear_down(void **state)
{
	if (h)
		history_free(h);
	sqlite3_close(db);
	return fixture_tear_down(state) || !scratch_remove(work);
}

/* One commit, which changes page 2 and others. */
static void
commit(unsigned n)
{
	auto_free char *text = xasprintf(
		"UPDATE t SET x='%u' WHERE rowid<%u; INSERT INTO t VALUES(%u)",
		n, n % 60 + 2, n);

	sql(text);
}

/* Everything into the database; the next commit begins the log anew. */
static void
checkpoint(void)
{
	sql("PRAGMA wal_checkpoint(RESTART)");
}

static uint8_t *
read_file(const char *suffix, size_t *len)
{
	auto_free char *path = xasprintf("%s/db%s", work, suffix);
	auto_fclose FILE *f = fopen(path, "rb");
	uint8_t *data = xmalloc(1 << 22);

	assert_non_null(f);
	*len = fread(data, 1, 1 << 22, f);
	return data;
}

/* -- The replicator
 * ------------------------------------------------------------ */

static void
put_packed(const char *name, const void *data, size_t len, int64_t seconds)
{
	size_t room = ZSTD_compressBound(len);
	auto_free uint8_t *out = xmalloc(room);
	size_t n = ZSTD_compress(out, room, data, len, 3);

	fixture_put(name, out, n);
	fixture_touch(name, seconds);
}

static void
put_snapshot_of(
	const char *stamp, int64_t seconds, const void *data, size_t len)
{
	auto_free char *name =
		xasprintf("snapshots/20261005_%s.sqlite.zst", stamp);

	put_packed(name, data, len, seconds);
}

#define NOON 1791201600 /* 2026-10-05 12:00:00 */

/* The database as it is now, at 12:00 and so many seconds (below 60). */
static void
put_snapshot(unsigned s)
{
	size_t len;
	auto_free uint8_t *data = read_file("", &len);
	auto_free char *stamp = xasprintf("1200%02u", s);

	put_snapshot_of(stamp, NOON + s, data, len);
}

/* The log as it is now, under the number of its frames: of all, as zlayer
 * counts them. */
static unsigned
put_log(unsigned s)
{
	size_t len;
	auto_free uint8_t *data = read_file("-wal", &len);
	unsigned number = len < 32 ? 0 : (unsigned)(len - 32) / (24 + 1024);
	auto_free char *name = xasprintf("wal/%020u.wal.zst", number);

	put_packed(name, data, len, NOON + s);
	return number;
}

/* -- The reader
 * ---------------------------------------------------------------- */

static void
open_replica(void)
{
	assert_int_equal(0, fixture_history(&zlayer_format, "", "shop", &h));
}

static bool
note(void *ctx, const struct history_point *p)
{
	struct buf *b = ctx;

	buf_printf(b, "%s ", p->id + 9); /* without the day */
	return true;
}

/* Ids of all moments, formatted. */
__attribute__((format(printf, 1, 2))) static void
assert_moments(const char *want, ...)
{
	va_list numbers;
	char text[256];

	auto_listing struct history_listing *l = history_listing(h);
	auto_buf struct buf b = BUF_INIT;

	for (size_t g = 0; g < l->n_generations; g++) {
		if (l->sources[l->generations[g].source].kind ==
			HISTORY_DATABASE)
			assert_int_equal(0, history_moments(h, l, g, INT64_MIN,
						    note, &b, NULL));
	}
	buf_append(&b, "", 1);
	va_start(numbers, want);
	vsnprintf(text, sizeof(text), want, numbers);
	va_end(numbers);
	assert_string_equal(text, (char *)b.data);
}

/* Id of a moment; static. */
static const char *
id_of(const char *snapshot, unsigned number)
{
	static char ids[4][64];
	static unsigned n;

	snprintf(ids[++n % 4], 64, "%s-%u", snapshot, number);
	return ids[n % 4];
}

/* The moment at 12:00 and so many seconds, "-" none. */
static void
assert_at(int64_t s, const char *want)
{
	auto_listing struct history_listing *l = history_listing(h);
	size_t source = history_find_source(l, "zlayer", "shop");
	struct history_point p;
	int r = history_moment_at(
		h, l, source, (NOON + s) * 1000000000LL, &p, NULL);

	assert_true(r == 0 || r == -ENOENT);
	assert_string_equal(want, r ? "-" : p.id + 9);
}

/* The database of a moment, as stored: 0, or why not. */
static int
read_moment(const char *id, struct buf *out)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_free char *whole = xasprintf("20261005_%s", id);
	auto_view struct view *v = NULL;
	struct history_point p;
	int r = history_moment_by_id(h, l, HISTORY_NONE, whole, &p, NULL);

	if (!r)
		r = history_open_moment(h, l, &p, &v, NULL);
	return r ? r : fixture_read(v, "shop.raw", out);
}

/* What SQLite makes of the database and its log as they are now. */
static void
recover(struct buf *out)
{
	auto_free char *command =
		xasprintf("cd %s; cp db db-r; "
			  "cp db-wal db-r-wal; rm -f db-r-shm",
			work);
	auto_free char *path = xasprintf("%s/db-r", work);
	sqlite3 *copy;

	assert_int_equal(0, system(command));
	assert_int_equal(SQLITE_OK, sqlite3_open(path, &copy));
	assert_int_equal(
		SQLITE_OK, sqlite3_exec(copy, "PRAGMA wal_checkpoint(TRUNCATE)",
				   NULL, NULL, NULL));
	sqlite3_close(copy);
	buf_release(out);
	out->data = read_file("-r", &out->len);
}

static void
assert_moment(const char *id, const struct buf *want)
{
	auto_buf struct buf got = BUF_INIT;

	assert_int_equal(0, read_moment(id, &got));
	assert_int_equal(want->len, got.len);
	assert_memory_equal(want->data, got.data, want->len);
}

/* -- Tests -------------------------------------------------------------------
 */

static void
truncate_log(void)
{
	sql("PRAGMA wal_checkpoint(TRUNCATE)");
}

/* A first log and its snapshot, so that the next log can be proved. */
static void
begin(void)
{
	put_log(0);
	truncate_log();
	put_snapshot(10);
}

static void
logs_that_follow_are_states(void **state)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
	unsigned one, two, three;

	(void)state;
	put_log(0);
	truncate_log();
	assert_int_equal(0, put_log(5));
	put_snapshot(10);
	commit(1);
	one = put_log(20);
	recover(&a);
	commit(2);
	commit(3);
	two = put_log(25);
	recover(&b);
	truncate_log();
	put_snapshot(30);
	for (unsigned i = 4; i < 8; i++)
		commit(i);
	three = put_log(40);
	recover(&c);
	open_replica();
	assert_moments("120010 120010-%u 120010-%u 120030 120030-%u ", one, two,
		three);
	assert_moment(id_of("120010", one), &a);
	assert_moment(id_of("120010", two), &b);
	assert_moment("120030", &b);
	assert_moment(id_of("120030", three), &c);
	assert_at(9, "-");
	assert_at(10, "120010");
	assert_at(24, id_of("120010", one));
	assert_at(29, id_of("120010", two));
	assert_at(39, "120030");
	assert_at(4000, id_of("120030", three));
}

static void
frames_of_an_older_log_behind_the_newer_do_not_count(void **state)
{
	auto_buf struct buf want = BUF_INIT;
	unsigned n;

	(void)state;
	for (unsigned i = 1; i < 20; i++)
		commit(i);
	put_log(5);
	/* frames that are not committed make the file longer */
	sql("PRAGMA cache_size=2; BEGIN; UPDATE t SET x=x || 'more and more';"
	    "ROLLBACK");
	checkpoint();
	put_snapshot(10);
	commit(50); /* some frames, before all those old ones */
	n = put_log(20);
	recover(&want);
	open_replica();
	assert_moments("120010 120010-%u ", n);
	assert_moment(id_of("120010", n), &want);
}

static void
a_log_of_the_snapshots_second_is_not_applied(void **state)
{
	(void)state;
	begin();
	commit(1);
	put_log(10);
	open_replica();
	assert_moments("120010 ");
}

static void
without_a_log_before_the_snapshot_there_is_no_proof(void **state)
{
	(void)state;
	checkpoint();
	put_snapshot(10);
	commit(1);
	put_log(20);
	open_replica();
	assert_moments("120010 ");
}

static void
a_log_after_one_that_is_missing_is_not_applied(void **state)
{
	(void)state;
	begin();
	commit(1);
	truncate_log(); /* a log that was never uploaded */
	commit(2);
	put_log(20);
	open_replica();
	assert_moments("120010 ");
	assert_at(60, "120010");
}

static void
a_log_over_a_snapshot_that_lacks_the_one_before_is_not_applied(void **state)
{
	size_t len;

	(void)state;
	checkpoint();
	auto_free uint8_t *old = read_file("", &len);
	commit(1);
	put_log(5);
	put_snapshot_of("120010", NOON + 10, old, len);
	truncate_log();
	commit(2);
	put_log(20);
	open_replica();
	assert_moments("120010 ");
}

static void
a_log_under_the_number_of_another_is_not_applied(void **state)
{
	auto_free char *from = NULL, *to = NULL;
	unsigned n;

	(void)state;
	begin();
	commit(1);
	n = put_log(20);
	from = xasprintf("%s/wal/%020u.wal.zst", fixture_dir, n);
	to = xasprintf("%s/wal/%020u.wal.zst", fixture_dir, n + 1);
	assert_int_equal(0, rename(from, to));
	open_replica();
	assert_moments("120010 ");
}

static void
logs_go_on_over_a_snapshot_that_was_taken_meanwhile(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	unsigned one, two;

	(void)state;
	begin();
	commit(1);
	one = put_log(20);
	put_snapshot(30); /* of the file without its log: as at 10 */
	commit(2);
	two = put_log(40);
	recover(&b);
	open_replica();
	assert_moments("120010 120010-%u 120010-%u 120030 ", one, two);
	assert_moment(id_of("120010", two), &b);
	/* the snapshot at 30 is no news */
	assert_at(35, id_of("120010", one));
	assert_at(45, id_of("120010", two));
}

static void
a_torn_snapshot_is_listed_and_not_opened(void **state)
{
	auto_buf struct buf got = BUF_INIT;
	size_t len, old_len;
	unsigned n;

	(void)state;
	begin();
	auto_free uint8_t *old = read_file("", &old_len);
	sql("DELETE FROM t WHERE rowid % 3; CREATE INDEX i ON t(x)");
	n = put_log(20);
	truncate_log();
	auto_free uint8_t *data = read_file("", &len);
	memcpy(data + 1024, old + 1024, 3 * 1024);
	put_snapshot_of("120030", NOON + 30, data, len);
	commit(3);
	put_log(40);
	open_replica();
	assert_moments("120010 120010-%u 120030 ", n);
	assert_int_equal(-EUCLEAN, read_moment("120030", &got));
	/* no older state instead */
	assert_at(50, "120030");
}

static void
a_snapshot_of_another_length_than_its_header_says_is_not_opened(void **state)
{
	auto_buf struct buf got = BUF_INIT;
	size_t len;

	(void)state;
	checkpoint();
	auto_free uint8_t *data = read_file("", &len);
	put_snapshot_of("120010", NOON + 10, data, len - 1024);
	put_snapshot_of("120020", NOON + 20, data, len + 1024);
	put_snapshot_of("120030", NOON + 30, "x", 1);
	put_snapshot_of("120040", NOON + 40, data, len);
	open_replica();
	assert_int_equal(-EUCLEAN, read_moment("120010", &got));
	assert_int_equal(-EUCLEAN, read_moment("120020", &got));
	assert_int_equal(-EUCLEAN, read_moment("120030", &got));
	assert_int_equal(0, read_moment("120040", &got));
}

static void
every_log_can_be_had_as_it_lies_there(void **state)
{
	auto_buf struct buf got = BUF_INIT;

	(void)state;
	auto_free char *id = xasprintf("wal-%020u", put_log(0));
	auto_free char *file = xasprintf("%s.wal.zst", id + 4);

	checkpoint();
	put_snapshot(10);
	open_replica();
	auto_view struct view *v = fixture_open(h, "shop.wal", id);

	assert_non_null(v);
	assert_int_equal(0, fixture_read(v, file, &got));
	assert_memory_equal("\x28\xb5\x2f\xfd", got.data, 4);
	assert_string_equal("raw", fixture_xattr(v, file, "user.yore.state"));
}

static void
new_states_appear_with_a_refresh(void **state)
{
	unsigned one, two;

	(void)state;
	begin();
	open_replica();
	assert_moments("120010 ");
	commit(1);
	one = put_log(20);
	assert_int_equal(0, history_refresh(h, NULL));
	assert_moments("120010 120010-%u ", one);
	truncate_log();
	put_snapshot(30);
	for (unsigned i = 2; i < 9; i++)
		commit(i);
	two = put_log(40);
	assert_int_equal(0, history_refresh(h, NULL));
	assert_moments("120010 120010-%u 120030 120030-%u ", one, two);
}

/* -- Damage ------------------------------------------------------------------
 */

static struct buf states[4];
static char ids[4][32] = { "120010", "", "", "120030" };

static void
check_damaged(void *ctx, const char *name, enum fixture_damage how)
{
	unsigned *whole = ctx;
	/* neither zlayer nor zstd keeps a sum of a snapshot */
	bool can_be_told = strncmp(name, "wal/", 4) == 0 || how == CUT_OFF ||
			   how == REMOVED;

	if (h)
		history_free(h);
	open_replica();
	for (size_t i = 0; i < n_elements(ids); i++) {
		auto_buf struct buf got = BUF_INIT;

		if (read_moment(ids[i], &got))
			continue;
		++*whole;
		if (can_be_told &&
			(got.len != states[i].len ||
				memcmp(got.data, states[i].data, got.len) != 0))
			fail_msg("%s damaged (%d): %s is not what it was", name,
				how, ids[i]);
	}
}

static void
no_damaged_log_is_applied(void **state)
{
	unsigned whole = 0;

	(void)state;
	sql("DELETE FROM t WHERE rowid > 9; PRAGMA wal_checkpoint(TRUNCATE);"
	    "VACUUM");
	for (unsigned i = 0; i < 10;
		i++) /* of a number that is not used again */
		commit(i);
	put_log(1);
	truncate_log();
	put_snapshot(10);
	for (unsigned i = 1; i < 3; i++) {
		commit(i);
		snprintf(ids[i], sizeof(ids[i]), "120010-%u", put_log(20 + i));
		recover(&states[i]);
	}
	truncate_log();
	put_snapshot(30);
	open_replica();
	for (size_t i = 0; i < n_elements(ids); i += 3)
		assert_int_equal(0, read_moment(ids[i], &states[i]));
	assert_moment(ids[2], &states[2]);
	fixture_damage(check_damaged, &whole);
	assert_true(whole > 0);
	for (size_t i = 0; i < n_elements(ids); i++)
		buf_release(&states[i]);
}

#define IN_REPLICA(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_REPLICA(logs_that_follow_are_states),
		IN_REPLICA(
			frames_of_an_older_log_behind_the_newer_do_not_count),
		IN_REPLICA(a_log_of_the_snapshots_second_is_not_applied),
		IN_REPLICA(without_a_log_before_the_snapshot_there_is_no_proof),
		IN_REPLICA(a_log_after_one_that_is_missing_is_not_applied),
		IN_REPLICA(
			a_log_over_a_snapshot_that_lacks_the_one_before_is_not_applied),
		IN_REPLICA(a_log_under_the_number_of_another_is_not_applied),
		IN_REPLICA(logs_go_on_over_a_snapshot_that_was_taken_meanwhile),
		IN_REPLICA(a_torn_snapshot_is_listed_and_not_opened),
		IN_REPLICA(
			a_snapshot_of_another_length_than_its_header_says_is_not_opened),
		IN_REPLICA(every_log_can_be_had_as_it_lies_there),
		IN_REPLICA(new_states_appear_with_a_refresh),
		IN_REPLICA(no_damaged_log_is_applied),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
