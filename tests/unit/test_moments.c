/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database with two generations.  Its snapshots are "s0" at 10 s and "s1" at
 * 20 s; the moments between them are in deltas[].
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/history.h"

#define MS 1000000LL
#define S NS_PER_S

enum { TREE, DATABASE }; /* sources */

static const struct {
	const char *id;
	uint32_t generation;
	int64_t t;
} deltas[] = {
	{ "s0", 0, 10 * S },
	{ "d1", 0, 10 * S + 5 * MS },
	{ "d2", 0, 10 * S + 6 * MS + 1 },
	{ "d3", 0, 10 * S + 6 * MS + 2 },
	{ "d4", 0, 10 * S + 6 * MS + 2 },
	{ "d5", 0, 11 * S },
	{ "s1", 1, 20 * S },
	{ "d6", 1, 20 * S + 999 * MS },
};

#define N n_elements(deltas)

static int failing; /* what the store fails with */
static size_t opened, opened_snapshot;

static struct history_point
delta(size_t i)
{
	struct history_point p = { .time_ns = deltas[i].t,
		.source = DATABASE,
		.generation = deltas[i].generation,
		.seq = i + 100,
		.key = (1ULL << 47) + i };

	snprintf(p.id, sizeof(p.id), "%s", deltas[i].id);
	return p;
}

static int
fake_moments(struct history *h, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	(void)h, (void)l;
	if (failing)
		return err_set(e, failing, "the store");
	for (size_t i = 0; i < N; i++) {
		struct history_point p = delta(i);

		if (p.generation == generation && p.time_ns >= from_ns &&
			!each(ctx, &p))
			break;
	}
	return 0;
}

static int
fake_moment_at(struct history *h, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e)
{
	(void)h, (void)l;
	assert_int_equal(DATABASE, source);
	if (failing)
		return err_set(e, failing, "the store");
	for (size_t i = N; i-- > 0;) {
		*p = delta(i);
		if (p->time_ns <= t_ns)
			return 0;
	}
	return err_set(e, ENOENT, "too early");
}

static int
fake_moment_by_id(struct history *h, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	(void)h, (void)l;
	assert_int_equal(DATABASE, source);
	if (failing)
		return err_set(e, failing, "the store");
	for (size_t i = 0; i < N; i++) {
		*p = delta(i);
		if (strcmp(p->id, id) == 0)
			return 0;
	}
	return err_set(e, ENOENT, "no such id");
}

static int
fake_open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	(void)h, (void)l, (void)e;
	opened = (size_t)p->seq - 100;
	*view = NULL;
	return 0;
}

static int
fake_open(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	(void)h, (void)l, (void)e;
	opened_snapshot = point;
	*view = NULL;
	return 0;
}

static const struct history_ops with_ops = { .open = fake_open,
	.moments = fake_moments,
	.moment_at = fake_moment_at,
	.moment_by_id = fake_moment_by_id,
	.open_moment = fake_open_moment };
static const struct history_ops without_ops = { .open = fake_open };
static char name[] = "repo";
static struct history with = { .ops = &with_ops, .name = name };
static struct history without = { .ops = &without_ops, .name = name };

static void
listing_free(struct history_listing *l)
{
	free(l->sources);
	free(l->points);
	free(l->generations);
	free(l);
}

static void
add_point(struct history_listing *l, const char *id, uint32_t source,
	uint32_t generation, int64_t t_ns)
{
	struct history_point *p = &l->points[l->n_points++];

	snprintf(p->id, sizeof(p->id), "%s", id);
	p->source = source;
	p->generation = generation;
	p->time_ns = t_ns;
	p->seq = l->n_points;
	p->key = l->n_points;
	history_print_time(p->name, t_ns);
}

