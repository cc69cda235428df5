/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an application commits is in the queue, whatever it does besides. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "tests/unit/replica_fixture.h"
#include "tests/unit/wal_fixture.h"

static struct replica r;

static void
begin(uint32_t page_size)
{
	replica_begin(&r, page_size);
	replica_start(&r);
	replica_base(&r);
	replica_compare(&r);
}

static void
add(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		replica_run(&r,
			"INSERT INTO t(a, b) VALUES(random(), "
			"hex(randomblob(%u)))",
			(i * 37) % 400);
}

static void
commits_arrive_at_every_page_size(void **state)
{
	(void)state;
	for (uint32_t size = 512; size <= 65536; size *= 2) {
		begin(size);
		for (int i = 0; i < 5; i++) {
			add(7);
			replica_run(&r, "INSERT OR REPLACE INTO w "
					"VALUES(random(), randomblob(999))");
			replica_run(&r, "DELETE FROM t WHERE id %% 5 = %d", i);
			replica_check(&r);
		}
		assert_int_equal(r.units, 5);
		replica_end(&r);
	}
}

static void
the_applications_own_checkpoints_lose_nothing(void **state)
{
	(void)state;
	begin(1024);
	replica_run(&r, "PRAGMA wal_autocheckpoint=5");
	for (int i = 0; i < 200; i++) {
		add((unsigned)i % 9);
		if (i % 3 == 0)
			replica_check(&r);
		else
			assert_int_equal(replica_take(&r), 0);
	}
	replica_check(&r);
	replica_end(&r);
}

static void
checkpoints_of_every_mode_lose_nothing_and_succeed_soon(void **state)
{
	static const char *const modes[] = { "PASSIVE", "FULL", "RESTART",
		"TRUNCATE" };
	unsigned done = 0;

	(void)state;
	begin(4096);
	sqlite3_busy_timeout(r.app, 0);
	replica_run(&r, "PRAGMA wal_autocheckpoint=0");
	for (int i = 0; i < 160; i++) {
		int frames = 0, copied = 0, rc;

		add((unsigned)i % 4);
		if (i % 5)
			assert_int_equal(replica_take(&r), 0);
		for (int j = 0; j < 2; j++) {
			rc = sqlite3_wal_checkpoint_v2(
				r.app, NULL, (int)(i % 4), &frames, &copied);
			assert_true(rc == SQLITE_OK || rc == SQLITE_BUSY);
			assert_int_equal(replica_take(&r), 0);
		}
		rc = sqlite3_wal_checkpoint_v2(
			r.app, NULL, (int)(i % 4), &frames, &copied);
		if (rc == SQLITE_OK && frames == copied)
			done++;
		else
			print_message("%s: %d, %d of %d\n", modes[i % 4], rc,
				copied, frames);
		replica_check(&r);
	}
	assert_int_equal(done, 160);
	replica_end(&r);
}

static void
vacuum_shrinking_and_growing_again_arrive(void **state)
{
	(void)state;
	for (int mode = 0; mode < 3; mode++) {
		begin(2048);
		replica_run(&r, "PRAGMA auto_vacuum=%d", mode);
		replica_run(&r, "VACUUM");
		replica_check(&r);
		for (int i = 0; i < 4; i++) {
			add(300);
			replica_check(&r);
			replica_run(&r, "DELETE FROM t WHERE id > 20");
			replica_run(&r, "PRAGMA incremental_vacuum");
			replica_check(&r);
			replica_run(&r, "VACUUM");
			replica_check(&r);
			assert_true(r.image.len < 300 * 2048);
		}
		replica_end(&r);
	}
}

static uint64_t
log_len(void)
{
	auto_free char *wal = xasprintf("%s-wal", r.path);
	struct stat st;

	return stat(wal, &st) ? 0 : (uint64_t)st.st_size;
}

static void
own_checkpoints_keep_the_log_short(void **state)
{
	struct capture_stats s;
	struct err e = ERR_INIT;

	(void)state;
	begin(4096);
	replica_run(&r, "PRAGMA wal_autocheckpoint=0");
	for (int i = 0; i < 150; i++) {
		add(40);
		assert_int_equal(replica_take(&r), 0);
		assert_int_equal(capture_checkpoint(r.capture, false, &e), 0);
		if (i % 10 == 0)
			replica_check(&r);
		capture_stats(r.capture, &s);
		if (s.log_bytes > CAPTURE_LOG_LEN)
			sqlite3_sleep(1000);
	}
	replica_check(&r);
	capture_stats(r.capture, &s);
	assert_true(s.checkpoints >= 2);
	assert_true(log_len() < 3 * CAPTURE_LOG_LEN);
	replica_end(&r);
}

