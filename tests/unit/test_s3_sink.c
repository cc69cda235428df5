/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/s3_fixture.h"

#include <errno.h>
#include "repo/crypto/sign.h"

#define GET_BODY(len, body)                                              \
	"HTTP/1.1 206 OK\r\nContent-Length: " #len "\r\nContent-Range: " \
	"bytes 0-3/" #len "\r\n\r\n" body

static void
an_object_is_put_under_a_free_name(void **state)
{
	static const struct answer script[] = { { .text = OK_EMPTY } };
	char hash[SIGN_HASH_LEN + 1];
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "cat/1", "body", 4, NULL), 0);
	assert_asked(&server, 0, "PUT /b/p/cat/1 HTTP");
	assert_asked(&server, 0, "\r\nif-none-match: *\r\n");
	assert_asked(&server, 0, ";if-none-match;");
	sign_payload("body", 4, hash);
	assert_asked(&server, 0, hash);
	assert_memory_equal(server.seen[0].body.data, "body", 4);
	assert_int_equal(sink_put(sink, "cat/2", NULL, 0, NULL), 0);
	assert_asked(&server, 1, "\r\nContent-Length: 0\r\n");
}

static void
a_name_that_is_taken_is_told(void **state)
{
	static const struct answer script[] = {
		{ .text = XML_ERROR("412 No", "PreconditionFailed"),
			.then = THEN_CLOSE },
	};
	struct err e = ERR_INIT;
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "a", "body", 4, &e), -EEXIST);
	assert_non_null(strstr(e.text, "s3://b/p/a: the name is taken"));
	assert_int_equal(server_seen(&server), 1);
}

static void
a_service_without_conditions_is_asked_first(void **state)
{
	static const struct answer script[] = {
		{ .text = XML_ERROR("501 Not Implemented", "NotImplemented"),
			.then = THEN_CLOSE },
		{ .text = NOT_FOUND },
		{ .text = OK_EMPTY },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "a", "body", 4, NULL), 0);
	assert_asked(&server, 1, "HEAD /b/p/a HTTP");
	assert_asked(&server, 2, "PUT /b/p/a HTTP");
	assert_not_asked(&server, 2, "if-none-match");
	/* and it is remembered */
	assert_int_equal(sink_put(sink, "b", "body", 4, NULL), -EEXIST);
	assert_asked(&server, 3, "HEAD /b/p/b HTTP");
	assert_int_equal(server_seen(&server), 4);
}

static void
another_refusal_is_not_taken_for_that(void **state)
{
	static const struct answer script[] = {
		{ .text = XML_ERROR("400 Bad", "InvalidRequest"),
			.then = THEN_CLOSE },
		{ .text = NOT_FOUND },
		{ .text = XML_ERROR("400 Bad", "InvalidRequest"),
			.then = THEN_CLOSE },
		{ .text = OK_EMPTY },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "a", "body", 4, NULL), -EIO);
	assert_int_equal(sink_put(sink, "a", "body", 4, NULL), 0);
	assert_asked(&server, 3, "\r\nif-none-match: *\r\n");
}

/* The answer to the first PUT is lost; the second finds the name taken. */
static int
put_after_a_lost_answer(const char *there)
{
	const struct answer script[] = {
		{ .text = NULL, .then = THEN_RESET },
		{ .text = XML_ERROR("412 No", "PreconditionFailed"),
			.then = THEN_CLOSE },
		{ .text = there, .then = THEN_CLOSE },
	};

	SCRIPT(script);
	return sink_put(sink, "a", "body", 4, NULL);
}

static void
an_object_whose_answer_was_lost_is_ours(void **state)
{
	(void)state;

	assert_int_equal(put_after_a_lost_answer(GET_BODY(4, "body")), 0);
	assert_asked(&server, 2, "GET /b/p/a HTTP");
}

static void
so_is_one_that_curl_sent_again(void **state)
{
	const struct answer script[] = {
		{ .text = OK_EMPTY },
		{ .text = NULL, .then = THEN_CLOSE },
		{ .text = XML_ERROR("412 No", "PreconditionFailed"),
			.then = THEN_CLOSE },
		{ .text = GET_BODY(4, "body"), .then = THEN_CLOSE },
	};
	(void)state;

	/* the connection of the first is kept, and swallows the second */
	SCRIPT(script);
	assert_int_equal(sink_put(sink, "0", "body", 4, NULL), 0);
	assert_int_equal(sink_put(sink, "a", "body", 4, NULL), 0);
	assert_asked(&server, 2, "PUT /b/p/a HTTP");
	assert_asked(&server, 3, "GET /b/p/a HTTP");
}

