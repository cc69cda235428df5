/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Known answers: what is encoded today is what version 1 of the format has
 * always been, byte for byte, and still reads.  tests/golden/golden.sh reads
 * the same bytes with the other decoder.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "repo/base/hex.h"
#include "repo/format/gc.h"
#include "repo/format/record.h"
#include "repo/format/segment.h"
#include "tests/unit/format_vectors.h"
#include "tests/unit/same.h"

static void
assert_frozen(const char *name, const struct buf *b, const char *frozen)
{
	auto_free char *hex = xmalloc(2 * b->len + 1);

	hex_encode(hex, b->data, b->len);
	if (strcmp(hex, frozen))
		fail_msg("%s has changed: now %s", name, hex);
}

static uint8_t *
bytes_of(const char *hex, size_t *len)
{
	uint8_t *bytes = xmalloc(strlen(hex) / 2 + 1);

	*len = strlen(hex) / 2;
	assert_int_equal(hex_decode(bytes, *len, hex), 0);
	return bytes;
}

static struct ref
ref_at(enum object_type object, uint8_t pack, uint64_t off, uint32_t chunk_off,
	uint32_t chunk_len)
{
	struct ref r = {
		.place = { .off = off, .len = 5000, .object = (uint8_t)object },
		.chunk_off = chunk_off,
		.chunk_len = chunk_len
	};

	memset(r.place.pack, pack, OBJECT_ID_LEN);
	memset(r.id, (int)(pack + chunk_off), CHUNK_ID_LEN);
	return r;
}

#define NAME(s) .name = (const uint8_t *)(s), .name_len = sizeof(s) - 1
#define BYTES(s) ((const uint8_t *)(s))

static uint32_t
make_entries(struct entry *en, struct ref *xattrs)
{
	const struct entry all[] = {
		{ NAME("dir"), .mode = S_IFDIR | 0755, .nlink = 3, .size = 4096,
			.blocks = 8, .ino = 1000, .mtime_s = -5000000000,
			.mtime_ns = 999999999, .ctime_s = 5000000000,
			.content = CONTENT_MAP,
			.ref = ref_at(OBJECT_META, 0x11, 64, 0, 700),
			.totals = { 3, 2, 123456, 1795170735000000001, 3 },
			.xattrs_ref = xattrs },
		{ NAME("file1"), .mode = S_IFREG | 0644, .nlink = 1,
			.uid = 1000, .gid = 100, .size = 300, .blocks = 8,
			.ino = 1001, .mtime_s = 1795170735, .mtime_ns = 5,
			.ctime_s = 1795170736, .content = CONTENT_CHUNK,
			.ref = ref_at(OBJECT_DATA, 0x22, 64, 0, 300) },
		{ NAME("file2"), .mode = S_IFREG | 0644, .nlink = 1,
			.uid = 1000, .gid = 100, .size = 200, .blocks = 16,
			.ino = 1002, .mtime_s = 1795170735,
			.ctime_s = 1795170735, .content = CONTENT_CHUNK,
			.ref = ref_at(OBJECT_DATA, 0x22, 64, 300, 200) },
		{ NAME("hard"), .mode = S_IFREG | 04711, .nlink = 2, .link = 77,
			.size = 1ULL << 40, .ino = 900, .content = CONTENT_MAP,
			.ref = ref_at(OBJECT_META, 0x11, 5064, 0, 90) },
		{ NAME("inline\xff\n"), .mode = S_IFREG | 0600, .nlink = 1,
			.size = 5, .blocks = 8, .content = CONTENT_INLINE,
			.data = BYTES("hello"),
			.xattrs = BYTES("\x06user.a\1x"), .xattrs_len = 9 },
		{ NAME("link"), .mode = S_IFLNK | 0777, .nlink = 1, .size = 6,
			.content = CONTENT_INLINE, .data = BYTES("target") },
		{ NAME("null"), .mode = S_IFCHR | 0666, .nlink = 1,
			.rdev = 0x103 },
		{ NAME("pipe"), .mode = S_IFIFO | 0666, .nlink = 1 },
	};

	*xattrs = ref_at(OBJECT_META, 0x11, 64, 700, 2000);
	memcpy(en, all, sizeof(all));
	return n_elements(all);
}

