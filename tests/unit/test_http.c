/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/http_server.h"

#include <errno.h>
#include <sys/wait.h>
#include "repo/base/clock.h"
#include "repo/store/http.h"

#define N(a) a, n_elements(a)

#define HUGE_LEN (64 << 20)

static struct server server;
static struct http *http;
static char *huge; /* the server may be sending it until it is stopped */

static int
set_up(void **state)
{
	static const struct answer none[] = { { .then = THEN_CLOSE } };
	(void)state;

	huge = xmalloc(HUGE_LEN);
	memset(huge, 'x', HUGE_LEN);
	server_start(&server, N(none));
	http = http_new(&(struct http_options){ .ca_file = NULL });
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	http_free(http);
	server_stop(&server);
	free(huge);
	return 0;
}

static struct http_request
request(void)
{
	return (struct http_request){ .method = "GET",
		.url = server.url,
		.text_max = 100,
		.deadline_ns = clock_mono_ns() + 10 * NS_PER_S };
}

/* Ask for bytes 4 to 11; the buffer has room for what must not come. */
static enum http_outcome
get_part(const char *answer, enum then then, struct http_response *rs,
	char buf[16])
{
	const struct answer script[] = { { .text = answer, .then = then } };
	struct http_request rq = request();

	memset(buf, '#', 16);
	rq.range = (struct http_range){ .off = 4, .len = 8, .into = buf };
	server_script(&server, N(script));
	http_perform(http, &rq, rs);
	assert_memory_equal(buf + 8, "########", 8);
	assert_asked(&server, 0, "\r\nRange: bytes=4-11\r\n");
	return rs->outcome;
}

#define PART                                              \
	"HTTP/1.1 206 Partial Content\r\nETag: \"x\"\r\n" \
	"Content-Length: 8\r\nContent-Range: bytes 4-11/20\r\n\r\n"

static void
a_part_is_what_was_asked_for(void **state)
{
	struct http_response rs = { .got = 0 };
	char buf[16];
	(void)state;

	assert_int_equal(
		get_part(PART "456789ab", THEN_KEEP, &rs, buf), HTTP_ANSWERED);
	assert_int_equal(rs.got, 8);
	assert_memory_equal(buf, "456789ab", 8);
	assert_string_equal(rs.head.etag, "\"x\"");
	assert_int_equal(get_part("HTTP/1.1 206 OK\r\nContent-Length: 2\r\n"
				  "Content-Range: bytes 4-5/6\r\n\r\n45",
				 THEN_KEEP, &rs, buf),
		HTTP_ANSWERED);
	assert_int_equal(rs.got, 2);
}

static void
another_part_than_was_asked_for_is_none(void **state)
{
	static const char *const bad[] = {
		"HTTP/1.1 206 OK\r\nContent-Length: 8\r\n\r\n456789ab",
		"HTTP/1.1 206 OK\r\nContent-Length: 8\r\n"
		"Content-Range: bytes 5-12/20\r\n\r\n456789ab",
		"HTTP/1.1 206 OK\r\nContent-Length: 9\r\n"
		"Content-Range: bytes 4-12/20\r\n\r\n456789abc",
		"HTTP/1.1 206 OK\r\nContent-Length: 4\r\n"
		"Content-Range: bytes 4-7/20\r\n\r\n4567",
		"HTTP/1.1 206 OK\r\nContent-Length: 4\r\n"
		"Content-Range: bytes 4-7/*\r\n\r\n4567",
		"HTTP/1.1 206 OK\r\nContent-Length: 9\r\n"
		"Content-Range: bytes 4-11/20\r\n\r\n456789abc",
		"HTTP/1.1 206 OK\r\nContent-Length: 8\r\n"
		"Content-Range: bytes 4-11/10\r\n\r\n456789ab",
		"HTTP/1.1 206 OK\r\nContent-Length: 8\r\n"
		"Content-Encoding: gzip\r\n"
		"Content-Range: bytes 4-11/20\r\n\r\n456789ab",
	};
	struct http_response rs = { .got = 0 };
	char buf[16];
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		assert_int_equal(
			get_part(bad[i], THEN_CLOSE, &rs, buf), HTTP_BROKEN);
		assert_int_equal(rs.got, 0);
		assert_true(rs.why[0] != '\0');
	}
	/* a body that has no length of its own, longer than the part */
	assert_int_equal(get_part("HTTP/1.1 206 OK\r\nConnection: close\r\n"
				  "Content-Range: bytes 4-11/20\r\n\r\n"
				  "456789abc",
				 THEN_CLOSE, &rs, buf),
		HTTP_BROKEN);
}

