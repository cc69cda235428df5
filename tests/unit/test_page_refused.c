/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that no encoder makes are refused, each for its own reason. */
#include "tests/unit/raw_page.h"
#include "tests/unit/samples.h"
#include "tests/unit/same.h"

#define DIR_FLAGS 1
#define LINK_FLAGS 2

static void
what_the_tests_spoil_is_accepted_unspoiled(void **state)
{
	(void)state;
	entry_accepted(0, 0, .shared = 0);
	entry_accepted(0, 0, .flags = DIR_FLAGS, RAW("\0\0\0\0\0"));
	entry_accepted(0, 0, .size = 2,
		.flags = LINK_FLAGS | RAW_CONTENT(CONTENT_INLINE), RAW("to"));
	/* hint: chunk first, pack 0, offset 64, length 100 */
	entry_accepted(1, 1, .size = 200, .flags = RAW_CONTENT(CONTENT_CHUNK),
		RAW("\x08\0\x40\x64"));
	entry_accepted(1, 1, .size = 200, .flags = RAW_CONTENT(CONTENT_MAP),
		RAW("\x08\0\x40\x64\x7f"));
}

static struct page_encoder *
sample_encoder(enum page_kind kind)
{
	auto_free struct samples *s = xcalloc(1, sizeof(*s));
	struct page_encoder *pe = page_encoder_new(kind);

	s->state = 42;
	for (uint32_t i = 0; i < 12; i++) {
		struct inner in = { .n = 1, .len = 5 };

		if (kind == PAGE_DIR_LEAF) {
			struct entry en = sample_entry(s, i);

			en.name_len = sample_name(s, i, &en.name);
			page_encoder_entry(pe, &en);
		} else if (kind == PAGE_EXTENT_LEAF) {
			struct extent x = { .len = 10, .hole = i % 3 == 0 };

			x.ref = sample_ref(s, OBJECT_DATA, 10);
			page_encoder_extent(pe, &x);
		} else {
			in.ref = sample_ref(s, OBJECT_META, 500);
			if (kind == PAGE_DIR_INNER) {
				in.first_len = sample_name(s, i, &in.first);
				in.totals = sample_totals(s);
			}
			page_encoder_inner(pe, &in);
		}
	}
	return pe;
}

static int
decode(const uint8_t *data, size_t len)
{
	auto_free uint8_t *exact = xmemdup(data, len);
	struct page *p = NULL;
	int r = page_decode(exact, len, &p, NULL);

	page_free(p);
	return r;
}

static void
a_page_cut_anywhere_is_refused(void **state)
{
	(void)state;
	for (int kind = PAGE_DIR_LEAF; kind <= PAGE_EXTENT_INNER; kind++) {
		struct page_encoder *pe = sample_encoder((enum page_kind)kind);
		auto_buf struct buf b = BUF_INIT;

		page_encoder_finish(pe, &b);
		page_encoder_free(pe);
		assert_int_equal(decode(b.data, b.len), 0);
		for (size_t len = 0; len < b.len; len++)
			assert_int_equal(decode(b.data, len), -EUCLEAN);
	}
}

static void
a_page_with_bytes_too_many_is_refused(void **state)
{
	(void)state;
	for (int kind = PAGE_DIR_LEAF; kind <= PAGE_EXTENT_INNER; kind++) {
		struct page_encoder *pe = sample_encoder((enum page_kind)kind);
		auto_buf struct buf b = BUF_INIT;

		page_encoder_finish(pe, &b);
		page_encoder_free(pe);
		for (int i = 0; i < 40; i++) {
			buf_u8(&b, 0);
			assert_int_equal(decode(b.data, b.len), -EUCLEAN);
		}
	}
}

static void
a_page_longer_than_512_kib_is_refused(void **state)
{
	auto_free uint8_t *data = xcalloc(1, PAGE_LEN_MAX + 1);
	struct err e = ERR_INIT;
	struct page *p;

	(void)state;
	assert_int_equal(page_decode(data, PAGE_LEN_MAX + 1, &p, &e), -EUCLEAN);
	assert_non_null(strstr(e.text, "too long"));
}

