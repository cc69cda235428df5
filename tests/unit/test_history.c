/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/history.h"

static int frees;

static void
listing_free(struct history_listing *l)
{
	frees++;
	free(l->sources);
	free(l->points);
	free(l);
}

/* Two sources; the points of each have the given times in seconds. */
static struct history_listing *
listing_of(const int64_t *a, uint32_t n_a, const int64_t *b, uint32_t n_b)
{
	struct history_listing *l = xcalloc(1, sizeof(*l));

	l->sources = xcalloc(2, sizeof(*l->sources));
	l->n_sources = 2;
	l->sources[0] = (struct history_source){ .host = "db1",
		.name = "etc", .n_points = n_a };
	l->sources[1] = (struct history_source){ .host = "web1",
		.name = "etc", .first_point = n_a, .n_points = n_b };
	l->n_points = n_a + n_b;
	l->points = xcalloc(l->n_points, sizeof(*l->points));
	for (uint32_t i = 0; i < n_a + n_b; i++) {
		struct history_point *p = &l->points[i];

		p->time_ns = (i < n_a ? a[i] : b[i - n_a]) * NS_PER_S;
		history_print_time(p->name, p->time_ns);
		snprintf(p->id, sizeof(p->id), "%08x", (i + 1) * 2654435761u);
	}
	l->refs = 1;
	l->free = listing_free;
	return l;
}

static void
a_moment_prints_as_a_name_that_sorts(void **state)
{
	static const struct {
		int64_t t;
		const char *name;
	} times[] = { { 0, "1970-01-01T00-00-00Z" },
		{ -1, "1969-12-31T23-59-59Z" },
		{ 1795170735999999999, "2026-11-20T10-32-15Z" },
		{ INT64_MAX, "2262-04-11T23-47-16Z" },
		{ INT64_MIN, "1677-09-21T00-12-43Z" } };
	char out[HISTORY_TIME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < n_elements(times); i++) {
		history_print_time(out, times[i].t);
		assert_string_equal(times[i].name, out);
	}
}

static void
a_source_is_found_by_host_and_name(void **state)
{
	static struct history_source s[] = { { .host = "a", .name = "z" },
		{ .host = "b", .name = "a" }, { .host = "b", .name = "b-c" },
		{ .host = "b", .name = "b.c" },
		{ .host = "c", .name = "\xff\n" } };
	struct history_listing l = { .sources = s, .n_sources = 5 };

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(i,
			history_find_source(&l, s[i].host, s[i].name));
	assert_int_equal(HISTORY_NONE, history_find_source(&l, "a", "a"));
	assert_int_equal(HISTORY_NONE, history_find_source(&l, "b", "b"));
	assert_int_equal(HISTORY_NONE, history_find_source(&l, "", ""));
	assert_int_equal(HISTORY_NONE, history_find_source(&l, "d", "a"));
	l.n_sources = 0;
	assert_int_equal(HISTORY_NONE, history_find_source(&l, "a", "z"));
}

static void
the_newest_point_not_later_than_a_moment_is_found(void **state)
{
	static const int64_t a[] = { 10, 20, 30 }, b[] = { 5 };
	auto_listing struct history_listing *l = listing_of(a, 3, b, 1);

	(void)state;
	assert_int_equal(HISTORY_NONE, history_find_at(l, 0, 10 * NS_PER_S - 1));
	assert_int_equal(0, history_find_at(l, 0, 10 * NS_PER_S));
	assert_int_equal(0, history_find_at(l, 0, 20 * NS_PER_S - 1));
	assert_int_equal(1, history_find_at(l, 0, 20 * NS_PER_S));
	assert_int_equal(2, history_find_at(l, 0, INT64_MAX));
	assert_int_equal(HISTORY_NONE, history_find_at(l, 0, INT64_MIN));
	assert_int_equal(3, history_find_at(l, 1, INT64_MAX));
	assert_int_equal(HISTORY_NONE, history_find_at(l, 1, 0));
}

static void
where_clocks_went_backwards_the_highest_sequence_wins(void **state)
{
	static const int64_t a[] = { 50, 10, 60, 20, 20, 40, 30, 90, 80 };
	enum { N = n_elements(a) };
	auto_listing struct history_listing *l = listing_of(a, N, a, 1);

	(void)state;
	for (int64_t t = 0; t < 100; t += 5) {
		size_t expected = HISTORY_NONE;

		for (size_t i = 0; i < N; i++) {
			if (a[i] <= t)
				expected = i;
		}
		assert_int_equal(expected,
			history_find_at(l, 0, t * NS_PER_S));
	}
}