static void
check_page(const char *name, const struct page *made, const char *frozen)
{
	auto_buf struct buf b = BUF_INIT;
	size_t len;
	auto_free uint8_t *bytes = bytes_of(frozen, &len);
	struct page *p;

	page_encode_again(made, &b);
	assert_frozen(name, &b, frozen);
	assert_int_equal(page_decode(bytes, len, &p, NULL), 0);
	assert_true(same_page(made, p));
	page_free(p);
}

static void
pages_of_directories_are_frozen(void **state)
{
	struct entry en[8];
	struct ref xattrs;
	struct page leaf = { .kind = PAGE_DIR_LEAF, .entries = en };
	struct page root = { .kind = PAGE_ROOT, .n = 1, .entries = en };
	struct inner in[] = {
		{ .first = BYTES("dir"),
			.first_len = 3,
			.n = 100,
			.totals = { 103, 90, 123456, 1795170735000000001, 1 },
			.ref = ref_at(OBJECT_META, 0x11, 64, 0, 60000) },
		{ .first = BYTES("dis"),
			.first_len = 3,
			.n = 5,
			.totals = { .entries = 5 },
			.ref = ref_at(OBJECT_META, 0x11, 5064, 0, 400) }
	};
	struct page inner = { .kind = PAGE_DIR_INNER, .n = 2, .inners = in };

	(void)state;
	leaf.n = make_entries(en, &xattrs);
	check_page("leaf", &leaf, VECTOR_LEAF);
	check_page("inner", &inner, VECTOR_INNER);
	en[0].name_len = 0;
	check_page("root", &root, VECTOR_ROOT);
}

static void
check_extents(const struct extent *x, uint32_t n)
{
	auto_buf struct buf b = BUF_INIT;
	size_t len;
	auto_free uint8_t *bytes = bytes_of(VECTOR_EXTENTS, &len);
	struct extent back;
	struct page *p;

	encode_extents(x, n, &b);
	assert_frozen("extents", &b, VECTOR_EXTENTS);
	assert_int_equal(page_decode(bytes, len, &p, NULL), 0);
	assert_int_equal(p->n, n);
	for (uint32_t i = 0; i < n; i++) {
		page_extent(p, i, &back);
		assert_true(same_extent(&x[i], &back));
	}
	page_free(p);
}

static void
pages_of_extents_are_frozen(void **state)
{
	struct extent x[] = { { .off = 4096,
				      .len = 1000,
				      .ref = ref_at(
					      OBJECT_DATA, 0x22, 64, 0, 1000) },
		{ .off = 5096, .len = 1ULL << 41, .hole = true },
		{ .off = 5096 + (1ULL << 41),
			.len = 2000,
			.ref = ref_at(OBJECT_DATA, 0x33, 70000, 8, 2000) } };
	struct inner in[] = { { .off = 4096,
				      .len = 1ULL << 41,
				      .n = 3,
				      .ref = ref_at(
					      OBJECT_META, 0x11, 64, 0, 300) },
		{ .off = 4096 + (1ULL << 41),
			.len = 9,
			.n = 1,
			.ref = ref_at(OBJECT_META, 0x44, 64, 300, 40) } };
	struct page inner = { .kind = PAGE_EXTENT_INNER, .n = 2, .inners = in };

	(void)state;
	check_extents(x, n_elements(x));
	check_page("inner extents", &inner, VECTOR_EXTENTS_INNER);
}

/* -- Records
 * --------------------------------------------------------------------- */