static void
a_page_of_no_known_kind_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (int kind = 0; kind < 256; kind++) {
		b.len = 0;
		raw_head(&b, kind, 1, 0, 0);
		raw_entry(&b, &(struct raw){ .shared = 0 });
		if (kind < PAGE_DIR_LEAF || kind > PAGE_ROOT)
			raw_refused(&b, "no known kind");
	}
}

static void
a_page_without_entries_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (int kind = PAGE_DIR_LEAF; kind <= PAGE_ROOT; kind++) {
		b.len = 0;
		raw_head(&b, kind, 0, 0, 0);
		raw_refused(&b, "empty");
	}
}

static void
counts_that_exceed_the_page_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (int shift = 3; shift < 64; shift++) {
		uint64_t n = 1ULL << shift;

		b.len = 0;
		raw_head(&b, PAGE_DIR_LEAF, n, 0, 0);
		raw_entry(&b, &(struct raw){ .shared = 0 });
		raw_refused(&b, "shorter than it says");
		b.len = 0;
		buf_u8(&b, PAGE_DIR_LEAF);
		buf_varint(&b, 1);
		buf_varint(&b, n); /* packs */
		buf_varint(&b, 0);
		raw_entry(&b, &(struct raw){ .shared = 0 });
		raw_refused(&b, "shorter than it says");
		b.len = 0;
		buf_u8(&b, PAGE_DIR_LEAF);
		buf_varint(&b, 1);
		buf_varint(&b, 0);
		buf_varint(&b, n); /* ids */
		raw_entry(&b, &(struct raw){ .shared = 0 });
		raw_refused(&b, "shorter than it says");
	}
}

static void
names_that_are_not_one_component_are_refused(void **state)
{
	static const char why[] = "not one path component";
	static const char nul[] = "a\0b";
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	entry_refused(why, 0, 0, .name = "");
	entry_refused(why, 0, 0, .name = ".");
	entry_refused(why, 0, 0, .name = "..");
	entry_refused(why, 0, 0, .name = "/");
	entry_refused(why, 0, 0, .name = "a/b");
	entry_refused(why, 0, 0, .name = "../etc");
	entry_accepted(0, 0, .name = "...");
	entry_accepted(0, 0, .name = ".a");
	entry_accepted(0, 0, .name = "..a");
	raw_leaf(&b, 0, 0, (struct raw){ .name = "axb" });
	*(uint8_t *)memchr(b.data, 'x', b.len) = nul[1];
	raw_refused(&b, why);
}

static void
names_over_255_bytes_are_refused(void **state)
{
	char name[257];
	auto_buf struct buf b = BUF_INIT;
	struct raw first = { .name = name };

	(void)state;
	memset(name, 'n', 256);
	name[256] = 0;
	entry_refused("too long", 0, 0, .name = name);
	name[255] = 0;
	entry_accepted(0, 0, .name = name);
	raw_head(&b, PAGE_DIR_LEAF, 2, 0, 0);
	raw_entry(&b, &first);
	raw_entry(&b, &(struct raw){ .shared = 255, .name = "n" });
	raw_refused(&b, "too long");
}

static void
a_name_that_shares_more_than_there_is_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	entry_refused("too long", 0, 0, .shared = 1);
	raw_head(&b, PAGE_DIR_LEAF, 2, 0, 0);
	raw_entry(&b, &(struct raw){ .shared = 0 });
	raw_entry(&b, &(struct raw){ .shared = 2 });
	raw_refused(&b, "too long");
}

static void
names_out_of_order_and_twice_are_refused(void **state)
{
	static const char *const pairs[][2] = { { "b", "a" }, { "a", "a" },
		{ "ab", "a" }, { "\xff", "a" }, { "a\xff", "a\x01" } };
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < n_elements(pairs); i++) {
		b.len = 0;
		raw_head(&b, PAGE_DIR_LEAF, 2, 0, 0);
		for (int k = 0; k < 2; k++)
			raw_entry(&b, &(struct raw){ .name = pairs[i][k] });
		raw_refused(&b, "not in order");
	}
}

