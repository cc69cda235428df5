/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects packed by zlib and libzstd themselves. */
#include <errno.h>
#include <stdio.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/foreign/gzip.h"
#include "repo/foreign/unpack.h"

#define PLAIN_LEN 300000

static uint8_t plain[PLAIN_LEN];
static char dir[] = "/tmp/yore-test-XXXXXX";
static struct store *store;

static size_t
pack_gzip(const void *data, size_t len, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
		.avail_in = (uInt)len,
		.next_out = out,
		.avail_out = (uInt)room };

	assert_int_equal(Z_OK,
		deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY));
	assert_int_equal(Z_STREAM_END, deflate(&z, Z_FINISH));
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t
pack_lz4(const void *data, size_t len, uint8_t *out)
{
	LZ4F_preferences_t p = {
		.frameInfo = { .contentChecksumFlag =
				       LZ4F_contentChecksumEnabled }
	};

	return LZ4F_compressFrame(out, 2 * PLAIN_LEN, data, len, &p);
}

static size_t
pack(enum unpack_kind kind, const void *data, size_t len, uint8_t *out)
{
	if (kind == UNPACK_GZIP)
		return pack_gzip(data, len, out, 2 * PLAIN_LEN);
	if (kind == UNPACK_LZ4)
		return pack_lz4(data, len, out);
	return ZSTD_compress(out, 2 * PLAIN_LEN, data, len, 3);
}

static void
put(const void *data, size_t len)
{
	auto_free char *path = xasprintf("%s/x", dir);
	auto_fclose FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(len, fwrite(data, 1, len, f));
}

/* Decode object x of size bytes step by step; 0 and *len, or the error. */
static ssize_t
unpack(enum unpack_kind kind, uint64_t size, size_t step, uint64_t max)
{
	auto_unpack struct unpack *u = unpack_new(store, "x", size, kind, max);
	auto_free uint8_t *out = xmalloc(step);
	size_t len = 0;
	ssize_t n;

	while ((n = unpack_read(u, out, step, NULL)) > 0) {
		assert_true((size_t)n <= step && len + (size_t)n <= PLAIN_LEN);
		assert_memory_equal(plain + len, out, n);
		len += (size_t)n;
		assert_true(len == unpack_off(u));
	}
	return n < 0 ? n : (ssize_t)len;
}

static void
objects_of_any_length_come_back(void **state)
{
	static const size_t lens[] = { 0, 1, 1000, 65536, PLAIN_LEN };
	auto_free uint8_t *packed = xmalloc(2 * PLAIN_LEN);

	(void)state;
	for (int kind = UNPACK_GZIP; kind <= UNPACK_LZ4; kind++) {
		for (size_t i = 0; i < n_elements(lens); i++) {
			size_t n = pack(kind, plain, lens[i], packed);

			put(packed, n);
			for (size_t step = 7; step < 1u << 20; step *= 11)
				assert_int_equal(lens[i],
					unpack(kind, n, step, lens[i]));
		}
	}
}

static void
what_decodes_to_too_much_is_refused(void **state)
{
	auto_free uint8_t *packed = xmalloc(2 * PLAIN_LEN);

	(void)state;
	for (int kind = UNPACK_GZIP; kind <= UNPACK_LZ4; kind++) {
		size_t n = pack(kind, plain, 5000, packed);

		put(packed, n);
		assert_int_equal(5000, unpack(kind, n, 64, 5000));
		assert_int_equal(-EUCLEAN, unpack(kind, n, 64, 4999));
	}
}

static void
what_is_cut_off_anywhere_is_refused(void **state)
{
	auto_free uint8_t *packed = xmalloc(2 * PLAIN_LEN);

	(void)state;
	for (int kind = UNPACK_GZIP; kind <= UNPACK_LZ4; kind++) {
		size_t n = pack(kind, plain, 500, packed);

		for (size_t len = 0; len < n; len++) {
			put(packed, len);
			assert_int_equal(
				-EBADMSG, unpack(kind, len, 4096, PLAIN_LEN));
			/* nor is it as long as the listing said */
			assert_int_equal(
				-EBADMSG, unpack(kind, n, 4096, PLAIN_LEN));
		}
	}
}

