/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include <errno.h>
#include "repo/base/buf.h"
#include "repo/base/bytes.h"
#include "repo/write/cut.h"

#define CONTENT_LEN (4u << 20)

static const struct cut_params small = { 4096, 16384, 65536 };

/* A fixed stream that does not look like one: xorshift64*. */
static void
generate(uint8_t *out, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed ^= seed >> 12;
		seed ^= seed << 25;
		seed ^= seed >> 27;
		out[i] = (uint8_t)((seed * 0x2545f4914f6cdd1dULL) >> 56);
	}
}

static void
gear_of(struct cut_gear *g, uint8_t first_key_byte)
{
	static const uint8_t id[REPOSITORY_ID_LEN] = "a repository id";
	uint8_t root[KEY_LEN] = { first_key_byte };
	auto_keyring struct keyring *keys = keyring_new(id, root);

	cut_gear_init(g, keys);
}

struct cuts {
	size_t at[4096]; /* ends of chunks */
	size_t n;
};

/* Cut data that arrives `piece` bytes at a time. */
static void
cut_in_pieces(struct cuts *cuts, struct cutter *c, const uint8_t *data,
	size_t len, size_t piece)
{
	size_t from = 0, have = 0;

	cuts->n = 0;
	while (from < len) {
		size_t n = cutter_next(c, data + from, have - from,
			have == len);

		if (n == 0) {
			assert_true(have < len);
			have = len - have < piece ? len : have + piece;
			continue;
		}
		from += n;
		assert_true(from <= have);
		assert_true(cuts->n < n_elements(cuts->at));
		cuts->at[cuts->n++] = from;
	}
}

static void
cut_all(struct cuts *cuts, const struct cut_gear *gear, const uint8_t *data,
	size_t len)
{
	struct cutter c;

	cutter_init(&c, gear, &small);
	cut_in_pieces(cuts, &c, data, len, len);
}

static bool
has_cut(const struct cuts *cuts, size_t at)
{
	for (size_t i = 0; i < cuts->n; i++)
		if (cuts->at[i] == at)
			return true;
	return false;
}

struct content {
	struct cut_gear gear;
	struct cuts cuts;
	uint8_t data[CONTENT_LEN + 1];
};