static void
unknown_types_and_flags_are_refused(void **state)
{
	(void)state;
	entry_refused("no known type", 0, 0, .flags = 7);
	for (uint64_t flag = 0x2000; flag; flag <<= 1)
		entry_refused("", 0, 0, .flags = flag);
}

static void
attributes_out_of_their_bounds_are_refused(void **state)
{
	(void)state;
	entry_accepted(0, 0, .perm = 07777);
	entry_refused("", 0, 0, .perm = 010000);
	entry_accepted(0, 0, .uid = UINT32_MAX, .gid = UINT32_MAX);
	entry_refused("", 0, 0, .uid = 1ULL << 32);
	entry_refused("", 0, 0, .gid = 1ULL << 32);
	entry_refused("", 0, 0, .mtime_ns = 1000000000);
	entry_refused("", 0, 0, .own_ctime = true, .ctime_ns = 1000000000);
	entry_refused("", 0, 0, .flags = 5, .size = 1ULL << 63);
	entry_refused("", 0, 0, .blocks = 1ULL << 63, .flags = ENTRY_BLOCKS);
	entry_refused("", 0, 0, .nlink = 1ULL << 32, .flags = ENTRY_LINKS);
	entry_refused("", 0, 0, .link = 1ULL << 38, .flags = ENTRY_LINKS);
	entry_refused("hard link", 0, 0, .link = 1,
		.flags = DIR_FLAGS | ENTRY_LINKS, RAW("\0\0\0\0\0"));
}

static void
content_that_contradicts_type_or_size_is_refused(void **state)
{
	char big[SYMLINK_LEN_MAX + 1] = { 0 };

	(void)state;
	memset(big, 'x', sizeof(big));
	entry_refused("missing", 0, 0, .size = 1);
	entry_refused("missing", 0, 0, .flags = LINK_FLAGS);
	entry_refused("inline content is too long", 0, 0,
		.size = INLINE_LEN_MAX + 1,
		.flags = RAW_CONTENT(CONTENT_INLINE), .content = big,
		.content_len = INLINE_LEN_MAX + 1);
	entry_refused("inline content is too long", 0, 0, .size = sizeof(big),
		.flags = LINK_FLAGS | RAW_CONTENT(CONTENT_INLINE),
		.content = big, .content_len = sizeof(big));
	entry_refused("inline content is too long", 0, 0,
		.flags = DIR_FLAGS | RAW_CONTENT(CONTENT_INLINE),
		RAW("\0\0\0\0\0"));
	entry_refused("NUL", 0, 0, .size = 3,
		.flags = LINK_FLAGS | RAW_CONTENT(CONTENT_INLINE), RAW("a\0b"));
	for (unsigned type = 1; type < 7; type++)
		entry_refused("wrong kind", 1, 1, .size = 200,
			.flags = type | RAW_CONTENT(CONTENT_CHUNK),
			RAW("\x08\0\x40\x64"));
	for (unsigned type = 2; type < 7; type++)
		entry_refused("wrong kind", 1, 1, .size = 200,
			.flags = type | RAW_CONTENT(CONTENT_MAP),
			RAW("\x08\0\x40\x64\x7f"));
	for (unsigned kind = CONTENT_CHUNK; kind <= CONTENT_MAP; kind++)
		entry_refused("wrong kind", 1, 1, .flags = RAW_CONTENT(kind),
			RAW("\x08\0\x40\x64\x7f"));
}

static void
totals_that_contradict_themselves_or_the_content_are_refused(void **state)
{
	(void)state;
	/* more files than entries; entries without a map; a map without */
	entry_refused("", 0, 0, .flags = DIR_FLAGS, RAW("\0\1\0\0\0"));
	entry_refused("contradicts its content", 0, 0, .flags = DIR_FLAGS,
		RAW("\1\0\0\0\0"));
	entry_refused("contradicts its content", 1, 1,
		.flags = DIR_FLAGS | RAW_CONTENT(CONTENT_MAP),
		RAW("\x08\0\x40\x64\x7f\0\0\0\0\0"));
	entry_accepted(1, 1, .flags = DIR_FLAGS | RAW_CONTENT(CONTENT_MAP),
		RAW("\x08\0\x40\x64\x7f\1\0\0\0\0"));
	/* 2^38 + 1 entries */
	entry_refused("", 1, 1, .flags = DIR_FLAGS | RAW_CONTENT(CONTENT_MAP),
		RAW("\x08\0\x40\x64\x7f\x81\x80\x80\x80\x80\x08\0\0\0\0"));
}