static void
make_record(struct record *r, struct entry *root)
{
	static const char *const tags[] = { "daily", "a b" };

	memset(r, 0, sizeof(*r));
	memset(r->id, 0xaa, sizeof(r->id));
	memset(r->previous, 0xbb, sizeof(r->previous));
	r->host = xstrdup("web1");
	r->name = xstrdup("home-ann");
	r->seq = 42;
	r->generation = 7;
	r->time_ns = 1795170735000000001;
	r->began_ns = -1;
	r->ended_ns = 1795170736000000000;
	r->next_link = 1000;
	r->n_errors = 3;
	r->path = xstrdup("/home/ann");
	r->root = *root;
	r->root.name_len = 0;
	r->root_page = xmemdup("page", 4);
	r->root_page_len = 4;
	r->tags = xcalloc(2, sizeof(*r->tags));
	while (r->n_tags < 2) {
		r->tags[r->n_tags] = xstrdup(tags[r->n_tags]);
		r->n_tags++;
	}
}

static void
records_and_catalogs_are_frozen(void **state)
{
	auto_buf struct buf b = BUF_INIT, cat = BUF_INIT;
	struct entry en[8];
	struct ref xattrs;
	struct record r, back;
	struct catalog c = { .n = 0 }, again;
	uint8_t hash[HASH_LEN];
	size_t len;
	auto_free uint8_t *record = bytes_of(VECTOR_RECORD, &len);
	auto_free uint8_t *catalog = NULL;

	(void)state;
	make_entries(en, &xattrs);
	make_record(&r, &en[0]);
	record_encode(&r, true, &b);
	assert_frozen("record", &b, VECTOR_RECORD);
	assert_int_equal(record_decode(record, len, &back, NULL), 0);
	assert_int_equal(back.seq, 42);
	assert_true(same_entry(&r.root, &back.root));
	record_release(&back);
	memset(hash, 0xcc, sizeof(hash));
	catalog_add(&c, &r, hash);
	catalog_encode(&c, &cat);
	catalog_release(&c);
	assert_frozen("catalog", &cat, VECTOR_CATALOG);
	catalog = bytes_of(VECTOR_CATALOG, &len);
	assert_int_equal(catalog_decode(catalog, len, &again, NULL), 0);
	assert_string_equal(again.records[0].path, "/home/ann");
	catalog_release(&again);
}

/* -- States of pruning -------------------------------------------------- */

static void
states_of_pruning_are_frozen(void **state)
{
	static const uint8_t a[OBJECT_ID_LEN] = { 0xaa };
	static const uint8_t b[OBJECT_ID_LEN] = { 0xbb };
	struct frame_place at = { .object = OBJECT_META, .off = 70000,
		.len = 5000 };
	auto_gc_state struct gc_state s = { .n = 300,
		.time_ns = 1795170735000000001 };
	auto_gc_state struct gc_state back = { .n = 0 };
	auto_buf struct buf out = BUF_INIT;
	size_t len;
	auto_free uint8_t *frozen = bytes_of(VECTOR_STATE, &len);

	(void)state;
	memset(s.previous, 0xcc, HASH_LEN);
	gc_packs_add(&s.condemned, OBJECT_DATA, a, 7);
	gc_packs_add(&s.condemned, OBJECT_META, a, 300);
	gc_packs_add(&s.sentenced, OBJECT_DATA, a, 0);
	gc_packs_add(&s.gone, OBJECT_DATA, b, 0);
	memcpy(at.pack, b, OBJECT_ID_LEN);
	gc_frames_add(&s.lost, &at);
	at.object = OBJECT_DATA;
	at.off = 0;
	gc_frames_add(&s.lost, &at);
	gc_state_sort(&s);
	assert_int_equal(gc_state_encode(&s, &out, NULL), 0);
	assert_frozen("state", &out, VECTOR_STATE);
	assert_int_equal(gc_state_decode(frozen, len, &back, NULL), 0);
	assert_int_equal(back.condemned.p[1].since, 300);
	assert_int_equal(back.lost.p[1].off, 70000);
}