static void
a_part_that_breaks_off_is_not_whole(void **state)
{
	static const enum then ends[] = { THEN_CLOSE, THEN_RESET };
	struct http_response rs = { .got = 0 };
	char buf[16];
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			get_part(PART "456", ends[i], &rs, buf), HTTP_BROKEN);
		if (ends[i] == THEN_CLOSE)
			assert_int_equal(rs.got, 3);
	}
	assert_int_equal(get_part("HTTP/1.1 206 OK\r\nConnection: close\r\n"
				  "Content-Range: bytes 4-11/20\r\n\r\n456",
				 THEN_CLOSE, &rs, buf),
		HTTP_BROKEN);
	assert_int_equal(get_part("HTTP/1.1 200 OK\r\nConnection: close\r\n"
				  "\r\n0123456",
				 THEN_CLOSE, &rs, buf),
		HTTP_BROKEN);
}

static void
of_a_whole_object_no_more_is_taken_than_the_part(void **state)
{
	const struct answer script[] = { { .text = huge, .len = HUGE_LEN } };
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	char buf[16];
	(void)state;

	assert_int_equal(get_part("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
				  "\r\n012345",
				 THEN_KEEP, &rs, buf),
		HTTP_ANSWERED);
	assert_int_equal(rs.got, 2);
	assert_memory_equal(buf, "45", 2);
	memcpy(huge, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n",
		47);
	server_script(&server, N(script));
	rq.range = (struct http_range){ .off = 100, .len = 16, .into = buf };
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_ANSWERED);
	assert_memory_equal(buf, "xxxxxxxxxxxxxxxx", 16);
	rq.range.off = 2 << 20;
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_BROKEN);
	assert_non_null(strstr(rs.why, "ignores ranges"));
}

static void
a_text_is_bounded(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345" },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: "
			  "6\r\n\r\n123456" },
		{ .text = "HTTP/1.1 404 No\r\nContent-Length: "
			  "6\r\n\r\n123456" },
	};
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	(void)state;

	server_script(&server, N(script));
	rq.text_max = 5;
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_ANSWERED);
	assert_int_equal(rs.text.len, 5);
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_BROKEN);
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_ANSWERED);
	assert_int_equal(rs.head.status, 404);
	assert_int_equal(rs.text.len, 6);
	http_response_release(&rs);
}

static void
a_redirect_is_not_followed(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
			  "Location: /elsewhere\r\n\r\n" }
	};
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	(void)state;

	server_script(&server, N(script));
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_ANSWERED);
	assert_int_equal(rs.head.status, 302);
	assert_int_equal(server_seen(&server), 1);
}

static void
a_connection_is_kept(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
	};
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	unsigned before;
	(void)state;

	server_script(&server, N(script));
	http_perform(http, &rq, &rs);
	before = server.n_connections;
	for (int i = 0; i < 20; i++) {
		http_perform(http, &rq, &rs);
		assert_int_equal(rs.outcome, HTTP_ANSWERED);
	}
	assert_int_equal(server.n_connections, before);
	assert_int_equal(server_seen(&server), 21);
}

static void
a_body_is_sent_as_it_is(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
	};
	auto_free char *body = xmalloc(3 << 20);
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	(void)state;

	memset(body, 'b', 3 << 20);
	server_script(&server, N(script));
	rq.method = "PUT";
	rq.body = body;
	rq.body_len = 3 << 20;
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_ANSWERED);
	assert_asked(&server, 0, "PUT / HTTP/1.1");
	assert_not_asked(&server, 0, "Expect:");
	assert_int_equal(server.seen[0].body.len, 3 << 20);
	assert_memory_equal(server.seen[0].body.data, body, 3 << 20);
}

