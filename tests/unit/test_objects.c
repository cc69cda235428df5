/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listings that tell times and folders, and names that others chose. */
#include "tests/unit/directory.h"

#include <errno.h>
#include <fcntl.h>
#include "repo/store/fault.h"

struct told {
	struct buf text; /* name=size of each, and a space */
	unsigned n;
	unsigned stop_at; /* 0: never */
};

static bool
collect(void *ctx, const struct store_object *o)
{
	struct told *x = ctx;

	buf_printf(&x->text, "%s=%d ", o->name, (int)o->size);
	return ++x->n != x->stop_at;
}

static void
assert_told(struct told *x, int r, const char *want)
{
	assert_int_equal(r, 0);
	buf_append(&x->text, "", 1);
	assert_string_equal((char *)x->text.data, want);
	buf_release(&x->text);
	x->n = 0;
}

static void
assert_lists(struct store *s, const char *prefix, const char *after,
	const char *want)
{
	struct told x = { .n = 0 };
	int r = store_list_objects(s, prefix, after, collect, &x, NULL);

	assert_told(&x, r, want);
}

static void
assert_folder(struct store *s, const char *prefix, const char *want)
{
	struct told x = { .n = 0 };
	int r = store_list_folder(s, prefix, collect, &x, NULL);

	assert_told(&x, r, want);
}

static void
a_folder_is_listed_without_what_lies_deeper(void **state)
{
	struct told x = { .stop_at = 2 };
	int r;
	(void)state;

	put("a/b/c", "1");
	put("a/b/d", "1");
	put("a.b", "22");
	put("a0", "333");
	assert_folder(store, "", "a.b=2 a/=0 a0=3 ");
	assert_folder(store, "a/b/", "a/b/c=1 a/b/d=1 ");
	assert_folder(store, "none/", "");
	r = store_list_folder(store, "", collect, &x, NULL);
	assert_told(&x, r, "a.b=2 a/=0 ");
}

static bool
take_time(void *ctx, const struct store_object *o)
{
	*(int64_t *)ctx = o->modified_ns;
	return true;
}

static void
a_listing_tells_when_an_object_was_written(void **state)
{
	const struct timespec t[2] = { { .tv_sec = 1 },
		{ .tv_sec = 1700000000, .tv_nsec = 123456789 } };
	auto_free char *path = path_of("a");
	int64_t ns = 0;
	(void)state;

	put("a", "");
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
	assert_int_equal(
		store_list_objects(store, "", "", take_time, &ns, NULL), 0);
	assert_true(ns == 1700000000123456789);
	assert_int_equal(unlink(path), 0);
	make_directory("b");
	assert_int_equal(store_list_folder(store, "", take_time, &ns, NULL), 0);
	assert_true(ns == STORE_TIME_UNKNOWN);
}

/* A store that only lists names and sizes. */
static int
plain_list(struct store *s, const char *prefix, const char *after,
	bool (*each)(void *ctx, const char *name, uint64_t size), void *ctx,
	struct err *e)
{
	(void)s;
	return store_list(store, prefix, after, each, ctx, e);
}

static void
a_store_without_times_lists_objects_all_the_same(void **state)
{
	static const struct store_ops ops = { .list = plain_list };
	struct store plain = { .ops = &ops };
	char value[8];
	int64_t ns = 0;
	(void)state;

	put("a/b/c", "1");
	put("a/d", "1");
	put("a0", "333");
	put("b/e", "1");
	assert_lists(&plain, "", "a/b/c", "a/d=1 a0=3 b/e=1 ");
	assert_folder(&plain, "", "a/=0 a0=3 b/=0 ");
	assert_folder(&plain, "a/", "a/b/=0 a/d=1 ");
	assert_int_equal(
		store_list_objects(&plain, "", "", take_time, &ns, NULL), 0);
	assert_true(ns == STORE_TIME_UNKNOWN);
	assert_int_equal(
		store_metadata(&plain, "a0", "key", value, 8, NULL), -ENODATA);
	assert_int_equal(
		store_metadata(store, "a0", "key", value, 8, NULL), -ENODATA);
}

static void
names_of_others_are_taken_as_they_are(void **state)
{
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
		"..", "a/../b", "a/.", "a\nb" };
	auto_store struct store *theirs = NULL;
	char longest[STORE_FOREIGN_NAME_MAX + 2];
	(void)state;

	make_directory(".hidden");
	write_file(".hidden/with space", "1");
	write_file("bell\a\377", "22");
	write_file("two\nlines", "333");
	make_directory("tmp");
	write_file("tmp/x", "1");
	assert_int_equal(store_open_foreign(root, &theirs, NULL), 0);
	assert_lists(
		theirs, "", "", ".hidden/with space=1 bell\a\377=2 tmp/x=1 ");
	assert_folder(theirs, ".hidden/", ".hidden/with space=1 ");
	for (size_t i = 0; i < n_elements(bad); i++)
		assert_false(store_takes_name(theirs, bad[i]));
	assert_false(store_takes_name(store, ".hidden/x"));
	memset(longest, 'x', sizeof(longest));
	longest[STORE_FOREIGN_NAME_MAX + 1] = '\0';
	assert_false(store_takes_name(theirs, longest));
	longest[STORE_FOREIGN_NAME_MAX] = '\0';
	assert_true(store_takes_name(theirs, longest));
}

static void
a_file_of_others_that_was_replaced_is_read_anew(void **state)
{
	auto_store struct store *theirs = NULL;
	auto_free char *from = path_of("new"), *to = path_of("a");
	char c = 0;
	(void)state;

	write_file("a", "1");
	write_file("new", "2");
	assert_int_equal(store_open_foreign(root, &theirs, NULL), 0);
	assert_int_equal(store_get(theirs, "a", 0, 1, &c, NULL, NULL), 0);
	assert_int_equal(c, '1');
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(store_get(theirs, "a", 0, 1, &c, NULL, NULL), 0);
	assert_int_equal(c, '2');
	assert_int_equal(unlink(to), 0);
	assert_int_equal(store_get(theirs, "a", 0, 1, &c, NULL, NULL), -ENOENT);
}

static void
listings_of_objects_fail_short_and_flip_as_others_do(void **state)
{
	struct store *inner = NULL;
	struct fault *fault = NULL;
	struct told x = { .n = 0 };
	(void)state;

	put("a/b", "1");
	put("c", "1");
	assert_int_equal(
		fault_new("eio@1,short@2,flip@3,short@4,eio@6", &fault, NULL),
		0);
	assert_int_equal(store_open_foreign(root, &inner, NULL), 0);
	struct store *s = fault_store(fault, inner);

	assert_true(s->foreign);
	assert_int_equal(
		store_list_objects(s, "", "", collect, &x, NULL), -EIO);
	assert_lists(s, "", "", "a/b=1 ");
	assert_lists(s, "", "", "a/b=17 c=1 ");
	assert_folder(s, "", "a/=0 ");
	assert_folder(s, "", "a/=0 c=1 tmp/=0 ");
	assert_int_equal(
		store_metadata(s, "c", "key", root, sizeof(root), NULL), -EIO);
	store_free(s);
	fault_free(fault);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(a_folder_is_listed_without_what_lies_deeper),
		IN_DIRECTORY(a_listing_tells_when_an_object_was_written),
		IN_DIRECTORY(a_store_without_times_lists_objects_all_the_same),
		IN_DIRECTORY(names_of_others_are_taken_as_they_are),
		IN_DIRECTORY(a_file_of_others_that_was_replaced_is_read_anew),
		IN_DIRECTORY(
			listings_of_objects_fail_short_and_flip_as_others_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
