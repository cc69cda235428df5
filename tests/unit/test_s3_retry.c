/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/s3_fixture.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define PART                                              \
	"HTTP/1.1 206 Partial Content\r\nETag: \"x\"\r\n" \
	"Content-Length: 8\r\nContent-Range: bytes 4-11/20\r\n\r\n"

static int
get_part(char buf[9], struct err *e)
{
	memset(buf, 0, 9);
	return store_get(store, "data/00/x", 4, 8, buf, NULL, e);
}

static void
assert_retries(unsigned n)
{
	struct store_stats st;

	store_stats(store, &st);
	assert_int_equal(st.retries, n);
	assert_int_equal(st.gets, n + 1);
}

static void
what_passes_is_tried_again(void **state)
{
	static const struct answer script[] = { { .text = BUSY },
		{ .text = XML_ERROR("500 Oops", "InternalError"),
			.then = THEN_CLOSE },
		{ .text = NULL, .then = THEN_RESET },
		{ .text = "garbage\r\n\r\n", .then = THEN_CLOSE },
		{ .text = PART "456789ab" } };
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), 0);
	assert_string_equal(buf, "456789ab");
	assert_retries(4);
}

static void
what_does_not_pass_is_told_at_once(void **state)
{
	static const struct answer script[] = {
		{ .text = XML_ERROR("404 Not Found", "NoSuchKey"),
			.then = THEN_CLOSE },
		{ .text = XML_ERROR("403 Forbidden", "AccessDenied"),
			.then = THEN_CLOSE },
		{ .text = XML_ERROR("400 Bad Request", "WhoKnows"),
			.then = THEN_CLOSE },
		{ .text = XML_ERROR("404 Not Found", "NoSuchBucket"),
			.then = THEN_CLOSE },
	};
	static const struct {
		int code;
		const char *says;
	} expected[] = {
		{ ENOENT, "s3://b/p/data/00/x: there is no such object "
			  "(NoSuchKey, HTTP 404)" },
		{ EACCES, "AccessDenied" },
		{ EIO, "WhoKnows" },
		{ ENXIO, "no such bucket" },
	};
	char buf[9];
	(void)state;

	SCRIPT(script);
	for (size_t i = 0; i < n_elements(expected); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(get_part(buf, &e), -expected[i].code);
		assert_non_null(strstr(e.text, expected[i].says));
		assert_int_equal(server_seen(&server), i + 1);
	}
}

static void
what_never_passes_is_given_up_in_time(void **state)
{
	static const struct answer script[] = { { .text = BUSY } };
	int64_t begin = elapsed_ms();
	struct err e = ERR_INIT;
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, &e), -EIO);
	assert_non_null(strstr(e.text, "HTTP 503"));
	assert_in_range(elapsed_ms() - begin, 500, 12000);
	assert_true(server_seen(&server) >= 3);
}

static void
a_hung_server_is_given_up_in_time(void **state)
{
	static const struct answer script[] = { { .then = THEN_HANG } };
	int64_t begin = elapsed_ms();
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), -EIO);
	assert_in_range(elapsed_ms() - begin, 2000, 15000);
}

static void
a_silent_server_is_waited_for_once(void **state)
{
	static const struct answer hang[] = { { .then = THEN_HANG } };
	static const struct answer good[] = {
		{ .text = PART "456789ab" },
		{ .text = PART "456789ab", .wait_ms = 5500 },
	};
	auto_free char *address =
		xasprintf("s3://b/p?endpoint=%s&timeout=7", server.url);
	int64_t begin;
	char buf[9];
	(void)state;

	store_free(store);
	assert_int_equal(store_open(address, &store, NULL), 0);
	SCRIPT(hang);
	begin = elapsed_ms();
	assert_int_equal(get_part(buf, NULL), -EIO);
	assert_in_range(elapsed_ms() - begin, 6500, 20000);
	begin = elapsed_ms();
	assert_int_equal(get_part(buf, NULL), -EIO);
	assert_in_range(elapsed_ms() - begin, 4500, 9000);
	SCRIPT(good);
	assert_int_equal(get_part(buf, NULL), 0);
	assert_int_equal(get_part(buf, NULL), 0);
}

static void
what_broke_off_is_continued(void **state)
{
	static const struct answer script[] = {
		{ .text = PART "456", .then = THEN_CLOSE },
		{ .text = "HTTP/1.1 206 OK\r\nETag: \"x\"\r\n"
			  "Content-Length: 5\r\n"
			  "Content-Range: bytes 7-11/20\r\n\r\n789ab" },
	};
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), 0);
	assert_string_equal(buf, "456789ab");
	assert_not_asked(&server, 0, "If-Match");
	assert_asked(&server, 1, "\r\nRange: bytes=7-11\r\n");
	assert_asked(&server, 1, "\r\nIf-Match: \"x\"\r\n");
	assert_int_equal(server_seen(&server), 2);
}

static void
the_rest_of_another_object_is_not_taken(void **state)
{
	static const struct answer script[] = {
		{ .text = PART "456", .then = THEN_CLOSE },
		{ .text = "HTTP/1.1 206 OK\r\nETag: \"y\"\r\n"
			  "Content-Length: 5\r\n"
			  "Content-Range: bytes 7-11/20\r\n\r\nVWXYZ" },
		{ .text = PART "456", .then = THEN_CLOSE },
		{ .text = ANSWER("412 No", "", 0, "") },
		{ .text = PART "456789ab" },
	};
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), 0);
	assert_string_equal(buf, "456789ab");
	assert_asked(&server, 2, "\r\nRange: bytes=4-11\r\n");
	assert_asked(&server, 4, "\r\nRange: bytes=4-11\r\n");
	assert_not_asked(&server, 4, "If-Match");
}

