/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps as the writer builds them, read back page by page. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/bytes.h"
#include "repo/write/map.h"
#include "tests/unit/unit.h"

/* Pages by number; a reference's frame offset is the number. */
struct shelf {
	struct buf pages[4096];
	size_t n;
};

static int
put_page(void *ctx, const uint8_t *page, size_t len, struct ref *ref,
	struct err *e)
{
	struct shelf *s = ctx;

	(void)e;
	assert_true(s->n < n_elements(s->pages));
	buf_append(&s->pages[s->n], page, len);
	memset(ref, 0, sizeof(*ref));
	put_be64(ref->id, s->n * 0x9e3779b97f4a7c15);
	ref->place.off = s->n++;
	ref->place.len = 100;
	ref->place.object = OBJECT_META;
	ref->chunk_len = (uint32_t)len;
	return 0;
}

static void
shelf_release(struct shelf *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_release(&s->pages[i]);
	free(s);
}

static struct keyring *
keys(void)
{
	static const uint8_t zeros[KEY_LEN];

	return keyring_new(zeros, zeros);
}

/* Entries in order: name i is "%08zu", size i. */
static size_t
check_dir(const struct shelf *s, const struct ref *r, size_t next)
{
	const struct buf *b = &s->pages[r->place.off];
	struct page *p;

	assert_int_equal(page_decode(b->data, b->len, &p, NULL), 0);
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->kind == PAGE_DIR_INNER) {
			size_t first = next;

			next = check_dir(s, &p->inners[i].ref, next);
			assert_int_equal(p->inners[i].n, next - first);
			assert_int_equal(p->inners[i].totals.entries,
				next - first);
			continue;
		}
		char name[24];

		snprintf(name, sizeof(name), "%08zu", next);
		assert_int_equal(p->entries[i].name_len, 8);
		assert_memory_equal(p->entries[i].name, name, 8);
		assert_int_equal(p->entries[i].size, next++);
	}
	page_free(p);
	return next;
}

/* A directory of n names, one of which may have another size. */
static struct ref
build_dir(struct shelf *s, size_t n, size_t odd)
{
	struct keyring *k = keys();
	struct map_cut cut;
	struct map_builder *mb;
	struct ref root;
	const uint8_t *page;
	size_t len;
	bool any;

	map_cut_init(&cut, k);
	mb = map_builder_new(true, &cut, put_page, s);
	for (size_t i = 0; i < n; i++) {
		char name[24];
		struct entry en = { .name = (const uint8_t *)name,
			.name_len = 8,
			.mode = S_IFIFO | 0644,
			.nlink = 1,
			.size = i == odd ? 7777777 : i };

		snprintf(name, sizeof(name), "%08zu", i);
		assert_int_equal(map_builder_entry(mb, &en, NULL), 0);
	}
	assert_int_equal(map_builder_finish(mb, &any, &root, &page, &len, NULL),
		0);
	assert_true(any == (n > 0));
	assert_int_equal(map_builder_totals(mb).entries, n);
	map_builder_free(mb);
	keyring_free(k);
	return root;
}

static void
maps_of_any_size_hold_all_entries_in_order(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 100, 5000, 60000, 200000 };

	(void)state;
	for (size_t i = 0; i < n_elements(sizes); i++) {
		struct shelf *s = xcalloc(1, sizeof(*s));
		struct ref root = build_dir(s, sizes[i], SIZE_MAX);

		assert_int_equal(check_dir(s, &root, 0), sizes[i]);
		shelf_release(s);
	}
}

static void
an_empty_map_has_no_page(void **state)
{
	struct shelf *s = xcalloc(1, sizeof(*s));

	(void)state;
	build_dir(s, 0, SIZE_MAX);
	assert_int_equal(s->n, 0);
	shelf_release(s);
}

static size_t
count_new(const struct shelf *a, const struct shelf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		bool found = false;

		for (size_t k = 0; k < a->n && !found; k++)
			found = a->pages[k].len == b->pages[i].len &&
				!memcmp(a->pages[k].data, b->pages[i].data,
					b->pages[i].len);
		n += !found;
	}
	return n;
}

