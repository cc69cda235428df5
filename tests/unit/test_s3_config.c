/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include "repo/store/s3.h"
#include "repo/store/s3_config.h"

static int
clear_environment(void **state)
{
	static const char *const names[] = { "AWS_ENDPOINT_URL",
		"AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION",
		"AWS_CA_BUNDLE", "AWS_PROFILE" };
	(void)state;

	for (size_t i = 0; i < n_elements(names); i++)
		unsetenv(names[i]);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	return 0;
}

static void
parsed(const char *address, struct s3_config *c)
{
	struct err e = ERR_INIT;

	if (s3_config_parse(address, c, &e) != 0)
		fail_msg("%s", e.text);
}

static void
amazon_is_the_default(void **state)
{
	struct s3_config c;
	(void)state;

	parsed("s3://bucket/a/b//", &c);
	assert_string_equal(c.bucket, "bucket");
	assert_string_equal(c.prefix, "a/b/");
	assert_string_equal(c.region, "us-east-1");
	assert_string_equal(c.origin.scheme, "https");
	assert_string_equal(c.origin.host, "s3.us-east-1.amazonaws.com");
	assert_true(c.virtual_host);
	assert_string_equal(c.name, "s3://bucket/a/b");
	assert_null(c.ca_file);
	assert_int_equal(c.timeout_s, 0);
	s3_config_release(&c);
	parsed("s3://with.dots?region=eu-west-1", &c);
	assert_string_equal(c.prefix, "");
	assert_string_equal(c.origin.host, "s3.eu-west-1.amazonaws.com");
	assert_false(c.virtual_host);
	s3_config_release(&c);
}

static void
options_say_more(void **state)
{
	struct s3_config c;
	(void)state;

	parsed("s3://b?endpoint=https%3A%2F%2Fh%3A1/x&region=r&profile=p"
	       "&style=virtual&ca=/dev/null&timeout=7",
		&c);
	assert_string_equal(c.origin.host, "h:1");
	assert_string_equal(c.origin.path, "/x");
	assert_string_equal(c.region, "r");
	assert_string_equal(c.profile, "p");
	assert_true(c.virtual_host);
	assert_string_equal(c.ca_file, "/dev/null");
	assert_int_equal(c.timeout_s, 7);
	assert_string_equal(c.name, "s3://b?endpoint=https://h:1/x");
	s3_config_release(&c);
}

static void
the_environment_says_what_options_do_not(void **state)
{
	struct s3_config c;
	(void)state;

	setenv("AWS_ENDPOINT_URL", "https://e", 1);
	setenv("AWS_REGION", "r", 1);
	setenv("AWS_CA_BUNDLE", "/dev/null", 1);
	parsed("s3://b", &c);
	assert_string_equal(c.origin.host, "e");
	assert_string_equal(c.region, "r");
	assert_string_equal(c.ca_file, "/dev/null");
	assert_false(c.virtual_host);
	s3_config_release(&c);
	setenv("AWS_ENDPOINT_URL_S3", "https://f", 1);
	parsed("s3://b?region=q", &c);
	assert_string_equal(c.origin.host, "f");
	assert_string_equal(c.region, "q");
	s3_config_release(&c);
}

static void
a_static_tree_has_no_bucket(void **state)
{
	struct s3_config c;
	(void)state;

	parsed("https://h:8443/a/b/?timeout=3", &c);
	assert_null(c.bucket);
	assert_string_equal(c.origin.path, "/a/b");
	assert_string_equal(c.name, "https://h:8443/a/b");
	assert_int_equal(c.timeout_s, 3);
	s3_config_release(&c);
}

static void
nonsense_is_refused(void **state)
{
	static const struct {
		const char *address;
		int code;
	} bad[] = {
		{ "s3://", EINVAL },
		{ "s3:///a", EINVAL },
		{ "s3://bu cket", EINVAL },
		{ "s3://b/a\nb", EINVAL },
		{ "s3://b?", 0 },
		{ "s3://b?what=1", EINVAL },
		{ "s3://b?region", EINVAL },
		{ "s3://b?region=", EINVAL },
		{ "s3://b?region=%4", EINVAL },
		{ "s3://b?region=%00", EINVAL },
		{ "s3://b?style=other", EINVAL },
		{ "s3://b?timeout=0", EINVAL },
		{ "s3://b?timeout=1x", EINVAL },
		{ "s3://b?ca=/nonexistent", ENOENT },
		{ "s3://b?endpoint=http://example.org", EPERM },
		{ "s3://b?endpoint=https://user:pw@h", EINVAL },
		{ "http://example.org/x", EPERM },
		{ "https://h/x#y", EINVAL },
	};
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		struct err e = ERR_INIT;
		struct s3_config c;
		int r = s3_config_parse(bad[i].address, &c, &e);

		if (r != -bad[i].code)
			fail_msg("%s: %d", bad[i].address, r);
		s3_config_release(&c);
	}
}

static void
an_endpoint_is_added_to_an_address(void **state)
{
	auto_free char *a = s3_config_with_endpoint("s3://b/p", "https://h:1");
	auto_free char *b =
		s3_config_with_endpoint("s3://b?region=r", "https://h/a&b");
	struct s3_config c;
	(void)state;

	assert_string_equal(a, "s3://b/p?endpoint=https%3A//h%3A1");
	parsed(b, &c);
	assert_string_equal(c.origin.path, "/a&b");
	assert_string_equal(c.region, "r");
	s3_config_release(&c);
	assert_null(s3_config_with_endpoint("/dir", "https://h"));
}

static void
a_static_tree_cannot_be_written(void **state)
{
	struct sink *sink = NULL;
	(void)state;

	assert_int_equal(sink_open("https://h/x", true, &sink, NULL), -EROFS);
	assert_null(sink);
}

#define TEST(f) cmocka_unit_test_setup(f, clear_environment)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(amazon_is_the_default),
		TEST(options_say_more),
		TEST(the_environment_says_what_options_do_not),
		TEST(a_static_tree_has_no_bucket),
		TEST(nonsense_is_refused),
		TEST(an_endpoint_is_added_to_an_address),
		TEST(a_static_tree_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
