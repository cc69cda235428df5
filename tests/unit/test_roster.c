/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a repository beyond this machine is asked, to know its snapshots. */
#include "tests/unit/snapshots.h"

#include "repo/native/history.h"

/* -- A store that is far away and counts what it is asked --------------- */

struct far {
	struct store store;
	struct store *near;
	_Atomic unsigned cat_lists, snap_lists, gets;
	_Atomic unsigned names; /* that were told */
};

static struct far *far;

static int
far_get(struct store *s, const char *name, uint64_t off, size_t len, void *buf,
	size_t *got, const struct store_call *call, struct err *e)
{
	far->gets++;
	(void)s;
	return store_get_call(far->near, name, off, len, buf, got, call, e);
}

static int
far_size(struct store *s, const char *name, uint64_t *size, struct err *e)
{
	(void)s;
	return store_size(far->near, name, size, e);
}

struct telling {
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};

static bool
tell(void *ctx, const char *name, uint64_t size)
{
	const struct telling *t = ctx;

	far->names++;
	return t->each(t->ctx, name, size);
}

static int
far_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	struct telling t = { .each = each, .ctx = ctx };

	(void)s;
	far->cat_lists += !strcmp(prefix, "cat/");
	far->snap_lists += !strncmp(prefix, "snap/", 5);
	return store_list(far->near, prefix, after, tell, &t, e);
}

static void
far_stats(struct store *s, struct store_stats *st)
{
	(void)s;
	store_stats(far->near, st);
}

static void
far_free(struct store *s)
{
	store_free(far->near);
	free(s);
}

static const struct store_ops far_ops = { .get = far_get,
	.size = far_size,
	.list = far_list,
	.stats = far_stats,
	.free = far_free };

static void
count_anew(void)
{
	far->cat_lists = far->snap_lists = far->gets = far->names = 0;
}

static struct native_history *
open_far(void)
{
	struct repository *rp;
	struct history *h;
	struct err e = ERR_INIT;

	if (repository_open(f.repo, NULL, &rp, &e))
		fail_msg("%s", e.text);
	far = xcalloc(1, sizeof(*far));
	far->near = rp->store;
	far->store = (struct store){ .ops = &far_ops, .name = far->near->name };
	rp->store = &far->store;
	if (native_history_new(rp, 0, &h, &e))
		fail_msg("%s", e.text);
	return (struct native_history *)h;
}

/* Refresh; the number of points there are now. */
static size_t
refreshed(struct native_history *n)
{
	struct history_listing *l;
	struct err e = ERR_INIT;
	size_t points;

	count_anew();
	if (history_refresh(&n->history, &e))
		fail_msg("%s", e.text);
	l = history_listing(&n->history);
	points = l->n_points;
	history_listing_put(l);
	return points;
}

/* -- Snapshots and catalogs of them ------------------------------------- */

static struct made all[64];

static void
make_snapshots(uint64_t from, uint64_t to)
{
	for (uint64_t seq = from; seq <= to; seq++)
		all[seq] = snapshot("h", "n", seq, T0 + (int64_t)seq * NS_PER_S,
			seq > 1 ? &all[seq - 1] : NULL);
}

static void
make_catalog(uint64_t number, char kind, uint64_t from, uint64_t to)
{
	struct catalog c = { .n = 0 };

	for (uint64_t seq = from; seq <= to; seq++)
		add_to_catalog(&c, &all[seq]);
	forge_catalog(&f, number, kind, &c);
	catalog_release(&c);
}

/* -- Tests -------------------------------------------------------------- */

static void
catalogs_tell_what_there_is_without_a_listing_of_snap(void **state)
{
	struct native_history *n;

	(void)state;
	make_snapshots(1, 40);
	for (uint64_t i = 1; i < 30; i++)
		make_catalog(i, 't', 1, i);
	make_catalog(30, 'f', 1, 30);
	make_catalog(31, 't', 31, 31);
	make_catalog(40, 't', 31, 40);
	n = open_far();
	auto_listing struct history_listing *l = history_listing(&n->history);
	assert_int_equal(l->n_points, 40);
	assert_int_equal(far->cat_lists, 1);
	assert_int_equal(far->snap_lists, 0);
	assert_int_equal(far->gets, 2);
	/* the tail, one that is passed over, the full one, the next */
	assert_int_equal(far->names, 4);
	for (size_t i = 0; i < l->n_points; i++)
		view_put(forge_view(&n->history, i));
	history_free(&n->history);
}

