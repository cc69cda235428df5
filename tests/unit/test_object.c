/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers, trailers, names of packs, tables of solid frames and of packs. */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/crypto/seal.h"
#include "repo/format/object.h"

static void
fill(uint8_t *p, size_t n, uint8_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(from + i);
}

static void
a_header_comes_back(void **state)
{
	struct object_header h = { .type = OBJECT_CATALOG }, back;
	uint8_t bytes[OBJECT_HEADER_LEN];

	(void)state;
	fill(h.id, sizeof(h.id), 0xa0);
	fill(h.repository_id, sizeof(h.repository_id), 0);
	object_header_encode(bytes, &h);
	assert_int_equal(object_header_decode(bytes, &back, NULL), 0);
	assert_memory_equal(&back, &h, sizeof(h));
}

static void
a_header_with_any_other_byte_is_refused(void **state)
{
	struct object_header h = { .type = OBJECT_DATA }, back;
	uint8_t bytes[OBJECT_HEADER_LEN];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		int r, newer = i >= 8 ? -EPROTONOSUPPORT : -EUCLEAN;

		if (i == 10 || (i >= 16 && i < 48)) /* type and ids */
			continue;
		for (int bit = 0; bit < 8; bit++) {
			object_header_encode(bytes, &h);
			bytes[i] ^= (uint8_t)(1 << bit);
			r = object_header_decode(bytes, &back, &e);
			assert_int_equal(r, newer);
		}
	}
}

static void
a_trailer_comes_back(void **state)
{
	static const struct object_trailer ts[] = { { 0, 0 }, { 64, 100 },
		{ UINT64_MAX, UINT32_MAX } };

	(void)state;
	for (size_t i = 0; i < n_elements(ts); i++) {
		uint8_t bytes[OBJECT_TRAILER_LEN];
		struct object_trailer back;

		object_trailer_encode(bytes, &ts[i]);
		assert_int_equal(object_trailer_decode(bytes, &back, NULL), 0);
		assert_int_equal(back.toc_off, ts[i].toc_off);
		assert_int_equal(back.toc_len, ts[i].toc_len);
	}
}

static void
a_trailer_with_any_other_byte_is_refused(void **state)
{
	struct object_trailer t = { 64, 100 }, back;
	uint8_t bytes[OBJECT_TRAILER_LEN];

	(void)state;
	for (size_t i = 12; i < sizeof(bytes); i++) {
		object_trailer_encode(bytes, &t);
		bytes[i] ^= 1;
		assert_int_equal(
			object_trailer_decode(bytes, &back, NULL), -EUCLEAN);
	}
}

static void
packs_are_named_by_type_and_id(void **state)
{
	char name[OBJECT_NAME_MAX];
	uint8_t id[OBJECT_ID_LEN];

	(void)state;
	fill(id, sizeof(id), 0xf8);
	object_pack_name(name, OBJECT_DATA, id);
	assert_string_equal(name, "data/f8/f8f9fafbfcfdfeff0001020304050607");
	object_pack_name(name, OBJECT_META, id);
	assert_string_equal(name, "meta/f8/f8f9fafbfcfdfeff0001020304050607");
}

/* -- Solid frames --------------------------------------------------------- */

static int
decode_solid(const struct buf *b, uint32_t *n)
{
	auto_free uint8_t *exact = xmemdup(b->data, b->len);
	const uint8_t *lens;

	return solid_table_decode(exact, b->len, &lens, n, NULL);
}

static void
a_table_of_chunks_comes_back(void **state)
{
	static const uint32_t lens[] = { 3, 0, 5 };
	auto_buf struct buf b = BUF_INIT;
	const uint8_t *back;
	uint32_t n;

	(void)state;
	buf_append(&b, "abcdefgh", 8);
	solid_table_encode(&b, lens, 3);
	assert_int_equal(solid_table_decode(b.data, b.len, &back, &n, NULL), 0);
	assert_int_equal(n, 3);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(get_be32(back + 4 * i), lens[i]);
}

static void
a_table_that_does_not_add_up_is_refused(void **state)
{
	static const uint32_t lens[] = { 3, 5 };
	auto_buf struct buf b = BUF_INIT;
	uint32_t n;

	(void)state;
	buf_append(&b, "abcdefgh", 8);
	solid_table_encode(&b, lens, 2);
	assert_int_equal(decode_solid(&b, &n), 0);
	for (size_t i = 8; i < b.len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			b.data[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(decode_solid(&b, &n), -EUCLEAN);
			b.data[i] ^= (uint8_t)(1 << bit);
		}
	}
	for (; b.len > 0; b.len--) {
		if (b.len < 20)
			assert_int_equal(decode_solid(&b, &n), -EUCLEAN);
	}
}