static int
setup(void **state)
{
	struct content *x = xcalloc(1, sizeof(*x));

	gear_of(&x->gear, 1);
	generate(x->data, CONTENT_LEN, 1);
	cut_all(&x->cuts, &x->gear, x->data, CONTENT_LEN);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static void
every_chunk_is_within_its_bounds_and_the_mean_is_kept(void **state)
{
	struct content *x = *state;
	size_t before = 0, mean;

	for (size_t i = 0; i < x->cuts.n; i++) {
		size_t n = x->cuts.at[i] - before;

		assert_true(n <= small.max);
		assert_true(n >= small.min || i + 1 == x->cuts.n);
		before = x->cuts.at[i];
	}
	assert_int_equal(before, CONTENT_LEN);
	mean = CONTENT_LEN / x->cuts.n;
	assert_in_range(mean, small.mean * 9 / 10, small.mean * 11 / 10);
}

static void
boundaries_do_not_depend_on_how_data_arrive(void **state)
{
	static const size_t pieces[] = { 1, 63, 4095, 4096, 10000, 1 << 20 };
	struct content *x = *state;

	for (size_t i = 0; i < n_elements(pieces); i++) {
		size_t len = pieces[i] == 1 ? 400000 : CONTENT_LEN;
		struct cutter c;
		struct cuts cuts, whole;

		cut_all(&whole, &x->gear, x->data, len);
		cutter_init(&c, &x->gear, &small);
		cut_in_pieces(&cuts, &c, x->data, len, pieces[i]);
		assert_int_equal(cuts.n, whole.n);
		assert_memory_equal(cuts.at, whole.at,
			whole.n * sizeof(whole.at[0]));
	}
}

static void
an_inserted_byte_changes_only_its_neighbourhood(void **state)
{
	struct content *x = *state;
	size_t where = CONTENT_LEN / 2, kept = 0;
	auto_free uint8_t *longer = xmalloc(CONTENT_LEN + 1);
	struct cuts cuts;

	memcpy(longer, x->data, where);
	longer[where] = 'x';
	memcpy(longer + where + 1, x->data + where, CONTENT_LEN - where);
	cut_all(&cuts, &x->gear, longer, CONTENT_LEN + 1);
	for (size_t i = 0; i < x->cuts.n; i++) {
		size_t at = x->cuts.at[i];

		if (at <= where)
			assert_true(has_cut(&cuts, at));
		if (has_cut(&cuts, at > where ? at + 1 : at))
			kept++;
		else
			assert_true(at - where < 16 * small.mean);
	}
	assert_true(kept + 8 > x->cuts.n);
}

static void
another_key_cuts_elsewhere(void **state)
{
	struct content *x = *state;
	struct cut_gear other;
	struct cuts cuts;
	size_t common = 0;

	gear_of(&other, 2);
	cut_all(&cuts, &other, x->data, CONTENT_LEN);
	for (size_t i = 0; i + 1 < cuts.n; i++)
		common += has_cut(&x->cuts, cuts.at[i]);
	assert_true(common < 3);
}

static void
monotonous_content_is_still_cut_within_bounds(void **state)
{
	struct content *x = *state;
	auto_free uint8_t *zeros = xcalloc(1, CONTENT_LEN);
	struct cuts cuts;

	cut_all(&cuts, &x->gear, zeros, CONTENT_LEN);
	for (size_t i = 1; i < cuts.n; i++)
		assert_true(cuts.at[i] - cuts.at[i - 1] <= small.max);
}

static void
short_and_empty_files_are_one_chunk_and_none(void **state)
{
	struct content *x = *state;
	struct cutter c;

	cutter_init(&c, &x->gear, &small);
	assert_int_equal(cutter_next(&c, x->data, 0, false), 0);
	assert_int_equal(cutter_next(&c, x->data, 0, true), 0);
	assert_int_equal(cutter_next(&c, x->data, small.min, false), 0);
	assert_int_equal(cutter_next(&c, x->data, small.min, true), small.min);
	assert_int_equal(cutter_next(&c, x->data, 1, true), 1);
}

static void
a_new_file_forgets_the_one_before(void **state)
{
	struct content *x = *state;
	struct cutter c;
	struct cuts cuts;

	cutter_init(&c, &x->gear, &small);
	assert_int_equal(cutter_next(&c, x->data + 999, 4200, false), 0);
	cutter_begin(&c, 0);
	cut_in_pieces(&cuts, &c, x->data, CONTENT_LEN, CONTENT_LEN);
	assert_int_equal(cuts.n, x->cuts.n);
	assert_int_equal(cuts.at[0], x->cuts.at[0]);
}

/* The first boundaries of the generated stream under a fixed key, frozen: if
 * they move, new snapshots share no big file's chunks with old ones. */
static void
frozen_boundaries(void **state)
{
	static const size_t expected[] = { 15402, 29760, 48897, 65114,
		93499, 106254, 119670, 133024, 150444, 170668, 187816, 201977,
		215648, 229840, 247249, 263742 };
	struct content *x = *state;

	for (size_t i = 0; i < n_elements(expected); i++)
		assert_int_equal(x->cuts.at[i], expected[i]);
}

static void
the_same_boundaries_come_from_the_definition(void **state)
{
	struct content *x = *state;
	uint64_t even = UINT64_MAX / small.mean;
	size_t begin = 0, n = 0;

	for (size_t end = 1; end <= CONTENT_LEN; end++) {
		size_t len = end - begin;
		uint64_t h = 0;

		if (len < small.min)
			continue;
		for (size_t i = end - CUT_WINDOW; i < end; i++)
			h = (h << 1) + x->gear.value[x->data[i]];
		if (h >= (len <= small.mean * 13 / 16 ? even / 4 : even * 4) &&
			len < small.max)
			continue;
		assert_int_equal(x->cuts.at[n++], end);
		begin = end;
	}
	assert_true(n + 1 >= x->cuts.n);
}

static void
parameters_out_of_order_are_refused(void **state)
{
	static const struct cut_params wrong[] = { { 63, 100, 1000 },
		{ 200, 100, 1000 }, { 64, 1001, 1000 },
		{ 64, 100, (8u << 20) + 1 } };
	static const struct cut_params usual = CUT_PARAMS_DEFAULT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cut_params_check(&usual, NULL), 0);
	for (size_t i = 0; i < n_elements(wrong); i++)
		assert_int_equal(cut_params_check(&wrong[i], &e), -EINVAL);
	assert_true(e.text[0]);
}

static void
databases_are_recognised_by_magic_and_page_size(void **state)
{
	uint8_t head[18] = "SQLite format 3";

	(void)state;
	for (unsigned size = 0; size < 65536; size++) {
		bool right = size == 1 || (size >= 512 && size <= 32768 &&
			__builtin_popcount(size) == 1);

		put_be16(head + 16, (uint16_t)size);
		assert_int_equal(cut_is_database(head, 18), right);
	}
	put_be16(head + 16, 4096);
	assert_true(cut_is_database(head, 18));
	assert_false(cut_is_database(head, 17));
	head[15] = ' ';
	assert_false(cut_is_database(head, 18));
}

static void
databases_are_cut_at_multiples_of_a_length(void **state)
{
	struct content *x = *state;
	size_t len = 3 * CUT_DATABASE_LEN + 512;
	struct cutter c;
	struct cuts cuts;

	cutter_init(&c, &x->gear, &small);
	cutter_begin(&c, CUT_DATABASE_LEN);
	cut_in_pieces(&cuts, &c, x->data, len, 1000);
	assert_int_equal(cuts.n, 4);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(cuts.at[i], (i + 1) * CUT_DATABASE_LEN);
	assert_int_equal(cuts.at[3], len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_chunk_is_within_its_bounds_and_the_mean_is_kept),
		cmocka_unit_test(boundaries_do_not_depend_on_how_data_arrive),
		cmocka_unit_test(
			an_inserted_byte_changes_only_its_neighbourhood),
		cmocka_unit_test(another_key_cuts_elsewhere),
		cmocka_unit_test(monotonous_content_is_still_cut_within_bounds),
		cmocka_unit_test(short_and_empty_files_are_one_chunk_and_none),
		cmocka_unit_test(a_new_file_forgets_the_one_before),
		cmocka_unit_test(frozen_boundaries),
		cmocka_unit_test(the_same_boundaries_come_from_the_definition),
		cmocka_unit_test(parameters_out_of_order_are_refused),
		cmocka_unit_test(
			databases_are_recognised_by_magic_and_page_size),
		cmocka_unit_test(databases_are_cut_at_multiples_of_a_length),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