/* A tree whose clock went back, and which uses an id of the database. */
static struct history_listing *
listing(void)
{
	struct history_listing *l = xcalloc(1, sizeof(*l));

	l->refs = 1;
	l->free = listing_free;
	l->n_sources = 2;
	l->sources = xcalloc(2, sizeof(*l->sources));
	l->points = xcalloc(8, sizeof(*l->points));
	l->n_generations = 3;
	l->generations = xcalloc(3, sizeof(*l->generations));
	add_point(l, "s0", DATABASE, 0, 10 * S);
	add_point(l, "s1", DATABASE, 1, 20 * S);
	l->sources[DATABASE] = (struct history_source){ .host = "db",
		.name = "orders.db",
		.kind = HISTORY_DATABASE,
		.n_points = 2,
		.n_generations = 2 };
	l->generations[0] = (struct history_generation){ .source = DATABASE,
		.n_points = 1 };
	l->generations[1] = (struct history_generation){
		.source = DATABASE, .first_point = 1, .n_points = 1
	};
	add_point(l, "t0", TREE, 2, 50 * S);
	add_point(l, "s0", TREE, 2, 40 * S);
	add_point(l, "t2", TREE, 2, 60 * S);
	l->sources[TREE] = (struct history_source){ .host = "a",
		.name = "etc",
		.first_point = 2,
		.n_points = 3,
		.first_generation = 2,
		.n_generations = 1 };
	l->generations[2] = (struct history_generation){
		.source = TREE, .first_point = 2, .n_points = 3
	};
	return l;
}

struct heard {
	size_t stop_after;
	size_t n;
	char text[400];
};

static bool
hear(void *ctx, const struct history_point *p)
{
	struct heard *h = ctx;
	size_t len = strlen(h->text);

	/* the day is the same for all */
	snprintf(h->text + len, sizeof(h->text) - len, "%s=%s ", p->id,
		p->name + 17);
	return ++h->n != h->stop_after;
}

static const char *
told(struct history *h, const struct history_listing *l, size_t generation,
	int64_t from_ns, size_t stop_after)
{
	static struct heard heard;

	heard = (struct heard){ .stop_after = stop_after };
	assert_int_equal(0,
		history_moments(h, l, generation, from_ns, hear, &heard, NULL));
	return heard.text;
}

static void
moments_are_told_in_order_with_names_of_their_own(void **state)
{
	auto_listing struct history_listing *l = listing();

	(void)state;
	assert_string_equal("s0=10.000Z d1=10.005Z d2=10.006Z d3=10.006Z-2 "
			    "d4=10.006Z-3 d5=11.000Z ",
		told(&with, l, 0, INT64_MIN, 0));
	assert_string_equal(
		"s1=20.000Z d6=20.999Z ", told(&with, l, 1, INT64_MIN, 0));
	assert_string_equal(
		"d1=10.005Z d2=10.006Z ", told(&with, l, 0, 10 * S + 1, 2));
	assert_string_equal("", told(&with, l, 0, INT64_MAX, 0));
}

static void
a_name_does_not_depend_on_where_the_telling_begins(void **state)
{
	auto_listing struct history_listing *l = listing();

	(void)state;
	assert_string_equal("d3=10.006Z-2 ", told(&with, l, 0, deltas[3].t, 1));
	assert_string_equal("d5=11.000Z ", told(&with, l, 0, 11 * S, 1));
}

static void
a_source_without_moments_has_its_snapshots(void **state)
{
	auto_listing struct history_listing *l = listing();
	struct history_point p;

	(void)state;
	/* the second, whose clock was behind, is at the time of the first */
	assert_string_equal("t0=50.000Z s0=50.000Z-2 t2=00.000Z ",
		told(&with, l, 2, INT64_MIN, 0));
	assert_string_equal("t2=00.000Z ", told(&with, l, 2, 50 * S + 1, 0));
	assert_string_equal("s0=10.000Z ", told(&without, l, 0, INT64_MIN, 0));
	assert_int_equal(
		0, history_moment_at(&without, l, DATABASE, 15 * S, &p, NULL));
	assert_string_equal("s0", p.id);
	assert_int_equal(
		0, history_moment_at(&with, l, TREE, 55 * S, &p, NULL));
	assert_string_equal("s0", p.id);
	assert_int_equal(4, p.key);
	assert_int_equal(
		-ENOENT, history_moment_at(&with, l, TREE, 39 * S, &p, NULL));
}

