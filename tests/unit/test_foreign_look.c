/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "tests/unit/unit.h"
#include "tests/unit/directory.h"
#include "repo/foreign/look.h"

/* Two formats that are recognised by a folder, and by what lies in one. */
static unsigned looks;

static int
look_a(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, "", &names, e);

	looks++;
	return r < 0 ? r : foreign_names_have(names, "a/");
}

static int
look_b(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, "", &names, e);

	if (r < 0 || !foreign_names_have(names, "b/"))
		return r;
	r = foreign_look_names(k, "b/", &names, e);
	return r < 0 ? r : foreign_names_have(names, "object");
}

static const struct foreign_format a = { .name = "a", .look = look_a };
static const struct foreign_format b = { .name = "b", .look = look_b };
static const struct foreign_format *const both[] = { &a, &b, NULL };

static void
make(const char *name)
{
	assert_int_equal(sink_put(sink, name, "x", 1, NULL), 0);
}

/* "FORMAT:PREFIX " of everything that was found. */
static char *
found(const struct foreign_format *const *formats)
{
	auto_buf struct buf text = BUF_INIT;
	struct look_result out;
	size_t len;

	assert_int_equal(look_for(store, formats, NULL, &out, NULL), 0);
	for (size_t i = 0; i < out.n; i++)
		buf_printf(&text, "%s:%s ", out.found[i].format->name,
			out.found[i].prefix);
	look_result_release(&out);
	buf_append(&text, "", 1);
	return (char *)buf_steal(&text, &len);
}

static void
a_replica_at_the_root_is_all_that_is_looked_at(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	make("b/object");
	make("c/b/object");
	make("c/a/x");
	text = found(both);
	assert_string_equal(text, "b: ");
}

static void
many_below_the_root_are_all_found(void **state)
{
	auto_free char *text = NULL, *one = NULL;
	const struct foreign_format *const only[] = { &b, NULL };

	(void)state;
	make("x/a/1");
	make("y/b/object");
	make("y/b/deep/a/1");
	make("deep/er/z/a/1");
	make("deep/er/none");
	make("b/elsewhere");
	text = found(both);
	assert_string_equal(text, "a:x/ b:y/ a:deep/er/z/ ");
	one = found(only);
	assert_string_equal(one, "b:y/ ");
}

static void
what_is_known_is_not_looked_into_again(void **state)
{
	struct look_result before, out;

	(void)state;
	make("x/a/1");
	make("y/b/object");
	make("deep/er/z/a/1");
	assert_int_equal(look_for(store, both, NULL, &before, NULL), 0);
	assert_int_equal(before.n, 3);
	make("x/b/object");
	make("deep/er/new/b/object");
	assert_int_equal(look_for(store, both, &before, &out, NULL), 0);
	assert_int_equal(out.n, 1);
	assert_string_equal(out.found[0].prefix, "deep/er/new/");
	/* the root, deep/, deep/er/ and what is new */
	assert_int_equal(out.n_folders, 4);
	look_result_release(&before);
	look_result_release(&out);
}

static void
the_first_format_that_recognises_a_folder_has_it(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	make("r/a/1");
	make("r/b/object");
	text = found(both);
	assert_string_equal(text, "a:r/ ");
}

static void
what_lies_too_deep_is_not_looked_for(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	make("1/2/3/4/5/6/7/8/a/x");
	make("1/2/3/4/5/6/7/8/9/a/x");
	text = found(both);
	assert_string_equal(text, "a:1/2/3/4/5/6/7/8/ ");
}

static void
looking_in_vain_comes_to_an_end(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	for (unsigned i = 0; i < LOOK_FOLDERS_VAIN + 100; i++) {
		auto_free char *name = xasprintf("n%05u/x", i);

		make(name);
	}
	looks = 0;
	text = found(both);
	assert_string_equal(text, "");
	assert_int_equal(looks, LOOK_FOLDERS_VAIN);
}

static int
look_and_be_refused(struct foreign_look *k, struct err *e)
{
	const struct foreign_names *names;
	int r = foreign_look_names(k, "", &names, e);

	if (r == 0 && foreign_names_have(names, "secret"))
		return err_set(e, EACCES, "access denied");
	return r < 0 ? r : foreign_names_have(names, "a/");
}

static void
a_folder_that_may_not_be_read_hides_itself_only(void **state)
{
	static const struct foreign_format careful = { .name = "a",
		.look = look_and_be_refused };
	const struct foreign_format *const one[] = { &careful, NULL };
	auto_free char *text = NULL;

	(void)state;
	make("locked/secret");
	make("locked/a/1");
	make("z/a/1");
	text = found(one);
	assert_string_equal(text, "a:z/ ");
}

static int
look_and_fail(struct foreign_look *k, struct err *e)
{
	(void)k;
	return err_set(e, EIO, "the store gave up");
}

static void
an_error_of_the_store_is_one(void **state)
{
	static const struct foreign_format bad = { .name = "bad",
		.look = look_and_fail };
	const struct foreign_format *const one[] = { &bad, NULL };
	struct look_result out;

	(void)state;
	assert_int_equal(look_for(store, one, NULL, &out, NULL), -EIO);
	assert_int_equal(out.n, 0);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_replica_at_the_root_is_all_that_is_looked_at),
		test(many_below_the_root_are_all_found),
		test(what_is_known_is_not_looked_into_again),
		test(the_first_format_that_recognises_a_folder_has_it),
		test(what_lies_too_deep_is_not_looked_for),
		test(looking_in_vain_comes_to_an_end),
		test(a_folder_that_may_not_be_read_hides_itself_only),
		test(an_error_of_the_store_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