static void
lengths_whose_sum_overflows_are_refused(void **state)
{
	static const uint32_t lens[] = { UINT32_MAX, 9 }; /* 8 modulo 2^32 */
	auto_buf struct buf b = BUF_INIT;
	uint32_t n;

	(void)state;
	buf_append(&b, "abcdefgh", 8);
	solid_table_encode(&b, lens, 2);
	assert_int_equal(decode_solid(&b, &n), -EUCLEAN);
}

/* -- Tables of contents ------------------------------------------------------
 */

/* Frame 1 holds one chunk, frame 2 three and their table, and so on. */
static void
make_toc(struct toc *t, uint32_t n_frames)
{
	uint64_t off = OBJECT_HEADER_LEN;
	uint8_t id[CHUNK_KEY_LEN];

	for (uint32_t i = 0; i < n_frames; i++) {
		uint32_t n = i % 2 ? 3 : 1, len = 1000 + i * 7;
		uint32_t plain = n * 500 + (n > 1 ? 4 * n + 4 : 0);

		toc_add_frame(t, FRAME_DATA, off, len, plain);
		for (uint32_t k = 0; k < n; k++) {
			fill(id, sizeof(id), (uint8_t)(i + k));
			toc_add_chunk(t, id, k * 500, 500);
		}
		off += len;
	}
}

static void
assert_same_toc(const struct toc *a, const struct toc *b)
{
	assert_int_equal(a->n_frames, b->n_frames);
	assert_int_equal(a->n_chunks, b->n_chunks);
	for (uint32_t i = 0; i < a->n_frames; i++) {
		const struct toc_frame *x = &a->frames[i], *y = &b->frames[i];

		assert_int_equal(x->off, y->off);
		assert_int_equal(x->len, y->len);
		assert_int_equal(x->plain_len, y->plain_len);
		assert_int_equal(x->n_chunks, y->n_chunks);
		assert_int_equal(x->first_chunk, y->first_chunk);
		assert_int_equal(x->type, y->type);
	}
	for (uint32_t i = 0; i < a->n_chunks; i++)
		assert_memory_equal(
			&a->chunks[i], &b->chunks[i], sizeof(a->chunks[i]));
}

static void
a_table_of_contents_comes_back(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 300; n = n * 2 + 1) {
		auto_toc struct toc t = TOC_INIT, back = TOC_INIT;
		auto_buf struct buf b = BUF_INIT;

		make_toc(&t, n);
		toc_encode(&t, &b);
		assert_int_equal(toc_decode(b.data, b.len, &back, NULL), 0);
		assert_same_toc(&t, &back);
	}
}

static int
decode_toc(const uint8_t *data, size_t len)
{
	auto_free uint8_t *exact = xmemdup(data, len);
	auto_toc struct toc t = TOC_INIT;

	return toc_decode(exact, len, &t, NULL);
}

static void
a_table_of_contents_cut_or_too_long_is_refused(void **state)
{
	auto_toc struct toc t = TOC_INIT;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	make_toc(&t, 9);
	toc_encode(&t, &b);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(decode_toc(b.data, len), -EUCLEAN);
	for (int i = 0; i < 50; i++) {
		buf_u8(&b, 0);
		assert_int_equal(decode_toc(b.data, b.len), -EUCLEAN);
	}
}

/* Varints of counts, one frame of the given lengths, n ids. */
static int
one_frame(uint8_t type, uint64_t len, uint64_t plain, uint64_t n,
	const uint64_t *lens)
{
	auto_buf struct buf b = BUF_INIT;

	buf_varint(&b, 1);
	buf_varint(&b, n);
	buf_u8(&b, type);
	buf_varint(&b, len);
	buf_varint(&b, plain);
	buf_varint(&b, n);
	for (uint64_t i = 0; i < n; i++)
		buf_varint(&b, lens[i]);
	buf_zeros(&b, n * CHUNK_KEY_LEN);
	return decode_toc(b.data, b.len);
}

