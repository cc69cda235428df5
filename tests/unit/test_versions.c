/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of each snapshot is /d/f; what f is, and what fails, a test says. */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/versions/versions.h"
#include "fs/version_name.h"

#define N 10000

struct moment {
	char content;	   /* of f; 0: it is not there */
	int64_t changed_s; /* ctime of f; its mtime is always the same */
	int64_t names_s;   /* mtime and ctime of d */
	int64_t above_s;   /* of the root */
	uint8_t place;	   /* d lies elsewhere: another mark */
	int fails;	   /* opening does, with that */
};

struct world {
	struct history history;
	struct history_listing listing;
	struct history_source source;
	struct history_point *points;
	struct moment m[N];
	bool no_inodes;
	unsigned int many; /* names that d has besides */
	_Atomic unsigned int opened;
};

struct snapshot {
	struct view view;
	struct world *w;
	const struct moment *m;
};

enum { TOP, DIR_, FILE_ };

static struct world *world;

/* -- Views ------------------------------------------------------------------ */

static const struct moment *
of(struct view *v)
{
	return ((struct snapshot *)v)->m;
}

static int
attr(struct view *v, uint64_t node, struct view_attr *a, struct err *e)
{
	int64_t t = node == TOP ? of(v)->above_s
		    : node == DIR_ ? of(v)->names_s
				  : of(v)->changed_s;

	(void)e;
	*a = (struct view_attr){ .node = node,
		.ino = node,
		.nlink = 1,
		.mode = node == FILE_ ? S_IFREG | 0644 : S_IFDIR | 0755,
		.size = node == FILE_ ? 1 : 0,
		.mtime.tv_sec = node == FILE_ ? 5 : t,
		.ctime.tv_sec = t };
	return 0;
}

static int
lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *a, struct err *e)
{
	bool there = len == 1 && ((dir == TOP && *name == 'd') ||
					 (dir == DIR_ && *name == 'f' &&
						 of(v)->content));

	return there ? attr(v, dir + 1, a, e) : err_set(e, ENOENT, "none");
}

/* In d there may be very many more. */
static void
list_many(uint64_t from, bool (*each)(void *ctx, const struct view_dirent *d),
	void *ctx)
{
	char name[32];
	struct view_dirent d = { .name = name, .name_len = 24 };

	for (; from <= world->many; from = d.next) {
		snprintf(name, sizeof(name), "g%023u", (unsigned int)from);
		d.next = from + 1;
		if (!each(ctx, &d))
			return;
	}
}

static int
list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	struct view_dirent d = {
		.name = dir == TOP ? "d" : "f", .name_len = 1, .next = 1
	};

	attr(v, dir + 1, &d.attr, e);
	if (from == 0 && (dir == TOP || of(v)->content) && !each(ctx, &d))
		return 0;
	if (dir == DIR_)
		list_many(from > 0 ? from : 1, each, ctx);
	return 0;
}

static int
read_(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	(void)node, (void)e;
	*data = (struct view_data){ .n = 0 };
	if (off > 0 || len == 0)
		return 0;
	data->iov[0].iov_base = (void *)(uintptr_t)&of(v)->content;
	data->iov[0].iov_len = data->len = 1;
	data->n = 1;
	return 0;
}

static int
totals(struct view *v, uint64_t dir, struct view_totals *t, struct err *e)
{
	(void)e;
	*t = (struct view_totals){ .entries = dir == TOP ? 2 : 1 };
	t->newest_ns = of(v)->changed_s * NS_PER_S;
	return 0;
}

static int
mark(struct view *v, uint64_t node, struct view_mark *m, struct err *e)
{
	(void)e;
	m->ino = world->no_inodes ? 0 : 100 + node;
	if (node == FILE_)
		return 0;
	m->content[0] = 1;
	m->content[1] = of(v)->place;
	m->content[2] = (uint8_t)of(v)->content;
	memcpy(m->content + 3, &of(v)->changed_s, sizeof(int64_t));
	return 0;
}

static void
free_view(struct view *v)
{
	free(v);
}

static const struct view_ops view_ops = {
	.attr = attr,
	.lookup = lookup,
	.list = list,
	.read = read_,
	.totals = totals,
	.mark = mark,
	.free = free_view,
};

static int
open_(struct history *h, const struct history_listing *l, size_t point,
	struct view **v, struct err *e)
{
	struct world *w = (struct world *)h;
	struct snapshot *s;

	(void)l;
	w->opened++;
	if (w->m[point].fails)
		return err_set(e, w->m[point].fails, "told to fail");
	s = xcalloc(1, sizeof(*s));
	s->view.ops = &view_ops;
	s->view.refs = 1;
	s->m = &w->m[point];
	*v = &s->view;
	return 0;
}

static const struct history_ops history_ops = { .open = open_ };

/* -- Histories -------------------------------------------------------------- */

