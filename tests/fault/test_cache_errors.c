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

/* Evict one of two segments of a file while call number `at` fails, and once
 * more: then its room is free.  Returns whether the call was reached. */
static bool
evict_failing_at(unsigned at)
{
	auto_cache struct cache *c = open_cache();
	struct cache_place first = { pack_name(1), 0, CACHE_SEGMENT };
	uint64_t before;
	unsigned calls;

	keep(c, pack_name(1), CACHE_SEGMENT, CACHE_SEGMENT);
	before = disk_use();
	keep(c, pack_name(1), 0, CACHE_SEGMENT);
	assert_true(disk_use() >= before + CACHE_SEGMENT);
	cache_trap_arm(EIO, at, false);
	cache_evict(c, &first, NULL, NULL);
	calls = cache_trap_calls();
	cache_trap_arm(0, 0, false);
	assert_int_equal(cache_evict(c, &first, NULL, NULL), 0);
	if (disk_use() > before + CACHE_SEGMENT / 2)
		fail_msg("call %u: %llu bytes more than before", at,
			(unsigned long long)(disk_use() - before));
	return calls >= at;
}

static void
what_could_not_be_given_up_is_not_forgotten(void **state)
{
	unsigned at = 1;
	(void)state;

	while (evict_failing_at(at))
		at++;
	assert_in_range(at, 3, 20);
}

static struct cache *reader;

static void
look_it_up(void)
{
	is_kept(reader, pack_name(1), 0, 100);
}

static void
who_opened_a_file_as_it_was_removed_reads_the_next(void **state)
{
	auto_cache struct cache *c = open_cache();
	struct cache_place at = { pack_name(1), 0, UINT64_MAX };
	(void)state;

	reader = open_cache();
	keep(c, pack_name(1), 0, 1000);
	cache_trap_before_removal = look_it_up;
	assert_int_equal(cache_evict(c, &at, NULL, NULL), 0);
	assert_null(cache_trap_before_removal);
	keep(reader, pack_name(1), 0, 1000);
	assert_true(is_kept(reader, pack_name(1), 0, 1000));
	cache_close(reader);
}

static void
a_quota_that_is_used_up_is_a_limit(void **state)
{
	auto_cache struct cache *c = open_cache_of(64 * MIB);
	uint8_t byte = 1;
	(void)state;

	for (unsigned i = 0; i < 8; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
	/* statvfs knows nothing of it */
	cache_trap_arm(EDQUOT, 1, true);
	for (unsigned i = 0; i < 4; i++) {
		auto_free uint8_t *data =
			content_of(pack_name(20), i * MIB, 1 * MIB);

		cache_write(c, pack_name(20), i * MIB, data, 1 * MIB);
	}
	assert_int_equal(cache_sync(c, NULL), -EDQUOT);
	cache_trap_arm(0, 0, false);
	cache_write(c, pack_name(21), 0, &byte, 1);
	cache_sync(c, NULL);
	assert_false(is_kept(c, pack_name(0), 0, 100));
	assert_true(is_kept(c, pack_name(7), 0, 100));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(a_call_that_fails_once_is_no_readers_error),
		WITH_CACHE(a_disk_that_breaks_is_no_readers_error),
		WITH_CACHE(a_disk_that_fills_up_is_no_readers_error),
		WITH_CACHE(a_file_system_without_holes_loses_whole_objects),
		WITH_CACHE(what_could_not_be_given_up_is_not_forgotten),
		WITH_CACHE(who_opened_a_file_as_it_was_removed_reads_the_next),
		WITH_CACHE(a_quota_that_is_used_up_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