/* -- Time ----------------------------------------------------------------- */

static void
what_takes_too_long_is_given_up(void **state)
{
	static const struct answer script[] = { { .then = THEN_HANG } };
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	int64_t begin = elapsed_ms();
	(void)state;

	server_script(&server, N(script));
	rq.deadline_ns = clock_mono_ns() + NS_PER_S / 4;
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_TIMED_OUT);
	assert_in_range(elapsed_ms() - begin, 200, 8000);
}

static void *
raise_soon(void *cancel)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	elapsed_ms();
	cancel_raise(cancel);
	return NULL;
}

static void
a_cancelled_request_returns_within_100_ms(void **state)
{
	static const struct answer script[] = { { .text = PART "4",
		.then = THEN_HANG } };
	struct http_response rs = { .got = 0 };
	struct cancel cancel = CANCEL_INIT;
	struct http_request rq = request();
	int64_t begin = elapsed_ms();
	pthread_t thread;
	char buf[8];
	(void)state;

	server_script(&server, N(script));
	rq.cancel = &cancel;
	rq.range = (struct http_range){ .off = 4, .len = 8, .into = buf };
	pthread_create(&thread, NULL, raise_soon, &cancel);
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_CANCELLED);
	assert_in_range(elapsed_ms() - begin, 50, 3000);
	pthread_join(thread, NULL);
	begin = elapsed_ms();
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_CANCELLED);
	assert_in_range(elapsed_ms() - begin, 0, 3000);
}

static void
a_server_that_is_not_there_is_unreachable(void **state)
{
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	(void)state;

	rq.url = "http://127.0.0.1:1/";
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_UNREACHABLE);
	rq.url = "ftp://127.0.0.1/";
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_REFUSED);
}

#define AHEAD 40

static void
who_waits_goes_before_read_ahead(void **state)
{
	static const struct answer hang[] = { { .then = THEN_HANG } };
	static const struct answer good[] = {
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
	};
	struct http_response rs[AHEAD + 1] = { { .got = 0 } };
	struct http_request ahead = request(), rq = request();
	struct cancel cancel = CANCEL_INIT;
	struct http_transfer *t[AHEAD];
	(void)state;

	server_script(&server, N(hang));
	ahead.ahead = true;
	ahead.cancel = &cancel;
	for (int i = 0; i < AHEAD; i++)
		t[i] = http_start(http, &ahead, &rs[i]);
	while (server_seen(&server) < 16)
		sched_yield();
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	/* one may have been sent twice, on a connection that was kept */
	assert_in_range(server_seen(&server), 16, 17);
	server_script(&server, N(good));
	http_perform(http, &rq, &rs[AHEAD]);
	assert_int_equal(rs[AHEAD].outcome, HTTP_ANSWERED);
	cancel_raise(&cancel);
	for (int i = 0; i < AHEAD; i++) {
		http_wait(t[i]);
		assert_int_equal(rs[i].outcome, HTTP_CANCELLED);
	}
}

/* -- Threads and processes ------------------------------------------------ */

