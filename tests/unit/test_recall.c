/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "tests/fuzz/memory.h"
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/foreign/recall.h"

static struct store *inner;
static struct foreign_place *place;

static int
set_up(void **state)
{
	const struct history_open_options o = { .cache_dir = NULL };

	(void)state;
	inner = memory_store_new();
	place = foreign_place_new(inner, &o);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	foreign_place_put(place);
	return 0;
}

static void
put(const char *name, const char *text)
{
	assert_true(memory_put(inner, name, text, strlen(text), 7));
}

static bool
note(void *ctx, const struct store_object *o)
{
	buf_printf(ctx, "%s(%d) ", o->name, (int)o->size);
	return true;
}

static bool
note_one(void *ctx, const struct store_object *o)
{
	note(ctx, o);
	return false;
}

static void
assert_list(const char *prefix, const char *after, const char *want)
{
	auto_buf struct buf b = BUF_INIT;
	int r = store_list_objects(place->store, prefix, after, note, &b, NULL);

	buf_append(&b, "", 1);
	assert_string_equal(want, r == 0	   ? (char *)b.data
				  : r == -ENETDOWN ? "down"
						   : "?");
}

static void
assert_folder(const char *prefix, const char *want)
{
	auto_buf struct buf b = BUF_INIT;
	int r = store_list_folder(place->store, prefix, note, &b, NULL);

	buf_append(&b, "", 1);
	assert_string_equal(want, r ? "down" : (char *)b.data);
}

static void
listings_are_found_again_offline(void **state)
{
	(void)state;
	put("a/1", "x");
	put("a/b/2", "xy");
	put("c", "xyz");
	assert_list("a/", "", "a/1(1) a/b/2(2) ");
	assert_folder("", "a/(0) c(3) ");
	assert_list("nothing/", "", "");
	put("a/later", "x");
	place->offline = true;
	assert_list("a/", "", "a/1(1) a/b/2(2) ");
	assert_list("a/", "a/1", "a/b/2(2) ");
	assert_folder("", "a/(0) c(3) ");
	assert_list("nothing/", "", "");
	assert_list("a/b/", "", "down");
	assert_folder("a/", "down");
}

static void
what_is_listed_from_a_name_on_replaces_what_was_behind_it(void **state)
{
	(void)state;
	put("a/1", "");
	put("a/2", "");
	put("a/3", "");
	assert_list("a/", "", "a/1(0) a/2(0) a/3(0) ");
	put("a/3", "grown");
	put("a/4", "");
	assert_list("a/", "a/2", "a/3(5) a/4(0) ");
	assert_list("b/", "b/2", "");
	place->offline = true;
	assert_list("a/", "", "a/1(0) a/2(0) a/3(5) a/4(0) ");
	/* of which the beginning was never heard */
	assert_list("b/", "", "down");
}

static void
what_was_not_heard_to_its_end_is_not_kept(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	put("a/1", "");
	put("a/2", "");
	assert_int_equal(0,
		store_list_objects(place->store, "a/", "", note_one, &b, NULL));
	place->offline = true;
	assert_list("a/", "", "down");
}

static int
read_mark(const char *name, const char *want)
{
	auto_free uint8_t *data = NULL;
	size_t len = 0;
	int r = store_get_all(place->store, name, 64, &data, &len, NULL);

	if (r == 0) {
		assert_int_equal(strlen(want), len);
		assert_memory_equal(want, data, len);
	}
	return r;
}

static void
marks_are_found_again_and_that_there_was_none(void **state)
{
	char byte;

	(void)state;
	put("LATEST", "1000");
	put("other", "1");
	put("data", "bytes");
	assert_int_equal(0, read_mark("LATEST", "1000"));
	assert_int_equal(-ENOENT, read_mark("none", ""));
	put("LATEST", "2000");
	assert_int_equal(0, read_mark("LATEST", "2000"));
	assert_int_equal(
		0, store_get(place->store, "data", 0, 1, &byte, NULL, NULL));
	place->offline = true;
	assert_int_equal(0, read_mark("LATEST", "2000"));
	assert_int_equal(-ENOENT, read_mark("none", ""));
	assert_int_equal(-ENETDOWN, read_mark("other", ""));
	assert_int_equal(-ENETDOWN,
		store_get(place->store, "data", 0, 1, &byte, NULL, NULL));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(listings_are_found_again_offline),
		IN_PLACE(
			what_is_listed_from_a_name_on_replaces_what_was_behind_it),
		IN_PLACE(what_was_not_heard_to_its_end_is_not_kept),
		IN_PLACE(marks_are_found_again_and_that_there_was_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
