/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SQLite's write-ahead log and database header. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>
#include "repo/base/bytes.h"
#include "repo/sqlite/header.h"
#include "repo/sqlite/wal.h"
#include "tests/unit/wal_fixture.h"

static const uint32_t page_sizes[] = { 512, 1024, 2048, 4096, 8192, 16384,
	32768, 65536 };

/* Frames that verify, and in *end where they end and why. */
static size_t
frames_of(const uint8_t *log, size_t len, uint64_t *end, int *why)
{
	struct wal_header h;
	struct wal_scan s;
	struct wal_frame f;
	size_t n = 0;

	*why = wal_header_decode(log, &h, NULL);
	if (*why)
		return 0;
	wal_scan_init(&s, &h);
	while (s.off + wal_frame_len(&h) <= len) {
		*why = wal_scan_frame(&s, log + s.off, &f, NULL);
		if (*why)
			break;
		n++;
	}
	*end = s.off;
	return n;
}

static void
frames_come_back_at_every_page_size_and_in_both_orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_elements(page_sizes); i++)
		for (int big = 0; big < 2; big++) {
			struct wal_made w = { .bytes = BUF_INIT };
			uint64_t end;
			int why;

			wal_made_begin(&w, page_sizes[i], big, 0x01020304);
			wal_made_frame(&w, 2, 0, 0xab);
			wal_made_frame(&w, 1, 2, 0xff);
			assert_int_equal(frames_of(w.bytes.data, w.bytes.len,
						 &end, &why),
				2);
			assert_int_equal(why, 0);
			assert_int_equal(end, w.bytes.len);
			buf_release(&w.bytes);
		}
}

static void
a_frame_says_what_it_holds(void **state)
{
	struct wal_made w = { .bytes = BUF_INIT };
	struct wal_header h;
	struct wal_scan s;
	struct wal_frame f;

	(void)state;
	wal_made_begin(&w, 1024, true, 9);
	wal_made_frame(&w, 0xfffffffe, 77, 1);
	assert_int_equal(wal_header_decode(w.bytes.data, &h, NULL), 0);
	assert_true(h.big_endian_sums);
	assert_int_equal(h.page_size, 1024);
	assert_int_equal(h.checkpoint_seq, 7);
	assert_int_equal(h.salt[0], 9);
	wal_scan_init(&s, &h);
	assert_int_equal(wal_scan_frame(&s, w.bytes.data + s.off, &f, NULL), 0);
	assert_int_equal(f.pgno, 0xfffffffe);
	assert_int_equal(f.commit_pages, 77);
	assert_int_equal(f.sum[0], w.sum[0]);
	assert_memory_equal(f.sum, s.sum, sizeof(f.sum));
	buf_release(&w.bytes);
}

static void
any_flipped_bit_ends_the_log_there(void **state)
{
	struct wal_made w = { .bytes = BUF_INIT };
	uint64_t end;
	int why;

	(void)state;
	wal_made_begin(&w, 512, false, 5);
	wal_made_frame(&w, 3, 0, 0x11);
	wal_made_frame(&w, 4, 4, 0x22);
	for (size_t bit = 0; bit < w.bytes.len * 8; bit++) {
		size_t at = bit / 8, frame = at < 32 ? 0 : (at - 32) / 536;

		w.bytes.data[at] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(
			frames_of(w.bytes.data, w.bytes.len, &end, &why),
			frame);
		assert_int_not_equal(why, 0);
		if (at >= 32)
			assert_int_equal(end, 32 + frame * 536);
		w.bytes.data[at] ^= (uint8_t)(1 << bit % 8);
	}
	buf_release(&w.bytes);
}

