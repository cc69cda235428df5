/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metadata that unseals and lies: somebody with the key wrote it. */
#include "tests/unit/forge.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static char host[] = "h", name[] = "n";

static struct entry
file_entry(const char *called)
{
	return (struct entry){ .name = (const uint8_t *)called,
		.name_len = (uint32_t)strlen(called),
		.mode = S_IFREG | 0644,
		.nlink = 1 };
}

static struct entry
dir_entry(const char *called)
{
	struct entry en = file_entry(called);

	en.mode = S_IFDIR | 0755;
	en.nlink = 2;
	return en;
}

/* A snapshot whose root directory is this; opened. */
struct opened {
	struct history *h;
	struct view *v;
};

static struct opened
open_root(struct forge *f, const struct entry *root)
{
	struct record r = { .host = host, .name = name, .seq = 1,
		.generation = 1, .root = *root };
	struct opened o;

	forge_record(f, &r, NULL, NULL);
	forge_flush(f);
	o.h = forge_open(f, 0);
	o.v = forge_view(o.h, 0);
	return o;
}

static void
close_root(struct opened *o)
{
	view_put(o->v);
	history_free(o->h);
}

static bool
count(void *ctx, const struct view_dirent *d)
{
	(void)d;
	return ++*(unsigned *)ctx < 1000000;
}

/* Every way into a directory ends in EUCLEAN. */
static void
assert_unclean(struct view *v, uint64_t dir, const char *some, uint64_t node)
{
	struct view_attr a;
	struct err e = ERR_INIT;
	unsigned n = 0;

	assert_int_equal(view_lookup(v, dir, some, strlen(some), &a, &e),
		-EUCLEAN);
	assert_int_equal(e.code, EUCLEAN);
	assert_non_null(strstr(e.text, "h/n@"));
	assert_int_equal(view_attr(v, node, &a, &e), -EUCLEAN);
	assert_int_equal(view_list(v, dir, 0, count, &n, &e), -EUCLEAN);
	assert_true(n < 1000000);
}

/* 30 files in pages of two, of which one inner page lies. */
static void
directory_with_a_lie(void (*lie)(struct forge *f, struct inner *in))
{
	char names[30][8];
	struct entry entries[30], root = dir_entry("");
	struct forge f;
	struct opened o;

	forge_init(&f, 2);
	for (int i = 0; i < 30; i++) {
		snprintf(names[i], sizeof(names[i]), "f%02d", i);
		entries[i] = file_entry(names[i]);
	}
	f.lie = lie;
	forge_dir(&f, entries, 30, &root, NULL);
	o = open_root(&f, &root);
	assert_unclean(o.v, 0, "f29", 30);
	close_root(&o);
	forge_release(&f);
}

static bool
is_last(const struct inner *in)
{
	return in->n == 2 && !memcmp(in->first, "f28", 3);
}

static void
more_nodes(struct forge *f, struct inner *in)
{
	(void)f;
	in->totals.entries += is_last(in);
}

static void
fewer_nodes_and_entries(struct forge *f, struct inner *in)
{
	(void)f;
	in->totals.entries -= is_last(in);
	in->n -= is_last(in);
}

static void
more_entries(struct forge *f, struct inner *in)
{
	(void)f;
	if (is_last(in)) {
		in->n++;
		in->totals.entries++;
	}
}

static void
another_first_name(struct forge *f, struct inner *in)
{
	(void)f;
	if (is_last(in))
		in->first = (const uint8_t *)"f27";
}

static struct ref first_leaf;

static void
the_first_leaf_twice(struct forge *f, struct inner *in)
{
	(void)f;
	if (in->n == 2 && !memcmp(in->first, "f00", 3))
		first_leaf = in->ref;
	if (is_last(in))
		in->ref = first_leaf;
}

static void
sums_that_disagree_are_refused(void **state)
{
	(void)state;
	directory_with_a_lie(more_nodes);
	directory_with_a_lie(fewer_nodes_and_entries);
	directory_with_a_lie(more_entries);
}

static void
names_that_disagree_are_refused(void **state)
{
	(void)state;
	directory_with_a_lie(another_first_name);
	directory_with_a_lie(the_first_leaf_twice);
}

