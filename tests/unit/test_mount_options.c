/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <errno.h>
#include <unistd.h>
#include "fs/options.h"

#define PARSE(o, e, ...) \
	parse(o, e, (const char *[]){ "yorefs", __VA_ARGS__, NULL })

static int
parse(struct options *o, struct err *e, const char **argv)
{
	char *copy[16];
	int n = 0, rc;

	for (; argv[n]; n++)
		copy[n] = strdup(argv[n]);
	rc = options_parse(n, copy, o, e);
	while (n-- > 0)
		free(copy[n]);
	return rc;
}

static void
operands_and_options_come_in_any_order(void **state)
{
	auto_options struct options o = { .repo = NULL };
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&o, &e, "-o", "allow_other,refresh=5", "/r",
				 "-f", "/m", "-oidle=7,memory=64M"),
		0);
	assert_string_equal(o.repo, "/r");
	assert_string_equal(o.mountpoint, "/m");
	assert_null(o.address);
	assert_true(o.allow_other && o.foreground && o.store);
	assert_int_equal(o.refresh_s, 5);
	assert_int_equal(o.idle_s, 7);
	assert_int_equal(o.memory, 64 << 20);
}

static void
what_mount_and_fstab_add_is_no_error(void **state)
{
	auto_options struct options o = { .repo = NULL };
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&o, &e, "/r", "/m", "-n", "-o",
				 "rw,suid,dev,noexec,auto,user=ann,_netdev,"
				 "x-systemd.automount,comment=a=b,,nofail,"
				 "context=a:b"),
		0);
	assert_string_equal(o.kernel, "noexec,context=a:b");
}

static void
a_backslash_keeps_a_comma(void **state)
{
	auto_options struct options o = { .repo = NULL };
	struct err e;

	(void)state;
	assert_int_equal(
		PARSE(&o, &e, "/r", "/m", "-o",
			"source=a\\,b\\\\c\\d,password-command=pass a,nostore"),
		0);
	assert_string_equal(o.address, "a,b\\c\\d");
	assert_string_equal(o.password_command, "pass a");
	assert_false(o.store);
}

static void
the_address_may_follow_the_repository(void **state)
{
	struct options o;
	struct err e;

	(void)state;
	assert_int_equal(PARSE(&o, &e, "/no/r#web1/home@10:32:x", "/m"), 0);
	assert_string_equal(o.repo, "/no/r");
	assert_string_equal(o.address, "web1/home@10:32:x");
	options_release(&o);
	/* -o source= comes first */
	assert_int_equal(PARSE(&o, &e, "/no/r#b", "/m", "-osource=a"), 0);
	assert_string_equal(o.repo, "/no/r");
	assert_string_equal(o.address, "a");
	options_release(&o);
}

static void
a_directory_that_has_a_hash_in_its_name_is_meant(void **state)
{
	char dir[] = "/tmp/yore#XXXXXX";
	struct options o;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(PARSE(&o, &e, dir, "/m"), 0);
	rmdir(dir);
	assert_string_equal(o.repo, dir);
	assert_null(o.address);
	options_release(&o);
}

static void
what_is_not_understood_is_named(void **state)
{
	static const char *const wrong[][2] = { { "what", "what" },
		{ "what=1", "what" }, { "refresh", "refresh" },
		{ "refresh=", "refresh=" }, { "refresh=x", "refresh=x" },
		{ "refresh=-1", "refresh=-1" }, { "memory=1X", "memory=1X" },
		{ "memory=-1", "memory=-1" },
		{ "memory=99999999999999999999", "memory=9999" },
		{ "memory=99999999999G", "memory=9999" } };

	(void)state;
	for (size_t i = 0; i < n_elements(wrong); i++) {
		auto_options struct options o = { .repo = NULL };
		struct err e = ERR_INIT;

		assert_int_equal(
			PARSE(&o, &e, "/r", "/m", "-o", wrong[i][0]), -EINVAL);
		assert_non_null(strstr(e.text, wrong[i][1]));
	}
}

static void
only_local_repositories_have_a_path(void **state)
{
	auto_free char *a = options_local_path("/r");
	auto_free char *b = options_local_path("file:///r");
	auto_free char *c = options_local_path("s3://bucket/r");

	(void)state;
	assert_string_equal(a, "/r");
	assert_string_equal(b, "/r");
	assert_null(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_and_options_come_in_any_order),
		cmocka_unit_test(what_mount_and_fstab_add_is_no_error),
		cmocka_unit_test(a_backslash_keeps_a_comma),
		cmocka_unit_test(the_address_may_follow_the_repository),
		cmocka_unit_test(
			a_directory_that_has_a_hash_in_its_name_is_meant),
		cmocka_unit_test(what_is_not_understood_is_named),
		cmocka_unit_test(only_local_repositories_have_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