static void
an_object_of_another_writer_is_not(void **state)
{
	(void)state;

	assert_int_equal(put_after_a_lost_answer(GET_BODY(4, "BODY")), -EEXIST);
	assert_int_equal(
		put_after_a_lost_answer("HTTP/1.1 206 OK\r\nContent-Length: 5"
					"\r\nContent-Range: bytes 0-4/5\r\n"
					"\r\nbody+"),
		-EEXIST);
}

/* -- What was stored is looked for --------------------------------------- */

#define THERE(len) "HTTP/1.1 200 OK\r\nContent-Length: " #len "\r\n\r\n"
#define FORBIDDEN ANSWER("403 Forbidden", "", 0, "")

static void
what_was_put_and_is_not_there_is_put_again(void **state)
{
	static const struct answer script[] = {
		{ .text = OK_EMPTY },
		{ .text = NOT_FOUND },
		{ .text = NOT_FOUND },
		{ .text = NOT_FOUND },
		{ .text = NOT_FOUND },
		{ .text = OK_EMPTY },
		{ .text = THERE(4) },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "snap/0/1", "body", 4, NULL), 0);
	assert_int_equal(server_seen(&server), 7);
	assert_asked(&server, 1, "HEAD /b/p/snap/0/1 HTTP");
	assert_asked(&server, 5, "PUT /b/p/snap/0/1 HTTP");
}

static void
what_does_not_stay_is_an_error(void **state)
{
	static const struct answer script[] = {
		{ .text = OK_EMPTY },
		{ .text = THERE(3) },
	};
	struct err e = ERR_INIT;
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "keys/1", "body", 4, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "s3://b/p/keys/1: the service said that "
				       "it was stored, but it has another"));
}

static void
another_object_than_was_put_is_an_error(void **state)
{
	static const struct answer script[] = {
		{ .text = OK_ETAG },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"
			  "ETag: \"f\"\r\n\r\n" },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "format", "body", 4, NULL), -EBADMSG);
}

static void
who_may_not_look_does_so_once(void **state)
{
	static const struct answer script[] = {
		{ .text = OK_EMPTY },
		{ .text = FORBIDDEN },
		{ .text = OK_EMPTY },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "keys/1", "body", 4, NULL), 0);
	assert_int_equal(sink_put(sink, "format", "body", 4, NULL), 0);
	assert_int_equal(server_seen(&server), 3);
}

static void
what_can_be_made_again_is_not_looked_for(void **state)
{
	static const struct answer script[] = { { .text = OK_EMPTY } };
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_put(sink, "cat/1", "body", 4, NULL), 0);
	assert_int_equal(sink_put(sink, "idx/1", "body", 4, NULL), 0);
	assert_int_equal(server_seen(&server), 2);
}

/* -- Uploads -------------------------------------------------------------- */

#define MIB (1u << 20)
#define BEGUN                                                        \
	XML("200 OK", "<InitiateMultipartUploadResult><UploadId>u/1" \
		      "</UploadId></InitiateMultipartUploadResult>")
#define DONE                                                          \
	XML("200 OK", "<CompleteMultipartUploadResult><ETag>x</ETag>" \
		      "</CompleteMultipartUploadResult>")

static struct upload *
begin_upload(size_t mib)
{
	auto_free char *piece = xmalloc(MIB);
	struct upload *up = NULL;

	memset(piece, 'm', MIB);
	assert_int_equal(sink_begin(sink, "data/00/x", &up, NULL), 0);
	for (size_t i = 0; i < mib; i++)
		assert_int_equal(upload_append(up, piece, MIB, NULL), 0);
	return up;
}