static void
a_point_is_found_by_its_name_in_its_own_source(void **state)
{
	static const int64_t a[] = { 50, 10, 60, 20 }, b[] = { 70, 5 };
	auto_listing struct history_listing *l = listing_of(a, 4, b, 2);

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		size_t own = i >= 4;

		assert_int_equal(i,
			history_find_name(l, own, l->points[i].name));
		assert_int_equal(HISTORY_NONE,
			history_find_name(l, !own, l->points[i].name));
	}
	assert_int_equal(HISTORY_NONE, history_find_name(l, 0, ""));
	assert_int_equal(HISTORY_NONE, history_find_name(l, 0, "latest"));
}

static void
a_point_is_found_by_id_or_by_a_prefix_that_fits_only_one(void **state)
{
	static const int64_t a[] = { 1, 2, 3, 4 };
	auto_listing struct history_listing *l = listing_of(a, 4, a, 1);

	(void)state;
	strcpy(l->points[0].id, "abcdef0123");
	strcpy(l->points[1].id, "abcdef0199");
	strcpy(l->points[2].id, "abcdef");
	strcpy(l->points[3].id, "0011223344");
	strcpy(l->points[4].id, "short");
	assert_int_equal(0, history_find_id(l, "abcdef0123"));
	assert_int_equal(1, history_find_id(l, "abcdef019"));
	assert_int_equal(HISTORY_NONE, history_find_id(l, "abcdef01"));
	assert_int_equal(2, history_find_id(l, "abcdef"));
	assert_int_equal(3, history_find_id(l, "001122"));
	assert_int_equal(HISTORY_NONE, history_find_id(l, "00112"));
	assert_int_equal(4, history_find_id(l, "short"));
	assert_int_equal(HISTORY_NONE, history_find_id(l, "shor"));
	assert_int_equal(HISTORY_NONE, history_find_id(l, ""));
	assert_int_equal(HISTORY_NONE, history_find_id(l, "ffffffff"));
	assert_int_equal(HISTORY_NONE, history_find_id(l, "00112233445"));
}

static void
tags_are_found(void **state)
{
	static const char *const tags[] = { "daily", "keep", "weekly" };
	struct history_point p = { .tags = tags, .n_tags = 3 }, none = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(history_has_tag(&p, tags[i]));
	assert_false(history_has_tag(&p, "kee"));
	assert_false(history_has_tag(&p, ""));
	assert_false(history_has_tag(&none, "keep"));
}

static void *
look_up(void *ctx)
{
	struct history_listing *l = ctx;

	for (size_t i = 0; i < l->n_points; i++) {
		if (history_find_id(l, l->points[i].id) != i)
			return l;
	}
	history_listing_put(l);
	return NULL;
}

static void
several_threads_may_look_up_first_and_the_last_frees(void **state)
{
	enum { N = 2000 };
	static int64_t a[N];
	pthread_t t[4];
	void *wrong;

	(void)state;
	frees = 0;
	struct history_listing *l = listing_of(a, N, a, N);
	for (int i = 0; i < 4; i++)
		assert_int_equal(0, pthread_create(&t[i], NULL, look_up,
					    history_listing_get(l)));
	history_listing_put(l);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &wrong);
		assert_null(wrong);
	}
	assert_int_equal(1, frees);
	history_listing_put(NULL);
}

static int
open_point(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	(void)l, (void)view;
	return err_set(e, ESTALE, "%s: point %zu", h->name, point);
}

static void
a_point_past_the_end_is_not_opened(void **state)
{
	static const struct history_ops ops = { .open = open_point };
	static const int64_t a[] = { 1 };
	char name[] = "repo";
	struct history h = { .ops = &ops, .name = name };
	auto_listing struct history_listing *l = listing_of(a, 1, a, 1);
	struct view *v;

	(void)state;
	assert_int_equal(-ESTALE, history_open(&h, l, 1, &v, NULL));
	assert_int_equal(-ENOENT, history_open(&h, l, 2, &v, NULL));
	assert_int_equal(-ENOENT, history_open(&h, l, HISTORY_NONE, &v, NULL));
	history_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_prints_as_a_name_that_sorts),
		cmocka_unit_test(a_source_is_found_by_host_and_name),
		cmocka_unit_test(
			the_newest_point_not_later_than_a_moment_is_found),
		cmocka_unit_test(
			where_clocks_went_backwards_the_highest_sequence_wins),
		cmocka_unit_test(a_point_is_found_by_its_name_in_its_own_source),
		cmocka_unit_test(
			a_point_is_found_by_id_or_by_a_prefix_that_fits_only_one),
		cmocka_unit_test(tags_are_found),
		cmocka_unit_test(
			several_threads_may_look_up_first_and_the_last_frees),
		cmocka_unit_test(a_point_past_the_end_is_not_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