static void
the_newest_moment_not_later_is_found(void **state)
{
	static const struct {
		int64_t t;
		const char *id, *name;
	} at[] = { { INT64_MAX, "d6", "1970-01-01T00-00-20.999Z" },
		{ 10 * S + 6 * MS + 1, "d2", "1970-01-01T00-00-10.006Z" },
		{ 10 * S + 6 * MS + 2, "d4", "1970-01-01T00-00-10.006Z-3" },
		{ 10 * S + 5 * MS - 1, "s0", "1970-01-01T00-00-10Z" },
		{ 20 * S - 1, "d5", "1970-01-01T00-00-11.000Z" } };
	auto_listing struct history_listing *l = listing();
	struct history_point p;

	(void)state;
	for (size_t i = 0; i < n_elements(at); i++) {
		assert_int_equal(0, history_moment_at(&with, l, DATABASE,
					    at[i].t, &p, NULL));
		assert_string_equal(at[i].id, p.id);
		assert_string_equal(at[i].name, p.name);
	}
	assert_int_equal(-ENOENT,
		history_moment_at(&with, l, DATABASE, 10 * S - 1, &p, NULL));
}

static void
a_moment_is_found_by_its_id(void **state)
{
	auto_listing struct history_listing *l = listing();
	struct history_point p;

	(void)state;
	assert_int_equal(
		0, history_moment_by_id(&with, l, DATABASE, "d3", &p, NULL));
	assert_string_equal("1970-01-01T00-00-10.006Z-2", p.name);
	assert_int_equal(0,
		history_moment_by_id(&with, l, HISTORY_NONE, "d6", &p, NULL));
	assert_int_equal(DATABASE, p.source);
	assert_int_equal(
		0, history_moment_by_id(&with, l, DATABASE, "s0", &p, NULL));
	assert_int_equal(DATABASE, p.source);
	assert_int_equal(
		0, history_moment_by_id(&with, l, TREE, "s0", &p, NULL));
	assert_int_equal(TREE, p.source);
	assert_int_equal(
		-ENOENT, history_moment_by_id(&with, l, TREE, "d3", &p, NULL));
	assert_int_equal(-ENOENT,
		history_moment_by_id(&with, l, HISTORY_NONE, "d9", &p, NULL));
	assert_int_equal(-ENOENT,
		history_moment_by_id(&without, l, DATABASE, "d3", &p, NULL));
}

static void
a_moment_is_found_by_its_name(void **state)
{
	auto_listing struct history_listing *l = listing();
	struct history_point p;

	(void)state;
	assert_int_equal(0, history_moment_by_name(&with, l, 0,
				    "1970-01-01T00-00-10.006Z-3", &p, NULL));
	assert_string_equal("d4", p.id);
	assert_int_equal(0, history_moment_by_name(&with, l, 0,
				    "1970-01-01T00-00-10.000Z", &p, NULL));
	assert_string_equal("s0", p.id);
	assert_int_equal(1, p.key);
	assert_int_equal(0, history_moment_by_name(&without, l, 2,
				    "1970-01-01T00-00-50.000Z-2", &p, NULL));
	assert_int_equal(4, p.key);
	for (size_t i = 0; i < 4; i++) {
		static const char *const none[] = { "1970-01-01T00-00-10.007Z",
			"1970-01-01T00-00-10.006Z-4",
			"1970-01-01T00-00-10.006Z-02",
			"1970-01-01T00-00-20.999Z" };

		assert_int_equal(-ENOENT,
			history_moment_by_name(&with, l, 0, none[i], &p, NULL));
	}
}

