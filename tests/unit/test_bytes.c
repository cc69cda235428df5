/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "repo/base/bytes.h"

/* A reader over a literal, its terminator left out. */
#define READER(literal) reader_of(literal, sizeof(literal) - 1)

static void
assert_refused(struct reader r)
{
	assert_int_equal(read_varint(&r), 0);
	assert_true(r.bad);
	assert_int_equal(reader_left(&r), 0);
}

static void
integers_are_big_endian(void **state)
{
	static const uint8_t expected[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
		12, 13, 14, 15 };
	auto_buf struct buf b = BUF_INIT;
	struct reader r;

	(void)state;
	buf_u8(&b, 1);
	buf_be16(&b, 0x0203);
	buf_be32(&b, 0x04050607);
	buf_be64(&b, 0x08090a0b0c0d0e0f);
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));

	r = reader_of(b.data, b.len);
	assert_int_equal(read_u8(&r), 1);
	assert_int_equal(read_be16(&r), 0x0203);
	assert_int_equal(read_be32(&r), 0x04050607);
	assert_true(read_be64(&r) == 0x08090a0b0c0d0e0f);
	assert_int_equal(reader_left(&r), 0);
	assert_false(r.bad);
}

static void
varints_have_the_documented_bytes(void **state)
{
	static const struct {
		uint64_t value;
		size_t len;
		const char *bytes;
	} known[] = {
		{ 0, 1, "\x00" },
		{ 1, 1, "\x01" },
		{ 127, 1, "\x7f" },
		{ 128, 2, "\x80\x01" },
		{ 300, 2, "\xac\x02" },
		{ 16383, 2, "\xff\x7f" },
		{ 16384, 3, "\x80\x80\x01" },
		{ UINT64_MAX, 10, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" },
	};
	uint8_t out[VARINT_MAX];

	(void)state;
	for (size_t i = 0; i < n_elements(known); i++) {
		assert_int_equal(put_varint(out, known[i].value), known[i].len);
		assert_memory_equal(out, known[i].bytes, known[i].len);
	}
}

static void
varints_of_every_length_come_back(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int d = -1; d <= 1; d++) {
			uint64_t v = (UINT64_C(1) << bit) + (uint64_t)d;
			uint8_t out[VARINT_MAX];
			size_t len = put_varint(out, v);
			struct reader r = reader_of(out, len);

			assert_int_equal(varint_len(v), len);
			assert_true(read_varint(&r) == v);
			assert_false(r.bad);
			assert_int_equal(reader_left(&r), 0);
		}
	}
}

static void
signed_varints_keep_the_extremes(void **state)
{
	static const int64_t values[] = { 0, -1, 1, -64, 64, INT64_MIN,
		INT64_MAX };
	auto_buf struct buf b = BUF_INIT;
	struct reader r;

	(void)state;
	for (size_t i = 0; i < n_elements(values); i++)
		buf_svarint(&b, values[i]);
	assert_int_equal(b.data[1], 1); /* -1 is one byte */
	r = reader_of(b.data, b.len);
	for (size_t i = 0; i < n_elements(values); i++)
		assert_true(read_svarint(&r) == values[i]);
	assert_false(r.bad);
}

static void
a_truncated_varint_is_refused(void **state)
{
	uint8_t out[VARINT_MAX];

	(void)state;
	for (size_t len = 0; len < put_varint(out, UINT64_MAX); len++)
		assert_refused(reader_of(out, len));
}

static void
a_varint_longer_than_needed_is_refused(void **state)
{
	(void)state;
	assert_refused(READER("\x80\x00"));
	assert_refused(READER("\xff\x00"));
	assert_refused(READER("\x81\x80\x80\x00"));
	assert_refused(READER("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"));
}

