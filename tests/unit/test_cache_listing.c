/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cache_fixture.h"

#include <errno.h>
#include <stdio.h>
#include "repo/cache/listing.h"

static struct keyring *keys;

static void
put_listing(struct cache *c, const char *prefix, unsigned n, int64_t time)
{
	struct cache_listing l = CACHE_LISTING_INIT;
	char name[64];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%sobject-%06u", prefix, i);
		cache_listing_add(&l, name, i * 3);
	}
	cache_listing_put(c, keys, prefix, &l, time);
	cache_listing_release(&l);
	assert_int_equal(cache_sync(c, NULL), 0);
}

struct seen {
	unsigned n;
	unsigned stop_at;
};

static bool
see(void *ctx, const char *name, uint64_t size)
{
	struct seen *s = ctx;
	char right[64];

	snprintf(right, sizeof(right), "snap/object-%06u", s->n);
	assert_string_equal(name, right);
	assert_int_equal(size, s->n * 3);
	return ++s->n != s->stop_at;
}

static void
a_listing_comes_back_with_its_time(void **state)
{
	struct cache *c = open_cache();
	struct seen s = { .n = 0 };
	int64_t time = 0;
	(void)state;

	assert_int_equal(
		cache_listing_get(c, keys, "snap/", see, &s, &time), -ENOENT);
	put_listing(c, "snap/", 10000, 1234567890123);
	cache_close(c);
	c = open_cache();
	assert_int_equal(
		cache_listing_get(c, keys, "snap/", see, &s, &time), 0);
	assert_int_equal(s.n, 10000);
	assert_int_equal(time, 1234567890123);
	s = (struct seen){ .stop_at = 5 };
	assert_int_equal(cache_listing_get(c, keys, "snap/", see, &s, NULL), 0);
	assert_int_equal(s.n, 5);
	assert_int_equal(
		cache_listing_get(c, keys, "cat/", see, &s, &time), -ENOENT);
	cache_close(c);
}

static void
an_empty_listing_is_one_too(void **state)
{
	auto_cache struct cache *c = open_cache();
	struct seen s = { .n = 0 };
	(void)state;

	put_listing(c, "snap/", 0, 5);
	assert_int_equal(cache_listing_get(c, keys, "snap/", see, &s, NULL), 0);
	assert_int_equal(s.n, 0);
}

static void
any_flipped_bit_makes_it_not_there(void **state)
{
	auto_cache struct cache *c = open_cache();
	auto_free uint8_t *sealed = NULL;
	struct seen s = { .n = 0 };
	size_t len = 0;
	(void)state;

	put_listing(c, "snap/", 20, 5);
	assert_int_equal(
		cache_get(c, "listing/snap/", 1 << 20, &sealed, &len), 0);
	for (size_t i = 0; i < len * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		cache_put(c, "listing/snap/", sealed, len);
		assert_int_equal(cache_sync(c, NULL), 0);
		sealed[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(
			cache_listing_get(c, keys, "snap/", see, &s, NULL),
			-ENOENT);
	}
	cache_put(c, "listing/snap/", sealed, len);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_int_equal(cache_listing_get(c, keys, "snap/", see, &s, NULL), 0);
}

static void
a_listing_does_not_pass_for_another(void **state)
{
	auto_cache struct cache *c = open_cache();
	auto_free uint8_t *sealed = NULL;
	struct seen s = { .n = 0 };
	size_t len = 0;
	(void)state;

	put_listing(c, "snap/", 20, 5);
	assert_int_equal(
		cache_get(c, "listing/snap/", 1 << 20, &sealed, &len), 0);
	cache_put(c, "listing/cat/", sealed, len);
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_int_equal(
		cache_listing_get(c, keys, "cat/", see, &s, NULL), -ENOENT);
}

int
main(void)
{
	static const uint8_t root[KEY_LEN] = "thirty-two bytes of root secret";
	const struct CMUnitTest tests[] = {
		WITH_CACHE(a_listing_comes_back_with_its_time),
		WITH_CACHE(an_empty_listing_is_one_too),
		WITH_CACHE(any_flipped_bit_makes_it_not_there),
		WITH_CACHE(a_listing_does_not_pass_for_another),
	};
	int r;

	keys = keyring_new(cache_repository, root);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	keyring_free(keys);
	return r;
}