/* An inner page whose only child is the page itself. */
static struct ref
forge_cycle(struct forge *f, enum page_kind kind)
{
	struct inner in = { .first = (const uint8_t *)"f00",
		.first_len = 3,
		.n = 5,
		.len = 1000,
		.totals = { .entries = 5, .files = 5 } };
	struct ref made;

	memcpy(in.ref.place.pack, f->meta.id, OBJECT_ID_LEN);
	in.ref.place.object = OBJECT_META;
	in.ref.place.off = f->meta.bytes.len;
	/* Both lengths are varints of two bytes. */
	in.ref.chunk_len = 200;
	in.ref.place.len = 200 + FRAME_OVERHEAD;
	for (int i = 0; i < 3; i++) {
		struct page_encoder *pe = page_encoder_new(kind);
		auto_buf struct buf page = BUF_INIT;

		page_encoder_inner(pe, &in);
		page_encoder_finish(pe, &page);
		page_encoder_free(pe);
		if (i == 2) {
			forge_page(f, page.data, page.len, &made);
			assert_int_equal(page.len, in.ref.chunk_len);
		}
		in.ref.chunk_len = (uint32_t)page.len;
		in.ref.place.len = (uint32_t)page.len + FRAME_OVERHEAD;
	}
	assert_int_equal(made.place.off, in.ref.place.off);
	assert_int_equal(made.place.len, in.ref.place.len);
	return made;
}

static void
a_page_below_itself_is_refused(void **state)
{
	struct entry root = dir_entry("");
	struct forge f;
	struct opened o;

	(void)state;
	forge_init(&f, 2);
	root.content = CONTENT_MAP;
	root.ref = forge_cycle(&f, PAGE_DIR_INNER);
	root.totals = (struct totals){ .entries = 5, .files = 5 };
	o = open_root(&f, &root);
	assert_unclean(o.v, 0, "f00", 1);
	close_root(&o);
	forge_release(&f);
}

/* A directory that is said to be a page, which is of this content. */
static void
directory_of(const void *bytes, size_t len, uint8_t frame_type)
{
	const struct forge_chunk c = { bytes, len };
	struct entry root = dir_entry("");
	struct forge f;
	struct opened o;

	forge_init(&f, 2);
	root.content = CONTENT_MAP;
	forge_frame(&f, OBJECT_META, frame_type, &c, 1, &root.ref);
	root.totals = (struct totals){ .entries = 5 };
	o = open_root(&f, &root);
	assert_unclean(o.v, 0, "f00", 1);
	close_root(&o);
	forge_release(&f);
}

static void
pages_of_the_wrong_kind_are_refused(void **state)
{
	struct page_encoder *pe = page_encoder_new(PAGE_EXTENT_LEAF);
	const struct extent x = { .len = 5, .hole = true };
	auto_buf struct buf page = BUF_INIT;

	(void)state;
	page_encoder_extent(pe, &x);
	page_encoder_finish(pe, &page);
	page_encoder_free(pe);
	directory_of(page.data, page.len, FRAME_PAGES);
	directory_of("no page at all", 14, FRAME_PAGES);
	directory_of(page.data, page.len, FRAME_DATA);
}

/* -- Extents -------------------------------------------------------------------- */

/* A file whose extents map's inner pages lie; its content must not be read. */
static void
file_with_a_lie(void (*lie)(struct forge *f, struct inner *in), uint64_t size)
{
	struct extent x[20] = { { .off = 0 } };
	struct entry file = file_entry("big"), root = dir_entry("");
	struct err e = ERR_INIT;
	struct forge f;
	struct opened o;
	int r = 0;

	forge_init(&f, 2);
	for (int i = 0; i < 20; i++) {
		const struct forge_chunk c = { "0123456789", 10 };

		x[i].off = (uint64_t)i * 10;
		x[i].len = 10;
		forge_frame(&f, OBJECT_DATA, FRAME_DATA, &c, 1, &x[i].ref);
	}
	f.lie = lie;
	forge_extents(&f, x, 20, &file);
	f.lie = NULL;
	file.size = size;
	forge_dir(&f, &file, 1, &root, NULL);
	o = open_root(&f, &root);
	for (uint64_t off = 0; !r && off < 200; off += 10) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;

		r = view_read(o.v, 1, off, 10, &d, &e);
		for (int i = 0; i < d.n; i++)
			assert_memory_equal(d.iov[i].iov_base, "0123456789",
				d.iov[i].iov_len);
	}
	assert_int_equal(r, -EUCLEAN);
	assert_non_null(strstr(e.text, ":big"));
	close_root(&o);
	forge_release(&f);
}

