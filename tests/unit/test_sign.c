/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures of requests whose result AWS has published: its test suite for
 * Signature Version 4 and the examples in its manual of S3.
 */
#include "tests/unit/unit.h"

#include "repo/crypto/sign.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct sign_key suite_key = {
	.access_key = "AKIDEXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "service",
};

static const struct sign_key s3_key = {
	.access_key = "AKIAIOSFODNN7EXAMPLE",
	.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.service = "s3",
};

#define NO_QUERY                   \
	{                          \
		{                  \
			NULL, NULL \
		}                  \
	}

struct vector {
	const char *method;
	const char *path;
	struct sign_pair query[3];
	struct sign_pair headers[5];
	const char *body;
	const char *signature;
};

#define SUITE_HEADERS                           \
	{ "x-amz-date", "20150830T123600Z" },   \
	{                                       \
		"host", "example.amazonaws.com" \
	}

static const struct vector suite[] = {
	{ "GET", "/", NO_QUERY, { SUITE_HEADERS }, "",
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf"
		"31" },
	{ "POST", "/", NO_QUERY, { SUITE_HEADERS }, "",
		"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d"
		"6b" },
	{ "GET", "/", { { "Param2", "value2" }, { "Param1", "value1" } },
		{ SUITE_HEADERS }, "",
		"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf25"
		"00" },
	{ "GET", "/", { { "Param1", "value1" } }, { SUITE_HEADERS }, "",
		"a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9a"
		"eb" },
	{ "GET",
		"/-._~"
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
		"z",
		NO_QUERY, { SUITE_HEADERS }, "",
		"07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f2"
		"4f" },
	{ "GET", "/\xe1\x88\xb4", NO_QUERY, { SUITE_HEADERS }, "",
		"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d"
		"85" },
	{ "GET", "/", NO_QUERY,
		{ { "my-header1", " value1" },
			{ "my-header2", " \"a   b   c\" " }, SUITE_HEADERS },
		"",
		"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c7"
		"36" },
	{ "GET", "/", NO_QUERY,
		{ { "my-header1", "value2" }, { "my-header1", "value2" },
			{ "my-header1", "value1" }, SUITE_HEADERS },
		"",
		"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138"
		"ea" },
	{ "POST", "/", NO_QUERY,
		{ { "content-type", "application/x-www-form-urlencoded" },
			SUITE_HEADERS },
		"Param1=value1",
		"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe0947"
		"3a" },
};

#define S3_HEADERS                                    \
	{ "host", "examplebucket.s3.amazonaws.com" }, \
	{                                             \
		"x-amz-date", "20130524T000000Z"      \
	}

static const struct vector s3[] = {
	{ "GET", "/test.txt", NO_QUERY,
		{ S3_HEADERS, { "range", "bytes=0-9" },
			{ "x-amz-content-sha256", EMPTY } },
		"",
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb"
		"41" },
	{ "PUT", "/test$file.text", NO_QUERY,
		{ S3_HEADERS, { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
			{ "date", "Fri, 24 May 2013 00:00:00 GMT" },
			{ "x-amz-content-sha256",
				"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99"
				"e42034a8b803f8b072" } },
		"Welcome to Amazon S3.",
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108"
		"bd" },
	{ "GET", "/", { { "lifecycle", "" } },
		{ S3_HEADERS, { "x-amz-content-sha256", EMPTY } }, "",
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a01367835"
		"43" },
	{ "GET", "/", { { "prefix", "J" }, { "max-keys", "2" } },
		{ S3_HEADERS, { "x-amz-content-sha256", EMPTY } }, "",
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6"
		"f7" },
};

static size_t
count(const struct sign_pair *pairs, size_t max)
{
	size_t n = 0;

	while (n < max && pairs[n].name)
		n++;
	return n;
}

static void
assert_signs(const struct sign_key *k, const struct vector *v, int64_t when)
{
	auto_buf struct buf path = BUF_INIT, query = BUF_INIT, out = BUF_INIT;
	struct sign_request r = { .method = v->method, .headers = v->headers };

	sign_encode(&path, v->path, true);
	buf_append(&path, "", 1);
	sign_query(&query, v->query, count(v->query, 3));
	buf_append(&query, "", 1);
	r.path = (char *)path.data;
	r.query = (char *)query.data;
	r.n_headers = count(v->headers, 5);
	sign_date(r.date, when);
	sign_payload(v->body, strlen(v->body), r.payload);
	sign_authorization(&out, k, &r);
	buf_append(&out, "", 1);
	assert_non_null(strstr((char *)out.data, "Signature="));
	assert_string_equal(
		strstr((char *)out.data, "Signature=") + 10, v->signature);
}

static void
the_published_suite_is_met(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_elements(suite); i++)
		assert_signs(&suite_key, &suite[i], 1440938160);
}

static void
the_published_examples_of_s3_are_met(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_elements(s3); i++)
		assert_signs(&s3_key, &s3[i], 1369353600);
}

static void
the_header_names_key_and_scope(void **state)
{
	auto_buf struct buf out = BUF_INIT;
	const struct sign_pair headers[] = { { "x-amz-date", "" },
		{ "host", "h" } };
	struct sign_request r = { .method = "GET",
		.path = "/",
		.query = "",
		.headers = headers,
		.n_headers = 2 };
	static const char begins[] =
		"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
		"service/aws4_request, SignedHeaders=host;x-amz-date, "
		"Signature=";
	(void)state;

	sign_date(r.date, 1440938160);
	sign_authorization(&out, &suite_key, &r);
	assert_memory_equal(out.data, begins, strlen(begins));
	assert_int_equal(out.len, strlen(begins) + SIGN_HASH_LEN);
}

static void
everything_reserved_is_encoded(void **state)
{
	auto_buf struct buf out = BUF_INIT;
	static const char expected[] = "%01%20%25%2B%2A/~%21%27%28%29%7F%FF%2F";
	(void)state;

	sign_encode(&out, "\x01 %+*/~!'()\x7f\xff", true);
	sign_encode(&out, "/", false);
	assert_int_equal(out.len, strlen(expected));
	assert_memory_equal(out.data, expected, out.len);
}

static void
parameters_are_sorted_as_they_are_encoded(void **state)
{
	const struct sign_pair q[] = { { "b", "2" }, { "a", "z" }, { "a", "1" },
		{ "a-b", "" }, { "B", "/" } };
	auto_buf struct buf out = BUF_INIT;
	static const char expected[] = "B=%2F&a=1&a=z&a-b=&b=2";
	(void)state;

	sign_query(&out, q, n_elements(q));
	assert_int_equal(out.len, strlen(expected));
	assert_memory_equal(out.data, expected, out.len);
}

static void
md5_is_in_base64(void **state)
{
	char md5[SIGN_MD5_LEN + 1];
	(void)state;

	sign_md5("", 0, md5); /* RFC 1321 */
	assert_string_equal(md5, "1B2M2Y8AsgTpgAmY7PhCfg==");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_suite_is_met),
		cmocka_unit_test(the_published_examples_of_s3_are_met),
		cmocka_unit_test(the_header_names_key_and_scope),
		cmocka_unit_test(everything_reserved_is_encoded),
		cmocka_unit_test(parameters_are_sorted_as_they_are_encoded),
		cmocka_unit_test(md5_is_in_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
