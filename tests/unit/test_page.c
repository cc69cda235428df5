/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages come back as they were put in.  What is refused: test_page_refused. */
#include "tests/unit/unit.h"

#include "tests/unit/samples.h"
#include "tests/unit/same.h"

/* Encode n entries, decode, compare; *page is given, b holds its bytes. */
static void
check_leaf(
	const struct entry *en, uint32_t n, struct buf *b, struct page **page)
{
	struct page_encoder *pe = page_encoder_new(PAGE_DIR_LEAF);
	struct err e = ERR_INIT;

	for (uint32_t i = 0; i < n; i++)
		page_encoder_entry(pe, &en[i]);
	assert_int_equal(page_encoder_n(pe), n);
	b->len = 0;
	page_encoder_finish(pe, b);
	assert_int_equal(page_encoder_n(pe), 0);
	page_encoder_free(pe);
	if (page_decode(b->data, b->len, page, &e))
		fail_msg("%s", e.text);
	assert_int_equal((*page)->n, n);
	for (uint32_t i = 0; i < n; i++) {
		if (!same_entry(&en[i], &(*page)->entries[i]))
			fail_msg("entry %u differs", i);
	}
}

static void
check_one(const struct entry *en)
{
	auto_buf struct buf b = BUF_INIT;
	struct page *p;

	check_leaf(en, 1, &b, &p);
	page_free(p);
}

static struct entry
file(const char *name)
{
	return (struct entry){ .name = (const uint8_t *)name,
		.name_len = (uint32_t)strlen(name),
		.mode = S_IFREG | 0644,
		.nlink = 1 };
}

static void
entries_of_every_kind_come_back(void **state)
{
	auto_free struct samples *s = xcalloc(1, sizeof(*s));
	struct entry en[SAMPLES_MAX];
	auto_buf struct buf b = BUF_INIT, again = BUF_INIT;

	(void)state;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		uint32_t n = (uint32_t)(seed % SAMPLES_MAX) + 1;
		struct page *p;

		s->state = seed * 0x9e3779b97f4a7c15;
		for (uint32_t i = 0; i < n; i++) {
			en[i] = sample_entry(s, i);
			en[i].name_len = sample_name(s, i, &en[i].name);
		}
		check_leaf(en, n, &b, &p);
		again.len = 0;
		page_encode_again(p, &again);
		assert_true(same_bytes(b.data, b.len, again.data, again.len));
		page_free(p);
	}
}

static void
each_type_has_its_own_mode(void **state)
{
	static const uint32_t types[] = { S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK,
		S_IFIFO, S_IFSOCK };

	(void)state;
	for (size_t i = 0; i < n_elements(types); i++) {
		struct entry en = file("x");

		en.mode = types[i] | 07777;
		check_one(&en);
	}
}

static void
names_of_255_bytes_and_of_any_bytes_come_back(void **state)
{
	uint8_t name[255];
	struct entry en = file("");

	(void)state;
	en.name = name;
	for (en.name_len = 1; en.name_len <= 255; en.name_len++) {
		for (size_t i = 0; i < sizeof(name); i++)
			name[i] = (uint8_t)(i == '/' - 1 ? 0xff : i + 1);
		check_one(&en);
	}
	en.name_len = 1;
	for (unsigned c = 1; c < 256; c++) {
		name[0] = (uint8_t)c;
		if (c != '/' && c != '.')
			check_one(&en);
	}
}

static void
long_names_that_differ_at_their_end_cost_two_bytes(void **state)
{
	uint8_t names[200][255];
	struct entry en[200];
	auto_buf struct buf b = BUF_INIT;
	struct page *p;

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		memset(names[i], 'n', 255);
		names[i][254] = (uint8_t)(i + 50);
		en[i] = file("");
		en[i].name = names[i];
		en[i].name_len = 255;
	}
	check_leaf(en, 200, &b, &p);
	assert_in_range(b.len, 200 * 9, 200 * 13 + 300);
	page_free(p);
}