static void
a_small_upload_is_one_put(void **state)
{
	static const struct answer script[] = {
		{ .text = OK_EMPTY },
		{ .text = THERE(16777216) },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(upload_commit(begin_upload(16), NULL), 0);
	assert_int_equal(server_seen(&server), 2);
	assert_asked(&server, 0, "PUT /b/p/data/00/x HTTP");
	assert_asked(&server, 0, "\r\nif-none-match: *\r\n");
	assert_int_equal(server.seen[0].body.len, 16 * MIB);
}

static void
a_big_upload_goes_in_parts(void **state)
{
	static const struct answer script[] = {
		{ .text = BEGUN, .then = THEN_CLOSE },
		{ .text = OK_ETAG },
		{ .text = OK_ETAG },
		{ .text = OK_ETAG },
		{ .text = OK_ETAG },
		{ .text = OK_ETAG },
		{ .text = DONE, .then = THEN_CLOSE },
		{ .text = THERE(73400320) },
	};
	static const char list[] = "<CompleteMultipartUpload>"
				   "<Part><PartNumber>1</"
				   "PartNumber><ETag>&#34;e&#34;</ETag></Part>"
				   "<Part><PartNumber>2</"
				   "PartNumber><ETag>&#34;e&#34;</ETag></Part>"
				   "<Part><PartNumber>3</"
				   "PartNumber><ETag>&#34;e&#34;</ETag></Part>"
				   "<Part><PartNumber>4</"
				   "PartNumber><ETag>&#34;e&#34;</ETag></Part>"
				   "<Part><PartNumber>5</"
				   "PartNumber><ETag>&#34;e&#34;</ETag></Part>"
				   "</CompleteMultipartUpload>";
	size_t sum = 0;
	(void)state;

	SCRIPT(script);
	assert_int_equal(upload_commit(begin_upload(70), NULL), 0);
	assert_int_equal(server_seen(&server), 8);
	assert_asked(&server, 0, "POST /b/p/data/00/x?uploads= HTTP");
	for (size_t i = 1; i <= 5; i++) {
		assert_asked(&server, i, "uploadId=u%2F1 HTTP");
		sum += server.seen[i].body.len;
	}
	assert_int_equal(sum, 70 * MIB);
	assert_asked(&server, 6, "POST /b/p/data/00/x?uploadId=u%2F1 HTTP");
	assert_int_equal(server.seen[6].body.len, strlen(list));
	assert_memory_equal(server.seen[6].body.data, list, strlen(list));
}

static void
an_error_in_the_last_answer_is_tried_again(void **state)
{
	static const struct answer script[] = {
		{ .text = BEGUN, .then = THEN_CLOSE },
		{ .text = OK_ETAG },
		{ .text = XML_ERROR("200 OK", "InternalError"),
			.then = THEN_CLOSE },
		{ .text = XML_ERROR("404 Not Found", "NoSuchUpload"),
			.then = THEN_CLOSE },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 17825792\r\n"
			  "\r\n" },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(upload_commit(begin_upload(17), NULL), 0);
	assert_asked(&server, 4, "HEAD /b/p/data/00/x HTTP");
}

static void
an_upload_that_fails_is_taken_back(void **state)
{
	static const struct answer script[] = {
		{ .text = BEGUN, .then = THEN_CLOSE },
		{ .text = OK_ETAG },
		{ .text = XML_ERROR("200 OK", "AccessDenied"),
			.then = THEN_CLOSE },
		{ .text = ANSWER("204 Gone", "", 0, "") },
	};
	(void)state;

	SCRIPT(script);
	assert_int_equal(upload_commit(begin_upload(17), NULL), -EACCES);
	assert_asked(&server, 3, "DELETE /b/p/data/00/x?uploadId=u%2F1 HTTP");
}

static void
an_upload_that_lacks_a_part_gets_no_name(void **state)
{
	static const struct answer script[] = {
		{ .text = BEGUN, .then = THEN_CLOSE },
		{ .text = XML_ERROR("403 No", "AccessDenied"),
			.then = THEN_CLOSE },
		{ .text = OK_ETAG },
	};
	auto_free char *piece = xcalloc(1, MIB);
	struct upload *up = NULL;
	int r = 0;
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_begin(sink, "data/00/x", &up, NULL), 0);
	for (int i = 0; i < 100 && r == 0; i++)
		r = upload_append(up, piece, MIB, NULL);
	assert_int_equal(r, -EACCES);
	assert_int_equal(upload_commit(up, NULL), -EIO);
	for (size_t i = 1; i < server_seen(&server); i++)
		assert_not_asked(&server, i, "POST");
}