static void
nothing_new_costs_one_list_and_news_one_get(void **state)
{
	struct native_history *n;

	(void)state;
	make_snapshots(1, 20);
	make_catalog(20, 'f', 1, 20);
	n = open_far();
	assert_int_equal(refreshed(n), 20);
	assert_int_equal(far->cat_lists + far->snap_lists, 1);
	assert_int_equal(far->gets, 0);
	make_snapshots(21, 23);
	make_catalog(21, 't', 21, 21);
	make_catalog(23, 't', 21, 23);
	assert_int_equal(refreshed(n), 23);
	assert_int_equal(far->cat_lists + far->snap_lists, 1);
	assert_int_equal(far->gets, 1);
	/* a full one that says no more */
	make_snapshots(24, 24);
	make_catalog(24, 'f', 1, 24);
	assert_int_equal(refreshed(n), 24);
	assert_int_equal(far->cat_lists + far->snap_lists, 1);
	assert_int_equal(far->gets, 1);
	assert_int_equal(refreshed(n), 24);
	assert_int_equal(far->gets, 0);
	history_free(&n->history);
}

static void
a_record_no_full_catalog_has_any_more_is_gone(void **state)
{
	struct native_history *n;

	(void)state;
	make_snapshots(1, 6);
	make_catalog(3, 'f', 1, 3);
	make_catalog(6, 't', 4, 6);
	n = open_far();
	make_catalog(7, 'f', 3, 6);
	assert_int_equal(refreshed(n), 4);
	assert_int_equal(far->snap_lists, 0);
	history_free(&n->history);
}

static void
both_tails_of_writers_that_raced_count(void **state)
{
	struct native_history *n;

	(void)state;
	make_snapshots(1, 9);
	make_catalog(5, 'f', 1, 5);
	make_catalog(7, 't', 6, 7);
	make_catalog(7, 't', 7, 9);
	n = open_far();
	assert_int_equal(refreshed(n), 9);
	assert_int_equal(far->gets, 0);
	history_free(&n->history);
}

static void
without_catalogs_snap_is_listed(void **state)
{
	struct native_history *n;

	(void)state;
	make_snapshots(1, 5);
	n = open_far();
	assert_int_equal(far->snap_lists, 1);
	assert_int_equal(far->gets, 5);
	assert_int_equal(refreshed(n), 5);
	assert_int_equal(far->snap_lists + far->gets, 0);
	history_free(&n->history);
}

static void
a_damaged_catalog_has_snap_listed(void **state)
{
	auto_free char *command = xasprintf(
		"cd %s/cat && chmod u+w *-f-* && truncate -s -1 *-f-*", f.repo);
	struct native_history *n;

	(void)state;
	make_snapshots(1, 8);
	make_catalog(6, 'f', 1, 6);
	make_catalog(8, 't', 7, 8);
	assert_int_equal(system(command), 0);
	catch_log();
	n = open_far();
	assert_int_equal(count_lines(caught_log()), 1);
	assert_non_null(strstr(caught.text, "cat/999999999993-f-"));
	assert_int_equal(far->snap_lists, 1);
	assert_int_equal(far->gets, 2 + 6);
	/* and that of the tail after it is believed */
	make_snapshots(9, 9);
	make_catalog(9, 't', 7, 9);
	assert_int_equal(refreshed(n), 9);
	assert_int_equal(far->snap_lists, 0);
	history_free(&n->history);
}

static void
what_a_catalog_says_before_its_damage_is_not_believed(void **state)
{
	struct catalog c = { .n = 0 };
	struct native_history *n;
	struct record *r;

	(void)state;
	make_snapshots(1, 2);
	add_to_catalog(&c, &all[1]);
	add_to_catalog(&c, &all[2]);
	r = &c.records[0];
	r->tags = xcalloc(1, sizeof(*r->tags));
	r->tags[r->n_tags++] = xstrdup("untrue");
	c.records[1].host[0] = '/';
	forge_catalog(&f, 2, 'f', &c);
	catalog_release(&c);
	n = open_far();
	auto_listing struct history_listing *l = history_listing(&n->history);
	assert_int_equal(l->n_points, 2);
	assert_int_equal(l->n_tags, 0);
	history_free(&n->history);
}

