/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What listing a tree costs: requests and bytes, counted. */
#include "tests/unit/forge.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define OUTER 30
#define INNER 30

static struct forge f;

static struct entry
plain_entry(const char *name, uint32_t mode)
{
	return (struct entry){ .name = (const uint8_t *)name,
		.name_len = (uint32_t)strlen(name),
		.mode = mode,
		.nlink = 1 };
}

static void
forge_root(const struct entry *root)
{
	static char host[] = "h", name[] = "n";
	struct record r = { .host = host, .name = name, .seq = 1,
		.generation = 1, .root = *root };

	forge_record(&f, &r, NULL, NULL);
	forge_flush(&f);
}

/* 30 directories of 30 directories of one file each, page after page as a
 * writer puts them: what is below a directory before it. */
static void
forge_nested(void)
{
	static char names[INNER][8];
	struct entry outer[OUTER], inner[INNER], root = plain_entry("", S_IFDIR);
	struct entry file = plain_entry("file", S_IFREG | 0644);

	forge_init(&f, 1000);
	for (int k = 0; k < INNER; k++)
		snprintf(names[k], sizeof(names[k]), "%02d", k);
	for (int i = 0; i < OUTER; i++) {
		outer[i] = plain_entry(names[i], S_IFDIR | 0755);
		for (int k = 0; k < INNER; k++) {
			inner[k] = plain_entry(names[k], S_IFDIR | 0755);
			forge_dir(&f, &file, 1, &inner[k], NULL);
		}
		forge_dir(&f, inner, INNER, &outer[i], NULL);
	}
	forge_dir(&f, outer, OUTER, &root, NULL);
	forge_root(&root);
}

static void
forge_flat(unsigned n)
{
	struct entry *files = xcalloc(n, sizeof(*files));
	char (*names)[12] = xcalloc(n, sizeof(*names));
	struct entry root = plain_entry("", S_IFDIR);

	forge_init(&f, 50);
	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "%08u", i);
		files[i] = plain_entry(names[i], S_IFREG | 0644);
	}
	forge_dir(&f, files, n, &root, NULL);
	forge_root(&root);
	free(files);
	free(names);
}

static struct history_stats
stats_of(struct history *h)
{
	struct history_stats s;

	history_stats(h, &s);
	return s;
}

struct found {
	uint64_t dirs[OUTER];
	size_t n;
};

static bool
note_dir(void *ctx, const struct view_dirent *d)
{
	struct found *x = ctx;

	if (S_ISDIR(d->attr.mode))
		x->dirs[x->n++] = d->attr.node;
	return true;
}

static void
list(struct view *v, uint64_t dir, struct found *x)
{
	struct err e = ERR_INIT;

	x->n = 0;
	assert_int_equal(view_list(v, dir, 0, note_dir, x, &e), 0);
}

static void
walk(struct view *v, uint64_t dir, unsigned *n)
{
	struct found x;

	++*n;
	list(v, dir, &x);
	for (size_t i = 0; i < x.n; i++)
		walk(v, x.dirs[i], n);
}

static void
a_walk_over_directories_takes_few_requests(void **state)
{
	struct history_stats before, after;
	struct history *h;
	unsigned n = 0;

	(void)state;
	forge_nested();
	h = forge_open(&f, 0);
	auto_view struct view *v = forge_view(h, 0);
	before = stats_of(h);
	walk(v, VIEW_ROOT, &n);
	after = stats_of(h);
	assert_int_equal(n, 1 + OUTER + OUTER * INNER);
	assert_true(after.store_gets - before.store_gets <= 8);
	/* nothing is unsealed twice */
	assert_true(after.frames_unsealed - before.frames_unsealed <= n + 3);
	view_put(steal(v));
	history_free(h);
	forge_release(&f);
}

static void
a_listing_deep_down_reads_one_frame_a_level(void **state)
{
	struct history_stats before, after;
	struct view_attr a;
	struct history *h;
	struct err e = ERR_INIT;
	struct found x;

	(void)state;
	forge_nested();
	h = forge_open(&f, 0);
	auto_view struct view *v = forge_view(h, 0);
	before = stats_of(h);
	assert_int_equal(view_resolve(v, "07/13", &a, &e), 0);
	list(v, a.node, &x);
	after = stats_of(h);
	assert_int_equal(after.store_gets - before.store_gets, 3);
	assert_int_equal(after.frames_unsealed - before.frames_unsealed, 3);
	assert_true(after.store_bytes - before.store_bytes < 16 << 10);
	view_put(steal(v));
	history_free(h);
	forge_release(&f);
}

static void
directories_listed_out_of_order_are_not_a_walk(void **state)
{
	struct history_stats before, after;
	struct history *h;
	struct found x, y;

	(void)state;
	forge_nested();
	h = forge_open(&f, 0);
	auto_view struct view *v = forge_view(h, 0);
	list(v, VIEW_ROOT, &x);
	before = stats_of(h);
	for (size_t i = OUTER; i-- > 0;)
		list(v, x.dirs[i], &y);
	after = stats_of(h);
	assert_int_equal(after.frames_unsealed - before.frames_unsealed, OUTER);
	view_put(steal(v));
	history_free(h);
	forge_release(&f);
}

/* Takes its time, so that what was asked for ahead comes. */
static bool
count_slowly(void *ctx, const struct view_dirent *d)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	(void)d;
	if (++*(unsigned *)ctx % 50 == 1)
		nanosleep(&pause, NULL);
	return true;
}

static void
a_large_directory_is_listed_in_few_requests(void **state)
{
	struct history_stats before, after;
	struct history *h;
	struct err e = ERR_INIT;
	unsigned n = 0;

	(void)state;
	forge_flat(20000);
	h = forge_open(&f, 0);
	auto_view struct view *v = forge_view(h, 0);
	before = stats_of(h);
	assert_int_equal(view_list(v, VIEW_ROOT, 0, count_slowly, &n, &e), 0);
	after = stats_of(h);
	assert_int_equal(n, 20000);
	/* 400 leaves and the 9 pages above them */
	assert_true(after.store_gets - before.store_gets < 200);
	assert_true(after.frames_unsealed - before.frames_unsealed < 400 + 20);
	view_put(steal(v));
	history_free(h);
	forge_release(&f);
}

static void
a_lookup_in_a_large_directory_takes_two_requests(void **state)
{
	struct history_stats before, after;
	struct view_attr a;
	struct history *h;
	struct err e = ERR_INIT;

	(void)state;
	forge_flat(2000);
	h = forge_open(&f, 0);
	auto_view struct view *v = forge_view(h, 0);
	before = stats_of(h);
	assert_int_equal(view_lookup(v, VIEW_ROOT, "00001234", 8, &a, &e), 0);
	assert_int_equal(a.node, 1235);
	after = stats_of(h);
	assert_int_equal(after.store_gets - before.store_gets, 2);
	view_put(steal(v));
	history_free(h);
	forge_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_over_directories_takes_few_requests),
		cmocka_unit_test(
			a_listing_deep_down_reads_one_frame_a_level),
		cmocka_unit_test(directories_listed_out_of_order_are_not_a_walk),
		cmocka_unit_test(a_large_directory_is_listed_in_few_requests),
		cmocka_unit_test(
			a_lookup_in_a_large_directory_takes_two_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
