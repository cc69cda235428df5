/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything below records is told, each page is read once. */
#include "tests/unit/forge.h"

#include <errno.h>
#include <sys/stat.h>
#include "repo/fetch/fetch.h"
#include "repo/upkeep/reach.h"

static char host[] = "h", source[] = "n";

#define N_FILES 40
#define N_EXTENTS 9

/* A tree with a directory of many files, one of them big. */
struct tree {
	struct forge f;
	struct entry files[N_FILES], dirs[2], root;
	struct ref refs[N_FILES], xattrs, extents[N_EXTENTS];
	struct fetch *fetch;
};

struct told {
	struct ref refs[1000];
	enum reach_kind kinds[1000];
	char paths[1000][64];
	size_t n, n_pages, n_unread;
	struct reach *re;
	size_t stop_at;
};

static struct told told;

static int
note(void *ctx, enum reach_kind kind, const struct ref *r, struct err *e)
{
	(void)ctx;
	reach_path(told.re, told.paths[told.n], 64);
	told.kinds[told.n] = kind;
	told.refs[told.n++] = *r;
	return told.n == told.stop_at ? err_set(e, EINTR, "enough") : 0;
}

static void
note_page(void *ctx, const struct ref *r, const struct page *p)
{
	(void)ctx;
	(void)r;
	assert_true(p->n > 0);
	told.n_pages++;
}

static int
note_unread(void *ctx, const struct ref *r, const struct err *why)
{
	(void)r;
	told.n_unread++;
	assert_true(why->code);
	return ctx ? 0 : -why->code;
}

static size_t
count(enum reach_kind kind, const struct ref *r)
{
	size_t n = 0;

	for (size_t i = 0; i < told.n; i++)
		n += told.kinds[i] == kind && !memcmp(told.refs[i].id, r->id,
						      CHUNK_ID_LEN) &&
		     told.refs[i].place.off == r->place.off &&
		     told.refs[i].chunk_off == r->chunk_off;
	return n;
}

static struct entry
entry(const char *name, uint32_t mode)
{
	return (struct entry){ .name = (const uint8_t *)name,
		.name_len = (uint32_t)strlen(name),
		.mode = mode,
		.nlink = 1 };
}

static void
forge_files(struct tree *t)
{
	static char names[N_FILES][8];
	struct forge_chunk c[N_FILES];

	for (int i = 0; i < N_FILES; i++) {
		snprintf(names[i], sizeof(names[i]), "f%02d", i);
		c[i] = (struct forge_chunk){ names[i], 3 };
	}
	forge_frame(&t->f, OBJECT_DATA, FRAME_DATA, c, N_FILES, t->refs);
	for (int i = 0; i < N_FILES; i++) {
		t->files[i] = entry(names[i], S_IFREG | 0644);
		t->files[i].content = CONTENT_CHUNK;
		t->files[i].size = 3;
		t->files[i].ref = t->refs[i];
	}
}

static void
forge_big(struct tree *t, struct entry *file)
{
	struct extent x[N_EXTENTS + 1] = { { .len = 5, .hole = true } };

	for (int i = 0; i < N_EXTENTS; i++) {
		struct forge_chunk c = { &"abcdefghijk"[i], 2 };

		forge_frame(&t->f, OBJECT_DATA, FRAME_DATA, &c, 1,
			&t->extents[i]);
		x[i + 1] = (struct extent){ .off = 5 + 2 * (uint64_t)i,
			.len = 2,
			.ref = t->extents[i] };
	}
	file->size = 5 + 2 * N_EXTENTS;
	forge_extents(&t->f, x, N_EXTENTS + 1, file);
}

/* The pages of maps have three entries; root: "a" with all files, "b", which
 * is empty but for f00. */
static void
tree_init(struct tree *t)
{
	struct forge_chunk c = { "\6user.a\1x", 9 };

	memset(t, 0, sizeof(*t));
	forge_init(&t->f, 3);
	forge_files(t);
	forge_big(t, &t->files[7]);
	forge_frame(&t->f, OBJECT_META, FRAME_PAGES, &c, 1, &t->xattrs);
	t->files[9].xattrs_ref = &t->xattrs;
	t->dirs[0] = entry("a", S_IFDIR | 0755);
	t->dirs[1] = entry("b", S_IFDIR | 0755);
	forge_dir(&t->f, t->files, N_FILES, &t->dirs[0], NULL);
	forge_dir(&t->f, t->files, 1, &t->dirs[1], NULL);
	t->root = entry("", S_IFDIR | 0755);
	forge_dir(&t->f, t->dirs, 2, &t->root, NULL);
	forge_flush(&t->f);
	t->fetch = fetch_new(t->f.rp->store, t->f.rp->keys,
		&(struct fetch_options){ .threads = 1 });
	memset(&told, 0, sizeof(told));
}

static void
tree_release(struct tree *t)
{
	fetch_free(t->fetch);
	forge_release(&t->f);
}

static struct reach *
begin(struct tree *t, bool go_on)
{
	const struct reach_options o = { .keys = t->f.rp->keys,
		.fetch = t->fetch,
		.found = note,
		.page = note_page,
		.unread = note_unread,
		.ctx = go_on ? &told : NULL };

	told.re = reach_new(&o);
	return told.re;
}

static int
walk(struct reach *re, const struct entry *root, struct err *e)
{
	const struct record r = { .host = host, .name = source, .seq = 1,
		.generation = 1, .root = *root };

	return reach_record(re, &r, e);
}