static void
a_checkpoint_of_ours_waits_for_no_reader(void **state)
{
	sqlite3 *reader = NULL;
	struct capture_stats s;
	struct err e = ERR_INIT;

	(void)state;
	begin(4096);
	add(5);
	assert_int_equal(sqlite3_open(r.path, &reader), SQLITE_OK);
	sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM t", NULL, NULL, NULL);
	add(20);
	assert_int_equal(replica_take(&r), 0);
	assert_int_equal(capture_checkpoint(r.capture, true, &e), 0);
	capture_stats(r.capture, &s);
	assert_int_equal(s.checkpoints, 0);
	assert_int_equal(s.locked_ns_max, 0);
	add(20);
	replica_check(&r);
	sqlite3_close(reader);
	assert_int_equal(capture_checkpoint(r.capture, true, &e), 0);
	capture_stats(r.capture, &s);
	assert_int_equal(s.checkpoints, 1);
	add(20);
	assert_true(log_len() > 0);
	replica_check(&r);
	replica_end(&r);
}

static void
big_transactions_arrive_and_those_rolled_back_do_not(void **state)
{
	(void)state;
	begin(4096);
	replica_run(&r, "PRAGMA cache_size=10; PRAGMA wal_autocheckpoint=0");
	replica_run(&r, "WITH s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s "
			"WHERE i < 6000) INSERT INTO t(a, b) "
			"SELECT random(), randomblob(1500) FROM s");
	assert_true(log_len() > 8 << 20);
	replica_check(&r);
	replica_run(&r, "BEGIN; UPDATE t SET b = randomblob(1500)");
	assert_int_equal(replica_take(&r), 0);
	replica_run(&r, "ROLLBACK");
	add(3);
	replica_check(&r);
	replica_run(&r, "BEGIN; UPDATE t SET b = randomblob(1500)");
	assert_int_equal(replica_take(&r), 0);
	replica_run(&r, "COMMIT");
	replica_check(&r);
	replica_end(&r);
}

static void
a_base_is_of_one_moment_while_the_application_goes_on(void **state)
{
	struct err e = ERR_INIT;
	struct position at;
	struct pages *p;
	struct buf before = BUF_INIT;
	uint64_t unit;

	(void)state;
	for (int copied = 0; copied < 2; copied++) {
		begin(1024);
		add(100);
		if (copied)
			assert_int_equal(
				capture_checkpoint(r.capture, true, &e), 0);
		replica_check(&r);
		assert_int_equal(capture_base_begin(
					 r.capture, copied, &p, &at, &unit, &e),
			0);
		buf_append(&before, r.image.data, r.image.len);
		for (int i = 0; i < 20; i++) {
			add(10);
			replica_run(&r, "UPDATE t SET a = a + 1");
			replica_try(&r, "PRAGMA wal_checkpoint(PASSIVE)");
			if (!copied)
				replica_check(&r);
		}
		assert_int_equal(at.pages * (size_t)1024, before.len);
		assert_int_equal(pages_read(p, 1, at.pages,
					 buf_zeros(&before, before.len), &e),
			0);
		assert_memory_equal(before.data, before.data + before.len / 2,
			before.len / 2);
		before.len = 0;
		capture_base_end(r.capture);
		replica_check(&r);
		replica_end(&r);
	}
	buf_release(&before);
}

/* -- Continuity after a time without holding ----------------------------------
 */

static void
what_followed_while_nobody_looked_is_found_in_the_log(void **state)
{
	(void)state;
	begin(4096);
	replica_run(&r, "PRAGMA wal_autocheckpoint=0");
	for (int i = 0; i < 6; i++) {
		add(5);
		replica_check(&r);
		replica_stop(&r);
		add((unsigned)i);
		replica_start(&r);
		replica_check(&r);
	}
	replica_end(&r);
}

static void
checkpoints_while_nobody_looked_are_noticed(void **state)
{
	(void)state;
	for (int k = 0; k < 6; k++) {
		begin(4096);
		replica_run(&r, "PRAGMA wal_autocheckpoint=0");
		add(5);
		replica_check(&r);
		replica_stop(&r);
		for (int i = 0; i < k; i++) {
			add(1);
			replica_run(&r, "PRAGMA wal_checkpoint(%s)",
				i % 2 ? "TRUNCATE" : "RESTART");
		}
		add(20);
		replica_start(&r);
		assert_int_equal(replica_take(&r), k ? -ESTALE : 0);
		if (k)
			replica_base(&r);
		add(1);
		replica_check(&r);
		replica_end(&r);
	}
}

static void
a_log_begun_anew_where_it_was_left_is_taken_from_its_beginning(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	begin(4096);
	add(30);
	replica_check(&r);
	assert_int_equal(capture_checkpoint(r.capture, true, &e), 0);
	sqlite3_sleep(30);
	replica_check(&r);
	replica_stop(&r);
	add(2);
	replica_start(&r);
	replica_check(&r);
	replica_end(&r);
}

