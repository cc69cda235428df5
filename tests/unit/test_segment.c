/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages and directories of index segments, and their names. */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/format/segment.h"

static void
make_entries(struct segment_entry *en, uint32_t n)
{
	memset(en, 0, n * sizeof(*en));
	for (uint32_t i = 0; i < n; i++) {
		put_be32(en[i].id, i * 3);
		put_be32(en[i].id + 8, ~i);
		en[i].pack = i % 3 ? i % 7 : SEGMENT_PACKS_MAX;
		en[i].frame_off = i % 2 ? 64 + i : 1ULL << 48;
		en[i].frame_len = i % 5 ? 4096 + i : 17u << 20;
		en[i].chunk_off = i % 4 ? i : 16u << 20;
		en[i].chunk_len = i % 4 ? (16u << 20) - i : 0;
	}
}

static int
decode_page(const uint8_t *data, size_t len)
{
	auto_free uint8_t *exact = xmemdup(data, len);
	auto_free struct segment_entry *en = NULL;
	uint32_t n;

	return segment_page_decode(exact, len, &en, &n, NULL);
}

static void
a_page_comes_back(void **state)
{
	struct segment_entry en[SEGMENT_PAGE_ENTRIES];

	(void)state;
	for (uint32_t n = 1; n <= SEGMENT_PAGE_ENTRIES; n++) {
		auto_free struct segment_entry *back = NULL;
		auto_buf struct buf b = BUF_INIT;
		uint32_t m;

		make_entries(en, n);
		segment_page_encode(en, n, &b);
		assert_int_equal(
			segment_page_decode(b.data, b.len, &back, &m, NULL), 0);
		assert_int_equal(m, n);
		for (uint32_t i = 0; i < n; i++) {
			assert_memory_equal(en[i].id, back[i].id, CHUNK_KEY_LEN);
			assert_int_equal(en[i].pack, back[i].pack);
			assert_int_equal(en[i].frame_off, back[i].frame_off);
			assert_int_equal(en[i].frame_len, back[i].frame_len);
			assert_int_equal(en[i].chunk_off, back[i].chunk_off);
			assert_int_equal(en[i].chunk_len, back[i].chunk_len);
		}
	}
}

static void
a_page_cut_or_too_long_is_refused(void **state)
{
	struct segment_entry en[20];
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	make_entries(en, 20);
	segment_page_encode(en, 20, &b);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(decode_page(b.data, len), -EUCLEAN);
	buf_u8(&b, 0);
	assert_int_equal(decode_page(b.data, b.len), -EUCLEAN);
}

static void
a_page_of_no_or_513_entries_is_refused(void **state)
{
	struct segment_entry en[SEGMENT_PAGE_ENTRIES + 1];
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(decode_page((const uint8_t *)"\0", 1), -EUCLEAN);
	make_entries(en, SEGMENT_PAGE_ENTRIES + 1);
	segment_page_encode(en, SEGMENT_PAGE_ENTRIES + 1, &b);
	assert_int_equal(decode_page(b.data, b.len), -EUCLEAN);
}

static int
decode_pair(const struct segment_entry *a, const struct segment_entry *z)
{
	struct segment_entry en[2] = { *a, *z };
	auto_buf struct buf b = BUF_INIT;

	segment_page_encode(en, 2, &b);
	return decode_page(b.data, b.len);
}

static void
ids_out_of_order_or_twice_are_refused(void **state)
{
	struct segment_entry a = { .id = { 1 } }, z = { .id = { 2 } };

	(void)state;
	assert_int_equal(decode_pair(&a, &z), 0);
	assert_int_equal(decode_pair(&z, &a), -EUCLEAN);
	assert_int_equal(decode_pair(&a, &a), -EUCLEAN);
}

static void
places_out_of_their_bounds_are_refused(void **state)
{
	const struct segment_entry a = { .id = { 1 } };
	struct segment_entry z = { .id = { 2 } };

	(void)state;
#define refused_with(field, value)                                  \
	do {                                                        \
		struct segment_entry bad_ = z;                      \
		bad_.field = (value);                               \
		assert_int_equal(decode_pair(&a, &bad_), -EUCLEAN); \
	} while (0)
	refused_with(pack, SEGMENT_PACKS_MAX + 1);
	refused_with(frame_off, (1ULL << 48) + 1);
	refused_with(frame_len, (17u << 20) + 1);
	refused_with(chunk_off, (16u << 20) + 1);
	refused_with(chunk_len, (16u << 20) + 1);
	z.chunk_off = 1;
	refused_with(chunk_len, 16u << 20);
}