/* -- Packs and segments
 * -------------------------------------------------------------- */

static void
index_segments_are_frozen(void **state)
{
	struct segment_entry en[] = { { .id = { 1 },
					      .pack = 0,
					      .frame_off = 64,
					      .frame_len = 5000,
					      .chunk_off = 0,
					      .chunk_len = 300 },
		{ .id = { 1, 2 },
			.pack = 1,
			.frame_off = 1ULL << 40,
			.frame_len = 90,
			.chunk_off = 300,
			.chunk_len = 7 } };
	struct segment_pack packs[] = { { .id = { 0x22 }, .object = 1 },
		{ .id = { 0x11 }, .object = 2 } };
	struct segment_page pages[] = {
		{ .first = { 1 }, .off = 64, .len = 500 },
		{ .first = { 2 }, .off = 564, .len = 70 }
	};
	uint8_t superseded[1][OBJECT_ID_LEN] = { { 0x77 } };
	struct segment_directory d = { packs, 2, pages, 2, 600, superseded, 1 };
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	segment_page_encode(en, 2, &b);
	assert_frozen("index page", &b, VECTOR_INDEX_PAGE);
	b.len = 0;
	segment_directory_encode(&d, &b);
	assert_frozen("index directory", &b, VECTOR_INDEX_DIRECTORY);
}

static void
tables_of_contents_are_frozen(void **state)
{
	static const uint32_t lens[] = { 3000, 1000 };
	auto_toc struct toc t = TOC_INIT;
	auto_buf struct buf b = BUF_INIT;
	uint8_t id[CHUNK_KEY_LEN];

	(void)state;
	memset(id, 0x10, sizeof(id));
	toc_add_frame(&t, 1, 64, 5000, 4012);
	toc_add_chunk(&t, id, 0, 3000);
	id[0] = 0x20;
	toc_add_chunk(&t, id, 3000, 1000);
	toc_add_frame(&t, 1, 5064, 140, 200);
	id[0] = 0x30;
	toc_add_chunk(&t, id, 0, 200);
	toc_encode(&t, &b);
	assert_frozen("table of contents", &b, VECTOR_TOC);
	b.len = 0;
	solid_table_encode(&b, lens, 2);
	assert_frozen("solid table", &b, VECTOR_SOLID);
}

static void
headers_trailers_and_attributes_are_frozen(void **state)
{
	struct object_header h = { .type = OBJECT_META };
	struct object_trailer t = { .toc_off = 1ULL << 33, .toc_len = 400 };
	const char *const names[] = { "security.capability", "user.a" };
	const void *const values[] = { "\1\0\0\2", "" };
	const size_t lens[] = { 4, 0 };
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	memset(h.id, 0xaa, sizeof(h.id));
	memset(h.repository_id, 0xbb, sizeof(h.repository_id));
	object_header_encode(buf_zeros(&b, OBJECT_HEADER_LEN), &h);
	b.len = OBJECT_HEADER_LEN;
	assert_frozen("header", &b, VECTOR_HEADER);
	b.len = 0;
	object_trailer_encode(buf_zeros(&b, OBJECT_TRAILER_LEN), &t);
	b.len = OBJECT_TRAILER_LEN;
	assert_frozen("trailer", &b, VECTOR_TRAILER);
	b.len = 0;
	xattrs_encode(&b, names, values, lens, 2);
	assert_frozen("extended attributes", &b, VECTOR_XATTRS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_directories_are_frozen),
		cmocka_unit_test(pages_of_extents_are_frozen),
		cmocka_unit_test(records_and_catalogs_are_frozen),
		cmocka_unit_test(states_of_pruning_are_frozen),
		cmocka_unit_test(index_segments_are_frozen),
		cmocka_unit_test(tables_of_contents_are_frozen),
		cmocka_unit_test(headers_trailers_and_attributes_are_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