#define CHUNK RAW_CONTENT(CONTENT_CHUNK)

static void
hints_that_point_nowhere_are_refused(void **state)
{
	(void)state;
	/* no such pack; same frame, same pack, next frame of none before */
	entry_refused("names no pack", 1, 1, .size = 9, .flags = CHUNK,
		RAW("\x08\1\x40\x64"));
	entry_refused("names no pack", 0, 1, .size = 9, .flags = CHUNK,
		RAW("\x08\0\x40\x64"));
	for (const char *h = "\1\3\5\7\2\6\n\x0e"; *h; h++)
		entry_refused("follows nothing", 1, 1, .size = 9,
			.flags = CHUNK, .content = (char[]){ *h, 8, 8, 8, 8 },
			.content_len = 5);
	entry_refused("into another pack", 1, 1, .size = 9, .flags = CHUNK,
		RAW("\x0c\0\x64"));
	entry_refused(
		"", 1, 1, .size = 9, .flags = CHUNK, RAW("\x18\0\x40\x64"));
	/* frame beyond 2^48; longer than 17 MiB */
	entry_refused("", 1, 1, .size = 9, .flags = CHUNK,
		RAW("\x08\0\x81\x80\x80\x80\x80\x80\x40\x64"));
	entry_refused("", 1, 1, .size = 9, .flags = CHUNK,
		RAW("\x08\0\x40\x81\x80\x80\x09"));
}

static void
a_frame_that_follows_one_at_the_end_of_all_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	raw_head(&b, PAGE_DIR_LEAF, 2, 1, 2);
	raw_entry(&b, &(struct raw){ .size = 9, .flags = CHUNK,
			      RAW("\x08\0\x80\x80\x80\x80\x80\x80\x40\x64") });
	raw_entry(&b, &(struct raw){ .name = "b", .size = 9, .flags = CHUNK,
			      RAW("\x0e\x64") });
	buf_zeros(&b, 2 * CHUNK_ID_LEN);
	raw_refused(&b, "too far behind");
}

static void
chunks_longer_than_a_frame_are_refused(void **state)
{
	(void)state;
	entry_accepted(
		1, 1, .size = 16u << 20, .flags = CHUNK, RAW("\x08\0\x40\x64"));
	entry_refused("longer than a frame", 1, 1, .size = (16u << 20) + 1,
		.flags = CHUNK, RAW("\x08\0\x40\x64"));
	/* at 2, so that it ends behind the frame */
	entry_refused("longer than a frame", 1, 1, .size = (16u << 20) - 1,
		.flags = CHUNK, RAW("\0\0\x40\x64\2"));
	/* a page and extended attributes that are too long */
	entry_refused("page is too long", 1, 1, .size = 9,
		.flags = RAW_CONTENT(CONTENT_MAP),
		RAW("\x08\0\x40\x64\x81\x80\x20"));
	entry_refused("attributes are too long", 1, 1,
		.flags = ENTRY_XATTRS_CHUNK, RAW("\x08\0\x40\x64\x81\x80\x40"));
}

static void
ids_more_or_fewer_than_references_are_refused(void **state)
{
	(void)state;
	entry_refused("fewer ids", 1, 0, .size = 9, .flags = CHUNK,
		RAW("\x08\0\x40\x64"));
	entry_refused("behind its end", 1, 2, .size = 9, .flags = CHUNK,
		RAW("\x08\0\x40\x64"));
	entry_refused("fewer ids", 1, 0, .flags = ENTRY_XATTRS_CHUNK,
		RAW("\x08\0\x40\x64\x10"));
}