static void
all_that_is_below_a_record_is_told(void **state)
{
	auto_reach struct reach *re = NULL;
	struct tree t;

	(void)state;
	tree_init(&t);
	re = begin(&t, false);
	assert_int_equal(walk(re, &t.root, NULL), 0);
	for (int i = 1; i < N_FILES; i++)
		assert_int_equal(count(REACH_DATA, &t.refs[i]), i != 7);
	assert_int_equal(count(REACH_DATA, &t.refs[0]), 2);
	for (int i = 0; i < N_EXTENTS; i++)
		assert_int_equal(count(REACH_DATA, &t.extents[i]), 1);
	assert_int_equal(count(REACH_XATTRS, &t.xattrs), 1);
	assert_int_equal(count(REACH_PAGE, &t.dirs[0].ref), 1);
	assert_int_equal(count(REACH_PAGE, &t.files[7].ref), 1);
	assert_int_equal(count(REACH_PAGE, &t.root.ref), 1);
	assert_int_equal(told.n_pages, reach_pages(re));
	assert_int_equal(told.n,
		told.n_pages + N_FILES - 1 + 1 + N_EXTENTS + 1);
	tree_release(&t);
}

static void
the_order_is_that_of_a_walk_and_paths_are_known(void **state)
{
	auto_reach struct reach *re = NULL;
	struct tree t;
	size_t at = 0;
	char path[64];

	(void)state;
	tree_init(&t);
	re = begin(&t, false);
	assert_int_equal(walk(re, &t.root, NULL), 0);
	for (int i = 0; i < N_FILES; i++) {
		snprintf(path, sizeof(path), "a/f%02d", i);
		while (told.kinds[at] == REACH_PAGE)
			at++;
		assert_string_equal(told.paths[at], path);
		for (int k = i == 7 ? N_EXTENTS : 1 + (i == 9); k > 0; at++) {
			if (told.kinds[at] == REACH_PAGE)
				continue;
			assert_string_equal(told.paths[at], path);
			k--;
		}
	}
	while (told.kinds[at] == REACH_PAGE)
		at++;
	assert_string_equal(told.paths[at], "b/f00");
	assert_string_equal(told.paths[told.n - 1], ".");
	assert_int_equal(told.kinds[told.n - 1], REACH_PAGE);
	tree_release(&t);
}

static void
a_page_is_read_once_over_all_records(void **state)
{
	auto_reach struct reach *re = NULL;
	struct tree t;
	struct entry root = entry("", S_IFDIR | 0755);
	size_t pages, refs;

	(void)state;
	tree_init(&t);
	forge_dir(&t.f, &t.dirs[0], 1, &root, NULL);
	forge_flush(&t.f);
	re = begin(&t, false);
	assert_int_equal(walk(re, &t.root, NULL), 0);
	pages = told.n_pages;
	refs = told.n;
	assert_int_equal(walk(re, &t.root, NULL), 0);
	assert_int_equal(told.n_pages, pages);
	assert_int_equal(told.n, refs + 1);
	assert_int_equal(walk(re, &root, NULL), 0);
	assert_int_equal(told.n_pages, pages + 1);
	assert_int_equal(told.n, refs + 3);
	tree_release(&t);
}

static void
a_page_that_cannot_be_read_is_told(void **state)
{
	struct reach *re;
	struct tree t;
	struct err e = ERR_INIT;
	struct ref *lost = &t.dirs[1].ref;

	(void)state;
	tree_init(&t);
	lost->place.off++;
	forge_dir(&t.f, t.dirs, 2, &t.root, NULL);
	forge_flush(&t.f);
	re = begin(&t, true);
	assert_int_equal(walk(re, &t.root, &e), 0);
	assert_int_equal(told.n_unread, 1);
	assert_int_equal(count(REACH_PAGE, lost), 1);
	assert_int_equal(count(REACH_DATA, &t.refs[1]), 1);
	assert_int_equal(count(REACH_DATA, &t.refs[0]), 1);
	reach_free(re);
	re = begin(&t, false);
	assert_true(walk(re, &t.root, &e) < 0);
	assert_int_equal(told.n_unread, 2);
	reach_free(re);
	tree_release(&t);
}

static void
a_page_of_another_kind_or_id_is_refused(void **state)
{
	auto_reach struct reach *re = NULL;
	struct tree t;
	struct err e = ERR_INIT;
	struct entry file = entry("x", S_IFREG | 0644), root = entry("", S_IFDIR);

	(void)state;
	tree_init(&t);
	file.content = CONTENT_MAP;
	file.size = 7;
	file.ref = t.root.ref;
	forge_dir(&t.f, &file, 1, &root, NULL);
	forge_flush(&t.f);
	re = begin(&t, false);
	assert_int_equal(walk(re, &root, &e), -EUCLEAN);
	root = t.root;
	root.ref.id[19] ^= 1;
	assert_int_equal(walk(re, &root, &e), 0); /* it was seen: 12 bytes */
	root.ref.id[0] ^= 1;
	assert_int_equal(walk(re, &root, &e), -EBADMSG);
	tree_release(&t);
}

static void
the_callback_ends_the_walk(void **state)
{
	auto_reach struct reach *re = NULL;
	struct tree t;
	struct err e = ERR_INIT;

	(void)state;
	tree_init(&t);
	told.stop_at = 11;
	re = begin(&t, true);
	assert_int_equal(walk(re, &t.root, &e), -EINTR);
	assert_int_equal(told.n, 11);
	assert_string_equal(e.text, "enough");
	tree_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_below_a_record_is_told),
		cmocka_unit_test(the_order_is_that_of_a_walk_and_paths_are_known),
		cmocka_unit_test(a_page_is_read_once_over_all_records),
		cmocka_unit_test(a_page_that_cannot_be_read_is_told),
		cmocka_unit_test(a_page_of_another_kind_or_id_is_refused),
		cmocka_unit_test(the_callback_ends_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
