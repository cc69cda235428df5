/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include "repo/base/buf.h"
#include "repo/foreign/lz4.h"

#define LEN (9u << 20) /* three blocks of 4 MiB */

static uint8_t *plain;

static int
make_plain(void **state)
{
	uint32_t x = 1;

	(void)state;
	plain = xmalloc(LEN);
	for (size_t i = 0; i < LEN; i++) {
		x = x * 1664525u + 1013904223u;
		plain[i] =
			i / 4096 % 3 ? (uint8_t)(x >> 24) : (uint8_t)(i / 64);
	}
	return 0;
}

static int
drop_plain(void **state)
{
	(void)state;
	free(plain);
	return 0;
}

/* A frame of the first len bytes; sum: with one of the content. */
static struct buf
frame_of(size_t len, bool sum)
{
	struct buf b = BUF_INIT;
	LZ4F_preferences_t p = { .frameInfo = { .blockSizeID = LZ4F_max4MB,
					 .blockMode = LZ4F_blockIndependent } };

	if (sum)
		p.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	size_t room = LZ4F_compressFrameBound(len, &p);
	size_t n =
		LZ4F_compressFrame(buf_reserve(&b, room), room, plain, len, &p);

	assert_false(LZ4F_isError(n));
	b.len = n;
	return b;
}

static void
a_block_comes_back(void **state)
{
	char in[1200], out[1000];
	int n = LZ4_compress_default(
		(const char *)plain, in, sizeof(out), sizeof(in));

	(void)state;
	assert_true(n > 0);
	assert_int_equal(lz4_block(in, (size_t)n, out, 1000, NULL), 0);
	assert_memory_equal(out, plain, 1000);
}

static void
a_block_of_another_length_is_refused(void **state)
{
	char in[1200], out[1001];
	int n = LZ4_compress_default((const char *)plain, in, 1000, sizeof(in));
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(lz4_block(in, (size_t)n, out, 1001, &e), -EBADMSG);
	assert_int_equal(lz4_block(in, (size_t)n, out, 999, &e), -EBADMSG);
	assert_int_equal(lz4_block(in, (size_t)n - 1, out, 1000, &e), -EBADMSG);
	assert_int_equal(lz4_block(in, 0, out, 1000, &e), -EBADMSG);
	assert_string_equal(
		e.text, "an LZ4 block of 0 bytes does not hold 1000");
}

static void
a_frame_comes_back_and_says_where_it_ends(void **state)
{
	auto_buf struct buf b = frame_of(LEN, true);
	auto_free uint8_t *out = xmalloc(LEN);
	size_t len = b.len, used = 0;

	(void)state;
	assert_int_equal(lz4_frame(b.data, len, out, LEN, NULL, NULL), 0);
	assert_memory_equal(out, plain, LEN);
	buf_append(&b, "next", 4);
	assert_int_equal(lz4_frame(b.data, b.len, out, LEN, &used, NULL), 0);
	assert_int_equal(used, len);
	assert_int_equal(
		lz4_frame(b.data, b.len, out, LEN, NULL, NULL), -EBADMSG);
}

static void
a_frame_of_another_length_is_refused(void **state)
{
	auto_buf struct buf b = frame_of(5000, false);
	uint8_t out[5001];

	(void)state;
	assert_int_equal(lz4_frame(b.data, b.len, out, 5000, NULL, NULL), 0);
	assert_int_equal(
		lz4_frame(b.data, b.len, out, 5001, NULL, NULL), -EBADMSG);
	assert_int_equal(
		lz4_frame(b.data, b.len, out, 4999, NULL, NULL), -EBADMSG);
	assert_int_equal(
		lz4_frame(b.data, b.len, out, 0, NULL, NULL), -EBADMSG);
}

static void
no_length_short_of_a_frame_is_one(void **state)
{
	auto_buf struct buf b = frame_of(5000, true);
	uint8_t out[5000];

	(void)state;
	for (size_t len = 0; len < b.len; len++) {
		auto_free uint8_t *cut = xmemdup(b.data, len);

		assert_int_equal(
			lz4_frame(cut, len, out, 5000, NULL, NULL), -EBADMSG);
	}
}

