/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/format/entry.h"

/* Pairs counted, or -EUCLEAN. */
static int
count(const uint8_t *data, size_t len)
{
	auto_free uint8_t *exact = xmemdup(data, len);
	const uint8_t *name, *value;
	size_t pos = 0, name_len, value_len;
	int n = 0, r;

	while ((r = xattrs_next(exact, len, &pos, &name, &name_len, &value,
			&value_len)) > 0)
		n++;
	return r ? r : n;
}

static void
pairs_come_back_in_order(void **state)
{
	char long_name[256];
	const char *const names[] = { "a", "security.capability", long_name };
	const void *const values[] = { "", "\0\1\2", "v" };
	const size_t lens[] = { 0, 3, 1 };
	auto_buf struct buf b = BUF_INIT;
	const uint8_t *name, *value;
	size_t pos = 0, name_len, value_len;

	(void)state;
	memset(long_name, 'n', 255);
	long_name[255] = 0;
	xattrs_encode(&b, names, values, lens, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(xattrs_next(b.data, b.len, &pos, &name,
					 &name_len, &value, &value_len),
			1);
		assert_int_equal(name_len, strlen(names[i]));
		assert_memory_equal(name, names[i], name_len);
		assert_int_equal(value_len, lens[i]);
		assert_memory_equal(value, values[i], value_len);
	}
	assert_int_equal(xattrs_next(b.data, b.len, &pos, &name, &name_len,
				 &value, &value_len),
		0);
}

static void
no_attributes_are_no_bytes(void **state)
{
	(void)state;
	assert_int_equal(count((const uint8_t *)"", 0), 0);
}

static void
a_value_of_a_mebibyte_comes_back(void **state)
{
	auto_free uint8_t *value = xcalloc(1, XATTRS_LEN_MAX);
	const char *const name = "user.big";
	const void *const v = value;
	const size_t len = XATTRS_LEN_MAX;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	xattrs_encode(&b, &name, &v, &len, 1);
	assert_int_equal(count(b.data, b.len), 1);
}

static void
pairs_cut_anywhere_are_refused(void **state)
{
	const char *const names[] = { "user.a", "user.b" };
	const void *const values[] = { "one", "two" };
	const size_t lens[] = { 3, 3 };
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	xattrs_encode(&b, names, values, lens, 2);
	for (size_t len = 1; len < b.len; len++)
		assert_int_equal(
			count(b.data, len), len == b.len / 2 ? 1 : -EUCLEAN);
}

static void
names_empty_too_long_or_with_nul_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(count((const uint8_t *)"\0\1x", 3), -EUCLEAN);
	assert_int_equal(count((const uint8_t *)"\3a\0b\1x", 6), -EUCLEAN);
	buf_varint(&b, 256);
	memset(buf_zeros(&b, 256), 'n', 256);
	buf_bytes(&b, "v", 1);
	assert_int_equal(count(b.data, b.len), -EUCLEAN);
}

static void
a_value_over_a_mebibyte_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	buf_bytes(&b, "n", 1);
	buf_varint(&b, XATTRS_LEN_MAX + 1);
	buf_zeros(&b, XATTRS_LEN_MAX + 1);
	assert_int_equal(count(b.data, b.len), -EUCLEAN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_come_back_in_order),
		cmocka_unit_test(no_attributes_are_no_bytes),
		cmocka_unit_test(a_value_of_a_mebibyte_comes_back),
		cmocka_unit_test(pairs_cut_anywhere_are_refused),
		cmocka_unit_test(names_empty_too_long_or_with_nul_are_refused),
		cmocka_unit_test(a_value_over_a_mebibyte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