static void
a_name_may_go_on_where_the_one_before_ends(void **state)
{
	struct entry en[] = { file("a"), file("ab"), file("ab "), file("b"),
		file("b\xff"), file("\xff") };
	auto_buf struct buf b = BUF_INIT;
	struct page *p;

	(void)state;
	check_leaf(en, n_elements(en), &b, &p);
	page_free(p);
}

static void
times_before_1970_and_after_2106_come_back(void **state)
{
	static const int64_t times[] = { 0, -1, 1, -2208988800, 4102444800,
		1LL << 32, INT64_MAX, INT64_MIN, INT64_MIN + 1 };
	struct entry en[2] = { file("a"), file("b") };

	(void)state;
	for (size_t i = 0; i < n_elements(times) * n_elements(times); i++) {
		auto_buf struct buf b = BUF_INIT;
		struct page *p;

		en[0].mtime_s = en[1].ctime_s = times[i % n_elements(times)];
		en[0].ctime_s = en[1].mtime_s = times[i / n_elements(times)];
		en[1].mtime_ns = 999999999;
		en[0].ctime_ns = 999999999;
		check_leaf(en, 2, &b, &p);
		page_free(p);
	}
}

static void
blocks_are_written_only_when_they_are_unusual(void **state)
{
	struct entry usual = file("a"), sparse = file("a");
	auto_buf struct buf b = BUF_INIT;
	struct page *p;
	size_t len;

	(void)state;
	usual.size = sparse.size = 100;
	usual.content = sparse.content = CONTENT_INLINE;
	usual.data = sparse.data = (const uint8_t[100]){ 1 };
	usual.blocks = 8;
	check_leaf(&usual, 1, &b, &p);
	page_free(p);
	len = b.len;
	check_leaf(&sparse, 1, &b, &p);
	page_free(p);
	assert_int_equal(b.len, len + 1);
}

static void
files_of_a_solid_frame_cost_one_byte_of_hint(void **state)
{
	struct entry en[100];
	uint8_t names[100];
	auto_buf struct buf b = BUF_INIT;
	struct page *p;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		en[i] = file("");
		names[i] = (uint8_t)(i + 64);
		en[i].name = &names[i];
		en[i].name_len = 1;
		en[i].size = 1000;
		en[i].blocks = 8;
		en[i].content = CONTENT_CHUNK;
		en[i].ref = (struct ref){ .chunk_off = i * 1000,
			.chunk_len = 1000,
			.place = { .off = 64,
				.len = 5000,
				.object = OBJECT_DATA } };
	}
	check_leaf(en, 100, &b, &p);
	/* name 3, flags 2, ino, mtime, ns, size 2, hint, id */
	assert_in_range(b.len, 100 * (11 + 20), 100 * (11 + 20) + 40);
	page_free(p);
}

static void
an_encoder_that_finished_a_page_starts_anew(void **state)
{
	struct page_encoder *pe = page_encoder_new(PAGE_DIR_LEAF);
	auto_buf struct buf one = BUF_INIT, two = BUF_INIT;
	struct entry en = file("name");

	(void)state;
	en.ino = 77;
	en.mtime_s = 1763000000;
	en.content = CONTENT_CHUNK;
	en.size = en.ref.chunk_len = 500;
	en.ref.place.object = OBJECT_DATA;
	page_encoder_entry(pe, &en);
	page_encoder_finish(pe, &one);
	page_encoder_entry(pe, &en);
	page_encoder_finish(pe, &two);
	page_encoder_free(pe);
	assert_true(same_bytes(one.data, one.len, two.data, two.len));
}

