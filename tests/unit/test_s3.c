/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading: what is asked of the service, and listings. */
#include "tests/unit/s3_fixture.h"

#include <errno.h>

#define PAGE(more, items)                                                 \
	XML("200 OK",                                                     \
		"<ListBucketResult><EncodingType>url</EncodingType>" more \
			items "</ListBucketResult>")
#define ITEM(key, size) \
	"<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"
#define MORE                                                         \
	"<IsTruncated>true</IsTruncated><NextContinuationToken>a/b=" \
	"</NextContinuationToken>"

struct collected {
	struct buf text;
	unsigned left; /* how many are wanted */
};

static bool
collect(void *ctx, const char *name, uint64_t size)
{
	struct collected *x = ctx;

	buf_printf(&x->text, "%s %llu\n", name, (unsigned long long)size);
	return --x->left > 0;
}

/* List, assert the code and what came; a listing is at most 99 names. */
static void
assert_lists(const char *prefix, const char *after, unsigned wanted, int code,
	const char *expected)
{
	struct collected x = { .text = BUF_INIT, .left = wanted };
	struct err e = ERR_INIT;

	assert_int_equal(
		store_list(store, prefix, after, collect, &x, &e), -code);
	if (code)
		assert_non_null(strstr(e.text, "s3://b/p"));
	if (code == EACCES)
		assert_non_null(strstr(e.text, "s3://b/p/snap/:"));
	buf_append(&x.text, "", 1);
	assert_string_equal((char *)x.text.data, expected);
	buf_release(&x.text);
}

static void
a_listing_is_asked_for_by_pages(void **state)
{
	static const struct answer script[] = {
		{ .text = PAGE(MORE,
			  ITEM("p/snap/%41", "1") ITEM("p/snap/b%2Bc", "22")),
			.then = THEN_CLOSE },
		{ .text = PAGE("", ITEM("p/snap/d", "3")), .then = THEN_CLOSE },
	};
	(void)state;

	SCRIPT(script);
	assert_lists("snap/", "", 99, 0, "snap/A 1\nsnap/b+c 22\nsnap/d 3\n");
	assert_asked(&server, 0,
		"GET /b?encoding-type=url&list-type=2&prefix=p%2Fsnap%2F "
		"HTTP");
	assert_asked(&server, 1,
		"GET /b?continuation-token=a%2Fb%3D&encoding-type=url&"
		"list-type=2&prefix=p%2Fsnap%2F HTTP");
}

static void
a_listing_begins_and_ends_where_it_is_told_to(void **state)
{
	static const struct answer script[] = {
		{ .text = PAGE(MORE,
			  ITEM("p/a", "1") ITEM("p/b", "1") ITEM("p/c", "1")),
			.then = THEN_CLOSE },
	};
	(void)state;

	SCRIPT(script);
	assert_lists("", "a", 1, 0, "b 1\n");
	assert_asked(&server, 0, "start-after=p%2Fa ");
	assert_int_equal(server_seen(&server), 1);
}

static void
what_is_no_object_of_ours_is_not_listed(void **state)
{
	static const struct answer script[] = {
		{ .text = PAGE("",
			  ITEM("p/", "0") ITEM("p/.x", "1") ITEM("p/a//b", "1")
				  ITEM("p/c", "1") ITEM("p/d%20e", "1")
					  ITEM("p/tmp/x", "1")),
			.then = THEN_CLOSE },
	};
	(void)state;

	SCRIPT(script);
	assert_lists("", "", 99, 0, "c 1\n");
}