static int
setup(void **state)
{
	struct world *w = world = xcalloc(1, sizeof(*w));

	(void)state;
	w->history.ops = &history_ops;
	w->points = xcalloc(N, sizeof(*w->points));
	w->source = (struct history_source){
		.host = "h", .name = "n", .n_points = N
	};
	w->listing.sources = &w->source;
	w->listing.n_sources = 1;
	w->listing.points = w->points;
	w->listing.n_points = N;
	for (unsigned int i = 0; i < N; i++)
		w->m[i] = (struct moment){
			.content = 'a', .changed_s = 10, .names_s = 10
		};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(world->points);
	free(world);
	return 0;
}

/* From snapshot i on f is something else, since a time. */
static void
change(unsigned int i, char content, int64_t t)
{
	for (; i < N; i++) {
		struct moment *m = &world->m[i];

		if (!m->content != !content)
			m->names_s = t;
		m->content = content;
		m->changed_s = t;
	}
}

static int
find(const char *path, enum versions_of what, struct versions *vs)
{
	const struct versions_query q = { .history = &world->history,
		.listing = &world->listing,
		.source = 0,
		.path = path,
		.of = what };
	struct err e = ERR_INIT;

	for (unsigned int i = 0; i < N; i++)
		world->points[i].totals.newest_ns =
			world->m[i].changed_s * NS_PER_S;
	world->opened = 0;
	return versions_find(&q, vs, &e);
}

/* Of f, of which there must be n. */
static void
find_all(struct versions *vs, size_t n)
{
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, vs), 0);
	assert_int_equal(vs->n, n);
}

static void
expect(const struct version *v, unsigned int point, unsigned int last,
	bool there)
{
	assert_int_equal(v->point, point);
	assert_int_equal(v->last, last);
	assert_int_equal(v->attr.mode != 0, there);
}

static void
what_never_changes_is_looked_at_twice(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	find_all(&vs, 1);
	expect(&vs.v[0], 0, N - 1, true);
	assert_int_equal(world->opened, 2);
}

static void
changes_cost_by_the_logarithm(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	change(100, 'b', 20);
	change(101, 'a', 30);
	change(5000, 0, 40);
	change(9998, 'a', 50);
	find_all(&vs, 5);
	expect(&vs.v[1], 100, 100, true);
	expect(&vs.v[2], 101, 4999, true);
	expect(&vs.v[3], 5000, 9997, false);
	expect(&vs.v[4], 9998, N - 1, true);
	assert_true(vs.v[4].again);
	assert_in_range(vs.n_looked, 5, 4 * 14 + 2);
	/* comparing opens two more for each */
	assert_in_range(world->opened, vs.n_looked, vs.n_looked + 2 * 4);
}

static void
names_that_come_and_go_beside_it_cost_nothing(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	for (unsigned int i = 0; i < N; i++)
		world->m[i].names_s = 10 + i;
	find_all(&vs, 1);
	assert_int_equal(vs.n_looked, 2);
	versions_release(&vs);
	/* but above as well: d may have been another one */
	for (unsigned int i = 0; i < N; i++)
		world->m[i].above_s = 10 + i;
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, &vs), 0);
	assert_int_equal(vs.n_looked, N);
}

static void
a_new_ctime_is_no_new_version(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	change(7, 'a', 20);
	find_all(&vs, 1);
}

static void
a_source_that_was_put_back_is_noticed(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	change(3000, 'b', 20);
	change(3010, 'a', 10); /* as it had been, ctimes and all */
	find_all(&vs, 3);
	expect(&vs.v[1], 3000, 3009, true);
}

static void
without_inode_numbers_everything_is_looked_at(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	world->no_inodes = true;
	world->m[777].content = 'b'; /* and no time tells */
	find_all(&vs, 3);
	expect(&vs.v[1], 777, 777, true);
	assert_int_equal(vs.n_looked, N);
}

static void
a_directory_that_lies_elsewhere_is_the_same(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	for (unsigned int i = 4000; i < N; i++)
		world->m[i].place = 1;
	change(6000, 'b', 20);
	assert_int_equal(find("d", VERSIONS_OF_ALL, &vs), 0);
	assert_int_equal(vs.n, 2);
	expect(&vs.v[1], 6000, N - 1, true);
}

static void
a_damaged_snapshot_is_left_out(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	change(5000, 'b', 20);
	world->m[N - 1].fails = EBADMSG;
	world->m[4999].fails = ESTALE;
	world->points[5000].damaged = true;
	find_all(&vs, 2);
	expect(&vs.v[1], 5001, N - 1, true);
	assert_int_equal(vs.n_unknown, 3);
	assert_false(vs.incomplete);
}

static void
a_store_that_gives_nothing_is_an_error(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	for (unsigned int i = 0; i < N; i++)
		world->m[i].fails = EIO;
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, &vs), -EIO);
	assert_in_range(world->opened, 1, 4);
	world->m[0].fails = 0; /* one that lies in a cache changes nothing */
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, &vs), -EIO);
	world->m[N - 1].fails = ENETDOWN;
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, &vs), -ENETDOWN);
	assert_int_equal(vs.n_points, 0);
}

