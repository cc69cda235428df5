/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of moments, in the fake history that the mount is tested with. */
#include <errno.h>
#include <string.h>
#include "tests/unit/unit.h"
#include "repo/address.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "tests/mount/fake_history.h"
#include "tools/spot.h"

#define NOW_NS (1767312000 * NS_PER_S) /* 2026-01-02T00:00:00Z */

static struct history *history;
static struct history_listing *listing;
static struct address_space space;

static int
set_up(void **state)
{
	const struct fake_options o = { .points = 4, .moments = 40 };

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	history = fake_history_new(&o);
	listing = history_listing(history);
	space = (struct address_space){ history, listing, "web2", NOW_NS };
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	history_listing_put(listing);
	history_free(history);
	return 0;
}

/* The address is moment `number` of the database. */
static void
means(const char *text, const char *number, const char *path)
{
	struct address a;
	struct err e = ERR_INIT;
	char id[HISTORY_ID_MAX + 1] = "00000009000000";

	strcat(id, number);
	if (address_find(&space, text, &a, &e) != 0)
		fail_msg("%s: %s", text, e.text);
	assert_int_equal(3, a.source);
	assert_int_equal(3, a.point.source);
	assert_string_equal(id, a.point.id);
	assert_string_equal(path, a.path);
}

static void
means_nothing(const char *text, int code, const char *because)
{
	struct address a;
	struct err e = ERR_INIT;

	assert_int_equal(-code, address_find(&space, text, &a, &e));
	if (!strstr(e.text, because))
		fail_msg("%s: %s", text, e.text);
}

static void
a_time_is_the_newest_moment_not_later(void **state)
{
	(void)state;
	means("orders.db", "27", "");
	means("web2/orders.db@latest:orders.db", "27", "orders.db");
	means("orders.db@2026-01-01T23:50:02Z:x", "0b", "x");
	means("orders.db@2026-01-01T23:50:02.001Z", "0a", "");
	means("orders.db@@1767311402.0013999:x", "09", "x");
	means("orders.db@23:50:01:orders.db", "07", "orders.db");
	means("orders.db@10m-ago", "00", "");
	means_nothing("orders.db@11m-ago", ENOENT,
		"web2/orders.db has no point at 11m-ago: the first is"
		" 2026-01-01T23-50-00Z");
}

static void
a_name_is_one_moment_of_several_in_a_millisecond(void **state)
{
	(void)state;
	means("orders.db@2026-01-01T23-50-02.001Z", "09", "");
	means("orders.db@2026-01-01T23-50-02.001Z-2:x", "0a", "x");
	means("orders.db@2026-01-01T23-50-05Z", "14", "");
	means("orders.db@2026-01-01T23-50-05.000Z", "14", "");
	means_nothing("orders.db@2026-01-01T23-50-02.001Z-3", EINVAL,
		"neither a time nor");
}

static void
an_id_alone_tells_the_source(void **state)
{
	(void)state;
	means("@000000090000000b:orders.db", "0b", "orders.db");
	means("orders.db@000000090000000b", "0b", "");
	means_nothing("web1/home@000000090000000b", EINVAL, "neither a time");
	means_nothing("@000000090000ffff", ENOENT, "no snapshot has the id");
}

static void
what_was_found_can_be_opened(void **state)
{
	const char *const texts[][2] = {
		{ "00010\n", "@000000090000000a:orders.db" },
		{ "00020\n",
			"web2/orders.db@2026-01-01T23-50-05Z:orders.db.raw" },
		{ "00039\n", "web2/orders.db:orders.db" },
		{ "00002\n", "web1/home@2026-01-01T02-00-00Z:point" }
	};

	(void)state;
	for (size_t i = 0; i < n_elements(texts); i++) {
		auto_spot struct spot p = { .view = NULL };
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		struct err e = ERR_INIT;

		if (spot_open(history, listing, texts[i][1], &p, &e) != 0)
			fail_msg("%s", e.text);
		assert_int_equal(
			0, view_read(p.view, p.attr.node, 0, 6, &d, &e));
		assert_memory_equal(texts[i][0], d.iov[0].iov_base, 6);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_the_newest_moment_not_later),
		cmocka_unit_test(
			a_name_is_one_moment_of_several_in_a_millisecond),
		cmocka_unit_test(an_id_alone_tells_the_source),
		cmocka_unit_test(what_was_found_can_be_opened),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
