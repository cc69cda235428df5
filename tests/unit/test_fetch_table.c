/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "repo/fetch/table.h"
#include "repo/fetch/unsealer.h"

/* As if n more epochs had gone by since anything landed. */
static void
age(struct budget *b, unsigned n)
{
	size_t unread = b->unread[0];

	b->epoch -= n;
	if (n % 2) {
		b->unread[0] = b->unread[1];
		b->unread[1] = unread;
	}
}

static void
unread_bytes_leave_the_budget_when_read_and_after_a_while(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, 100);
	assert_true(budget_take(&b, 60));
	assert_false(budget_take(&b, 41));
	budget_return(&b, 20);
	uint64_t epoch = budget_land(&b, 40, 90);
	assert_false(budget_take(&b, 11));
	budget_unload(&b, epoch, 50);
	assert_true(budget_take(&b, 60));
	assert_false(budget_take(&b, 1));
	age(&b, 1);
	assert_false(budget_take(&b, 1));
	budget_unload(&b, epoch - 1, 10);
	assert_true(budget_take(&b, 10));
	age(&b, 1);
	assert_true(budget_take(&b, 30));
	budget_unload(&b, epoch - 2, 30); /* counts no more */
	assert_false(budget_take(&b, 1));
	budget_release(&b);

	budget_init(&b, 100);
	assert_true(budget_take(&b, 100));
	budget_land(&b, 100, 100);
	age(&b, 3);
	assert_true(budget_take(&b, 100));
	budget_release(&b);
}

static size_t
budgeted(const struct table *t)
{
	return t->ahead.coming + t->ahead.unread[0] + t->ahead.unread[1];
}

static struct cell *
queued(struct table *t, uint64_t off)
{
	struct frame_place at = { .object = OBJECT_DATA, .off = off,
		.len = 100 };
	size_t before = budgeted(t);
	struct cell *c = NULL;

	assert_int_equal(TABLE_QUEUED, table_queue(t, &at, &c));
	assert_int_equal(before + 100, budgeted(t));
	return c;
}

static void
land(struct table *t, struct cell *c, uint32_t len)
{
	struct opened o = { .plain = xmalloc(len), .len = len };

	assert_true(table_claim(t, c));
	table_land(t, c, &o);
}

static void
the_budget_comes_back_whatever_becomes_of_a_frame(void **state)
{
	struct table t;
	struct cell *c, *own;
	bool is_own;

	(void)state;
	table_init(&t, 10000);
	table_forget(&t, queued(&t, 1000));
	assert_int_equal(0, budgeted(&t));

	c = queued(&t, 2000); /* fails */
	assert_true(table_claim(&t, c));
	table_fail(&t, c, NULL);
	assert_int_equal(0, budgeted(&t));

	c = queued(&t, 3000); /* is taken over */
	assert_int_equal(0, table_enter(&t, &c->at, &own, &is_own, NULL));
	assert_true(is_own);
	assert_int_equal(0, budgeted(&t));
	table_fail(&t, own, NULL);
	table_forget(&t, c);

	c = queued(&t, 4000); /* lands, is read */
	land(&t, c, 300);
	assert_int_equal(300 + sizeof(*c), budgeted(&t));
	cell_put(table_peek(&t, &c->at));
	assert_int_equal(0, budgeted(&t));
	cell_put(c);

	c = queued(&t, 5000); /* lands, is evicted unread */
	land(&t, c, 300);
	cell_put(c);
	c = queued(&t, 6000);
	land(&t, c, 9900);
	assert_int_equal(9900 + sizeof(*c), budgeted(&t));
	cell_put(c);
	table_release(&t);
}

/* Read a frame of `len` bytes once. */
static void
pass(struct table *t, enum object_type object, uint64_t off, uint32_t len)
{
	struct frame_place at = { .object = (uint8_t)object, .off = off,
		.len = 100 };
	struct opened o = { .len = len };
	struct cell *c;
	bool own;

	assert_int_equal(0, table_enter(t, &at, &c, &own, NULL));
	if (own) {
		o.plain = xmalloc(len);
		table_land(t, c, &o);
	}
	cell_put(c);
}

static unsigned
count_held(struct table *t, enum object_type object, uint64_t n)
{
	unsigned held = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct frame_place at = { .object = (uint8_t)object,
			.off = i * 1000, .len = 100 };
		struct cell *c = table_peek(t, &at);

		held += c != NULL;
		if (c)
			cell_put(c);
	}
	return held;
}

static void
content_that_streams_by_leaves_metadata_its_half(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 1000000);
	for (uint64_t i = 0; i < 40; i++)
		pass(&t, OBJECT_META, i * 1000, 10000);
	for (uint64_t i = 0; i < 1000; i++)
		pass(&t, OBJECT_DATA, i * 1000, 10000);
	assert_int_equal(40, count_held(&t, OBJECT_META, 40));
	/* no more than that, and with nothing else to evict all of it */
	for (uint64_t i = 0; i < 1000; i++)
		pass(&t, OBJECT_META, i * 1000, 10000);
	assert_in_range(count_held(&t, OBJECT_META, 1000), 45, 50);
	assert_in_range(count_held(&t, OBJECT_DATA, 1000), 45, 50);
	table_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			unread_bytes_leave_the_budget_when_read_and_after_a_while),
		cmocka_unit_test(
			the_budget_comes_back_whatever_becomes_of_a_frame),
		cmocka_unit_test(
			content_that_streams_by_leaves_metadata_its_half),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