static void
no_bit_of_a_frame_with_a_sum_changes_what_it_holds(void **state)
{
	auto_buf struct buf b = frame_of(5000, true);
	uint8_t out[5000];
	unsigned refused = 0;

	(void)state;
	for (size_t bit = 0; bit < 8 * b.len; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (lz4_frame(b.data, b.len, out, 5000, NULL, NULL) == 0)
			assert_memory_equal(out, plain, 5000);
		else
			refused++;
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_true(refused > 8 * b.len - 16);
}

/* Decode in pieces of these sizes; the bytes that came, or the error. */
static int
decode(const struct buf *b, size_t n_in, size_t n_out, struct buf *got)
{
	auto_lz4_stream struct lz4_stream *s = lz4_stream_new();
	size_t at = 0;
	int r = 0;

	while (r == 0) {
		size_t in = b->len - at < n_in ? b->len - at : n_in;
		size_t out = n_out;

		r = lz4_stream_decode(s, b->data + at, &in,
			buf_reserve(got, n_out), &out, NULL);
		if (r == 0 && in == 0 && out == 0)
			return -ENODATA;
		at += in;
		got->len += r < 0 ? 0 : out;
	}
	return r;
}

static void
a_stream_gives_the_same_in_pieces_of_any_size(void **state)
{
	static const size_t sizes[][2] = { { 1, 100 }, { 7, 4096 },
		{ 65536, 65536 }, { 100000, 1 << 22 }, { 1 << 23, 5000 } };
	auto_buf struct buf b = frame_of(LEN, true);

	(void)state;
	for (size_t i = 0; i < n_elements(sizes); i++) {
		auto_buf struct buf got = BUF_INIT;

		assert_int_equal(decode(&b, sizes[i][0], sizes[i][1], &got), 1);
		assert_int_equal(got.len, LEN);
		assert_memory_equal(got.data, plain, LEN);
	}
}

static void
a_stream_that_is_cut_off_never_ends(void **state)
{
	auto_buf struct buf b = frame_of(100000, true);

	(void)state;
	for (b.len -= 1; b.len > 1000; b.len -= 997) {
		auto_buf struct buf got = BUF_INIT;

		assert_int_equal(decode(&b, 4096, 4096, &got), -ENODATA);
	}
}

static void
a_stream_without_a_sum_is_refused(void **state)
{
	auto_buf struct buf b = frame_of(5000, false);
	auto_buf struct buf got = BUF_INIT;

	(void)state;
	assert_int_equal(decode(&b, 4096, 4096, &got), -EBADMSG);
	assert_int_equal(decode(&b, 1, 4096, &got), -EBADMSG);
	assert_int_equal(got.len, 0);
}

static void
what_is_no_frame_is_refused(void **state)
{
	static const char *const wrong[] = {
		"\x50\x2a\x4d\x18\4\0\0\0skip", /* a skippable frame */
		"\x02\x21\x4c\x18\4\0\0\0old!", /* the old format */
		"\x28\xb5\x2f\xfd\4\0\0\0zstd", "age-encryption.org/v1",
		"SQLite format 3"
	};
	uint8_t out[100];

	(void)state;
	for (size_t i = 0; i < n_elements(wrong); i++)
		assert_int_equal(lz4_frame(wrong[i], 12, out, 100, NULL, NULL),
			-EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_comes_back),
		cmocka_unit_test(a_block_of_another_length_is_refused),
		cmocka_unit_test(a_frame_comes_back_and_says_where_it_ends),
		cmocka_unit_test(a_frame_of_another_length_is_refused),
		cmocka_unit_test(no_length_short_of_a_frame_is_one),
		cmocka_unit_test(
			no_bit_of_a_frame_with_a_sum_changes_what_it_holds),
		cmocka_unit_test(a_stream_gives_the_same_in_pieces_of_any_size),
		cmocka_unit_test(a_stream_that_is_cut_off_never_ends),
		cmocka_unit_test(a_stream_without_a_sum_is_refused),
		cmocka_unit_test(what_is_no_frame_is_refused),
	};

	return cmocka_run_group_tests(tests, make_plain, drop_plain);
}
