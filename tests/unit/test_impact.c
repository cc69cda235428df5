/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the replicator costs the application: locks, and how long. */
#include "tests/unit/unit.h"

#include "repo/base/clock.h"
#include "tests/unit/simulated.h"

static struct simulated s;

static int64_t
draw(int64_t below)
{
	static uint64_t seed = 1;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int64_t)(seed % (uint64_t)below);
}

static int
commit(void)
{
	return simulated_run(&s, "INSERT INTO t(b) VALUES(randomblob(300));"
				 "UPDATE t SET b = randomblob(300) WHERE id = "
				 "1 + abs(random() % 5000)");
}

/* How long another process that copies the log waits, with the writer's lock.
 */
static int64_t
checkpoint(int mode)
{
	int frames = 0, copied = 0, rc;

	s.waited_ns = 0;
	rc = sqlite3_wal_checkpoint_v2(s.app, NULL, mode, &frames, &copied);
	assert_int_equal(rc, SQLITE_OK);
	assert_int_equal(frames, copied);
	return s.waited_ns;
}

static void
nobody_waits_for_our_reader(void **state)
{
	int64_t longest[4] = { 0 };

	(void)state;
	simulated_begin(&s, &(struct disk_speed){ MS_NS, 0 });
	for (int i = 0; i < 400; i++) {
		int mode = SQLITE_CHECKPOINT_FULL + i % 3;
		int64_t waited;

		simulated_pass(&s, draw(i % 7 ? 100 : 3000) * MS_NS);
		for (int64_t n = draw(4); n; n--)
			assert_int_equal(commit(), SQLITE_OK);
		simulated_pass(&s, draw(3000) * 1000);
		waited = checkpoint(mode);
		if (waited > longest[mode])
			longest[mode] = waited;
	}
	print_message("FULL %lld ms, RESTART %lld ms, TRUNCATE %lld ms\n",
		(long long)(longest[1] / MS_NS),
		(long long)(longest[2] / MS_NS),
		(long long)(longest[3] / MS_NS));
	for (int mode = 1; mode < 4; mode++)
		assert_in_range(longest[mode], 0, 20 * MS_NS);
	simulated_end(&s);
}

static void
commit_often(struct simulated *w)
{
	if (commit() == SQLITE_BUSY)
		w->next_ns = w->now_ns + MS_NS;
}

/* Commits without a pause in which a log could be copied: the longest that the
 * writer's lock was held, and how often. */
static int64_t
lock_on(const struct disk_speed *speed, unsigned *locks)
{
	simulated_begin(&s, speed);
	assert_int_equal(simulated_run(&s, "PRAGMA wal_autocheckpoint=0;"
					   "PRAGMA synchronous=NORMAL"),
		SQLITE_OK);
	s.often = commit_often;
	s.often_ns =
		speed->sync_ns < 4 * MS_NS ? speed->sync_ns / 2 : 2 * MS_NS;
	s.next_ns = s.now_ns;
	simulated_pass(&s, 3000 * s.often_ns);
	s.often = NULL;
	*locks = s.locks;
	print_message("%lld us, %lld us a page: %u times, %lld us\n",
		(long long)speed->sync_ns / 1000,
		(long long)speed->page_ns / 1000, *locks,
		(long long)s.locked_max_ns / 1000);
	simulated_end(&s);
	return s.locked_max_ns;
}

static void
the_writers_lock_is_held_briefly_on_any_disk(void **state)
{
	static const struct disk_speed speeds[] = { { 200000, 1000 },
		{ 2 * MS_NS, 20000 }, { 8 * MS_NS, 100000 } };
	unsigned locks;

	(void)state;
	for (size_t i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
		assert_in_range(lock_on(&speeds[i], &locks), 1, 50 * MS_NS);
		assert_true(locks > 0);
	}
}

static void
on_a_disk_too_slow_for_that_it_is_not_taken(void **state)
{
	static const struct disk_speed speeds[] = { { 20 * MS_NS, 100000 },
		{ 2 * MS_NS, MS_NS } };
	unsigned locks;

	(void)state;
	for (size_t i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
		lock_on(&speeds[i], &locks);
		assert_int_equal(locks, 0);
	}
}

/* Then it is copied in a pause, as always when there is one. */
static void
where_nobody_writes_it_is_not_needed(void **state)
{
	(void)state;
	simulated_begin(&s, &(struct disk_speed){ 20 * MS_NS, 100000 });
	assert_int_equal(
		simulated_run(&s, "PRAGMA wal_autocheckpoint=0"), SQLITE_OK);
	for (int i = 0; i < 400; i++) {
		assert_int_equal(commit(), SQLITE_OK);
		simulated_pass(&s, (i % 50 ? 5 : 500) * MS_NS);
	}
	assert_int_equal(s.locks, 0);
	assert_true(simulated_log_len(&s) < CAPTURE_LOG_LEN);
	simulated_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_waits_for_our_reader),
		cmocka_unit_test(the_writers_lock_is_held_briefly_on_any_disk),
		cmocka_unit_test(on_a_disk_too_slow_for_that_it_is_not_taken),
		cmocka_unit_test(where_nobody_writes_it_is_not_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
