/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disk cache between fetch and a store. */
#include <errno.h>
#include "tests/unit/cached_fixture.h"
#include "repo/cache/listing.h"

#define LEN CACHED_FRAME_LEN

/* -- Reading -------------------------------------------------------------- */

/* What was given to the cache is there. */
static void
settle(struct store *s)
{
	assert_int_equal(0, cache_sync(cached_cache(s), NULL));
}

static void
assert_frame(struct store *s, size_t i)
{
	struct fetch *f = fetch_new(s, x.keys, NULL);
	struct frame *fr = NULL;
	struct err e = ERR_INIT;

	if (fetch_frame(f, &pack->at[i], &fr, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(is_frame(fr, pack, i, LEN));
	frame_put(fr);
	fetch_free(f);
	settle(s);
}

static void
what_was_read_once_is_not_asked_of_the_store_again(void **state)
{
	struct store *s = open_cached(false);

	(void)state;
	assert_frame(s, 3);
	assert_int_equal(1, x.gets);
	assert_frame(s, 3);
	assert_int_equal(1, x.gets);
	store_free(s);
	s = open_cached(true); /* nor in another process, nor offline */
	assert_frame(s, 3);
	assert_int_equal(1, x.gets);
	store_free(s);
}

static void
only_what_lacks_is_asked_for(void **state)
{
	struct store *s = open_cached(false);
	uint64_t from = pack->at[0].off, to = pack->at[11].off;
	auto_free uint8_t *buf = xmalloc((size_t)(to - from));
	uint64_t before;

	(void)state;
	assert_frame(s, 3);
	assert_frame(s, 4);
	before = x.bytes;
	assert_int_equal(0, store_get(s, pack->name, from, (size_t)(to - from),
				    buf, NULL, NULL));
	assert_memory_equal(buf, pack->bytes.data + from, to - from);
	/* two frames between two gaps are more than is asked for again */
	assert_int_equal(4, x.gets);
	assert_int_equal(before + (to - from) - pack->at[3].len -
				 pack->at[4].len, x.bytes);
	settle(s);
	assert_int_equal(0, store_get(s, pack->name, from, (size_t)(to - from),
				    buf, NULL, NULL));
	assert_int_equal(4, x.gets);
	store_free(s);
}

static void
what_is_there_can_be_enough(void **state)
{
	const struct store_call call = { .enough = pack->at[3].len };
	struct store *s = open_cached(false);
	auto_free uint8_t *buf = xmalloc(4 * LEN);
	size_t got = 0;

	(void)state;
	assert_frame(s, 3);
	assert_int_equal(0, store_get_call(s, pack->name, pack->at[3].off,
				    3 * LEN, buf, &got, &call, NULL));
	assert_int_equal(pack->at[3].len, got);
	assert_int_equal(1, x.gets);
	/* one byte less is not */
	assert_int_equal(0, store_get_call(s, pack->name, pack->at[3].off - 1,
				    3 * LEN, buf, &got, &call, NULL));
	assert_int_equal(3 * LEN, got);
	assert_int_equal(2, x.gets);
	store_free(s);
}

/* Bytes asked of the store for frames 1 to 5, of which 1, 3 and 5 are wanted. */
static uint64_t
asked_for_three(struct store *s, size_t beyond)
{
	struct store_extent wanted[3];
	const struct store_call call = { .wanted = wanted,
		.n_wanted = 3,
		.enough = beyond ? pack->at[5].off + pack->at[5].len -
					   pack->at[1].off
				 : 0 };
	uint64_t before = x.bytes, off = pack->at[1].off;
	size_t len = (size_t)(pack->at[5].off + pack->at[5].len - off) + beyond;
	auto_free uint8_t *buf = xcalloc(1, len);
	size_t got = 0;

	for (size_t i = 0; i < 3; i++)
		wanted[i] = (struct store_extent){ pack->at[1 + 2 * i].off,
			pack->at[1 + 2 * i].len };
	assert_int_equal(0, store_get_call(s, pack->name, off, len, buf, &got,
				    &call, NULL));
	assert_true(got >= len - beyond);
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(buf + wanted[i].off - off,
			pack->bytes.data + wanted[i].off,
			(size_t)wanted[i].len);
	settle(s);
	return x.bytes - before;
}

static void
what_nobody_wants_is_no_reason_to_ask(void **state)
{
	struct store *s = open_cached(false);

	(void)state;
	assert_frame(s, 1);
	assert_frame(s, 3);
	assert_frame(s, 5);
	assert_int_equal(0, asked_for_three(s, 0));
	/* what lies behind would have been welcome */
	assert_int_equal(0, asked_for_three(s, LEN));
	/* one lacks: only that one */
	store_forget(s, pack->name, pack->at[3].off, pack->at[3].len);
	settle(s);
	assert_int_equal(pack->at[3].len, asked_for_three(s, 0));
	store_free(s);
}

static void
the_end_of_an_object_is_its_end(void **state)
{
	struct store *s = open_cached(false);
	auto_free uint8_t *buf = xmalloc(4 * LEN);
	uint64_t off = pack->bytes.len - 1000;
	size_t got = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(0, store_get(s, pack->name, off, 4 * LEN, buf,
					    &got, NULL));
		assert_int_equal(1000, got);
		assert_memory_equal(buf, pack->bytes.data + off, 1000);
		settle(s);
	}
	assert_int_equal(-EBADMSG, store_get(s, pack->name, off, 1001, buf,
					   NULL, NULL));
	store_free(s);
}

static void
a_wrong_byte_in_the_cache_costs_a_second_get(void **state)
{
	struct store *s = open_cached(false);
	const struct frame_place *at = &pack->at[5];
	auto_free uint8_t *wrong = xmalloc(at->len);

	(void)state;
	assert_frame(s, 5);
	memcpy(wrong, pack->bytes.data + at->off, at->len);
	wrong[at->len / 2] ^= 1;
	cache_write(cached_cache(s), pack->name, at->off, wrong, at->len);
	settle(s);
	assert_frame(s, 5);
	assert_int_equal(2, x.gets);
	assert_frame(s, 5);
	assert_int_equal(2, x.gets);
	store_free(s);
}

static void
a_frame_that_is_damaged_in_the_store_is_asked_for_twice(void **state)
{
	struct store *s = open_cached(false);
	struct fetch *f = fetch_new(s, x.keys, NULL);
	struct frame *fr;

	(void)state;
	flip(&x, pack, pack->at[5].off + 500);
	assert_int_equal(-EBADMSG, fetch_frame(f, &pack->at[5], &fr, NULL));
	assert_int_equal(2, x.gets);
	fetch_free(f);
	store_free(s);
}

/* -- Whole objects and listings --------------------------------------------- */

static void
a_small_object_is_kept_whole(void **state)
{
	struct pack *snap = fixture_pack(&x, OBJECT_DATA);
	struct store *s = open_cached(false);
	auto_free uint8_t *a = NULL, *b = NULL;
	uint8_t part[10];
	size_t len;

	(void)state;
	strcpy(snap->name, "snap/00/one");
	for (int i = 0; i < 2; i++) {
		free(steal(a));
		assert_int_equal(0, store_get_all(s, "snap/00/one", 1000, &a,
					    &len, NULL));
		assert_int_equal(snap->bytes.len, len);
		assert_memory_equal(a, snap->bytes.data, len);
		settle(s);
	}
	assert_int_equal(0, store_get(s, "snap/00/one", 3, 10, part, NULL,
				    NULL));
	assert_memory_equal(part, snap->bytes.data + 3, 10);
	assert_int_equal(1, x.gets);
	/* unless it is said to be wrong */
	assert_true(store_forget(s, "snap/00/one", 0, len));
	assert_int_equal(0, store_get_all(s, "snap/00/one", 1000, &b, &len,
				    NULL));
	assert_int_equal(2, x.gets);
	store_free(s);
}

static bool
count(void *ctx, const char *name, uint64_t size)
{
	unsigned *n = ctx;

	(void)name;
	(void)size;
	++*n;
	return true;
}

static unsigned
listed(struct store *s, const char *prefix)
{
	unsigned n = 0;
	int r = store_list_names(s, prefix, "", count, &n, NULL);

	settle(s);
	return r < 0 ? UINT32_MAX : n;
}

static void
listings_are_asked_for_again_and_kept_for_offline(void **state)
{
	const char *one = "keys/one";
	struct store *s = open_cached(false);

	(void)state;
	cached_set_keys(s, x.keys);
	assert_int_equal(2, listed(s, "snap/"));
	assert_int_equal(2, listed(s, "snap/"));
	assert_int_equal(2, lists);
	assert_int_equal(2, listed(s, "keys/"));
	assert_int_equal(2, listed(s, "keys/")); /* but for this */
	assert_int_equal(3, lists);
	cached_keep_names(s, "keys/", &one, 1);
	settle(s);
	assert_int_equal(1, listed(s, "keys/"));
	store_free(s);

	s = open_cached(true);
	assert_int_equal(1, listed(s, "keys/"));
	assert_int_equal(UINT32_MAX, listed(s, "snap/")); /* still locked */
	cached_set_keys(s, x.keys);
	assert_int_equal(2, listed(s, "snap/"));
	assert_int_equal(UINT32_MAX, listed(s, "cat/"));
	assert_int_equal(3, lists);
	store_free(s);
}

static void
a_listing_made_before_the_keys_were_there_is_kept_with_them(void **state)
{
	struct store *s = open_cached(false);

	(void)state;
	assert_int_equal(2, listed(s, "cat/"));
	cached_set_keys(s, x.keys);
	settle(s);
	store_free(s);
	s = open_cached(true);
	cached_set_keys(s, x.keys);
	assert_int_equal(2, listed(s, "cat/"));
	assert_int_equal(1, lists);
	store_free(s);
}

static void
offline_what_lacks_is_named(void **state)
{
	struct store *s = open_cached(true);
	struct err e = ERR_INIT;
	uint8_t buf[10];

	(void)state;
	assert_int_equal(-ENETDOWN, store_get(s, pack->name, 64, 10, buf, NULL,
				    &e));
	assert_non_null(strstr(e.text, pack->name));
	assert_int_equal(-ENETDOWN, store_get(s, "format", 0, 10, buf, NULL,
				    &e));
	assert_non_null(strstr(e.text, "format"));
	assert_int_equal(0, x.gets);
	store_free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_read_once_is_not_asked_of_the_store_again),
		TEST(only_what_lacks_is_asked_for),
		TEST(what_is_there_can_be_enough),
		TEST(what_nobody_wants_is_no_reason_to_ask),
		TEST(the_end_of_an_object_is_its_end),
		TEST(a_wrong_byte_in_the_cache_costs_a_second_get),
		TEST(a_frame_that_is_damaged_in_the_store_is_asked_for_twice),
		TEST(a_small_object_is_kept_whole),
		TEST(listings_are_asked_for_again_and_kept_for_offline),
		TEST(a_listing_made_before_the_keys_were_there_is_kept_with_them),
		TEST(offline_what_lacks_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
