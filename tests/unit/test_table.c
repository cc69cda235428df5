/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include "tests/unit/unit.h"
#include "repo/foreign/table_sorter.h"

#define N 20000

static struct kept *kept;

static char *
key_of(unsigned i)
{
	/* of many lengths, in order of i */
	return xasprintf("k%06u%.*s", i, (int)(i * 7 % 90),
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static struct table_record
record_of(const char *key, uint8_t value[8], unsigned v)
{
	memset(value, (int)(v & 0xff), 8);
	return (struct table_record){ .key = key,
		.key_len = strlen(key),
		.value = value,
		.value_len = v % 9 };
}

/* Every key 2 i, with i for a value. */
static void
write_table(const char *name, unsigned n)
{
	auto_table_writer struct table_writer *w = table_writer_new(kept, name);
	uint8_t value[8];

	for (unsigned i = 0; i < n; i++) {
		auto_free char *key = key_of(2 * i);
		struct table_record r = record_of(key, value, i);

		table_writer_add(w, &r);
	}
	assert_int_equal(0, table_writer_finish(w, "head", 4, NULL));
}

static void
records_are_found_by_key_and_by_rank(void **state)
{
	auto_buf struct buf bytes = BUF_INIT;
	auto_table struct table *t = NULL;
	struct table_record r;
	uint64_t rank;
	size_t len;

	(void)state;
	write_table("a", N);
	assert_int_equal(0, table_open(kept, "a", &t, NULL));
	assert_true(table_n(t) == N);
	assert_memory_equal("head", table_head(t, &len), 4);
	for (unsigned i = 0; i < N; i += 37) {
		auto_free char *key = key_of(2 * i);
		auto_free char *above = key_of(2 * i + 1);

		assert_int_equal(
			0, table_find(t, key, strlen(key), &rank, NULL));
		assert_true(rank == i);
		assert_int_equal(
			0, table_find(t, above, strlen(above), &rank, NULL));
		assert_true(rank == i + 1);
		assert_int_equal(0, table_get(t, i, &bytes, &r, NULL));
		assert_int_equal(strlen(key), r.key_len);
		assert_memory_equal(key, r.key, r.key_len);
		assert_int_equal(i % 9, r.value_len);
		assert_true(i % 9 == 0 || r.value[0] == (i & 0xff));
	}
	assert_int_equal(0, table_find(t, "", 0, &rank, NULL));
	assert_true(rank == 0);
	assert_int_equal(0, table_find(t, "z", 1, &rank, NULL));
	assert_true(rank == N);
	assert_int_equal(-ENOENT, table_get(t, N, &bytes, &r, NULL));
}

static void
an_empty_table_holds_nothing(void **state)
{
	auto_table struct table *t = NULL;
	uint64_t rank = 1;

	(void)state;
	write_table("empty", 0);
	assert_int_equal(0, table_open(kept, "empty", &t, NULL));
	assert_int_equal(0, table_find(t, "a", 1, &rank, NULL));
	assert_true(rank == 0 && table_n(t) == 0);
}

static void
what_is_not_kept_any_more_is_said_to_be_lost(void **state)
{
	auto_table struct table *t = NULL, *u = NULL;
	uint64_t rank;

	(void)state;
	write_table("b", N);
	assert_int_equal(0, table_open(kept, "b", &t, NULL));
	kept_forget(kept, "b");
	assert_int_equal(0, kept_sync(kept, NULL));
	assert_int_equal(-ENODATA, table_find(t, "k0", 2, &rank, NULL));
	write_table("b", N);
	assert_int_equal(0, table_find(t, "k0", 2, &rank, NULL));
	assert_int_equal(-ENOENT, table_open(kept, "never", &u, NULL));
}

struct comparing {
	unsigned n;
	unsigned from; /* keys are those from here on, in steps */
	unsigned step;
};

static int
compare(void *ctx, const struct table_record *r, struct err *e)
{
	struct comparing *c = ctx;
	unsigned i = c->from + c->n++ * c->step;
	auto_free char *key = key_of(i);

	(void)e;
	assert_int_equal(strlen(key), r->key_len);
	assert_memory_equal(key, r->key, r->key_len);
	/* the value that was added last */
	assert_int_equal(i % 2 ? 1 : 3, r->value_len);
	return 0;
}

/* Odd keys once, even ones twice, beside a base of even ones, in an order that
 * is none; memory for few of them, so that there are many stretches. */
static void
sort_all(size_t memory)
{
	auto_table_sorter struct table_sorter *s =
		table_sorter_new(kept, memory);
	auto_table struct table *base = NULL;
	struct comparing c = { .step = 1 };
	uint8_t value[8];

	write_table("base", N / 2);
	assert_int_equal(0, table_open(kept, "base", &base, NULL));
	for (unsigned round = 2; round <= 3; round++) {
		for (unsigned i = 0; i < N; i++) {
			unsigned k = (unsigned)((i * 7919ULL) % N);
			auto_free char *key = key_of(k);
			struct table_record r =
				record_of(key, value, k % 2 ? 1 : round);

			if (k % 2 && round == 3)
				continue;
			assert_int_equal(0, table_sorter_add(s, &r, NULL));
		}
	}
	assert_int_equal(0, table_sorter_each(s, base, compare, &c, NULL));
	assert_int_equal(N, c.n);
}

static void
records_come_in_order_and_the_last_of_a_key_counts(void **state)
{
	(void)state;
	sort_all(0);	  /* all in memory */
	sort_all(100000); /* some stretches */
	sort_all(15000);  /* more than are merged at once */
}

static int
set_up(void **state)
{
	const struct kept_options o = { .cache_dir = "", .address = "x" };

	(void)state;
	return kept_open(&o, &kept, NULL);
}

static int
tear_down(void **state)
{
	(void)state;
	kept_close(kept);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_found_by_key_and_by_rank),
		cmocka_unit_test(an_empty_table_holds_nothing),
		cmocka_unit_test(what_is_not_kept_any_more_is_said_to_be_lost),
		cmocka_unit_test(
			records_come_in_order_and_the_last_of_a_key_counts),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