static void
longer_extents(struct forge *f, struct inner *in)
{
	(void)f;
	if (in->off == 180 && in->n == 2)
		in->len++;
}

static void
other_extents(struct forge *f, struct inner *in)
{
	(void)f;
	if (in->off == 0 && in->n == 2)
		first_leaf = in->ref;
	if (in->off == 180 && in->n == 2)
		in->ref = first_leaf;
}

static void
extents_that_disagree_are_refused(void **state)
{
	(void)state;
	file_with_a_lie(longer_extents, 201);
	file_with_a_lie(other_extents, 200);
	file_with_a_lie(NULL, 199);
	file_with_a_lie(NULL, 1000);
}

static void
a_file_of_a_directorys_page_is_refused(void **state)
{
	struct entry one = file_entry("one"), file = file_entry("file");
	struct entry dir = dir_entry("x"), root = dir_entry("");
	struct err e = ERR_INIT;
	struct forge f;
	struct opened o;
	uint64_t found;

	(void)state;
	forge_init(&f, 2);
	forge_dir(&f, &one, 1, &dir, NULL);
	file.content = CONTENT_MAP;
	file.ref = dir.ref;
	file.size = 100;
	forge_dir(&f, &file, 1, &root, NULL);
	o = open_root(&f, &root);
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	assert_int_equal(view_read(o.v, 1, 0, 10, &d, &e), -EUCLEAN);
	assert_int_equal(view_seek(o.v, 1, 0, SEEK_DATA, &found, &e), -EUCLEAN);
	close_root(&o);
	forge_release(&f);
}

static void
content_in_a_frame_of_pages_is_refused(void **state)
{
	const struct forge_chunk c = { "0123456789", 10 };
	struct entry file = file_entry("file"), root = dir_entry("");
	struct err e = ERR_INIT;
	struct forge f;
	struct opened o;

	(void)state;
	forge_init(&f, 2);
	forge_frame(&f, OBJECT_DATA, FRAME_PAGES, &c, 1, &file.ref);
	file.content = CONTENT_CHUNK;
	file.size = 10;
	forge_dir(&f, &file, 1, &root, NULL);
	o = open_root(&f, &root);
	auto_view_data struct view_data d = VIEW_DATA_INIT;
	assert_int_equal(view_read(o.v, 1, 0, 10, &d, &e), -EUCLEAN);
	close_root(&o);
	forge_release(&f);
}

/* -- Deep trees ------------------------------------------------------------------ */

static void
a_thousand_directories_may_be_nested(void **state)
{
	struct entry dir = dir_entry("d"), leaf = file_entry("leaf");
	struct view_attr a;
	struct err e = ERR_INIT;
	uint64_t up, node = 1000;
	struct forge f;
	struct opened o;

	(void)state;
	forge_init(&f, 2);
	forge_dir(&f, &leaf, 1, &dir, NULL);
	for (int i = 1; i < 1000; i++) {
		struct entry below = dir;

		forge_dir(&f, &below, 1, &dir, NULL);
	}
	o = open_root(&f, &dir);
	assert_int_equal(view_attr(o.v, node, &a, &e), 0);
	assert_true(S_ISREG(a.mode));
	for (; node > 0; node = up) {
		assert_int_equal(view_parent(o.v, node, &up, &e), 0);
		assert_int_equal(up, node - 1);
	}
	close_root(&o);
	forge_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_that_disagree_are_refused),
		cmocka_unit_test(names_that_disagree_are_refused),
		cmocka_unit_test(a_page_below_itself_is_refused),
		cmocka_unit_test(pages_of_the_wrong_kind_are_refused),
		cmocka_unit_test(extents_that_disagree_are_refused),
		cmocka_unit_test(a_file_of_a_directorys_page_is_refused),
		cmocka_unit_test(content_in_a_frame_of_pages_is_refused),
		cmocka_unit_test(a_thousand_directories_may_be_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