static void
extended_attributes_too_long_or_in_two_places_are_refused(void **state)
{
	char value[2 + INLINE_XATTRS_MAX + 1] = { 0 };

	(void)state;
	value[0] = (char)0x81; /* 257 */
	value[1] = 2;
	entry_refused("", 0, 0, .flags = ENTRY_XATTRS_INLINE, .content = value,
		.content_len = sizeof(value));
	value[0] = (char)0x80; /* 256 */
	entry_accepted(0, 0, .flags = ENTRY_XATTRS_INLINE, .content = value,
		.content_len = sizeof(value) - 1);
	entry_refused("two places", 1, 1,
		.flags = ENTRY_XATTRS_INLINE | ENTRY_XATTRS_CHUNK,
		RAW("\1x\x08\0\x40\x64\x10"));
}

static void
an_extension_is_skipped_and_must_lie_inside(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct page *p;

	(void)state;
	raw_head(&b, PAGE_DIR_LEAF, 2, 0, 0);
	raw_entry(&b, &(struct raw){ .extension = "\x7e\x03new\x60\x01r",
			      .flags = ENTRY_EXTENSION });
	raw_entry(&b, &(struct raw){ .name = "b" });
	assert_int_equal(page_decode(b.data, b.len, &p, NULL), 0);
	assert_memory_equal(p->entries[1].name, "b", 1);
	page_free(p);
	entry_refused("", 0, 0, RAW("\x7f"), .flags = ENTRY_EXTENSION);
	entry_refused("ends too early", 0, 0, .extension = "\x7e\x04new",
		.flags = ENTRY_EXTENSION);
	entry_refused("ends too early", 0, 0, .extension = "\x7e",
		.flags = ENTRY_EXTENSION);
}

static void
interior_pages_are_those_of_a_file_with_a_map(void **state)
{
#define FIELD(len) len "an id of twenty byte" "a pack's sixteen" "\x40\x64\x01"
	const char *right = FIELD("\x02\x28") "\x02";
	const char *wrong[] = { FIELD("\x02\x28") "\x02" FIELD("\x02\x28") "\x02",
		FIELD("\x02\x27"), FIELD("\x02\x29") "\x02\x02",
		FIELD("\x02\x2a") "\xff\xff\x7f" };
	const char *why = "interior pages";
	uint64_t flags = ENTRY_EXTENSION | RAW_CONTENT(CONTENT_MAP);

	(void)state;
	entry_accepted(1, 1, .size = 200, .flags = flags, .extension = right,
		RAW("\x08\0\x40\x64\x7f"));
	entry_refused(why, 0, 0, .flags = ENTRY_EXTENSION, .extension = right);
	/* twice, cut off, too long, beyond the frame */
	for (size_t i = 0; i < n_elements(wrong); i++)
		entry_refused(why, 1, 1, .size = 200, .flags = flags,
			.extension = wrong[i], RAW("\x08\0\x40\x64\x7f"));
#undef FIELD
}

static void
extents_that_are_empty_or_too_long_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	raw_head(&b, PAGE_EXTENT_LEAF, 1, 0, 0);
	buf_varint(&b, 1);
	raw_refused(&b, "empty or too long");
	b.len = 0;
	raw_head(&b, PAGE_EXTENT_LEAF, 2, 0, 0);
	buf_varint(&b, UINT64_MAX); /* a hole of 2^63 - 1 */
	buf_varint(&b, 1 << 1 | 1);
	raw_refused(&b, "empty or too long");
	b.len = 0;
	raw_head(&b, PAGE_EXTENT_LEAF, 1, 1, 1);
	buf_varint(&b, ((16u << 20) + 1) << 1);
	buf_append(&b, "\x08\0\x40\x64", 4);
	buf_zeros(&b, CHUNK_ID_LEN);
	raw_refused(&b, "longer than a frame");
}

/* One child: of directories with totals, else of so many bytes. */
static void
raw_child(struct buf *b, uint64_t n, uint64_t entries_or_bytes, bool dir)
{
	raw_head(b, dir ? PAGE_DIR_INNER : PAGE_EXTENT_INNER, 1, 1, 1);
	buf_varint(b, n);
	if (dir)
		buf_append(b, "\0\1a", 3);
	buf_varint(b, entries_or_bytes);
	if (dir)
		buf_append(b, "\0\0\0\0", 4);
	buf_append(b, "\x08\0\x40\x64\x7f", 5);
	buf_zeros(b, CHUNK_ID_LEN);
}