/* -- Directories -------------------------------------------------------------
 */

static void
make_directory(struct segment_directory *d, uint32_t n)
{
	memset(d, 0, sizeof(*d));
	d->packs = xcalloc(n + 1, sizeof(*d->packs));
	d->pages = xcalloc(n + 1, sizeof(*d->pages));
	d->supersedes = xcalloc(n + 1, OBJECT_ID_LEN);
	d->n_packs = d->n_pages = d->n_supersedes = n;
	d->n_entries = (uint64_t)n * SEGMENT_PAGE_ENTRIES;
	for (uint32_t i = 0; i < n; i++) {
		d->packs[i].object = i % 2 ? OBJECT_DATA : OBJECT_META;
		memset(d->packs[i].id, (int)(7 * i), OBJECT_ID_LEN);
		put_be32(d->pages[i].first, i);
		d->pages[i].off = i ? 1000 * i : 1ULL << 48;
		d->pages[i].len = i ? i : SEGMENT_PAGE_MAX;
		memset(d->supersedes[i], (int)(5 * i), OBJECT_ID_LEN);
	}
}

static int
decode_directory(const uint8_t *data, size_t len)
{
	auto_free uint8_t *exact = xmemdup(data, len);
	struct segment_directory d;
	int r = segment_directory_decode(exact, len, &d, NULL);

	if (!r)
		segment_directory_release(&d);
	return r;
}

static void
a_directory_comes_back(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 100; n = 2 * n + 1) {
		struct segment_directory d, back;
		auto_buf struct buf b = BUF_INIT;

		make_directory(&d, n);
		segment_directory_encode(&d, &b);
		assert_int_equal(
			segment_directory_decode(b.data, b.len, &back, NULL),
			0);
		assert_int_equal(back.n_entries, d.n_entries);
		assert_int_equal(back.n_packs, n);
		assert_int_equal(back.n_pages, n);
		assert_int_equal(back.n_supersedes, n);
		for (uint32_t i = 0; i < n; i++) {
			assert_memory_equal(&d.packs[i], &back.packs[i],
				sizeof(d.packs[i]));
			assert_memory_equal(d.pages[i].first,
				back.pages[i].first, CHUNK_KEY_LEN);
			assert_int_equal(d.pages[i].off, back.pages[i].off);
			assert_int_equal(d.pages[i].len, back.pages[i].len);
			assert_memory_equal(d.supersedes[i], back.supersedes[i],
				OBJECT_ID_LEN);
		}
		segment_directory_release(&d);
		segment_directory_release(&back);
	}
}

static void
a_directory_cut_or_too_long_is_refused(void **state)
{
	struct segment_directory d;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	make_directory(&d, 5);
	segment_directory_encode(&d, &b);
	segment_directory_release(&d);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(decode_directory(b.data, len), -EUCLEAN);
	buf_u8(&b, 0);
	assert_int_equal(decode_directory(b.data, b.len), -EUCLEAN);
}

/* A directory of three that `spoil` spoils. */
static int
decode_spoiled(void (*spoil)(struct segment_directory *d))
{
	struct segment_directory d;
	auto_buf struct buf b = BUF_INIT;

	make_directory(&d, 3);
	spoil(&d);
	segment_directory_encode(&d, &b);
	segment_directory_release(&d);
	return decode_directory(b.data, b.len);
}

static void
leave(struct segment_directory *d)
{
	(void)d;
}
static void
pack_type_0(struct segment_directory *d)
{
	d->packs[1].object = 0;
}
static void
pack_type_3(struct segment_directory *d)
{
	d->packs[1].object = 3;
}
static void
repeat_page(struct segment_directory *d)
{
	d->pages[2] = d->pages[1];
}
static void
swap_pages(struct segment_directory *d)
{
	put_be32(d->pages[0].first, 9);
}
static void
page_far(struct segment_directory *d)
{
	d->pages[1].off = (1ULL << 48) + 1;
}
static void
page_long(struct segment_directory *d)
{
	d->pages[1].len = SEGMENT_PAGE_MAX + 1;
}
static void
too_few(struct segment_directory *d)
{
	d->n_entries = 2;
}
static void
too_many(struct segment_directory *d)
{
	d->n_entries++;
}