static void
one_changed_entry_rewrites_one_leaf_and_its_spine(void **state)
{
	struct shelf *a = xcalloc(1, sizeof(*a)), *b = xcalloc(1, sizeof(*b));

	(void)state;
	build_dir(a, 60000, SIZE_MAX);
	build_dir(b, 60000, 31234);
	assert_true(a->n > 30);
	assert_in_range(count_new(a, b), 1, 3);
	shelf_release(a);
	shelf_release(b);
}

static uint64_t
check_extents(const struct shelf *s, const struct ref *r, uint64_t off)
{
	const struct buf *b = &s->pages[r->place.off];
	struct extent x;
	struct page *p;

	assert_int_equal(page_decode(b->data, b->len, &p, NULL), 0);
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->kind == PAGE_EXTENT_INNER) {
			assert_int_equal(p->inners[i].off, off);
			off = check_extents(s, &p->inners[i].ref, off);
			assert_int_equal(
				p->inners[i].off + p->inners[i].len, off);
			continue;
		}
		page_extent(p, i, &x);
		assert_int_equal(x.off, off);
		assert_true(x.hole == (off / 1000 % 5 == 0));
		off += x.len;
	}
	page_free(p);
	return off;
}

/* n extents of 1000 bytes, each fifth a hole. */
static struct ref
build_extents(struct shelf *s, uint64_t n, bool first_last)
{
	struct keyring *k = keys();
	struct map_cut cut;
	struct map_builder *mb;
	struct ref root;
	const uint8_t *page;
	size_t len;
	bool any;

	map_cut_init(&cut, k);
	mb = map_builder_new(false, &cut, put_page, s);
	if (first_last)
		map_builder_first_last(mb);
	for (uint64_t i = 0; i < n; i++) {
		struct extent x = { .off = i * 1000,
			.len = 1000,
			.hole = i % 5 == 0,
			.ref = { .place = { .off = i * 500, .len = 400,
				.object = OBJECT_DATA }, .chunk_len = 1000 } };

		put_be64(x.ref.id, i * 0x9e3779b97f4a7c15);
		assert_int_equal(map_builder_extent(mb, &x, NULL), 0);
	}
	assert_int_equal(map_builder_finish(mb, &any, &root, &page, &len, NULL),
		0);
	map_builder_free(mb);
	keyring_free(k);
	return root;
}

static void
extents_cover_the_file_without_gaps(void **state)
{
	struct shelf *s = xcalloc(1, sizeof(*s));
	struct ref root = build_extents(s, 20000, false);

	(void)state;
	assert_true(s->n > 3);
	assert_int_equal(check_extents(s, &root, 0), 20000 * 1000);
	shelf_release(s);
}

/* Whether the page on the shelf begins the file. */
static bool
begins(const struct shelf *s, size_t i)
{
	struct page *p;
	bool yes;

	assert_int_equal(page_decode(s->pages[i].data, s->pages[i].len, &p,
				 NULL),
		0);
	yes = p->kind == PAGE_EXTENT_LEAF && p->off == 0;
	page_free(p);
	return yes;
}

static void
the_first_leaf_can_lie_beside_the_root(void **state)
{
	static const uint64_t sizes[] = { 1, 20, 20000 };

	(void)state;
	for (size_t i = 0; i < n_elements(sizes); i++) {
		struct shelf *s = xcalloc(1, sizeof(*s));
		struct ref root = build_extents(s, sizes[i], true);

		assert_int_equal(
			check_extents(s, &root, 0), sizes[i] * 1000);
		assert_int_equal(root.place.off, s->n - 1);
		assert_true(begins(s, s->n > 1 ? s->n - 2 : 0));
		shelf_release(s);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_of_any_size_hold_all_entries_in_order),
		cmocka_unit_test(an_empty_map_has_no_page),
		cmocka_unit_test(
			one_changed_entry_rewrites_one_leaf_and_its_spine),
		cmocka_unit_test(extents_cover_the_file_without_gaps),
		cmocka_unit_test(the_first_leaf_can_lie_beside_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
