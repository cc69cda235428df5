/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include "repo/base/buf.h"
#include "repo/store/s3_command.h"
#include "repo/store/s3_ini.h"

static char dir[] = "/tmp/yore-credentials-XXXXXX";
static bool is_made;

static void
write_file(const char *name, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_fclose FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
}

static int
set_up(void **state)
{
	static const char *const names[] = { "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE",
		"YORE_S3_COMMAND" };
	(void)state;

	for (size_t i = 0; i < n_elements(names); i++)
		unsetenv(names[i]);
	if (!is_made)
		assert_non_null(mkdtemp(dir));
	is_made = true;
	auto_free char *aws = xasprintf("mkdir -p %s/.aws", dir);

	assert_int_equal(system(aws), 0);
	write_file(".aws/credentials", "");
	write_file(".aws/config", "");
	setenv("HOME", dir, 1);
	return 0;
}

static int
clear(void **state)
{
	auto_free char *rm = xasprintf("rm -r %s", dir);
	(void)state;

	return system(rm);
}

static void
assert_keys(const char *profile, const char *access, const char *token)
{
	struct s3_credentials *c = s3_credentials_new(profile);
	struct s3_identity id;
	struct err e = ERR_INIT;

	if (s3_credentials_get(c, &id, &e) != 0)
		fail_msg("%s", e.text);
	assert_string_equal(id.access_key, access);
	assert_string_equal(id.secret_key, "secret");
	if (token)
		assert_string_equal(id.session_token, token);
	else
		assert_null(id.session_token);
	s3_identity_release(&id);
	s3_credentials_free(c);
}

static int
no_keys(struct err *e)
{
	struct s3_credentials *c = s3_credentials_new(NULL);
	struct s3_identity id;
	int r = s3_credentials_get(c, &id, e);

	s3_credentials_free(c);
	return r;
}

static void
the_environment_holds_keys(void **state)
{
	(void)state;

	setenv("AWS_ACCESS_KEY_ID", "env", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	assert_keys(NULL, "env", NULL);
	setenv("AWS_SESSION_TOKEN", "tok", 1);
	assert_keys(NULL, "env", "tok");
}

static void
a_profile_holds_keys(void **state)
{
	(void)state;

	write_file(".aws/credentials",
		"# keys\n[default]\naws_access_key_id = one\n"
		"aws_secret_access_key=secret\n\n[ other ]\r\n"
		"aws_access_key_id=two\r\naws_secret_access_key =  secret \r\n"
		"aws_session_token = t=1\n");
	assert_keys(NULL, "one", NULL);
	assert_keys("other", "two", "t=1");
	setenv("AWS_PROFILE", "other", 1);
	assert_keys(NULL, "two", "t=1");
	/* a profile that was asked for goes before the environment */
	setenv("AWS_ACCESS_KEY_ID", "env", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	assert_keys(NULL, "env", NULL);
	assert_keys("default", "one", NULL);
}

static void
a_command_of_a_profile_prints_keys(void **state)
{
	(void)state;

	write_file(".aws/config",
		"[profile cmd]\nregion = eu-9\n"
		"credential_process = echo '{\"AccessKeyId\":\"c\","
		"\"SecretAccessKey\":\"secret\"}'\n");
	assert_keys("cmd", "c", NULL);
	auto_free char *region = s3_credentials_setting("cmd", "region");

	assert_string_equal(region, "eu-9");
	assert_null(s3_credentials_setting("cmd", "none"));
}

static void
no_keys_are_an_error_that_says_what_to_do(void **state)
{
	struct err e = ERR_INIT;
	(void)state;

	assert_int_equal(no_keys(&e), -EPERM);
	assert_non_null(strstr(e.text, "AWS_ACCESS_KEY_ID"));
	assert_non_null(strstr(e.text, ".aws/credentials"));
}

static void
a_command_that_fails_gives_no_keys(void **state)
{
	static const char *const bad[] = { "exit 3", "echo hello", "true",
		"kill -9 $$", "echo '{\"AccessKeyId\":\"secret-thing\"}'",
		"head -c 100000 /dev/zero",
		("echo '{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\"}';"
		 " exit 1") };
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		struct err e = ERR_INIT;

		setenv("YORE_S3_COMMAND", bad[i], 1);
		assert_int_equal(no_keys(&e), -EPERM);
		assert_null(strstr(e.text, "secret-thing"));
	}
}

static void
keys_are_read_again_before_they_expire(void **state)
{
	struct s3_credentials *c;
	struct s3_identity id;
	(void)state;

	setenv("YORE_S3_COMMAND",
		"echo x >>$HOME/runs; echo \"{\\\"AccessKeyId\\\":"
		"\\\"k$(wc -l <$HOME/runs)\\\",\\\"SecretAccessKey\\\":\\\"s"
		"\\\",\\\"Expiration\\\":\\\"$(cat $HOME/expires)\\\"}\"",
		1);
	write_file("runs", "");
	write_file("expires", "2020-01-01T00:00:00Z");
	c = s3_credentials_new(NULL);
	assert_int_equal(s3_credentials_get(c, &id, NULL), 0);
	assert_string_equal(id.access_key, "k1");
	s3_identity_release(&id);
	write_file("expires", "2999-01-01T00:00:00+01:00");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(s3_credentials_get(c, &id, NULL), 0);
		assert_string_equal(id.access_key, "k2");
		unsigned serial = id.serial;

		s3_identity_release(&id);
		/* what was refused long ago says nothing of these */
		s3_credentials_refused(c, serial - 1);
	}
	s3_credentials_free(c);
}

