/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "fs/acl.h"
#include "fs/tag_name.h"

static void
expect(const char *tag, const char *name)
{
	char out[TAG_NAME_SIZE];

	assert_true(tag_name_of(tag, out));
	assert_string_equal(out, name);
	assert_true(tag_name_parse(name, out));
	assert_string_equal(out, tag);
}

static void
every_tag_has_a_name_that_leads_back(void **state)
{
	(void)state;
	expect("weekly", "weekly");
	expect("a/b", "a%2Fb");
	expect("100%", "100%25");
	expect("%2F", "%252F");
	expect(".", "%2E");
	expect("..", "%2E%2E");
	expect("...", "...");
	expect("a\n\xff", "a\n\xff");
}

static void
what_no_tag_is_written_as_is_no_name(void **state)
{
	static const char *const wrong[] = { "", "a%2fb", "%41", "%", "a%2",
		"a%2Eb", "%00", ".", ".." };
	char out[TAG_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < n_elements(wrong); i++)
		assert_false(tag_name_parse(wrong[i], out));
}

static void
a_name_has_255_bytes_at_most(void **state)
{
	char tag[300], out[TAG_NAME_SIZE];

	(void)state;
	memset(tag, 'x', sizeof(tag));
	tag[255] = '\0';
	assert_true(tag_name_of(tag, out));
	tag[0] = '/';
	assert_false(tag_name_of(tag, out));
	tag[253] = '\0';
	assert_true(tag_name_of(tag, out));
	tag[253] = 'x';
	tag[255] = 'x';
	tag[256] = '\0';
	assert_false(tag_name_parse(tag, out));
}

/* -- ACLs ---------------------------------------------------------------- */

/* group::r-- mask::rwx */
static const unsigned char acl[] = { 2, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
	16, 0, 7, 0, 255, 255, 255, 255 };

static void
the_group_gets_what_the_acl_gives_it(void **state)
{
	unsigned char tight[sizeof(acl)];

	(void)state;
	assert_int_equal(
		acl_narrow(S_IFREG | 0670, acl, sizeof(acl)), S_IFREG | 0640);
	assert_int_equal(acl_narrow(0677, acl, 12), 0647);
	memcpy(tight, acl, sizeof(acl));
	tight[14] = 2; /* mask::-w- */
	assert_int_equal(acl_narrow(06725, tight, sizeof(tight)), 06705);
}

static void
an_acl_not_understood_gives_the_group_nothing(void **state)
{
	unsigned char other[sizeof(acl)];

	(void)state;
	assert_int_equal(acl_narrow(0777, acl, 0), 0707);
	assert_int_equal(acl_narrow(0777, acl, 3), 0707);
	assert_int_equal(acl_narrow(0777, acl, sizeof(acl) - 1), 0707);
	memcpy(other, acl, sizeof(acl));
	other[0] = 3;
	assert_int_equal(acl_narrow(0777, other, sizeof(other)), 0707);
	assert_int_equal(acl_narrow(0777, acl, 4), 0707); /* no group */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tag_has_a_name_that_leads_back),
		cmocka_unit_test(what_no_tag_is_written_as_is_no_name),
		cmocka_unit_test(a_name_has_255_bytes_at_most),
		cmocka_unit_test(the_group_gets_what_the_acl_gives_it),
		cmocka_unit_test(an_acl_not_understood_gives_the_group_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