static void
a_listing_that_contradicts_itself_is_refused(void **state)
{
	static const char *const bad[] = {
		PAGE("", ITEM("p/b", "1") ITEM("p/a", "1")),
		PAGE("", ITEM("p/b", "1") ITEM("p/b", "1")),
		PAGE("", ITEM("p/b", "1") ITEM("q/c", "1")),
	};
	static const struct answer same[] = {
		{ .text = PAGE(MORE, ITEM("p/b", "1")), .then = THEN_CLOSE }
	};
	static const struct answer empty[] = { { .text = PAGE(MORE, ""),
		.then = THEN_CLOSE } };
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		const struct answer script[] = { { .text = bad[i],
			.then = THEN_CLOSE } };

		SCRIPT(script);
		assert_lists("", "", 99, EUCLEAN, "b 1\n");
	}
	SCRIPT(same);
	assert_lists("", "", 99, EUCLEAN, "b 1\n");
	SCRIPT(empty);
	assert_lists("", "", 99, EUCLEAN, "");
}

static void
an_error_in_a_good_answer_is_an_error(void **state)
{
	static const struct answer script[] = {
		{ .text = XML_ERROR("200 OK", "AccessDenied"),
			.then = THEN_CLOSE },
	};
	(void)state;

	SCRIPT(script);
	assert_lists("snap/", "", 99, EACCES, "");
	assert_int_equal(server_seen(&server), 1);
}

static void
a_size_is_asked_by_head(void **state)
{
	static const struct answer script[] = {
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 123456789012\r\n"
			  "\r\n" },
		{ .text = NOT_FOUND },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" },
	};
	size_t got = 7;
	uint64_t size;
	(void)state;

	SCRIPT(script);
	assert_int_equal(store_size(store, "cat/x+y", &size, NULL), 0);
	assert_true(size == 123456789012);
	assert_asked(&server, 0, "HEAD /b/p/cat/x%2By HTTP");
	assert_int_equal(store_size(store, "cat/x", &size, NULL), -ENOENT);
	assert_int_equal(store_get(store, "a", 9, 0, NULL, &got, NULL), 0);
	assert_int_equal(got, 0);
	assert_asked(&server, 2, "HEAD ");
}

static void
requests_are_signed(void **state)
{
	static const struct answer script[] = { { .text = NOT_FOUND } };
	uint64_t size;
	(void)state;

	SCRIPT(script);
	assert_int_equal(store_size(store, "a", &size, NULL), -ENOENT);
	assert_asked(&server, 0,
		"\r\nAuthorization: AWS4-HMAC-SHA256 Credential=access/");
	assert_asked(&server, 0,
		"/us-east-1/s3/aws4_request, SignedHeaders=host;"
		"x-amz-content-sha256;x-amz-date, Signature=");
	assert_not_asked(&server, 0, "secret");
}

static void
the_bucket_may_be_in_the_name_of_the_host(void **state)
{
	static const struct answer script[] = { { .text = NOT_FOUND } };
	auto_free char *address =
		xasprintf("s3://bu/p?style=virtual&region=r-1&endpoint="
			  "http://localhost:%s",
			strrchr(server.url, ':') + 1);
	auto_free char *host = xasprintf(
		"\r\nHost: bu.localhost:%s\r\n", strrchr(server.url, ':') + 1);
	auto_store struct store *other = NULL;
	uint64_t size;
	(void)state;

	SCRIPT(script);
	assert_int_equal(store_open(address, &other, NULL), 0);
	assert_int_equal(store_size(other, "a", &size, NULL), -ENOENT);
	assert_asked(&server, 0, "HEAD /p/a HTTP");
	assert_asked(&server, 0, host);
	assert_asked(&server, 0, "/r-1/s3/aws4_request");
}

static bool
collect_object(void *ctx, const struct store_object *o)
{
	buf_printf(ctx, "%s %llu %lld\n", o->name, (unsigned long long)o->size,
		o->modified_ns == STORE_TIME_UNKNOWN
			? -1LL
			: (long long)(o->modified_ns / 1000000));
	return true;
}