static void
what_follows_the_end_is_refused(void **state)
{
	auto_free uint8_t *packed = xmalloc(2 * PLAIN_LEN);

	(void)state;
	for (int kind = UNPACK_GZIP; kind <= UNPACK_LZ4; kind++) {
		size_t n = pack(kind, plain, 500, packed);

		memcpy(packed + n, packed, n); /* another member, frame */
		put(packed, 2 * n);
		assert_int_equal(
			-EBADMSG, unpack(kind, 2 * n, 4096, PLAIN_LEN));
		packed[n] = 0;
		put(packed, n + 1);
		assert_int_equal(
			-EBADMSG, unpack(kind, n + 1, 4096, PLAIN_LEN));
	}
}

static void
skippable_frames_and_raw_deflate_are_refused(void **state)
{
	static const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0,
		'x' };
	auto_free uint8_t *packed = xmalloc(2 * PLAIN_LEN);
	uLongf n = 2 * PLAIN_LEN;

	(void)state;
	put(skippable, sizeof(skippable));
	assert_int_equal(-EBADMSG,
		unpack(UNPACK_ZSTD, sizeof(skippable), 64, PLAIN_LEN));
	assert_int_equal(Z_OK, compress(packed, &n, plain, 500));
	put(packed, n);
	assert_int_equal(-EBADMSG, unpack(UNPACK_GZIP, n, 64, PLAIN_LEN));
}

/* gzip ends with a sum: what is decoded to its end is right.  (The frames that
 * ZSTD_compress makes have none.) */
static void
no_flipped_bit_of_gzip_gives_wrong_bytes(void **state)
{
	auto_free uint8_t *packed = xmalloc(2 * PLAIN_LEN);
	size_t n = pack(UNPACK_GZIP, plain, 500, packed), refused = 0;

	(void)state;
	for (size_t bit = 0; bit < n * 8; bit++) {
		packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		put(packed, n);
		auto_unpack struct unpack *u =
			unpack_new(store, "x", n, UNPACK_GZIP, PLAIN_LEN);
		auto_free uint8_t *out = xmalloc(PLAIN_LEN);
		size_t len = 0;
		ssize_t got;

		while ((got = unpack_read(
				u, out + len, PLAIN_LEN - len, NULL)) > 0)
			len += (size_t)got;
		refused += got < 0;
		if (got == 0) {
			assert_int_equal(500, len);
			assert_memory_equal(plain, out, 500);
		}
		packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* but for bits of the header, and those that fill its last byte up */
	assert_true(refused >= (n - 10) * 8 - 8);
}

static void
what_is_not_packed_is_passed_on(void **state)
{
	(void)state;
	put(plain, 5000);
	assert_int_equal(5000, unpack(UNPACK_PLAIN, 5000, 7, 5000));
	assert_int_equal(100, unpack(UNPACK_PLAIN, 100, 4096, PLAIN_LEN));
	assert_int_equal(0, unpack(UNPACK_PLAIN, 0, 4096, PLAIN_LEN));
	assert_int_equal(-EUCLEAN, unpack(UNPACK_PLAIN, 5000, 7, 4999));
	assert_int_equal(-EBADMSG, unpack(UNPACK_PLAIN, 5001, 4096, PLAIN_LEN));
}

static void
the_sum_is_that_of_the_standard(void **state)
{
	(void)state;
	assert_int_equal(0xcbf43926, gzip_crc32(0, "123456789", 9));
	assert_int_equal(
		0xcbf43926, gzip_crc32(gzip_crc32(0, "1234", 4), "56789", 5));
	assert_int_equal(0, gzip_crc32(0, "", 0));
}

static int
set_up(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < PLAIN_LEN; i++) {
		x = x * 1664525 + 1013904223;
		plain[i] = i % 1000 < 500 ? (uint8_t)(x >> 24) : 'a';
	}
	return !mkdtemp(dir) || store_open(dir, &store, NULL);
}

static int
tear_down(void **state)
{
	(void)state;
	auto_free char *path = xasprintf("%s/x", dir);

	store_free(store);
	unlink(path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_any_length_come_back),
		cmocka_unit_test(what_decodes_to_too_much_is_refused),
		cmocka_unit_test(what_is_cut_off_anywhere_is_refused),
		cmocka_unit_test(what_follows_the_end_is_refused),
		cmocka_unit_test(skippable_frames_and_raw_deflate_are_refused),
		cmocka_unit_test(no_flipped_bit_of_gzip_gives_wrong_bytes),
		cmocka_unit_test(what_is_not_packed_is_passed_on),
		cmocka_unit_test(the_sum_is_that_of_the_standard),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
