/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/base/buf.h"
#include "repo/store/s3_xml.h"

#define HEAD "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"urn:x\">"
#define TAIL "</ListBucketResult>"
#define ITEM(key, size) \
	"<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"

static int
page_of(const char *xml, struct s3_page *p)
{
	struct err e = ERR_INIT;
	int r = s3_xml_page(xml, strlen(xml), p, &e);

	assert_int_equal(r, -e.code);
	return r;
}

static void
a_page_is_read(void **state)
{
	struct s3_page p;
	(void)state;

	assert_int_equal(
		page_of(HEAD
			"<IsTruncated>true</IsTruncated>\n"
			"<NextContinuationToken>a&amp;b"
			"</NextContinuationToken>\n" ITEM("p/a%2Fb", "7") ITEM(
				"p/c",
				"18446744073709551615") "<EncodingType>url</"
							"EncodingType>" TAIL,
			&p),
		0);
	assert_int_equal(p.n, 2);
	assert_string_equal(p.items[0].key, "p/a/b");
	assert_int_equal(p.items[0].size, 7);
	assert_true(p.items[1].size == UINT64_MAX);
	assert_true(p.more);
	assert_string_equal(p.token, "a&b");
	s3_page_release(&p);
	assert_int_equal(
		page_of(&(" \n" HEAD ITEM("a%2F+", "0") TAIL)[2], &p), 0);
	assert_string_equal(p.items[0].key, "a%2F+");
	assert_false(p.more);
	s3_page_release(&p);
}

static void
items_have_times_and_folders_stand_among_them(void **state)
{
	struct s3_page p;
	(void)state;

	assert_int_equal(
		page_of(HEAD
			"<Contents><Key>b</Key><LastModified>"
			"2026-11-20T10:32:15.250Z</LastModified><Size>7</Size>"
			"</Contents>" ITEM(
				"d", "8") "<CommonPrefixes><Prefix>a/</"
					  "Prefix></CommonPrefixes>"
					  "<CommonPrefixes><Prefix>c/</"
					  "Prefix></CommonPrefixes>" TAIL,
			&p),
		0);
	assert_int_equal(p.n, 4);
	for (size_t i = 0; i < p.n; i++)
		assert_int_equal(p.items[i].key[0], 'a' + i);
	assert_int_equal(p.items[0].size, 0);
	assert_true(p.items[0].modified_ns == S3_TIME_UNKNOWN);
	assert_true(p.items[1].modified_ns == 1795170735250000000);
	assert_int_equal(p.items[3].size, 8);
	assert_true(p.items[3].modified_ns == S3_TIME_UNKNOWN);
	s3_page_release(&p);
}

static void
a_time_is_one_of_utc_or_none(void **state)
{
	static const char *const none[] = { "", "2026-11-20T10:32:15",
		"2026-11-20T10:32:15+01:00", "2026-11-20T10:32:15.Z",
		"1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "yesterday",
		"2026-11-20T10:32:15Z ", "2026-11-20" };
	(void)state;

	assert_true(s3_time_parse("1970-01-01T00:00:00Z") == 0);
	assert_true(
		s3_time_parse("2026-11-20T10:32:15Z") == 1795170735000000000);
	assert_true(s3_time_parse("2026-11-20T10:32:15.123456789999Z") ==
		    1795170735123456789);
	assert_true(s3_time_parse("2261-12-31T23:59:59Z") > 0);
	for (size_t i = 0; i < n_elements(none); i++)
		assert_true(s3_time_parse(none[i]) == S3_TIME_UNKNOWN);
}

