/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept and what has to go: limits, last use, pins. */
#include "tests/unit/cache_fixture.h"
#include "tests/unit/sanitized.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

#define LIMIT (16 * MIB)

/* -- The limit ----------------------------------------------------------- */

static void
assert_within(uint64_t limit)
{
	uint64_t use = disk_use();

	if (use > limit + limit / 100)
		fail_msg("%llu bytes of %llu are used", (unsigned long long)use,
			(unsigned long long)limit);
}

static void
a_random_workload_stays_within_the_limit(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	unsigned outcomes[3] = { 0 }, part = (unsigned)sanitized_step(3);
	uint64_t most = 0;
	(void)state;

	srandom(7);
	for (unsigned i = 0; i < 6000 / part; i++) {
		uint64_t skewed = (uint64_t)random() % 40 * (random() % 40);
		uint64_t off = skewed * 40000 + (uint64_t)random() % 3000;
		size_t len = (size_t)random() % 60000 + 1;

		outcomes[read_through(
			c, pack_name((unsigned)random() % 3), off, len)]++;
		if (i % 100 == 0) {
			assert_int_equal(cache_sync(c, NULL), 0);
			assert_within(LIMIT);
			most = disk_use() > most ? disk_use() : most;
		}
	}
	assert_int_equal(outcomes[OUT_BAD], 0);
	assert_true(outcomes[OUT_HIT] > 500 / part);
	assert_true(outcomes[OUT_MISS] > 500 / part);
	/* and it is made use of */
	assert_true(most > LIMIT - LIMIT / 20);
}

static void
many_small_objects_stay_within_the_limit(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	(void)state;

	for (unsigned i = 0; i < 6000; i++) {
		auto_free uint8_t *data = content_of(pack_name(i), 0, 3000);
		char name[32];

		snprintf(name, sizeof(name), "snap/%u", i);
		cache_put(c, name, data, 3000);
	}
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_within(LIMIT);
}

static void
a_lower_limit_evicts_at_once(void **state)
{
	auto_cache struct cache *c = open_cache_of(4 * LIMIT);
	struct cache_status st;
	(void)state;

	for (unsigned i = 0; i < 48; i++)
		keep(c, pack_name(1), i * MIB, 1 * MIB);
	assert_true(disk_use() > 2 * LIMIT);
	assert_int_equal(cache_set_limit(c, LIMIT, UINT64_MAX, NULL), 0);
	assert_within(LIMIT);
	assert_int_equal(cache_status(c, &st, NULL), 0);
	assert_int_equal(st.limit, LIMIT);
	assert_true(st.bytes > LIMIT / 2);
	assert_int_equal(
		cache_set_limit(c, CACHE_LIMIT_MIN - 1, 0, NULL), -EINVAL);
}

static void
the_limit_outlives_the_process(void **state)
{
	struct cache *c = open_cache_of(LIMIT);
	struct cache_status st;
	(void)state;

	assert_int_equal(cache_set_limit(c, UINT64_MAX, 12345, NULL), 0);
	cache_close(c);
	c = open_cache();
	assert_int_equal(cache_status(c, &st, NULL), 0);
	assert_int_equal(st.limit, LIMIT);
	assert_int_equal(st.min_free, 12345);
	cache_close(c);
}

static void
the_minimum_free_space_is_left(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	auto_free uint8_t *data = content_of(pack_name(2), 0, 8 * MIB);
	struct err e = ERR_INIT;
	struct statvfs v;
	(void)state;

	keep(c, pack_name(1), 0, 8 * MIB);
	assert_int_equal(statvfs(cache_dir, &v), 0);
	/* a good deal more than there is: everything has to go */
	assert_int_equal(cache_set_limit(c, UINT64_MAX,
				 v.f_bavail * v.f_frsize + 512 * MIB, NULL),
		0);
	cache_write(c, pack_name(2), 0, data, 8 * MIB);
	assert_int_equal(cache_sync(c, &e), -ENOSPC);
	assert_false(is_kept(c, pack_name(2), 0, 100));
	assert_false(is_kept(c, pack_name(1), 0, 100));
	assert_int_equal(cache_set_limit(c, UINT64_MAX, 0, NULL), 0);
	keep(c, pack_name(2), 0, 8 * MIB);
}

/* -- Last use ------------------------------------------------------------ */

