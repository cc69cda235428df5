/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An S3 store and sink, bucket b and prefix p, at a server with a script. */
#ifndef YORE_TESTS_S3_FIXTURE_H
#define YORE_TESTS_S3_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/http_server.h"
#include "repo/store/store.h"

#define SCRIPT(a) server_script(&server, a, n_elements(a))

#define ANSWER(status, headers, len, body)                            \
	"HTTP/1.1 " status "\r\nContent-Length: " #len "\r\n" headers \
	"\r\n" body
#define OK_EMPTY ANSWER("200 OK", "", 0, "")
#define OK_ETAG ANSWER("200 OK", "ETag: \"e\"\r\n", 0, "")
#define NOT_FOUND ANSWER("404 Not Found", "", 0, "")
#define BUSY ANSWER("503 Slow Down", "", 0, "")
/* until the end of the connection, so that the length need not be told */
#define XML(status, xml) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" xml
#define XML_ERROR(status, code) \
	XML(status, "<Error><Code>" code "</Code></Error>")

static struct server server;
static struct store *store;
static struct sink *sink;

static inline void
use_keys(void)
{
	setenv("AWS_ACCESS_KEY_ID", "access", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_PROFILE");
	unsetenv("YORE_S3_COMMAND");
}

static inline void
open_both(const char *options)
{
	auto_free char *address =
		xasprintf("s3://b/p?endpoint=%s%s", server.url, options);

	assert_int_equal(store_open(address, &store, NULL), 0);
	assert_int_equal(sink_open(address, false, &sink, NULL), 0);
}

static inline int
s3_set_up(void **state)
{
	static const struct answer none[] = { { .then = THEN_CLOSE } };
	(void)state;

	use_keys();
	server_start(&server, none, 1);
	open_both("&timeout=3");
	return 0;
}

static inline int
s3_tear_down(void **state)
{
	(void)state;
	store_free(store);
	sink_free(sink);
	server_stop(&server);
	return 0;
}

#define WITH_S3(f) cmocka_unit_test_setup_teardown(f, s3_set_up, s3_tear_down)

#endif