static void
an_application_that_closes_leaves_its_log_to_us(void **state)
{
	(void)state;
	begin(4096);
	for (int i = 0; i < 5; i++) {
		add(5);
		replica_close_app(&r);
		replica_open_app(&r);
		add(1);
		replica_check(&r);
	}
	replica_close_app(&r);
	replica_stop(&r);
	replica_open_app(&r);
	add(1);
	replica_start(&r);
	replica_check(&r);
	replica_stop(&r);
	/* nobody kept it: copied into the file, and gone */
	add(1);
	replica_close_app(&r);
	assert_int_equal(log_len(), 0);
	replica_open_app(&r);
	replica_start(&r);
	assert_int_equal(replica_take(&r), -ESTALE);
	replica_base(&r);
	replica_check(&r);
	replica_end(&r);
}

static void
another_file_of_the_same_name_is_noticed(void **state)
{
	auto_free char *command = NULL;
	struct err e = ERR_INIT;

	(void)state;
	begin(4096);
	add(5);
	replica_check(&r);
	command = xasprintf(
		"cp %s %s.2 && mv %s.2 %s", r.path, r.path, r.path, r.path);
	assert_int_equal(system(command), 0);
	assert_int_equal(capture_take(r.capture, NULL, &e), -ESTALE);
	assert_non_null(strstr(e.text, "replaced"));
	capture_rest(r.capture);
	assert_int_equal(capture_hold(r.capture, &e), -ESTALE);
	replica_end(&r);
}

static void
a_rollback_journal_is_told_as_such(void **state)
{
	auto_free char *shm = NULL;
	struct err e = ERR_INIT;

	(void)state;
	replica_begin(&r, 4096);
	replica_run(&r, "PRAGMA journal_mode=DELETE");
	replica_start(&r);
	assert_int_equal(capture_hold(r.capture, &e), -ENOTSUP);
	assert_non_null(strstr(e.text, "journal_mode=WAL"));
	shm = xasprintf("%s-shm", r.path);
	assert_int_equal(access(shm, F_OK), -1);
	replica_run(&r, "PRAGMA journal_mode=WAL");
	replica_base(&r);
	add(3);
	replica_check(&r);
	replica_end(&r);
}

static void
sums_of_the_other_byte_order_are_taken(void **state)
{
	auto_buf struct buf log = BUF_INIT;
	auto_free char *wal = NULL;
	auto_close int fd = -1;

	(void)state;
	replica_begin(&r, 4096);
	sqlite3_db_config(r.app, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	add(3);
	replica_close_app(&r);
	wal = xasprintf("%s-wal", r.path);
	fd = open(wal, O_RDWR | O_CLOEXEC);
	buf_reserve(&log, log_len());
	log.len = (size_t)pread(fd, log.data, log_len(), 0);
	wal_convert(log.data, log.len, true);
	assert_int_equal(pwrite(fd, log.data, log.len, 0), log.len);
	replica_open_app(&r);
	replica_start(&r);
	replica_base(&r);
	for (int i = 0; i < 5; i++) {
		add(3);
		replica_check(&r);
	}
	assert_int_equal(pread(fd, log.data, 4, 0), 4);
	assert_int_equal(log.data[3], 0x83);
	replica_end(&r);
}

static void
a_full_queue_is_as_it_was_and_says_so(void **state)
{
	struct err e = ERR_INIT;
	struct position before, after;

	(void)state;
	replica_begin(&r, 4096);
	assert_int_equal(queue_open(r.queue_dir, 200000, &r.queue, &e), 0);
	r.capture = capture_new(r.path, r.queue);
	replica_base(&r);
	add(3);
	replica_check(&r);
	queue_last(r.queue, &before);
	replica_run(&r, "INSERT INTO t(b) VALUES(randomblob(400000))");
	assert_int_equal(capture_take(r.capture, NULL, &e), -ENOSPC);
	queue_last(r.queue, &after);
	assert_memory_equal(&before, &after, sizeof(after));
	replica_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_arrive_at_every_page_size),
		cmocka_unit_test(the_applications_own_checkpoints_lose_nothing),
		cmocka_unit_test(
			checkpoints_of_every_mode_lose_nothing_and_succeed_soon),
		cmocka_unit_test(vacuum_shrinking_and_growing_again_arrive),
		cmocka_unit_test(own_checkpoints_keep_the_log_short),
		cmocka_unit_test(a_checkpoint_of_ours_waits_for_no_reader),
		cmocka_unit_test(
			big_transactions_arrive_and_those_rolled_back_do_not),
		cmocka_unit_test(
			a_base_is_of_one_moment_while_the_application_goes_on),
		cmocka_unit_test(
			what_followed_while_nobody_looked_is_found_in_the_log),
		cmocka_unit_test(checkpoints_while_nobody_looked_are_noticed),
		cmocka_unit_test(
			a_log_begun_anew_where_it_was_left_is_taken_from_its_beginning),
		cmocka_unit_test(
			an_application_that_closes_leaves_its_log_to_us),
		cmocka_unit_test(another_file_of_the_same_name_is_noticed),
		cmocka_unit_test(a_rollback_journal_is_told_as_such),
		cmocka_unit_test(sums_of_the_other_byte_order_are_taken),
		cmocka_unit_test(a_full_queue_is_as_it_was_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
