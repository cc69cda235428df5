/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/snapshots.h"

#include <malloc.h>

/* -- Listings ------------------------------------------------------------------- */

static void
an_empty_repository_has_no_sources(void **state)
{
	struct history *h = forge_open(&f, 0);
	struct err e = ERR_INIT;

	(void)state;
	{
		auto_listing struct history_listing *l = history_listing(h);

		assert_int_equal(l->n_points, 0);
		assert_int_equal(l->n_sources, 0);
	}
	assert_int_equal(history_refresh(h, &e), 0);
	history_free(h);
}

static void
sources_points_and_generations_are_in_order(void **state)
{
	struct made a = snapshot("web2", "home", 1, T0, NULL);
	struct made b = make("web2", "home", 2, T0 - DAY, &a), c;
	struct history *h;

	(void)state;
	b.r.generation = 2;
	b = put(b);
	c = make("web2", "home", 3, T0 + DAY, &b);
	c.r.generation = 2;
	put(c);
	snapshot("web1", "www", 1, T0, NULL);
	snapshot("web1", "home", 5, T0, NULL);
	h = forge_open(&f, 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_sources, 3);
	assert_string_equal(l->sources[0].host, "web1");
	assert_string_equal(l->sources[0].name, "home");
	assert_string_equal(l->sources[1].name, "www");
	assert_string_equal(l->sources[2].host, "web2");
	assert_int_equal(l->sources[2].first_point, 2);
	assert_int_equal(l->sources[2].n_points, 3);
	assert_int_equal(l->sources[2].n_generations, 2);
	assert_int_equal(l->n_generations, 4);
	assert_int_equal(l->generations[2].n_points, 1);
	assert_int_equal(l->generations[3].first_point, 3);
	assert_int_equal(l->generations[3].n_points, 2);
	assert_string_equal(l->generations[3].name, l->points[3].name);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(l->points[2 + i].seq, i + 1);
		assert_int_equal(l->points[2 + i].source, 2);
		assert_int_equal(l->points[2 + i].root.uid, 7);
	}
	assert_int_equal(l->points[4].generation, 3);
	assert_int_equal(history_find_at(l, 2, T0 - 1), 3);
	assert_int_equal(history_find_at(l, 2, T0), 3);
	history_free(h);
}