static void
children_that_contradict_themselves_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (int dir = 0; dir < 2; dir++) {
		b.len = 0;
		raw_child(&b, 5, 5, dir);
		assert_int_equal(decode(b.data, b.len), 0);
		b.len = 0;
		raw_child(&b, 0, 5, dir);
		raw_refused(&b, "child is empty");
		b.len = 0;
		raw_child(&b, 6, 5, dir);
		raw_refused(&b, "contradict each other");
		b.len = 0;
		raw_child(&b, 1ULL << 39, 1ULL << 39, dir);
		raw_refused(&b, "");
	}
}

static void
sums_of_children_that_overflow_are_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	raw_head(&b, PAGE_DIR_INNER, 2, 1, 2);
	for (int i = 0; i < 2; i++) {
		buf_varint(&b, 1);
		buf_varint(&b, 0);
		buf_bytes(&b, i ? "b" : "a", 1);
		buf_varint(&b, 1ULL << 38);
		buf_append(&b, "\0\0\0\0", 4);
		buf_append(&b, "\x08\0\x40\x64\x7f", 5);
	}
	buf_zeros(&b, 2 * CHUNK_ID_LEN);
	raw_refused(&b, "too many entries");
}

static void
a_root_page_with_a_name_or_two_entries_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;
	struct raw root = { .name = "", .flags = DIR_FLAGS, RAW("\0\0\0\0\0") };

	(void)state;
	raw_head(&b, PAGE_ROOT, 1, 0, 0);
	raw_entry(&b, &root);
	assert_int_equal(decode(b.data, b.len), 0);
	b.data[1] = 2;
	raw_entry(&b, &root);
	raw_refused(&b, "not one entry");
	b.len = 0;
	root.name = "r";
	raw_head(&b, PAGE_ROOT, 1, 0, 0);
	raw_entry(&b, &root);
	raw_refused(&b, "has a name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_tests_spoil_is_accepted_unspoiled),
		cmocka_unit_test(a_page_cut_anywhere_is_refused),
		cmocka_unit_test(a_page_with_bytes_too_many_is_refused),
		cmocka_unit_test(a_page_longer_than_512_kib_is_refused),
		cmocka_unit_test(a_page_of_no_known_kind_is_refused),
		cmocka_unit_test(a_page_without_entries_is_refused),
		cmocka_unit_test(counts_that_exceed_the_page_are_refused),
		cmocka_unit_test(names_that_are_not_one_component_are_refused),
		cmocka_unit_test(names_over_255_bytes_are_refused),
		cmocka_unit_test(
			a_name_that_shares_more_than_there_is_is_refused),
		cmocka_unit_test(names_out_of_order_and_twice_are_refused),
		cmocka_unit_test(unknown_types_and_flags_are_refused),
		cmocka_unit_test(attributes_out_of_their_bounds_are_refused),
		cmocka_unit_test(
			content_that_contradicts_type_or_size_is_refused),
		cmocka_unit_test(
			totals_that_contradict_themselves_or_the_content_are_refused),
		cmocka_unit_test(hints_that_point_nowhere_are_refused),
		cmocka_unit_test(
			a_frame_that_follows_one_at_the_end_of_all_is_refused),
		cmocka_unit_test(chunks_longer_than_a_frame_are_refused),
		cmocka_unit_test(ids_more_or_fewer_than_references_are_refused),
		cmocka_unit_test(
			extended_attributes_too_long_or_in_two_places_are_refused),
		cmocka_unit_test(an_extension_is_skipped_and_must_lie_inside),
		cmocka_unit_test(interior_pages_are_those_of_a_file_with_a_map),
		cmocka_unit_test(
			extents_that_are_empty_or_too_long_are_refused),
		cmocka_unit_test(
			children_that_contradict_themselves_are_refused),
		cmocka_unit_test(sums_of_children_that_overflow_are_refused),
		cmocka_unit_test(
			a_root_page_with_a_name_or_two_entries_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