static void
what_no_catalog_has_is_found_when_snap_is_listed(void **state)
{
	struct native_history *n;
	struct err e = ERR_INIT;

	(void)state;
	make_snapshots(1, 5);
	make_catalog(4, 'f', 1, 4);
	n = open_far();
	assert_int_equal(refreshed(n), 4);
	/* the time has come */
	n->roster.due_ns = 0;
	assert_int_equal(refreshed(n), 5);
	assert_int_equal(far->cat_lists, 1);
	assert_int_equal(far->snap_lists, 1);
	assert_int_equal(far->gets, 1);
	/* and stays, without another listing, when the catalog changes */
	make_snapshots(6, 6);
	make_catalog(6, 't', 6, 6);
	assert_int_equal(refreshed(n), 6);
	assert_int_equal(far->snap_lists, 0);
	make_catalog(7, 'f', 1, 6);
	assert_int_equal(refreshed(n), 6);
	/* what was removed behind the catalog's back */
	assert_int_equal(sink_remove(f.sink, all[2].name, &e), 0);
	assert_int_equal(refreshed(n), 6);
	n->roster.due_ns = 0;
	assert_int_equal(refreshed(n), 5);
	make_snapshots(7, 7);
	make_catalog(8, 't', 7, 7);
	assert_int_equal(refreshed(n), 6);
	assert_int_equal(far->snap_lists, 0);
	/* whoever wrote this did not know */
	make_catalog(9, 'f', 1, 7);
	assert_int_equal(refreshed(n), 6);
	assert_int_equal(far->snap_lists, 0);
	history_free(&n->history);
}

static void
catalogs_behind_what_was_seen_are_looked_into(void **state)
{
	struct native_history *n;

	(void)state;
	make_snapshots(1, 5);
	make_catalog(3, 'f', 1, 3);
	history_free(forge_open(&f, 0)); /* sees 5 */
	catch_log();
	n = open_far();
	assert_string_equal(caught_log(), "");
	assert_int_equal(far->snap_lists, 1);
	assert_int_equal(far->gets, 1 + 2);
	assert_int_equal(refreshed(n), 5);
	assert_int_equal(far->snap_lists, 0);
	history_free(&n->history);
}

static void
a_source_that_is_marked_has_snap_listed_each_time(void **state)
{
	auto_free char *command = xasprintf(
		": >%s/cat/000000000000-s-0123456789abcdef0123", f.repo);
	struct native_history *n;

	(void)state;
	make_snapshots(1, 5);
	make_catalog(3, 'f', 1, 3);
	assert_int_equal(system(command), 0);
	n = open_far();
	assert_int_equal(far->snap_lists, 1);
	assert_int_equal(far->gets, 1 + 2);
	make_snapshots(6, 6);
	assert_int_equal(refreshed(n), 6);
	assert_int_equal(far->snap_lists, 1);
	assert_int_equal(far->gets, 1);
	assert_int_equal(refreshed(n), 6);
	assert_int_equal(far->gets, 0);
	history_free(&n->history);
}

static void
a_snapshot_keeps_its_key_through_all_of_it(void **state)
{
	struct native_history *n;
	uint64_t key;

	(void)state;
	make_snapshots(1, 3);
	make_catalog(3, 't', 1, 3);
	n = open_far();
	for (int round = 0; round < 4; round++) {
		auto_listing struct history_listing *l =
			history_listing(&n->history);

		if (round == 0)
			key = l->points[1].key;
		assert_int_equal(l->points[1].key, key);
		assert_int_equal(l->points[1].seq, 2);
		n->roster.due_ns = round == 1 ? 0 : INT64_MAX;
		make_snapshots(4 + (uint64_t)round, 4 + (uint64_t)round);
		make_catalog(4 + (uint64_t)round, round == 2 ? 'f' : 't', 1,
			4 + (uint64_t)round);
		assert_int_equal(refreshed(n), 4 + round);
	}
	history_free(&n->history);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(catalogs_tell_what_there_is_without_a_listing_of_snap),
		TEST(nothing_new_costs_one_list_and_news_one_get),
		TEST(a_record_no_full_catalog_has_any_more_is_gone),
		TEST(both_tails_of_writers_that_raced_count),
		TEST(without_catalogs_snap_is_listed),
		TEST(a_damaged_catalog_has_snap_listed),
		TEST(what_a_catalog_says_before_its_damage_is_not_believed),
		TEST(what_no_catalog_has_is_found_when_snap_is_listed),
		TEST(catalogs_behind_what_was_seen_are_looked_into),
		TEST(a_source_that_is_marked_has_snap_listed_each_time),
		TEST(a_snapshot_keeps_its_key_through_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