static void
directories_that_contradict_themselves_are_refused(void **state)
{
	(void)state;
	assert_int_equal(decode_spoiled(leave), 0);
	assert_int_equal(decode_spoiled(pack_type_0), -EUCLEAN);
	assert_int_equal(decode_spoiled(pack_type_3), -EUCLEAN);
	assert_int_equal(decode_spoiled(repeat_page), -EUCLEAN);
	assert_int_equal(decode_spoiled(swap_pages), -EUCLEAN);
	assert_int_equal(decode_spoiled(page_far), -EUCLEAN);
	assert_int_equal(decode_spoiled(page_long), -EUCLEAN);
	assert_int_equal(decode_spoiled(too_few), -EUCLEAN);
	assert_int_equal(decode_spoiled(too_many), -EUCLEAN);
}

static void
counts_that_exceed_the_directory_are_refused(void **state)
{
	(void)state;
	for (int shift = 0; shift < 64; shift++) {
		for (int which = 1; which < 4; which++) {
			auto_buf struct buf b = BUF_INIT;

			for (int i = 0; i < 4; i++)
				buf_varint(&b, i == which ? 1ULL << shift : 0);
			assert_int_equal(
				decode_directory(b.data, b.len), -EUCLEAN);
		}
	}
}

/* -- Names --------------------------------------------------------------------
 */

static void
a_name_comes_back(void **state)
{
	static const unsigned levels[] = { 0, 1, 9, 12 };
	static const uint64_t ns[] = { 1, 999999999999, 1000000000000 };
	uint8_t id[OBJECT_ID_LEN] = { 1, 2, 0xff }, back[OBJECT_ID_LEN];
	unsigned level;
	char name[96];

	(void)state;
	for (size_t i = 0; i < n_elements(levels) * n_elements(ns); i++) {
		segment_name(name, levels[i % 4], ns[i / 4], id);
		assert_int_equal(segment_name_parse(name, &level, back), 0);
		assert_int_equal(level, levels[i % 4]);
		assert_memory_equal(id, back, sizeof(id));
	}
	segment_name(name, 0, 42, id);
	assert_string_equal(
		name, "idx/0-000000000042-0102ff00000000000000000000000000");
}

static void
other_names_are_no_segments(void **state)
{
	static const char *const names[] = { "", "idx/", "idx/0-1", "idx/-",
		"idx/0-0102ff00000000000000000000000000",
		"idx/-1-0102ff00000000000000000000000000",
		"idx/ 0-1-0102ff00000000000000000000000000",
		"idx/+0-1-0102ff00000000000000000000000000",
		"idx/0x0-1-0102ff00000000000000000000000000",
		"idx/0-x-0102ff00000000000000000000000000",
		"idx/0-1-0102FF00000000000000000000000000",
		"idx/0-1-0102ff000000000000000000000000000",
		"idx/0-1-0102ff0000000000000000000000000",
		"idx/99999-1-0102ff00000000000000000000000000",
		"cat/0-1-0102ff00000000000000000000000000" };
	uint8_t id[OBJECT_ID_LEN];
	unsigned level;

	(void)state;
	for (size_t i = 0; i < n_elements(names); i++) {
		if (segment_name_parse(names[i], &level, id) != -EINVAL)
			fail_msg("%s", names[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_comes_back),
		cmocka_unit_test(a_page_cut_or_too_long_is_refused),
		cmocka_unit_test(a_page_of_no_or_513_entries_is_refused),
		cmocka_unit_test(ids_out_of_order_or_twice_are_refused),
		cmocka_unit_test(places_out_of_their_bounds_are_refused),
		cmocka_unit_test(a_directory_comes_back),
		cmocka_unit_test(a_directory_cut_or_too_long_is_refused),
		cmocka_unit_test(
			directories_that_contradict_themselves_are_refused),
		cmocka_unit_test(counts_that_exceed_the_directory_are_refused),
		cmocka_unit_test(a_name_comes_back),
		cmocka_unit_test(other_names_are_no_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