static void
frames_that_chunks_do_not_fill_are_refused(void **state)
{
	(void)state;
	assert_int_equal(
		one_frame(FRAME_DATA, 90, 100, 1, (uint64_t[]){ 100 }), 0);
	assert_int_equal(one_frame(FRAME_DATA, 90, 100, 1, (uint64_t[]){ 92 }),
		0); /* a solid frame of one */
	assert_int_equal(one_frame(FRAME_DATA, 90, 100, 1, (uint64_t[]){ 99 }),
		-EUCLEAN);
	assert_int_equal(one_frame(FRAME_DATA, 90, 100, 1, (uint64_t[]){ 101 }),
		-EUCLEAN);
	assert_int_equal(
		one_frame(FRAME_DATA, 90, 100, 2, (uint64_t[]){ 80, 8 }), 0);
	assert_int_equal(
		one_frame(FRAME_DATA, 90, 100, 2, (uint64_t[]){ 92, 8 }),
		-EUCLEAN);
	assert_int_equal(one_frame(FRAME_DATA, 90, 0, 0, NULL), -EUCLEAN);
	assert_int_equal(one_frame(FRAME_DATA, 90, 4, 0, NULL), -EUCLEAN);
}

static void
more_ids_than_chunks_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	buf_varint(&b, 1);
	buf_varint(&b, 9);
	buf_append(&b, "\1\x40\x64\1\x64", 5);
	buf_zeros(&b, (size_t)9 * CHUNK_KEY_LEN);
	assert_int_equal(decode_toc(b.data, b.len), -EUCLEAN);
	b.data[1] = 1;
	assert_int_equal(decode_toc(b.data, 7 + CHUNK_KEY_LEN), 0);
}

static void
frames_out_of_their_bounds_are_refused(void **state)
{
	const uint64_t max = FRAME_PLAIN_MAX;

	(void)state;
	assert_int_equal(one_frame(FRAME_PAGES, FRAME_SEALED_MAX, max, 1,
				 (uint64_t[]){ max }),
		0);
	assert_int_equal(one_frame(FRAME_PAGES, FRAME_SEALED_MAX + 1, max, 1,
				 (uint64_t[]){ max }),
		-EUCLEAN);
	assert_int_equal(one_frame(FRAME_PAGES, FRAME_SEALED_MAX, max + 1, 1,
				 (uint64_t[]){ max + 1 }),
		-EUCLEAN);
	assert_int_equal(one_frame(FRAME_DATA, FRAME_OVERHEAD - 1, 9, 1,
				 (uint64_t[]){ 9 }),
		-EUCLEAN);
	for (uint8_t type = 0; type < 10; type++) {
		int ok = type == FRAME_DATA || type == FRAME_PAGES;

		assert_int_equal(one_frame(type, 90, 9, 1, (uint64_t[]){ 9 }),
			ok ? 0 : -EUCLEAN);
	}
}

static void
counts_that_exceed_the_table_are_refused(void **state)
{
	(void)state;
	for (int shift = 0; shift < 64; shift++) {
		auto_buf struct buf frames = BUF_INIT, chunks = BUF_INIT;

		buf_varint(&frames, 1ULL << shift);
		buf_varint(&frames, 0);
		assert_int_equal(decode_toc(frames.data, frames.len), -EUCLEAN);
		buf_varint(&chunks, 0);
		buf_varint(&chunks, 1ULL << shift);
		assert_int_equal(decode_toc(chunks.data, chunks.len), -EUCLEAN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_comes_back),
		cmocka_unit_test(a_header_with_any_other_byte_is_refused),
		cmocka_unit_test(a_trailer_comes_back),
		cmocka_unit_test(a_trailer_with_any_other_byte_is_refused),
		cmocka_unit_test(packs_are_named_by_type_and_id),
		cmocka_unit_test(a_table_of_chunks_comes_back),
		cmocka_unit_test(a_table_that_does_not_add_up_is_refused),
		cmocka_unit_test(lengths_whose_sum_overflows_are_refused),
		cmocka_unit_test(a_table_of_contents_comes_back),
		cmocka_unit_test(
			a_table_of_contents_cut_or_too_long_is_refused),
		cmocka_unit_test(frames_that_chunks_do_not_fill_are_refused),
		cmocka_unit_test(more_ids_than_chunks_are_refused),
		cmocka_unit_test(frames_out_of_their_bounds_are_refused),
		cmocka_unit_test(counts_that_exceed_the_table_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