static void
nothing_lies_beyond_the_end(void **state)
{
	static const struct answer script[] = {
		{ .text = ANSWER(
			  "416 Range", "Content-Range: bytes */4\r\n", 0, "") },
		{ .text = ANSWER("416 Range", "Content-Range: bytes */20\r\n",
			  0, "") },
	};
	char buf[9];
	size_t got = 7;
	(void)state;

	SCRIPT(script);
	assert_int_equal(
		store_get(store, "data/00/x", 4, 8, buf, &got, NULL), 0);
	assert_int_equal(got, 0);
	assert_int_equal(
		store_get(store, "data/00/x", 4, 8, buf, &got, NULL), -ERANGE);
	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), -EBADMSG);
}

static void
the_clock_of_the_server_is_learned(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"
			  "Date: Fri, 24 May 2013 00:00:00 GMT\r\n\r\n"
			  "<Error><Code>RequestTimeTooSkewed</Code></Error>",
			.then = THEN_CLOSE },
		{ .text = PART "456789ab" },
	};
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), 0);
	assert_asked(&server, 1, "\r\nx-amz-date: 20130524T0000");
	assert_int_equal(get_part(buf, NULL), 0);
	assert_asked(&server, 2, "\r\nx-amz-date: 20130524T0000");
}

static void
a_clock_that_is_refused_again_is_an_error(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"
			  "Date: Fri, 24 May 2013 00:00:00 GMT\r\n\r\n"
			  "<Error><Code>RequestTimeTooSkewed</Code></Error>",
			.then = THEN_CLOSE },
	};
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), -EACCES);
	assert_int_equal(server_seen(&server), 2);
}

static void
keys_that_expired_are_read_again(void **state)
{
	static const struct answer script[] = {
		{ .text = PART "456789ab" },
		{ .text = XML_ERROR("400 Bad Request", "ExpiredToken"),
			.then = THEN_CLOSE },
		{ .text = PART "456789ab" },
		{ .text = XML_ERROR("403 Forbidden", "ExpiredToken"),
			.then = THEN_CLOSE },
	};
	char file[] = "/tmp/yore-keys-XXXXXX", buf[9];
	auto_close int fd = mkstemp(file);
	auto_free char *command =
		xasprintf("echo x >>%s; printf '{\"AccessKeyId\":\"a%%s\","
			  "\"SecretAccessKey\":\"s\",\"SessionToken\":\"t\"}' "
			  "$(wc -l <%s)",
			file, file);
	(void)state;

	assert_true(fd >= 0);
	setenv("YORE_S3_COMMAND", command, 1);
	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), 0);
	assert_asked(&server, 0, "Credential=a1/");
	assert_asked(&server, 0, "\r\nx-amz-security-token: t\r\n");
	assert_int_equal(get_part(buf, NULL), 0);
	assert_asked(&server, 1, "Credential=a1/");
	assert_asked(&server, 2, "Credential=a2/");
	/* but only once a call */
	assert_int_equal(get_part(buf, NULL), -EPERM);
	assert_int_equal(server_seen(&server), 5);
	unsetenv("YORE_S3_COMMAND");
	unlink(file);
}

static void *
raise_soon(void *cancel)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	cancel_raise(cancel);
	return NULL;
}

static void
a_get_is_cancelled_while_it_waits_to_try_again(void **state)
{
	static const struct answer script[] = {
		{ .text = ANSWER("503 No", "Retry-After: 2\r\n", 0, "") }
	};
	struct cancel cancel = CANCEL_INIT;
	struct store_call call = { .cancel = &cancel };
	int64_t begin = elapsed_ms();
	pthread_t thread;
	char buf[9];
	(void)state;

	SCRIPT(script);
	pthread_create(&thread, NULL, raise_soon, &cancel);
	assert_int_equal(store_get_call(store, "data/00/x", 4, 8, buf, NULL,
				 &call, NULL),
		-EINTR);
	assert_in_range(elapsed_ms() - begin, 50, 3000);
	pthread_join(thread, NULL);
}

static void
a_server_is_given_the_time_it_asks_for(void **state)
{
	static const struct answer script[] = {
		{ .text = ANSWER("503 No", "Retry-After: 1\r\n", 0, "") },
		{ .text = PART "456789ab" },
	};
	int64_t begin = elapsed_ms();
	char buf[9];
	(void)state;

	SCRIPT(script);
	assert_int_equal(get_part(buf, NULL), 0);
	assert_in_range(elapsed_ms() - begin, 1000, 8000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_S3(what_passes_is_tried_again),
		WITH_S3(what_does_not_pass_is_told_at_once),
		WITH_S3(what_never_passes_is_given_up_in_time),
		WITH_S3(a_hung_server_is_given_up_in_time),
		WITH_S3(a_silent_server_is_waited_for_once),
		WITH_S3(what_broke_off_is_continued),
		WITH_S3(the_rest_of_another_object_is_not_taken),
		WITH_S3(nothing_lies_beyond_the_end),
		WITH_S3(the_clock_of_the_server_is_learned),
		WITH_S3(a_clock_that_is_refused_again_is_an_error),
		WITH_S3(keys_that_expired_are_read_again),
		WITH_S3(a_get_is_cancelled_while_it_waits_to_try_again),
		WITH_S3(a_server_is_given_the_time_it_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