static void
an_older_logs_frame_is_told_from_a_damaged_one(void **state)
{
	struct wal_made w = { .bytes = BUF_INIT };
	uint64_t end;
	int why;

	(void)state;
	wal_made_begin(&w, 512, false, 5);
	wal_made_frame(&w, 3, 3, 0x11);
	wal_made_frame(&w, 3, 3, 0x12);
	w.bytes.data[32 + 536 + 8] ^= 1; /* salt */
	assert_int_equal(frames_of(w.bytes.data, w.bytes.len, &end, &why), 1);
	assert_int_equal(why, -EAGAIN);
	w.bytes.data[32 + 536 + 8] ^= 1;
	w.bytes.data[32 + 536 + 30] ^= 1; /* page */
	assert_int_equal(frames_of(w.bytes.data, w.bytes.len, &end, &why), 1);
	assert_int_equal(why, -EBADMSG);
	buf_release(&w.bytes);
}

static void
page_0_is_no_page(void **state)
{
	struct wal_made w = { .bytes = BUF_INIT };
	uint64_t end;
	int why;

	(void)state;
	wal_made_begin(&w, 512, false, 5);
	wal_made_frame(&w, 0, 3, 0x11);
	assert_int_equal(frames_of(w.bytes.data, w.bytes.len, &end, &why), 0);
	assert_int_equal(why, -EBADMSG);
	buf_release(&w.bytes);
}

static int
header_with(size_t at, uint32_t v)
{
	struct wal_made w = { .bytes = BUF_INIT };
	struct wal_header h;
	int r;

	wal_made_begin(&w, 4096, false, 5);
	put_be32(w.bytes.data + at, v);
	wal_convert(w.bytes.data, WAL_HEADER_LEN, false);
	if (at == 0)
		put_be32(w.bytes.data, v);
	r = wal_header_decode(w.bytes.data, &h, NULL);
	buf_release(&w.bytes);
	return r;
}

static void
headers_that_sqlite_would_not_take_are_refused(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 256, 511, 513, 4095, 65535,
		65537, 131072, 0x80000000 };

	(void)state;
	assert_int_equal(header_with(8, 65536), 0);
	for (size_t i = 0; i < n_elements(sizes); i++)
		assert_int_equal(header_with(8, sizes[i]), -EUCLEAN);
	assert_int_equal(header_with(4, 3007001), -EUCLEAN);
	assert_int_equal(header_with(0, 0x377f0681), -EUCLEAN);
	assert_int_equal(header_with(0, 0), -EUCLEAN);
}

/* As a scan that has come past 4 GiB stands. */
static void
a_log_may_be_longer_than_4_gib(void **state)
{
	struct wal_made w = { .bytes = BUF_INIT };
	struct wal_header h;
	struct wal_scan s;
	struct wal_frame f;

	(void)state;
	wal_made_begin(&w, 65536, false, 5);
	wal_made_frame(&w, 1, 1, 8);
	wal_made_frame(&w, 1, 1, 9);
	assert_int_equal(wal_header_decode(w.bytes.data, &h, NULL), 0);
	wal_scan_init(&s, &h);
	for (int i = 0; i < 2; i++) {
		const uint8_t *frame =
			w.bytes.data + WAL_HEADER_LEN + i * wal_frame_len(&h);

		assert_int_equal(wal_scan_frame(&s, frame, &f, NULL), 0);
		s.off += 65599 * wal_frame_len(&h);
	}
	assert_int_equal(s.off, 32 + 131200ull * 65560);
	buf_release(&w.bytes);
}

/* -- Genuine logs ---------------------------------------------------------- */

static void
run(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int
number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int n = -1;

	if (!sqlite3_prepare_v2(db, sql, -1, &st, NULL) &&
		sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return n;
}

static void
read_file(const char *path, struct buf *b)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, buf_reserve(b, 65536), 65536)) > 0)
		b->len += (size_t)n;
}

static void
write_file(const char *path, const struct buf *b)
{
	auto_close int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->data, b->len), b->len);
}

/* A database with three commits in its log, both as files that have been
 * copied while it was open; the number of frames is returned. */