static void
one_object_that_is_lost_spoils_one_snapshot(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;

	(void)state;
	change(5000, 'b', 20);
	world->m[5000].fails = EIO;
	find_all(&vs, 2);
	expect(&vs.v[1], 5001, N - 1, true);
	assert_true(vs.incomplete);
}

static void
who_is_cancelled_gets_nothing(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;
	struct cancel c = CANCEL_INIT;

	(void)state;
	cancel_raise(&c);
	cancel_set_current(&c);
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, &vs), -EINTR);
	cancel_set_current(NULL);
	assert_int_equal(world->opened, 0);
}

static void
later_snapshots_are_looked_at_alone(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT, all = VERSIONS_INIT;

	(void)state;
	change(50, 'b', 20);
	change(9990, 'c', 30);
	world->source.n_points = 9000;
	find_all(&vs, 2);
	expect(&vs.v[1], 50, 8999, true);
	world->source.n_points = N;
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, &vs), 0);
	assert_in_range(world->opened, 1, 14);
	assert_int_equal(find("d/f", VERSIONS_OF_ALL, &all), 0);
	assert_int_equal(vs.n, 3);
	assert_int_equal(all.n, 3);
	for (size_t i = 0; i < 3; i++)
		expect(&vs.v[i], all.v[i].point, all.v[i].last, true);
}

static void
list_names(struct versions *vs, struct versions_names *names)
{
	const struct versions_query q = { .history = &world->history,
		.listing = &world->listing,
		.path = "d",
		.of = VERSIONS_OF_NAMES };

	assert_int_equal(find("d", VERSIONS_OF_NAMES, vs), 0);
	assert_int_equal(versions_list_names(&q, vs, names, NULL), 0);
}

static void
names_are_all_there_ever_were(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;
	auto_versions_names struct versions_names names = { .n = 0 };

	(void)state;
	change(20, 'b', 20);   /* f changes: names do not, */
	change(4000, 0, 30);   /* and goes, */
	world->m[0].names_s = 9;
	list_names(&vs, &names);
	assert_int_equal(vs.n, 3);
	assert_int_equal(names.n, 1); /* but was there */
	assert_string_equal(names.bytes, "f");
	assert_true(names.all);
}

static void
names_take_no_more_room_than_they_may(void **state)
{
	auto_versions struct versions vs = VERSIONS_INIT;
	auto_versions_names struct versions_names names = { .n = 0 };
	size_t len;

	(void)state;
	world->many = 1000000;
	change(4000, 0, 30);
	list_names(&vs, &names);
	assert_false(names.all);
	len = names.at[names.n - 1] + 25;
	assert_in_range(len + names.n * sizeof(uint32_t),
		VERSIONS_NAMES_MAX - 100, VERSIONS_NAMES_MAX);
	/* the newest had no f */
	assert_string_equal(names.bytes, "g00000000000000000000001");
}

static void
expect_ending(const char *path, const char *ending)
{
	char time[HISTORY_TIME_MAX + 1], name[300];

	assert_string_equal(version_name_ending(path), ending);
	snprintf(name, sizeof(name), "2020-09-13T12-27-40Z-2%s", ending);
	assert_true(version_name_parse(name, path, time));
	assert_string_equal(time, "2020-09-13T12-27-40Z-2");
	assert_true(version_name_parse(time, path, name));
	strcat(name, ".x");
	assert_false(version_name_parse(name, path, time));
}

static void
a_version_ends_as_the_file_does(void **state)
{
	(void)state;
	expect_ending("thesis.odt", ".odt");
	expect_ending("a.b/c.d/hosts", "");
	expect_ending("x/y.tar.gz", ".tar.gz");
	expect_ending(".tar.gz", ".gz");
	expect_ending("tar.gz", ".gz");
	expect_ending(".profile", "");
	expect_ending("a.", "");
	expect_ending("a.b c", "");
	expect_ending("a.\xff", "");
	expect_ending("a.aVeryLongEndingThatNoneKnows", "");
	expect_ending("", "");
}

#define t(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		t(what_never_changes_is_looked_at_twice),
		t(changes_cost_by_the_logarithm),
		t(names_that_come_and_go_beside_it_cost_nothing),
		t(a_new_ctime_is_no_new_version),
		t(a_source_that_was_put_back_is_noticed),
		t(without_inode_numbers_everything_is_looked_at),
		t(a_directory_that_lies_elsewhere_is_the_same),
		t(a_damaged_snapshot_is_left_out),
		t(a_store_that_gives_nothing_is_an_error),
		t(one_object_that_is_lost_spoils_one_snapshot),
		t(who_is_cancelled_gets_nothing),
		t(later_snapshots_are_looked_at_alone),
		t(names_are_all_there_ever_were),
		t(names_take_no_more_room_than_they_may),
		t(a_version_ends_as_the_file_does),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