static void
an_abort_does_not_wait_for_parts_under_way(void **state)
{
	static const struct answer script[] = {
		{ .text = BEGUN, .then = THEN_CLOSE },
		{ .then = THEN_HANG },
		{ .text = ANSWER("204 Gone", "", 0, "") },
	};
	struct upload *up;
	int64_t begin;
	(void)state;

	SCRIPT(script);
	up = begin_upload(21);
	while (server_seen(&server) < 2)
		sched_yield();
	begin = elapsed_ms();
	upload_abort(up);
	assert_in_range(elapsed_ms() - begin, 0, 3000);
	assert_asked(&server, 2, "DELETE /b/p/data/00/x?uploadId=u%2F1 HTTP");
}

/* -- Removing ------------------------------------------------------------- */

static void
many_are_removed_by_one_request(void **state)
{
	static const char *const names[] = { "a", "b&c", "d" };
	static const char list[] =
		"<Delete><Quiet>true</Quiet><Object><Key>p/a</Key></Object>"
		"<Object><Key>p/b&#38;c</Key></Object>"
		"<Object><Key>p/d</Key></Object></Delete>";
	static const struct answer script[] = {
		{ .text = XML("200 OK", "<DeleteResult/>"), .then = THEN_CLOSE }
	};
	char md5[SIGN_MD5_LEN + 1];
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_remove_many(sink, names, 3, NULL), 0);
	assert_int_equal(server_seen(&server), 1);
	assert_asked(&server, 0, "POST /b?delete= HTTP");
	assert_int_equal(server.seen[0].body.len, strlen(list));
	assert_memory_equal(server.seen[0].body.data, list, strlen(list));
	sign_md5(list, strlen(list), md5);
	assert_asked(&server, 0, md5);
	assert_asked(&server, 0, "SignedHeaders=content-md5;host;");
}

static void
what_could_not_be_removed_is_named(void **state)
{
	static const char *const names[] = { "a", "b" };
	static const struct answer script[] = {
		{ .text = XML("200 OK", "<DeleteResult><Error><Key>p/a</Key>"
					"<Code>NoSuchKey</Code></Error>"
					"<Error><Key>p/b</Key>"
					"<Code>AccessDenied</Code></Error>"
					"</DeleteResult>"),
			.then = THEN_CLOSE },
		{ .text = XML("200 OK", "<html/>"), .then = THEN_CLOSE },
		{ .text = XML_ERROR("501 No", "NotImplemented"),
			.then = THEN_CLOSE },
		{ .text = ANSWER("204 Gone", "", 0, "") },
	};
	struct err e = ERR_INIT;
	(void)state;

	SCRIPT(script);
	assert_int_equal(sink_remove_many(sink, names, 2, &e), -EACCES);
	assert_non_null(strstr(e.text, "s3://b/p/b"));
	assert_int_equal(sink_remove_many(sink, names, 2, NULL), -EIO);
	assert_int_equal(sink_remove_many(sink, names, 2, NULL), 0);
	assert_asked(&server, 3, "DELETE /b/p/a HTTP");
	assert_asked(&server, 4, "DELETE /b/p/b HTTP");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_S3(an_object_is_put_under_a_free_name),
		WITH_S3(a_name_that_is_taken_is_told),
		WITH_S3(a_service_without_conditions_is_asked_first),
		WITH_S3(another_refusal_is_not_taken_for_that),
		WITH_S3(an_object_whose_answer_was_lost_is_ours),
		WITH_S3(so_is_one_that_curl_sent_again),
		WITH_S3(an_object_of_another_writer_is_not),
		WITH_S3(what_was_put_and_is_not_there_is_put_again),
		WITH_S3(what_does_not_stay_is_an_error),
		WITH_S3(another_object_than_was_put_is_an_error),
		WITH_S3(who_may_not_look_does_so_once),
		WITH_S3(what_can_be_made_again_is_not_looked_for),
		WITH_S3(a_small_upload_is_one_put),
		WITH_S3(a_big_upload_goes_in_parts),
		WITH_S3(an_error_in_the_last_answer_is_tried_again),
		WITH_S3(an_upload_that_fails_is_taken_back),
		WITH_S3(an_upload_that_lacks_a_part_gets_no_name),
		WITH_S3(an_abort_does_not_wait_for_parts_under_way),
		WITH_S3(many_are_removed_by_one_request),
		WITH_S3(what_could_not_be_removed_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