static void
nodes_are_counted_before_each_entry(void **state)
{
	struct entry en[] = { file("a"), file("b"), file("c") };
	auto_buf struct buf b = BUF_INIT;
	struct page *p;

	(void)state;
	en[1].mode = S_IFDIR | 0755;
	en[1].nlink = 2;
	en[1].content = CONTENT_MAP;
	en[1].totals.entries = 40;
	en[1].ref.place.object = OBJECT_META;
	en[1].ref.chunk_len = 100;
	check_leaf(en, 3, &b, &p);
	assert_int_equal(p->nodes_before[0], 0);
	assert_int_equal(p->nodes_before[1], 1);
	assert_int_equal(p->nodes_before[2], 42);
	assert_int_equal(p->nodes_before[3], 43);
	page_free(p);
}

static void
check_children(enum page_kind kind, struct inner *in, uint32_t n)
{
	struct page_encoder *pe = page_encoder_new(kind);
	auto_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	uint64_t nodes = 0, count = 0;
	struct page *p;

	for (uint32_t i = 0; i < n; i++)
		page_encoder_inner(pe, &in[i]);
	page_encoder_finish(pe, &b);
	page_encoder_free(pe);
	if (page_decode(b.data, b.len, &p, &e))
		fail_msg("%s", e.text);
	assert_int_equal(p->kind, kind);
	assert_int_equal(p->n, n);
	for (uint32_t i = 0; i < n; i++) {
		assert_true(same_inner(&in[i], &p->inners[i]));
		assert_int_equal(p->n_before[i], count);
		assert_int_equal(p->nodes_before[i], nodes);
		count += in[i].n;
		nodes += in[i].totals.entries;
	}
	assert_int_equal(p->n_before[n], count);
	page_free(p);
}

static void
children_of_inner_pages_come_back(void **state)
{
	auto_free struct samples *s = xcalloc(1, sizeof(*s));
	struct inner in[SAMPLES_MAX];

	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		uint32_t n = (uint32_t)(seed % SAMPLES_MAX) + 1;
		uint64_t off = seed % 3 * 1000;

		s->state = seed * 0x9e3779b97f4a7c15;
		memset(in, 0, sizeof(in));
		for (uint32_t i = 0; i < n; i++) {
			in[i].first_len = sample_name(s, i, &in[i].first);
			in[i].totals = sample_totals(s);
			in[i].n = 1 + sample_below(s, in[i].totals.entries);
			in[i].ref = sample_ref(s, OBJECT_META,
				(uint32_t)SAMPLE(s, 1, PAGE_LEN_MAX));
		}
		check_children(PAGE_DIR_INNER, in, n);
		for (uint32_t i = 0; i < n; i++) {
			memset(&in[i].totals, 0, sizeof(in[i].totals));
			in[i].first = NULL;
			in[i].first_len = 0;
			in[i].off = off;
			in[i].len = in[i].n + SAMPLE(s, 0, 1, 1ULL << 55);
			off += in[i].len;
		}
		check_children(PAGE_EXTENT_INNER, in, n);
	}
}

static void
check_extents(const struct extent *x, uint32_t n)
{
	auto_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	struct extent y;
	struct page *p;

	encode_extents(x, n, &b);
	if (page_decode(b.data, b.len, &p, &e))
		fail_msg("%s", e.text);
	assert_int_equal(p->n, n);
	assert_int_equal(p->off, x[0].off);
	assert_int_equal(p->end, x[n - 1].off + x[n - 1].len);
	for (uint32_t i = n; i-- > 0;) {
		page_extent(p, i, &y);
		assert_true(same_extent(&x[i], &y));
		assert_int_equal(page_extent_at(p, x[i].off, &y), i);
		assert_true(same_extent(&x[i], &y));
		assert_int_equal(
			page_extent_at(p, x[i].off + x[i].len - 1, &y), i);
	}
	page_free(p);
}