static void
what_is_no_page_is_refused(void **state)
{
	static const char *const bad[] = { "", "hello", "<Error></Error>",
		"<ListBucketResults/>", HEAD, HEAD ITEM("a", "1"),
		HEAD ITEM("a", "") TAIL, HEAD ITEM("a", "-1") TAIL,
		HEAD ITEM("a", "1x") TAIL,
		HEAD ITEM("a", "18446744073709551616") TAIL,
		HEAD ITEM("", "1") TAIL, HEAD "<CommonPrefixes/>" TAIL,
		HEAD "<IsTruncated>true</IsTruncated>" TAIL,
		HEAD ITEM("a%00", "1") "<EncodingType>url</EncodingType>" TAIL,
		HEAD ITEM("a%4", "1") "<EncodingType>url</EncodingType>" TAIL,
		HEAD ITEM("a%zz", "1") "<EncodingType>url</EncodingType>" TAIL,
		"<!DOCTYPE a [<!ENTITY x \"y\">]><ListBucketResult>" ITEM(
			"&x;", "1") TAIL,
		"<!DOCTYPE ListBucketResult><ListBucketResult/>",
		HEAD ITEM("&x;", "1") TAIL };
	struct s3_page p;
	(void)state;

	for (size_t i = 0; i < n_elements(bad); i++) {
		if (page_of(bad[i], &p) != -EUCLEAN)
			fail_msg("taken: %s", bad[i]);
		assert_null(p.items);
	}
}

static void
depth_names_and_texts_are_bounded(void **state)
{
	auto_buf struct buf deep = BUF_INIT, name = BUF_INIT, text = BUF_INIT;
	struct s3_page p;
	(void)state;

	assert_int_equal(page_of(HEAD "<a><b><c><d><e><f><g/></f></e></d></c>"
				      "</b></a>" TAIL,
				 &p),
		0);
	assert_int_equal(page_of(HEAD "<a><b><c><d><e><f><g><h/></g></f></e>"
				      "</d></c></b></a>" TAIL,
				 &p),
		-EUCLEAN);
	for (int i = 0; i < 100000; i++)
		buf_printf(&deep, "<ListBucketResult>");
	buf_append(&deep, "", 1);
	assert_int_equal(page_of((char *)deep.data, &p), -EUCLEAN);
	buf_printf(&name, "%s<%0100d/>%s", HEAD, 7, TAIL);
	buf_append(&name, "", 1);
	name.data[strlen(HEAD) + 1] = 'n';
	assert_int_equal(page_of((char *)name.data, &p), -EUCLEAN);
	buf_printf(&text, "%s<Name>%05000d</Name>%s", HEAD, 7, TAIL);
	buf_append(&text, "", 1);
	assert_int_equal(page_of((char *)text.data, &p), -EUCLEAN);
}

static void
an_error_is_told_from_other_answers(void **state)
{
	static const char good[] =
		"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code>"
		"<Message>Less &lt;please&gt;</Message>"
		"<Region>eu-1</Region></Error>";
	static const char *const none[] = { "", "<html>", "not XML",
		("<CompleteMultipartUploadResult><Error><Code>x</Code></Error>"
		 "</CompleteMultipartUploadResult>"),
		"<Errors><Code>x</Code></Errors>" };
	struct s3_error x;
	(void)state;

	assert_true(s3_xml_error(good, strlen(good), &x));
	assert_string_equal(x.code, "SlowDown");
	assert_string_equal(x.message, "Less <please>");
	assert_string_equal(x.region, "eu-1");
	assert_true(s3_xml_error("\n \n<Error/>", 11, &x));
	for (size_t i = 0; i < n_elements(none); i++)
		assert_false(s3_xml_error(none[i], strlen(none[i]), &x));
}

static void
a_value_is_found_by_its_path(void **state)
{
	static const char xml[] =
		"<A><B><C>other</C></B><C>this</C><C>late</C></A>";
	char value[8];
	(void)state;

	assert_int_equal(
		s3_xml_value(xml, strlen(xml), "A/C", value, sizeof(value)), 0);
	assert_string_equal(value, "this");
	assert_int_equal(
		s3_xml_value(xml, strlen(xml), "A/C", value, 4), -ERANGE);
	assert_int_equal(
		s3_xml_value(xml, strlen(xml), "A/D", value, sizeof(value)),
		-ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_read),
		cmocka_unit_test(items_have_times_and_folders_stand_among_them),
		cmocka_unit_test(a_time_is_one_of_utc_or_none),
		cmocka_unit_test(what_is_no_page_is_refused),
		cmocka_unit_test(depth_names_and_texts_are_bounded),
		cmocka_unit_test(an_error_is_told_from_other_answers),
		cmocka_unit_test(a_value_is_found_by_its_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