static void
objects_have_times_and_folders_are_asked_for(void **state)
{
	static const struct answer script[] = {
		{ .text = PAGE(MORE,
			  ITEM("p/a/",
				  "0") "<Contents><Key>p/a/Z</Key><Size>1</"
				       "Size>"
				       "<LastModified>2026-11-20T10:32:15.250Z"
				       "</LastModified></Contents>"),
			.then = THEN_CLOSE },
		{ .text = PAGE("",
			  ITEM("p/a/z", "3") "<CommonPrefixes>"
					     "<Prefix>p/a/b/</Prefix></"
					     "CommonPrefixes>"),
			.then = THEN_CLOSE },
	};
	auto_buf struct buf all = BUF_INIT;
	(void)state;

	SCRIPT(script);
	assert_int_equal(
		store_list_folder(store, "a/", collect_object, &all, NULL), 0);
	buf_append(&all, "", 1);
	assert_string_equal(
		(char *)all.data, "a/Z 1 1795170735250\na/b/ 0 -1\na/z 3 -1\n");
	assert_asked(&server, 0,
		"GET /b?delimiter=%2F&encoding-type=url&list-type=2&"
		"prefix=p%2Fa%2F HTTP");
	assert_asked(&server, 1, "delimiter=%2F");
}

static void
metadata_is_asked_by_head(void **state)
{
	static const struct answer script[] = {
		{ .text = ANSWER(
			  "200 OK", "X-Amz-Meta-Key: value\r\n", 0, "") },
		{ .text = ANSWER(
			  "200 OK", "X-Amz-Meta-Key: value\r\n", 0, "") },
		{ .text = ANSWER("200 OK", "X-Amz-Meta-Keys: x\r\n", 0, "") },
		{ .text = NOT_FOUND },
	};
	char value[6];
	(void)state;

	SCRIPT(script);
	assert_int_equal(store_metadata(store, "a", "key", value, 6, NULL), 0);
	assert_string_equal(value, "value");
	assert_asked(&server, 0, "HEAD /b/p/a HTTP");
	assert_int_equal(
		store_metadata(store, "a", "key", value, 5, NULL), -ERANGE);
	assert_int_equal(
		store_metadata(store, "a", "key", value, 6, NULL), -ENODATA);
	assert_int_equal(
		store_metadata(store, "a", "key", value, 6, NULL), -ENOENT);
}

static void
every_request_is_counted(void **state)
{
	static const struct answer script[] = {
		{ .text = NOT_FOUND },
		{ .text = PAGE("", ""), .then = THEN_CLOSE },
		{ .text = "HTTP/1.1 206 OK\r\nContent-Length: 2\r\n"
			  "Content-Range: bytes 0-1/2\r\n\r\nab" },
		{ .text = ANSWER("403 No", "", 0, "") },
		{ .text = OK_EMPTY },
	};
	struct store_stats st;
	uint64_t size;
	char buf[2];
	(void)state;

	SCRIPT(script);
	store_size(store, "a", &size, NULL);
	assert_lists("", "", 99, 0, "");
	assert_int_equal(store_get(store, "a", 0, 2, buf, NULL, NULL), 0);
	assert_int_equal(store_get(store, "a", 0, 2, buf, NULL, NULL), -EACCES);
	store_stats(store, &st);
	assert_int_equal(st.heads, 1);
	assert_int_equal(st.lists, 1);
	assert_int_equal(st.gets, 2);
	assert_int_equal(st.bytes, 2);
	assert_int_equal(st.errors, 1);
	assert_int_equal(st.retries, 0);
	assert_int_equal(sink_put(sink, "a", "x", 1, NULL), 0);
	sink_stats(sink, &st);
	assert_int_equal(st.puts, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_S3(a_listing_is_asked_for_by_pages),
		WITH_S3(a_listing_begins_and_ends_where_it_is_told_to),
		WITH_S3(what_is_no_object_of_ours_is_not_listed),
		WITH_S3(a_listing_that_contradicts_itself_is_refused),
		WITH_S3(an_error_in_a_good_answer_is_an_error),
		WITH_S3(a_size_is_asked_by_head),
		WITH_S3(requests_are_signed),
		WITH_S3(the_bucket_may_be_in_the_name_of_the_host),
		WITH_S3(objects_have_times_and_folders_are_asked_for),
		WITH_S3(metadata_is_asked_by_head),
		WITH_S3(every_request_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