static void
extents_and_holes_come_back(void **state)
{
	auto_free struct samples *s = xcalloc(1, sizeof(*s));
	struct extent x[SAMPLES_MAX];

	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		uint32_t n = (uint32_t)(seed % SAMPLES_MAX) + 1;
		uint64_t off = seed % 2 ? 0 : 1ULL << 40;

		s->state = seed * 0x9e3779b97f4a7c15;
		memset(x, 0, sizeof(x));
		for (uint32_t i = 0; i < n; i++) {
			x[i].off = off;
			x[i].hole = sample_below(s, 3) == 0;
			x[i].len = x[i].hole ? SAMPLE(s, 1, 4096, 1ULL << 55)
					     : SAMPLE(s, 1, 16u << 20);
			if (!x[i].hole)
				x[i].ref = sample_ref(
					s, OBJECT_DATA, (uint32_t)x[i].len);
			off += x[i].len;
		}
		check_extents(x, n);
	}
}

static void
a_hole_may_be_as_long_as_a_file_may_be(void **state)
{
	struct extent x = { .len = INT64_MAX, .hole = true };

	(void)state;
	check_extents(&x, 1);
}

static void
totals_of_files_longer_than_can_be_summed_stay_readable(void **state)
{
	struct entry big = file("a"), dir = file("d");
	struct totals t;

	(void)state;
	big.size = INT64_MAX;
	dir.mode = S_IFDIR | 0755;
	dir.nlink = 2;
	dir.content = CONTENT_MAP;
	dir.ref.place.object = OBJECT_META;
	dir.ref.chunk_len = 9;
	for (int i = 0; i < 3; i++) {
		entry_totals(&big, &t);
		totals_add(&dir.totals, &t);
	}
	assert_int_equal(dir.totals.bytes, INT64_MAX);
	assert_int_equal(dir.totals.files, 3);
	check_one(&dir);
	entry_totals(&dir, &t);
	assert_int_equal(t.bytes, INT64_MAX);
	assert_int_equal(t.entries, 4);
}

static void
totals_know_the_newest_moment_and_what_has_attributes(void **state)
{
	static const uint8_t acl[] = "\x17system.posix_acl_access\1x";
	struct entry en = file("a");
	struct totals t;

	(void)state;
	en.mtime_s = -5;
	en.ctime_s = INT64_MAX;
	entry_totals(&en, &t);
	assert_int_equal(t.newest_ns, 0);
	assert_int_equal(t.flags, 0);
	en.mtime_s = 2;
	en.mtime_ns = 3;
	en.ctime_s = 1;
	en.xattrs = (const uint8_t *)"\x06user.a\1x";
	en.xattrs_len = 9;
	entry_totals(&en, &t);
	assert_int_equal(t.newest_ns, 2000000003);
	assert_int_equal(t.flags, TOTALS_XATTRS);
	en.xattrs = acl;
	en.xattrs_len = sizeof(acl) - 1;
	entry_totals(&en, &t);
	assert_int_equal(t.flags, TOTALS_XATTRS | TOTALS_ACL);
	en.xattrs = NULL;
	en.xattrs_ref = &en.ref;
	entry_totals(&en, &t);
	assert_int_equal(t.flags, TOTALS_XATTRS | TOTALS_ACL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_every_kind_come_back),
		cmocka_unit_test(each_type_has_its_own_mode),
		cmocka_unit_test(names_of_255_bytes_and_of_any_bytes_come_back),
		cmocka_unit_test(
			long_names_that_differ_at_their_end_cost_two_bytes),
		cmocka_unit_test(a_name_may_go_on_where_the_one_before_ends),
		cmocka_unit_test(times_before_1970_and_after_2106_come_back),
		cmocka_unit_test(blocks_are_written_only_when_they_are_unusual),
		cmocka_unit_test(files_of_a_solid_frame_cost_one_byte_of_hint),
		cmocka_unit_test(an_encoder_that_finished_a_page_starts_anew),
		cmocka_unit_test(nodes_are_counted_before_each_entry),
		cmocka_unit_test(children_of_inner_pages_come_back),
		cmocka_unit_test(extents_and_holes_come_back),
		cmocka_unit_test(a_hole_may_be_as_long_as_a_file_may_be),
		cmocka_unit_test(
			totals_of_files_longer_than_can_be_summed_stay_readable),
		cmocka_unit_test(
			totals_know_the_newest_moment_and_what_has_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