static void
points_of_the_same_second_get_suffixes(void **state)
{
	struct made a = snapshot("h", "n", 1, T0 + 5, NULL);
	struct made b = snapshot("h", "n", 2, T0 + DAY, &a);
	struct made c = snapshot("h", "n", 3, T0, &b);
	struct history *h;

	(void)state;
	snapshot("h", "n", 4, T0 + 7, &c);
	h = forge_open(&f, 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_string_equal(l->points[0].name, "2023-11-14T22-13-20Z");
	assert_string_equal(l->points[1].name, "2023-11-15T22-13-20Z");
	assert_string_equal(l->points[2].name, "2023-11-14T22-13-20Z-2");
	assert_string_equal(l->points[3].name, "2023-11-14T22-13-20Z-3");
	history_free(h);
}

static void
tags_are_sorted_and_there_once(void **state)
{
	static char x[] = "x", a[] = "a", m[] = "m";
	char *both[] = { x, a, x }, *one[] = { m };
	struct made first = make("h", "n", 1, T0, NULL), second;
	struct history *h;
	struct err e = ERR_INIT;

	(void)state;
	first.r.tags = both;
	first.r.n_tags = 3;
	first = put(first);
	h = forge_open(&f, 0);
	second = make("h", "n", 2, T0 + 1, &first);
	second.r.tags = one;
	second.r.n_tags = 1;
	put(second);
	assert_int_equal(history_refresh(h, &e), 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_tags, 3);
	assert_string_equal(l->tags[0], "a");
	assert_string_equal(l->tags[1], "m");
	assert_string_equal(l->tags[2], "x");
	assert_int_equal(l->points[0].n_tags, 2);
	assert_true(history_has_tag(&l->points[0], "a"));
	assert_true(history_has_tag(&l->points[0], "x"));
	assert_false(history_has_tag(&l->points[0], "m"));
	assert_true(history_has_tag(&l->points[1], "m"));
	history_free(h);
}

/* -- Refreshing ------------------------------------------------------------------- */

static void
a_refresh_costs_one_list_and_one_get_a_new_snapshot(void **state)
{
	struct made a = snapshot("h", "n", 1, T0, NULL);
	struct history *h = forge_open(&f, 0);
	struct history_listing *before = history_listing(h), *after;
	struct history_stats s = stats_of(h), t;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(history_refresh(h, &e), 0);
	after = history_listing(h);
	assert_ptr_equal(after, before);
	history_listing_put(after);
	t = stats_of(h);
	assert_int_equal(t.store_lists, s.store_lists + 1);
	assert_int_equal(t.store_gets, s.store_gets);

	snapshot("h", "n", 2, T0 + DAY, &a);
	snapshot("a", "n", 1, T0, NULL);
	assert_int_equal(history_refresh(h, &e), 0);
	after = history_listing(h);
	assert_true(after->version > before->version);
	assert_int_equal(after->n_points, 3);
	assert_int_equal(after->points[1].key, before->points[0].key);
	assert_string_equal(after->points[1].id, before->points[0].id);
	s = stats_of(h);
	assert_int_equal(s.store_lists, t.store_lists + 1);
	assert_int_equal(s.store_gets, t.store_gets + 2);
	/* Who holds the old one keeps it. */
	assert_int_equal(before->n_points, 1);
	assert_string_equal(before->sources[0].host, "h");
	history_listing_put(after);
	history_listing_put(before);
	history_free(h);
}

static void
keys_are_unique_below_24_bits_and_stay(void **state)
{
	uint64_t keys[50];
	struct history *h;
	struct err e = ERR_INIT;

	(void)state;
	for (uint64_t i = 1; i <= 50; i++)
		snapshot("h", i % 2 ? "n" : "m", i, T0 + (int64_t)i, NULL);
	h = forge_open(&f, 0);
	for (int round = 0; round < 2; round++) {
		auto_listing struct history_listing *l = history_listing(h);

		for (size_t i = 0; i < l->n_points; i++) {
			assert_true(l->points[i].key < 1 << 24);
			for (size_t k = 0; k < i; k++)
				assert_int_not_equal(l->points[i].key,
					l->points[k].key);
			if (round == 0)
				keys[i] = l->points[i].key;
			else if (i > 0)
				assert_int_equal(l->points[i].key, keys[i - 1]);
		}
		snapshot("a", "first", 1 + 10 * (uint64_t)round, T0, NULL);
		assert_int_equal(history_refresh(h, &e), 0);
	}
	history_free(h);
}

/* -- Threads -------------------------------------------------------------------------- */

struct user {
	pthread_t thread;
	struct history *h;
	bool refreshes;
};

static void *
use_history(void *arg)
{
	struct user *u = arg;
	struct err e = ERR_INIT;

	for (int i = 0; i < 200; i++) {
		auto_listing struct history_listing *l = history_listing(u->h);
		struct view_attr a;
		struct view *v;

		if (u->refreshes)
			assert_int_equal(history_refresh(u->h, &e), 0);
		assert_int_equal(history_open(u->h, l,
					 (size_t)i % l->n_points, &v, &e),
			0);
		assert_int_equal(view_attr(v, VIEW_ROOT, &a, &e), 0);
		assert_int_equal(a.uid, 7);
		view_put(v);
	}
	return NULL;
}

static void
threads_share_a_history_that_grows(void **state)
{
	struct made last = snapshot("h", "n", 1, T0, NULL);
	struct history *h = forge_open(&f, 0);
	struct user users[4];

	(void)state;
	for (unsigned i = 0; i < n_elements(users); i++) {
		users[i] = (struct user){ .h = h, .refreshes = i % 2 };
		assert_int_equal(pthread_create(&users[i].thread, NULL,
					 use_history, &users[i]),
			0);
	}
	for (uint64_t seq = 2; seq <= 40; seq++)
		last = snapshot("h", "n", seq, T0 + (int64_t)seq, &last);
	for (unsigned i = 0; i < n_elements(users); i++)
		pthread_join(users[i].thread, NULL);
	history_free(h);
}

/* -- Many ------------------------------------------------------------------------------ */

static void
ten_thousand_snapshots_take_little_memory(void **state)
{
	struct catalog full = { .n = 0 };
	struct made last = { .r = { .seq = 0 } };
	struct history *h;
	size_t before, after;

	(void)state;
	for (uint64_t seq = 1; seq <= 10000; seq++) {
		last = snapshot("h", "n", seq, T0 + (int64_t)seq * NS_PER_S,
			seq > 1 ? &last : NULL);
		add_to_catalog(&full, &last);
	}
	forge_catalog(&f, 10000, 'f', &full);
	catalog_release(&full);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	h = forge_open(&f, 0);
	auto_listing struct history_listing *l = history_listing(h);
	assert_int_equal(l->n_points, 10000);
	/* The orders for look-ups are part of it. */
	assert_int_equal(history_find_at(l, 0, INT64_MAX), 9999);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	/* A sanitizer's allocator does not say. */
	assert_true(after - before < 10000 * 400);
	history_free(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_repository_has_no_sources),
		TEST(sources_points_and_generations_are_in_order),
		TEST(points_of_the_same_second_get_suffixes),
		TEST(tags_are_sorted_and_there_once),
		TEST(a_refresh_costs_one_list_and_one_get_a_new_snapshot),
		TEST(keys_are_unique_below_24_bits_and_stay),
		TEST(threads_share_a_history_that_grows),
		TEST(ten_thousand_snapshots_take_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
