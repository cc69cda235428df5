/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <stdio.h>
#include "repo/base/buf.h"
#include "fs/nodes.h"

static struct node *
enter(struct nodes *t, struct node *parent, enum node_kind kind,
	const char *name)
{
	struct node_spec spec = {
		.kind = kind, .parent = parent, .name = name
	};

	return nodes_enter(t, &spec);
}

static struct node *
enter_point(struct nodes *t, struct node *parent, const char *name,
	const struct history_point *point)
{
	struct node_spec spec = { .kind = NODE_TREE,
		.parent = parent,
		.name = name,
		.point = point };

	return nodes_enter(t, &spec);
}

static struct node *
enter_text(struct nodes *t, struct node *parent)
{
	struct node_spec spec = { .kind = NODE_TEXT,
		.parent = parent,
		.name = "status",
		.text = xstrdup("text"),
		.text_len = 4 };

	return nodes_enter(t, &spec);
}

static void
a_name_entered_twice_is_one_node(void **state)
{
	struct nodes *t = nodes_new();
	struct node *a, *b;

	(void)state;
	a = enter(t, nodes_top(t), NODE_SOURCES, "sources");
	b = enter(t, nodes_top(t), NODE_SOURCES, "sources");
	assert_ptr_equal(a, b);
	assert_int_equal(a->lookups, 2);
	assert_int_equal(nodes_count(t), 2);
	nodes_free(t);
}

static void
a_name_that_means_another_point_is_another_node(void **state)
{
	struct history_point one = { .id = "aaaa", .key = 1 };
	struct history_point two = { .id = "bbbb", .key = 2 };
	struct nodes *t = nodes_new();
	struct node *at, *a, *b;

	(void)state;
	at = enter(t, nodes_top(t), NODE_AT, "at");
	a = enter_point(t, at, "2h", &one);
	b = enter_point(t, at, "2h", &two);
	assert_int_not_equal(a->number, b->number);
	assert_int_not_equal(a->generation, b->generation);
	assert_int_equal(b->key, 2);
	assert_ptr_equal(enter_point(t, at, "2h", &one), a);
	nodes_free(t);
}

static void
numbers_of_virtual_nodes_are_the_same_in_every_run(void **state)
{
	struct nodes *t = nodes_new(), *u = nodes_new();
	struct node *a, *b, *c;

	(void)state;
	enter(u, nodes_top(u), NODE_AT, "at");
	a = enter(t, enter(t, nodes_top(t), NODE_SOURCES, "sources"), NODE_HOST,
		"web1");
	b = enter(u, enter(u, nodes_top(u), NODE_SOURCES, "sources"), NODE_HOST,
		"web1");
	c = enter(u, b->parent, NODE_HOST, "web2");
	assert_int_equal(a->ino, b->ino);
	assert_int_equal(a->generation, b->generation);
	assert_int_not_equal(b->ino, c->ino);
	assert_true(a->ino & NODE_VIRTUAL);
	nodes_free(t);
	nodes_free(u);
}

static void
a_forgotten_node_is_kept_for_old_handles(void **state)
{
	struct nodes *t = nodes_new();
	struct node *n = enter(t, nodes_top(t), NODE_TAGS, "tags");
	uint32_t number = n->number;

	(void)state;
	nodes_forget(t, n, 1);
	assert_ptr_equal(nodes_get(t, number), n);
	nodes_put(t, n);
	assert_ptr_equal(enter(t, nodes_top(t), NODE_TAGS, "tags"), n);
	nodes_free(t);
}

static void
the_longest_forgotten_make_room_but_no_parent_does(void **state)
{
	struct nodes *t = nodes_new();
	struct node *at = enter(t, nodes_top(t), NODE_AT, "at");
	struct node *first = enter(t, at, NODE_MOMENT, "first");
	uint32_t number = first->number;

	(void)state;
	enter(t, first, NODE_HOST, "web1");
	nodes_forget(t, first, 1);
	nodes_forget(t, at, 1);
	for (int i = 0; i < NODES_IDLE_MAX + 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "@%d", i);
		nodes_forget(t, enter(t, at, NODE_MOMENT, name), 1);
	}
	assert_int_equal(nodes_count(t), 4 + NODES_IDLE_MAX);
	/* it has a child that the kernel knows */
	assert_ptr_equal(nodes_get(t, number), first);
	nodes_put(t, first);
	nodes_free(t);
}

static void
numbers_come_back(void **state)
{
	struct nodes *t = nodes_new();
	uint32_t highest = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct node *n = enter_text(t, nodes_top(t));

		highest = n->number > highest ? n->number : highest;
		nodes_forget(t, n, 1);
	}
	assert_int_equal(nodes_count(t), 1);
	assert_in_range(highest, 2, 3);
	nodes_free(t);
}

static void
a_text_is_made_anew_each_time(void **state)
{
	struct nodes *t = nodes_new();
	struct node *a = enter_text(t, nodes_top(t));
	struct node *b = enter_text(t, nodes_top(t));

	(void)state;
	assert_int_not_equal(a->number, b->number);
	assert_int_equal(a->ino, b->ino);
	nodes_free(t);
}

static void
a_number_nobody_has_is_none(void **state)
{
	struct nodes *t = nodes_new();

	(void)state;
	assert_null(nodes_get(t, 0));
	assert_null(nodes_get(t, 2));
	assert_null(nodes_get(t, UINT32_MAX));
	nodes_free(t);
}

static void
a_path_is_written_from_the_top(void **state)
{
	struct nodes *t = nodes_new();
	struct node *n = enter(t, nodes_top(t), NODE_SOURCES, "sources");
	char path[64], narrow[12];

	(void)state;
	n = enter(t, n, NODE_HOST, "web1");
	node_path(n, path, sizeof(path));
	assert_string_equal(path, "sources/web1");
	node_path(n, narrow, sizeof(narrow));
	assert_string_equal(narrow, "sources/web");
	nodes_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_entered_twice_is_one_node),
		cmocka_unit_test(
			a_name_that_means_another_point_is_another_node),
		cmocka_unit_test(
			numbers_of_virtual_nodes_are_the_same_in_every_run),
		cmocka_unit_test(a_forgotten_node_is_kept_for_old_handles),
		cmocka_unit_test(
			the_longest_forgotten_make_room_but_no_parent_does),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(a_text_is_made_anew_each_time),
		cmocka_unit_test(a_number_nobody_has_is_none),
		cmocka_unit_test(a_path_is_written_from_the_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