static const struct answer hello[] = {
	{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" }
};

static void *
ask_often(void *arg)
{
	atomic_uint *good = arg;
	struct http_response rs = { .got = 0 };

	for (int i = 0; i < 25; i++) {
		struct http_request rq = request();

		http_perform(http, &rq, &rs);
		*good += rs.outcome == HTTP_ANSWERED && rs.text.len == 5;
	}
	http_response_release(&rs);
	return NULL;
}

static void
any_thread_may_ask(void **state)
{
	pthread_t threads[16];
	atomic_uint good = 0;
	(void)state;

	server_script(&server, N(hello));
	for (int i = 0; i < 16; i++)
		pthread_create(&threads[i], NULL, ask_often, &good);
	for (int i = 0; i < 16; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(good, 16 * 25);
	assert_true(server.n_connections <= 64);
}

static void
a_child_asks_on_its_own(void **state)
{
	struct http_response rs = { .got = 0 };
	struct http_request rq = request();
	int status;
	(void)state;

#ifdef __SANITIZE_THREAD__
	skip(); /* it does not follow a process of threads into its child */
#endif
	server_script(&server, N(hello));
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_ANSWERED);
	pid_t child = fork();

	if (child == 0) {
		alarm(5);
		http_perform(http, &rq, &rs);
		_exit(rs.outcome == HTTP_ANSWERED && rs.text.len == 5 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	http_perform(http, &rq, &rs);
	assert_int_equal(rs.outcome, HTTP_ANSWERED);
	http_response_release(&rs);
}

/* -- Origins -------------------------------------------------------------- */

static void
an_origin_is_taken_apart(void **state)
{
	static const struct {
		const char *url, *scheme, *host, *path;
	} good[] = {
		{ "https://Example.org", "https", "Example.org", "" },
		{ "https://h:443/", "https", "h", "" },
		{ "https://h:8443/a/b/", "https", "h:8443", "/a/b" },
		{ "http://127.0.0.1:80", "http", "127.0.0.1", "" },
		{ "http://127.9.9.9:81/%20x", "http", "127.9.9.9:81", "/%20x" },
		{ "http://localhost:1", "http", "localhost:1", "" },
		{ "http://s3.localhost:1", "http", "s3.localhost:1", "" },
		{ "http://[::1]:7", "http", "[::1]:7", "" },
	};
	(void)state;

	for (size_t i = 0; i < n_elements(good); i++) {
		struct http_origin o = { .scheme = NULL };

		assert_int_equal(http_origin_parse(good[i].url, &o, NULL), 0);
		assert_string_equal(o.scheme, good[i].scheme);
		assert_string_equal(o.host, good[i].host);
		assert_string_equal(o.path, good[i].path);
		http_origin_release(&o);
	}
}

static void
an_origin_that_would_leak_is_refused(void **state)
{
	static const struct {
		const char *url;
		int code;
	} bad[] = {
		{ "http://example.org", EPERM },
		{ "http://10.0.0.1/x", EPERM },
		{ "http://localhost.example.org", EPERM },
		{ "http://127.0.0.1.example.org", EPERM },
		{ "http://xlocalhost", EPERM },
		{ "https://user@h/", EINVAL },
		{ "https://user:word@h/", EINVAL },
		{ "https://h/?a=b", EINVAL },
		{ "https://h/#a", EINVAL },
		{ "ftp://h/", EINVAL },
		{ "file:///etc", EINVAL },
		{ "https://", EINVAL },
		{ "h", EINVAL },
		{ "", EINVAL },
	};
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		struct http_origin o = { .scheme = NULL };
		struct err e = ERR_INIT;

		assert_int_equal(
			http_origin_parse(bad[i].url, &o, &e), -bad[i].code);
		assert_null(o.scheme);
		assert_true(e.text[0] != '\0');
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_is_what_was_asked_for),
		cmocka_unit_test(another_part_than_was_asked_for_is_none),
		cmocka_unit_test(a_part_that_breaks_off_is_not_whole),
		cmocka_unit_test(
			of_a_whole_object_no_more_is_taken_than_the_part),
		cmocka_unit_test(a_text_is_bounded),
		cmocka_unit_test(a_redirect_is_not_followed),
		cmocka_unit_test(a_connection_is_kept),
		cmocka_unit_test(a_body_is_sent_as_it_is),
		cmocka_unit_test(what_takes_too_long_is_given_up),
		cmocka_unit_test(a_cancelled_request_returns_within_100_ms),
		cmocka_unit_test(a_server_that_is_not_there_is_unreachable),
		cmocka_unit_test(who_waits_goes_before_read_ahead),
		cmocka_unit_test(any_thread_may_ask),
		cmocka_unit_test(a_child_asks_on_its_own),
		cmocka_unit_test(an_origin_is_taken_apart),
		cmocka_unit_test(an_origin_that_would_leak_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
