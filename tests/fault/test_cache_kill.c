/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that uses the cache, killed before its Nth call that writes, and at
 * arbitrary moments (in SQLite, too).  The page cache outlives a process, so
 * afterwards not a single byte may be wrong.
 */
#include "tests/unit/cache_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include "repo/base/clock.h"
#include "tests/fault/cache_trap.h"

#define LIMIT (6 * MIB)
#define ROUNDS 120
#define AT_CALLS 200
#define AT_MOMENTS 300
#define POINTS_AT_LEAST 300

static unsigned killed;
static unsigned version; /* of "format", at the last look */
static int64_t slowest_ns;

/* Whether it was killed before its end. */
static bool
work_and_die(unsigned seed, unsigned call, long moment_ns)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		unsigned outcomes[3] = { 0 };
		struct cache *c = open_cache();

		cache_trap_arm(0, call, false);
		cache_workload(c, seed, ROUNDS, outcomes);
		cache_close(c);
		_exit(outcomes[OUT_BAD] != 0);
	}
	if (moment_ns) {
		nanosleep(&(struct timespec){ .tv_nsec = moment_ns }, NULL);
		kill(child, SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	assert_int_equal(status, 0);
	return false;
}

static void
check(void)
{
	unsigned outcomes[3] = { 0 };
	int64_t began = clock_mono_ns();
	struct cache *c = open_cache();
	struct cache_status st;

	if (clock_mono_ns() - began > slowest_ns)
		slowest_ns = clock_mono_ns() - began;
	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < 80; k++)
			outcomes[cache_read(c, pack_name(i), k * 100000, 100000,
					 NULL, NULL)
					 ? read_through(c, pack_name(i),
						   k * 100000, 100000)
					 : OUT_MISS]++;
	assert_int_equal(outcomes[OUT_BAD], 0);
	/* once it was there it always is: the old one or the new one */
	assert_true(version == 0 || format_version(c) > 0);
	version = format_version(c);
	assert_int_equal(cache_status(c, &st, NULL), 0);
	assert_int_equal(st.limit, LIMIT);
	cache_close(c);
	if (disk_use() > LIMIT + LIMIT / 100)
		fail_msg("%llu bytes are used", (unsigned long long)disk_use());
}

static void
a_process_killed_before_any_call_harms_nobody(void **state)
{
	(void)state;

	for (unsigned i = 1; i <= AT_CALLS; i++) {
		killed += work_and_die(i, i * 3, 0);
		check();
	}
}

static void
a_process_killed_at_any_moment_harms_nobody(void **state)
{
	(void)state;

	for (unsigned i = 1; i <= AT_MOMENTS; i++) {
		killed += work_and_die(1000 + i, 0, i * 211000L % 40000000 + 1);
		check();
	}
}

static void
it_was_killed_often_enough(void **state)
{
	(void)state;

	printf("%u kills, slowest opening %.1f ms\n", killed,
		(double)slowest_ns / 1e6);
	assert_true(killed >= POINTS_AT_LEAST);
}

static int
set_up(void **state)
{
	int r = cache_set_up(state);

	if (r == 0)
		cache_close(open_cache_of(LIMIT));
	return r;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_killed_before_any_call_harms_nobody),
		cmocka_unit_test(a_process_killed_at_any_moment_harms_nobody),
		cmocka_unit_test(it_was_killed_often_enough),
	};

	return cmocka_run_group_tests(tests, set_up, cache_tear_down);
}