static void
times_of_expiry_are_understood(void **state)
{
	static const struct {
		const char *time;
		int64_t seconds; /* -1: refused */
	} times[] = {
		{ "2026-11-21T03:00:00Z", 1795230000 },
		{ "2026-11-21T03:00:00.123Z", 1795230000 },
		{ "2026-11-21T05:00:00+02:00", 1795230000 },
		{ "2026-11-21T05:00:00", -1 },
		{ "tomorrow", -1 },
		{ "2026-11-21T05:00:00Zx", -1 },
	};
	(void)state;

	for (size_t i = 0; i < n_elements(times); i++) {
		auto_free char *json = xasprintf(
			"{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\","
			"\"Expiration\":\"%s\"}",
			times[i].time);
		struct s3_identity id;
		int r = s3_command_parse(json, strlen(json), &id, NULL);

		assert_int_equal(r, times[i].seconds < 0 ? -EPERM : 0);
		if (r == 0)
			assert_true(id.expires_s == times[i].seconds);
		s3_identity_release(&id);
	}
}

static void
sections_and_settings_are_told_apart(void **state)
{
	static const char text[] =
		"key = none\n[a]\nkey2 = x\n key = nested\n;key = no\n"
		"[ab]\nkey = ab\n[a ]\nkey =\n[profile b]\nkey=b\n[b";
	(void)state;

	auto_free char *a = s3_ini_value(text, strlen(text), "a", "key");
	auto_free char *b = s3_ini_value(text, strlen(text), "b", "key");
	auto_free char *ab = s3_ini_value(text, strlen(text), "ab", "key");

	assert_string_equal(a, "");
	assert_string_equal(b, "b");
	assert_string_equal(ab, "ab");
	assert_null(s3_ini_value(text, strlen(text), "c", "key"));
	assert_null(s3_ini_value("", 0, "c", "key"));
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_environment_holds_keys),
		TEST(a_profile_holds_keys),
		TEST(a_command_of_a_profile_prints_keys),
		TEST(no_keys_are_an_error_that_says_what_to_do),
		TEST(a_command_that_fails_gives_no_keys),
		TEST(keys_are_read_again_before_they_expire),
		TEST(times_of_expiry_are_understood),
		TEST(sections_and_settings_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, clear);
}
