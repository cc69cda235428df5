/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include "tests/unit/unit.h"
#include "repo/address.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"

#define DAY_S 86400
#define FIRST_S 1763461935 /* 2025-11-18T10:32:15Z */
#define NOW_NS ((FIRST_S + 3 * DAY_S) * NS_PER_S)

static const char *const sources[][2] = { { "db1", "etc" },
	{ "here", "home@work" }, { "here", "tree" }, { "web1", "etc" },
	{ "web1", "home-ann" } };

static struct history_point points[10];
static struct history_source listed[n_elements(sources)];
static struct history_listing listing;
static const struct history_ops ops = { .listing = NULL };
static struct history history = { .ops = &ops };
static const struct address_space in = { &history, &listing, "here", NOW_NS };

/* Two points of each source, a day apart; ids are 0000000a, 0000001a, ... */
static int
set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (uint32_t i = 0; i < n_elements(points); i++) {
		struct history_point *p = &points[i];

		p->source = i / 2;
		p->time_ns = (FIRST_S + (i % 2) * DAY_S) * NS_PER_S;
		history_print_time(p->name, p->time_ns);
		snprintf(p->id, sizeof(p->id), "%07xa%024x", i, 0);
	}
	for (uint32_t i = 0; i < n_elements(sources); i++)
		listed[i] = (struct history_source){ .host = sources[i][0],
			.name = sources[i][1],
			.first_point = 2 * i,
			.n_points = 2 };
	listing = (struct history_listing){ .sources = listed,
		.n_sources = n_elements(listed),
		.points = points,
		.n_points = n_elements(points),
		.refs = 1 };
	return 0;
}

static void
means(const char *text, size_t source, size_t nth, const char *path)
{
	struct address a = { .path = NULL };
	struct err e = ERR_INIT;

	assert_int_equal(address_find(&in, text, &a, &e), 0);
	assert_int_equal(a.source, source);
	assert_string_equal(a.point.id, points[2 * source + nth].id);
	assert_string_equal(a.path, path);
}

static void
means_nothing(const char *text, int code, const char *because)
{
	struct address a;
	struct err e = ERR_INIT;

	assert_int_equal(address_find(&in, text, &a, &e), -code);
	if (!strstr(e.text, because))
		fail_msg("%s: %s", text, e.text);
}

static void
a_source_alone_is_its_latest_snapshot(void **state)
{
	(void)state;
	means("web1/home-ann", 4, 1, "");
	means("web1/home-ann@", 4, 1, "");
	means("web1/home-ann@latest", 4, 1, "");
	means("web1/home-ann:docs/a:b@c", 4, 1, "docs/a:b@c");
	means("tree", 2, 1, "");
}

static void
the_longest_time_is_meant(void **state)
{
	(void)state;
	means("tree@10:32:15", 2, 1, "");
	means("tree@10:32:x", 2, 1, "x");
	means("tree@2025-11-18T10:32:15Z:a:b", 2, 0, "a:b");
	means("tree@2025-11-18T12:32:15+02:00:7", 2, 0, "7");
	means("tree@2d-ago:@", 2, 1, "@");
	means("tree@@1763461935:x", 2, 0, "x");
}

static void
a_name_with_an_at_sign_is_found(void **state)
{
	(void)state;
	means("home@work", 1, 1, "");
	means("home@work@2025-11-18:x", 1, 0, "x");
	means("here/home@work:x", 1, 1, "x");
}

static void
a_snapshot_is_found_by_name_and_by_id(void **state)
{
	(void)state;
	means("tree@2025-11-18T10-32-15Z:x", 2, 0, "x");
	means("tree@0000004a:x", 2, 0, "x");
	means("@0000009a:x", 4, 1, "x");
}

static void
what_there_is_instead_is_said(void **state)
{
	(void)state;
	means_nothing("web1/home-anne", ENOENT, "did you mean web1/home-ann");
	means_nothing("home-ann", ENOENT, "did you mean web1/home-ann");
	means_nothing("zzz@latest:x", ENOENT, "no source here/zzz: 'yore");
	means_nothing("tree@2025-11-17:x", ENOENT,
		"the first is 2025-11-18T10-32-15Z");
	means_nothing("tree@sometime:x", EINVAL, "sometime: neither a time");
	means_nothing("tree@0000009a", ENOENT, "belongs to web1/home-ann");
	means_nothing("@99999999", ENOENT, "no snapshot has the id 99999999");
	means_nothing("", ENOENT, "no source");
}

static void
a_path_becomes_a_name(void **state)
{
	static const char *const names[][2] = { { "/home/ann", "home-ann" },
		{ "/", "root" }, { "///", "root" }, { "/srv/a-b/", "srv-a-b" },
		{ "/x", "x" } };

	(void)state;
	for (size_t i = 0; i < n_elements(names); i++) {
		auto_free char *name = address_source_name(names[i][0]);

		assert_string_equal(name, names[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_alone_is_its_latest_snapshot),
		cmocka_unit_test(the_longest_time_is_meant),
		cmocka_unit_test(a_name_with_an_at_sign_is_found),
		cmocka_unit_test(a_snapshot_is_found_by_name_and_by_id),
		cmocka_unit_test(what_there_is_instead_is_said),
		cmocka_unit_test(a_path_becomes_a_name),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
