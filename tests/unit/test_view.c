/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/stat.h>
#include "tests/unit/unit.h"
#include "repo/base/buf.h"
#include "repo/view.h"

/* A view of a directory "a" with a file "b", and a file "broken". */
static const struct {
	uint64_t dir;
	const char *name;
	uint32_t mode;
} nodes[] = { { 9, "", S_IFDIR }, { 0, "a", S_IFDIR }, { 1, "b", S_IFREG },
	{ 0, "broken", S_IFREG } };

static int
get_attr(struct view *v, uint64_t node, struct view_attr *attr, struct err *e)
{
	(void)v, (void)e;
	*attr = (struct view_attr){ .node = node, .mode = nodes[node].mode };
	return 0;
}

static int
lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *attr, struct err *e)
{
	if (len == 6 && memcmp(name, "broken", 6) == 0)
		return err_set(e, EBADMSG, "meta/00: does not verify");
	for (uint64_t i = 1; i < n_elements(nodes); i++) {
		if (nodes[i].dir == dir && strlen(nodes[i].name) == len &&
			memcmp(nodes[i].name, name, len) == 0)
			return get_attr(v, i, attr, e);
	}
	return err_set(e, ENOENT, "no such entry");
}

static int frees;

static void
count_free(struct view *v)
{
	(void)v;
	frees++;
}

static const struct view_ops ops = { .attr = get_attr, .lookup = lookup,
	.free = count_free };

static void
paths_lead_to_nodes_whatever_their_slashes(void **state)
{
	static const struct {
		const char *path;
		uint64_t node;
	} paths[] = { { "", 0 }, { "/", 0 }, { "//", 0 }, { ".", 0 },
		{ "/./.", 0 }, { "a", 1 }, { "/a/", 1 }, { "./a//.", 1 },
		{ "a/b", 2 }, { "//a///b//", 2 }, { "/a/./b/.", 2 } };
	struct view v = { .ops = &ops, .refs = 1 };
	struct view_attr attr;

	(void)state;
	for (size_t i = 0; i < n_elements(paths); i++) {
		assert_int_equal(0,
			view_resolve(&v, paths[i].path, &attr, NULL));
		assert_int_equal(paths[i].node, attr.node);
	}
}

static void
paths_that_lead_nowhere_say_where_they_end(void **state)
{
	static const struct {
		const char *path;
		int r;
		const char *text;
	} paths[] = { { "a/x/b", -ENOENT, "a/x: no such file or directory" },
		{ "/a/bb", -ENOENT, "/a/bb: no such file or directory" },
		{ "a/b/c/d", -ENOTDIR, "a/b/c: not below a directory" },
		{ "..", -EINVAL, "..: .. is not allowed" },
		{ "a/../a", -EINVAL, "a/../a: .. is not allowed" },
		{ "a/b/..", -EINVAL, "a/b/..: .. is not allowed" },
		{ "...", -ENOENT, "...: no such file or directory" },
		{ "broken", -EBADMSG, "meta/00: does not verify" } };
	struct view v = { .ops = &ops, .refs = 1 };
	struct view_attr attr;

	(void)state;
	for (size_t i = 0; i < n_elements(paths); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(paths[i].r,
			view_resolve(&v, paths[i].path, &attr, &e));
		assert_string_equal(paths[i].text, e.text);
	}
}

static int released;

static void
release(void *owner)
{
	released += *(int *)owner;
}

static void
data_lets_go_of_each_piece_once_and_of_zeros_never(void **state)
{
	struct view_data d = VIEW_DATA_INIT;
	int one = 1, ten = 10;

	(void)state;
	view_data_release(&d);
	released = 0;
	d.release_owner = release;
	d.owner[0] = &one;
	d.owner[1] = NULL;
	d.owner[2] = &ten;
	d.n = 3;
	d.len = 99;
	view_data_release(&d);
	view_data_release(&d);
	assert_int_equal(11, released);
	assert_int_equal(0, d.len);
}

static void
the_last_reference_frees(void **state)
{
	struct view v = { .ops = &ops, .refs = 1 };

	(void)state;
	frees = 0;
	assert_ptr_equal(&v, view_get(&v));
	view_put(&v);
	assert_int_equal(0, frees);
	view_put(&v);
	assert_int_equal(1, frees);
	view_put(NULL);
}

static void
a_view_need_not_know_neighbours(void **state)
{
	struct view v = { .ops = &ops, .refs = 1 };

	(void)state;
	assert_int_equal(0, view_neighbours(&v, 2, 10, NULL, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_to_nodes_whatever_their_slashes),
		cmocka_unit_test(paths_that_lead_nowhere_say_where_they_end),
		cmocka_unit_test(
			data_lets_go_of_each_piece_once_and_of_zeros_never),
		cmocka_unit_test(the_last_reference_frees),
		cmocka_unit_test(a_view_need_not_know_neighbours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