static void
names_are_read_as_they_are_printed(void **state)
{
	static const int64_t times[] = { 0, -1, 1795170735123999999, INT64_MAX,
		INT64_MIN + S };
	static const char *const others[] = { "", "1970-01-01",
		"1970-01-01T00-00-10Z", "1970-01-01T00-00-10.5Z",
		"1970-01-01T00-00-60.000Z", "1970-02-30T00-00-00.000Z",
		"+970-01-01T00-00-10.000Z", "1970-01-01T00-00-10.000Zx",
		"9999-01-01T00-00-10.000Z", "1970-01-01T00-00-10.000z" };
	char text[HISTORY_TIME_MAX + 1];
	int64_t t;

	(void)state;
	for (size_t i = 0; i < n_elements(times); i++) {
		history_print_moment(text, times[i]);
		assert_int_equal(HISTORY_MOMENT_LEN, strlen(text));
		assert_true(history_parse_moment(text, &t));
		assert_true(times[i] >= t && times[i] - t < MS);
		strcat(text, "-2");
		assert_true(history_parse_moment(text, &t));
	}
	history_print_moment(text, 1795170735123999999);
	assert_string_equal("2026-11-20T10-32-15.123Z", text);
	for (size_t i = 0; i < n_elements(others); i++)
		assert_false(history_parse_moment(others[i], &t));
}

static void
a_moment_that_is_a_snapshot_is_opened_as_one(void **state)
{
	auto_listing struct history_listing *l = listing();
	struct history_point p = delta(3);
	struct view *v;

	(void)state;
	assert_int_equal(0, history_open_moment(&with, l, &p, &v, NULL));
	assert_int_equal(3, opened);
	p = delta(6);
	opened = opened_snapshot = 99;
	assert_int_equal(0, history_open_moment(&with, l, &p, &v, NULL));
	assert_int_equal(1, opened_snapshot);
	assert_int_equal(99, opened);
	p = delta(3);
	assert_int_equal(
		-ESTALE, history_open_moment(&without, l, &p, &v, NULL));
}

static void
what_the_store_says_is_handed_on(void **state)
{
	auto_listing struct history_listing *l = listing();
	struct heard heard = { .n = 0 };
	struct history_point p;
	struct err e = ERR_INIT;

	(void)state;
	failing = EIO;
	assert_int_equal(
		-EIO, history_moments(&with, l, 0, 0, hear, &heard, &e));
	assert_int_equal(
		-EIO, history_moment_at(&with, l, DATABASE, 0, &p, &e));
	assert_int_equal(-EIO,
		history_moment_by_id(&with, l, HISTORY_NONE, "d1", &p, &e));
	assert_string_equal("the store", e.text);
	failing = EINTR;
	assert_int_equal(-EINTR,
		history_moment_by_id(&with, l, HISTORY_NONE, "d1", &p, &e));
	failing = 0;
}

static int
backwards(struct history *h, const struct history_listing *l, size_t generation,
	int64_t from_ns, history_each *each, void *ctx, struct err *e)
{
	(void)h, (void)l, (void)generation, (void)from_ns, (void)e;
	for (size_t i = 3; i-- > 0;) {
		struct history_point p = delta(i);

		if (!each(ctx, &p))
			break;
	}
	return 0;
}

static void
moments_out_of_order_are_refused(void **state)
{
	static const struct history_ops ops = { .moments = backwards };
	struct history h = { .ops = &ops, .name = name };
	auto_listing struct history_listing *l = listing();
	struct heard heard = { .n = 0 };

	(void)state;
	assert_int_equal(-EUCLEAN,
		history_moments(&h, l, 0, INT64_MIN, hear, &heard, NULL));
	assert_int_equal(1, heard.n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			moments_are_told_in_order_with_names_of_their_own),
		cmocka_unit_test(
			a_name_does_not_depend_on_where_the_telling_begins),
		cmocka_unit_test(a_source_without_moments_has_its_snapshots),
		cmocka_unit_test(the_newest_moment_not_later_is_found),
		cmocka_unit_test(a_moment_is_found_by_its_id),
		cmocka_unit_test(a_moment_is_found_by_its_name),
		cmocka_unit_test(names_are_read_as_they_are_printed),
		cmocka_unit_test(a_moment_that_is_a_snapshot_is_opened_as_one),
		cmocka_unit_test(what_the_store_says_is_handed_on),
		cmocka_unit_test(moments_out_of_order_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