static void
a_varint_over_64_bits_is_refused(void **state)
{
	(void)state;
	assert_refused(READER("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
	assert_refused(READER("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f"));
	assert_refused(READER("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01"));
	assert_refused(READER("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));
}

static void
a_read_past_the_end_spoils_the_reader(void **state)
{
	struct reader r = READER("\x01\x02\x03");

	(void)state;
	assert_int_equal(read_be32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(read_u8(&r), 0);
	assert_null(read_bytes(&r, 0));
	assert_int_equal(read_varint(&r), 0);
	assert_int_equal(reader_left(&r), 0);
}

static void
reading_exactly_to_the_end_is_good(void **state)
{
	struct reader r = READER("abc");
	const uint8_t *p = read_bytes(&r, 3);

	(void)state;
	assert_memory_equal(p, "abc", 3);
	assert_non_null(read_bytes(&r, 0));
	assert_false(r.bad);
	assert_null(read_bytes(&r, 1));
	assert_true(r.bad);
}

static void
a_hostile_length_cannot_wrap_around(void **state)
{
	struct reader r = READER("abc");

	(void)state;
	assert_null(read_bytes(&r, SIZE_MAX));
	assert_true(r.bad);
}

static void
an_empty_reader_needs_no_memory(void **state)
{
	struct reader r = reader_of(NULL, 0);

	(void)state;
	assert_int_equal(reader_left(&r), 0);
	assert_non_null(read_bytes(&r, 0));
	assert_false(r.bad);
	assert_int_equal(read_u8(&r), 0);
	assert_true(r.bad);
}

static void
a_value_over_its_bound_is_refused(void **state)
{
	struct reader r = READER("\x05\x05\x05");

	(void)state;
	assert_int_equal(read_bounded(&r, 6), 5);
	assert_int_equal(read_bounded(&r, 5), 5);
	assert_int_equal(read_bounded(&r, 4), 0);
	assert_true(r.bad);
}

static void
a_blob_comes_back_in_place(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct reader r;
	const uint8_t *p;
	size_t len;

	(void)state;
	buf_bytes(&b, "hello", 5);
	buf_bytes(&b, NULL, 0);
	r = reader_of(b.data, b.len);
	p = read_blob(&r, 5, &len);
	assert_ptr_equal(p, b.data + 1);
	assert_int_equal(len, 5);
	assert_non_null(read_blob(&r, 0, &len));
	assert_int_equal(len, 0);
	assert_false(r.bad);
	assert_int_equal(reader_left(&r), 0);
}

static void
a_blob_longer_than_allowed_is_refused(void **state)
{
	struct reader r = READER("\x05hello");
	size_t len = 99;

	(void)state;
	assert_null(read_blob(&r, 4, &len));
	assert_int_equal(len, 0);
	assert_true(r.bad);
}

static void
a_blob_longer_than_the_bytes_is_refused(void **state)
{
	struct reader r = READER("\x06hello");
	struct reader huge =
		READER("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01hello");
	size_t len = 99;

	(void)state;
	assert_null(read_blob(&r, 100, &len));
	assert_int_equal(len, 0);
	assert_null(read_blob(&huge, SIZE_MAX, &len));
	assert_int_equal(len, 0);
	assert_true(huge.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_big_endian),
		cmocka_unit_test(varints_have_the_documented_bytes),
		cmocka_unit_test(varints_of_every_length_come_back),
		cmocka_unit_test(signed_varints_keep_the_extremes),
		cmocka_unit_test(a_truncated_varint_is_refused),
		cmocka_unit_test(a_varint_longer_than_needed_is_refused),
		cmocka_unit_test(a_varint_over_64_bits_is_refused),
		cmocka_unit_test(a_read_past_the_end_spoils_the_reader),
		cmocka_unit_test(reading_exactly_to_the_end_is_good),
		cmocka_unit_test(a_hostile_length_cannot_wrap_around),
		cmocka_unit_test(an_empty_reader_needs_no_memory),
		cmocka_unit_test(a_value_over_its_bound_is_refused),
		cmocka_unit_test(a_blob_comes_back_in_place),
		cmocka_unit_test(a_blob_longer_than_allowed_is_refused),
		cmocka_unit_test(a_blob_longer_than_the_bytes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
