/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each call by which the cache writes fails in turn, once or for ever.  Readers
 * notice nothing but misses; when the disk is well again, all is cached.
 */
#include "tests/unit/cache_fixture.h"

#include <errno.h>
#include <stdio.h>
#include "repo/cache/private.h"
#include "tests/fault/cache_trap.h"

#define LIMIT (6 * MIB)
#define ROUNDS 80

static void
assert_well(void)
{
	struct cache *c = open_cache();

	for (unsigned i = 0; i < 20; i++)
		keep(c, pack_name(7), i * 50000, 50000);
	for (unsigned i = 0; i < 20; i++)
		assert_true(is_kept(c, pack_name(7), i * 50000, 50000));
	rebuild_audit(c); /* else it comes ten seconds after opening */
	cache_close(c);
}

/* Returns whether the call was reached. */
static bool
fail_at(int code, unsigned at, bool lasting)
{
	unsigned outcomes[3] = { 0 };
	struct cache *c = open_cache();
	unsigned calls;

	cache_trap_arm(code, at, lasting);
	cache_workload(c, at, ROUNDS, outcomes);
	calls = cache_trap_calls();
	cache_trap_arm(0, 0, false);
	cache_close(c);
	assert_int_equal(outcomes[OUT_BAD], 0);
	assert_well();
	if (disk_use() > LIMIT + LIMIT / 100)
		fail_msg("call %u: %llu bytes are used", at,
			(unsigned long long)disk_use());
	return calls >= at;
}

static void
fail_everywhere(int code, bool lasting)
{
	unsigned at = 1;

	cache_close(open_cache_of(LIMIT));
	while (at < 400 && fail_at(code, at, lasting))
		at += lasting ? 7 : 3;
	printf("failed up to call %u\n", at);
	assert_true(at > 200);
}

static void
a_call_that_fails_once_is_no_readers_error(void **state)
{
	(void)state;
	fail_everywhere(EIO, false);
}

static void
a_disk_that_breaks_is_no_readers_error(void **state)
{
	(void)state;
	fail_everywhere(EIO, true);
}

static void
a_disk_that_fills_up_is_no_readers_error(void **state)
{
	(void)state;
	fail_everywhere(ENOSPC, true);
}

static void
a_file_system_without_holes_loses_whole_objects(void **state)
{
	(void)state;
	fail_everywhere(EOPNOTSUPP, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(a_call_that_fails_once_is_no_readers_error),
		WITH_CACHE(a_disk_that_breaks_is_no_readers_error),
		WITH_CACHE(a_disk_that_fills_up_is_no_readers_error),
		WITH_CACHE(a_file_system_without_holes_loses_whole_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