static void
what_was_used_longest_ago_goes_first(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	(void)state;

	for (unsigned i = 0; i < 12; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
	for (unsigned i = 0; i < 4; i++) /* the oldest are read again */
		assert_true(is_kept(c, pack_name(i), 0, 1 * MIB));
	for (unsigned i = 12; i < 18; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
	for (unsigned i = 0; i < 4; i++)
		assert_true(is_kept(c, pack_name(i), 0, 1 * MIB));
	assert_false(is_kept(c, pack_name(4), 0, 1 * MIB));
	for (unsigned i = 10; i < 18; i++)
		assert_true(is_kept(c, pack_name(i), 0, 1 * MIB));
}

static void
last_use_is_told_to_the_next_process(void **state)
{
	struct cache *c = open_cache_of(LIMIT);
	(void)state;

	for (unsigned i = 0; i < 12; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
	assert_true(is_kept(c, pack_name(0), 0, 1 * MIB));
	cache_close(c);
	c = open_cache();
	for (unsigned i = 12; i < 20; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
	assert_true(is_kept(c, pack_name(0), 0, 1 * MIB));
	assert_false(is_kept(c, pack_name(1), 0, 1 * MIB));
	cache_close(c);
}

static void
whole_objects_outlast_bulk_reading(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	uint8_t *data = NULL;
	size_t len;
	(void)state;

	cache_put(c, "format", "clear", 5);
	for (unsigned i = 0; i < 60; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
	assert_int_equal(cache_get(c, "format", 9, &data, &len), 0);
	free(data);
}

/* -- Pins ---------------------------------------------------------------- */

static void
pin(struct cache *c, const char *name, unsigned pack, uint64_t off,
	uint64_t len)
{
	struct cache_place at = { pack_name(pack), off, len };

	assert_int_equal(cache_pin(c, name, &at, 1, NULL), 0);
}

static void
fill(struct cache *c)
{
	for (unsigned i = 100; i < 130; i++)
		keep(c, pack_name(i), 0, 1 * MIB);
}

static void
what_is_pinned_is_not_evicted(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	(void)state;

	keep(c, pack_name(1), 0, 2 * MIB);
	pin(c, "before", 1, 0, 2 * MIB);
	pin(c, "after", 2, 5 * MIB, UINT64_MAX);
	keep(c, pack_name(2), 4 * MIB, 2 * MIB);
	fill(c);
	assert_true(is_kept(c, pack_name(1), 0, 2 * MIB));
	assert_true(is_kept(c, pack_name(2), 5 * MIB, 1 * MIB));
	assert_false(is_kept(c, pack_name(2), 4 * MIB, 1 * MIB));
	assert_within(LIMIT);
}

static void
what_is_unpinned_may_be_evicted(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	(void)state;

	keep(c, pack_name(1), 0, 2 * MIB);
	pin(c, "one", 1, 0, 2 * MIB);
	pin(c, "two", 1, 1 * MIB, 1 * MIB);
	assert_int_equal(cache_unpin(c, "one", NULL), 0);
	assert_int_equal(cache_unpin(c, "one", NULL), -ENOENT);
	assert_true(is_kept(c, pack_name(1), 0, 2 * MIB));
	fill(c);
	fill(c);
	assert_false(is_kept(c, pack_name(1), 0, 1 * MIB));
	assert_true(is_kept(c, pack_name(1), 1 * MIB, 1 * MIB));
}

static void
when_all_is_pinned_nothing_more_is_kept(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	auto_free uint8_t *data = content_of(pack_name(2), 0, 1 * MIB);
	struct err e = ERR_INIT;
	(void)state;

	pin(c, "all", 1, 0, UINT64_MAX);
	for (unsigned i = 0; i < 40; i++) {
		auto_free uint8_t *more =
			content_of(pack_name(1), i * MIB, 1 * MIB);

		cache_write(c, pack_name(1), i * MIB, more, 1 * MIB);
	}
	assert_int_equal(cache_sync(c, &e), -ENOSPC);
	assert_non_null(strstr(e.text, cache_dir));
	assert_within(LIMIT);
	cache_write(c, pack_name(2), 0, data, 1 * MIB);
	assert_int_equal(cache_sync(c, NULL), -ENOSPC);
	assert_true(is_kept(c, pack_name(1), 0, 1 * MIB));
	assert_false(is_kept(c, pack_name(2), 0, 1 * MIB));
}

struct told {
	unsigned n;
	char text[200];
};

static void
tell(void *ctx, const char *name, uint64_t wanted, uint64_t present)
{
	struct told *t = ctx;
	size_t at = strlen(t->text);

	t->n++;
	snprintf(t->text + at, sizeof(t->text) - at, "%s %lld %llu\n", name,
		(long long)wanted, (unsigned long long)present);
}

static void
pins_say_what_they_want_and_have(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	struct told t = { .n = 0 };
	(void)state;

	keep(c, pack_name(1), 0, 2 * MIB);
	pin(c, "one", 1, 1000, 1000);
	pin(c, "one", 1, 2 * MIB - 500, 1000);
	pin(c, "two", 2, 0, UINT64_MAX);
	assert_int_equal(cache_pins(c, tell, &t, NULL), 0);
	assert_string_equal(t.text, "one 2000 1500\ntwo -1 0\n");
}

static void
an_evicted_place_is_gone_and_nothing_else(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	struct cache_place at = { pack_name(1), 1 * MIB, 1 * MIB };
	uint64_t freed = 0, before;
	(void)state;

	keep(c, pack_name(1), 0, 4 * MIB);
	pin(c, "part", 1, 1 * MIB, 10);
	before = disk_use();
	assert_int_equal(cache_evict(c, &at, &freed, NULL), 0);
	/* but for the segment that is pinned */
	assert_int_equal(freed, 768 * KIB);
	assert_in_range(disk_use(), before - 768 * KIB - 64 * KIB,
		before - 768 * KIB + 64 * KIB);
	assert_true(is_kept(c, pack_name(1), 0, 1 * MIB + 256 * KIB));
	assert_false(is_kept(c, pack_name(1), 2 * MIB - 1, 1));
	assert_true(is_kept(c, pack_name(1), 2 * MIB, 2 * MIB));
}

static void
an_evicted_pin_takes_what_only_it_held(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	uint64_t freed = 0;
	(void)state;

	keep(c, pack_name(1), 0, 4 * MIB);
	pin(c, "one", 1, 0, 2 * MIB);
	pin(c, "two", 1, 1 * MIB, 2 * MIB);
	assert_int_equal(cache_evict_pin(c, "one", &freed, NULL), 0);
	assert_int_equal(freed, 1 * MIB);
	assert_false(is_kept(c, pack_name(1), 0, 1));
	assert_true(is_kept(c, pack_name(1), 1 * MIB, 3 * MIB));
	assert_int_equal(cache_evict_pin(c, "one", &freed, NULL), -ENOENT);
}

static void
clearing_leaves_what_is_pinned_unless_told(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	struct cache_status st;
	(void)state;

	keep(c, pack_name(1), 0, 2 * MIB);
	keep(c, pack_name(2), 0, 2 * MIB);
	cache_put(c, "format", "clear", 5);
	pin(c, "one", 1, 0, 1 * MIB);
	assert_int_equal(cache_clear(c, false, NULL), 0);
	assert_true(is_kept(c, pack_name(1), 0, 1 * MIB));
	assert_false(is_kept(c, pack_name(1), 1 * MIB, 1));
	assert_false(is_kept(c, pack_name(2), 0, 1));
	assert_int_equal(cache_clear(c, true, NULL), 0);
	assert_false(is_kept(c, pack_name(1), 0, 1));
	assert_int_equal(cache_status(c, &st, NULL), 0);
	assert_int_equal(st.objects, 0);
	assert_int_equal(st.n_pins, 0);
	assert_true(disk_use() < 1536 * KIB);
	keep(c, pack_name(1), 0, 2 * MIB);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(a_random_workload_stays_within_the_limit),
		WITH_CACHE(many_small_objects_stay_within_the_limit),
		WITH_CACHE(a_lower_limit_evicts_at_once),
		WITH_CACHE(the_limit_outlives_the_process),
		WITH_CACHE(the_minimum_free_space_is_left),
		WITH_CACHE(what_was_used_longest_ago_goes_first),
		WITH_CACHE(last_use_is_told_to_the_next_process),
		WITH_CACHE(whole_objects_outlast_bulk_reading),
		WITH_CACHE(what_is_pinned_is_not_evicted),
		WITH_CACHE(what_is_unpinned_may_be_evicted),
		WITH_CACHE(when_all_is_pinned_nothing_more_is_kept),
		WITH_CACHE(pins_say_what_they_want_and_have),
		WITH_CACHE(an_evicted_place_is_gone_and_nothing_else),
		WITH_CACHE(an_evicted_pin_takes_what_only_it_held),
		WITH_CACHE(clearing_leaves_what_is_pinned_unless_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