static void
genuine(const char *dir, uint32_t page_size, struct buf *db, struct buf *log)
{
	auto_free char *path = xasprintf("%s/genuine.db", dir);
	auto_free char *wal = xasprintf("%s-wal", path);
	auto_free char *sql = xasprintf("PRAGMA page_size=%u", page_size);
	sqlite3 *d = NULL;

	assert_int_equal(sqlite3_open(path, &d), SQLITE_OK);
	run(d, sql);
	run(d, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
	run(d, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
	run(d, "INSERT INTO t VALUES(randomblob(5000))");
	read_file(path, db);
	read_file(wal, log);
	sqlite3_close(d);
	unlink(path);
}

static void
genuine_logs_verify_and_their_copies_with_other_sums_are_read(void **state)
{
	char dir[] = "/tmp/yore-test-wal-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < n_elements(page_sizes); i++) {
		auto_buf struct buf db = BUF_INIT, log = BUF_INIT;
		auto_free char *path = xasprintf("%s/copy.db", dir);
		auto_free char *wal = xasprintf("%s-wal", path);
		auto_free char *shm = xasprintf("%s-shm", path);
		uint64_t end = 0;
		size_t n;
		int why;
		sqlite3 *d = NULL;

		genuine(dir, page_sizes[i], &db, &log);
		n = frames_of(log.data, log.len, &end, &why);
		assert_int_equal(why, 0);
		assert_int_equal(end, log.len);
		assert_true(n >= 3);
		wal_convert(log.data, log.len, true);
		assert_int_equal(frames_of(log.data, log.len, &end, &why), n);
		write_file(path, &db);
		write_file(wal, &log);
		assert_int_equal(sqlite3_open(path, &d), SQLITE_OK);
		assert_int_equal(number(d, "SELECT count(*) FROM t"), 2);
		sqlite3_close(d);
		unlink(path);
		unlink(wal);
		unlink(shm);
	}
	rmdir(dir);
}

static void
a_genuine_databases_header_is_understood(void **state)
{
	char dir[] = "/tmp/yore-test-wal-XXXXXX";
	struct sqlite_header h;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < n_elements(page_sizes); i++) {
		auto_buf struct buf db = BUF_INIT, log = BUF_INIT;

		genuine(dir, page_sizes[i], &db, &log);
		assert_int_equal(sqlite_header_decode(db.data, &h, NULL), 0);
		assert_int_equal(h.page_size, page_sizes[i]);
		assert_int_equal(h.pages * (size_t)h.page_size, db.len);
		assert_true(h.wal);
		put_be32(db.data + 24, h.changes + 1);
		assert_int_equal(sqlite_header_decode(db.data, &h, NULL), 0);
		assert_int_equal(h.pages, 0);
		db.data[18] = db.data[19] = 1;
		assert_int_equal(sqlite_header_decode(db.data, &h, NULL), 0);
		assert_false(h.wal);
		db.data[19] = 3;
		assert_int_equal(
			sqlite_header_decode(db.data, &h, NULL), -EUCLEAN);
		db.data[0] ^= 1;
		assert_int_equal(
			sqlite_header_decode(db.data, &h, NULL), -EUCLEAN);
	}
	assert_int_equal(sqlite_lock_page(4096), 262145);
	assert_int_equal(sqlite_lock_page(65536), 16385);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			frames_come_back_at_every_page_size_and_in_both_orders),
		cmocka_unit_test(a_frame_says_what_it_holds),
		cmocka_unit_test(any_flipped_bit_ends_the_log_there),
		cmocka_unit_test(
			an_older_logs_frame_is_told_from_a_damaged_one),
		cmocka_unit_test(page_0_is_no_page),
		cmocka_unit_test(
			headers_that_sqlite_would_not_take_are_refused),
		cmocka_unit_test(a_log_may_be_longer_than_4_gib),
		cmocka_unit_test(
			genuine_logs_verify_and_their_copies_with_other_sums_are_read),
		cmocka_unit_test(a_genuine_databases_header_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
