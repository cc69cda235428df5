/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"
#include "repo/fetch/readahead.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MAX (16 * MIB)

/* Read in pieces of len from `from` to `to`; returns where it asked up to. */
static uint64_t
read_through(struct stream *s, uint64_t from, uint64_t to, size_t len,
	uint64_t size)
{
	uint64_t asked = 0;

	for (uint64_t off = from; off < to; off += len) {
		struct readahead r = stream_read(s, off, len, size, MAX);

		if (r.from < r.to)
			asked = r.to;
	}
	return asked;
}

static void
a_sequential_reader_gets_what_it_will_read_once_and_in_order(void **state)
{
	struct stream s = { 0 };
	uint64_t asked = 128 * KIB, max = 0;

	(void)state;
	for (uint64_t off = 0; off < 64 * MIB; off += 128 * KIB) {
		uint64_t end = off + 128 * KIB;
		struct readahead r =
			stream_read(&s, off, 128 * KIB, 64 * MIB, MAX);

		assert_true(r.sequential);
		if (r.from < r.to) {
			assert_int_equal(asked, r.from);
			assert_true(r.to <= end + MAX && r.to <= 64 * MIB);
			/* Much at once, so that it can be joined: half a
			 * window, or an eighth of a long one. */
			assert_true(r.to == 64 * MIB ||
				    r.to - r.from >= (r.to - end) / 2 ||
				    r.to - r.from >= MIB);
			asked = r.to;
		}
		assert_true(asked >= end);
		if (asked - end > max)
			max = asked - end;
		/* Most of a long window is under way. */
		if (off >= 32 * MIB && asked < 64 * MIB)
			assert_true(asked - end >= MAX - MAX / 8 - 128 * KIB);
	}
	assert_int_equal(64 * MIB, asked);
	assert_int_equal(MAX, max);
}

static void
the_window_begins_small_and_doubles(void **state)
{
	struct stream s = { 0 };
	uint64_t reach = 0;
	unsigned n = 0;
	static const uint64_t reaches[] = { 128 * KIB, 256 * KIB, 512 * KIB, 1 * MIB,
		2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB };

	(void)state;
	for (uint64_t off = 0; off < 128 * MIB; off += 64 * KIB) {
		struct readahead r = stream_read(&s, off, 64 * KIB, GIB, MAX);

		if (r.from == r.to || r.to - (off + 64 * KIB) == reach)
			continue;
		reach = r.to - (off + 64 * KIB);
		assert_true(n < n_elements(reaches));
		assert_int_equal(reaches[n++], reach);
	}
	assert_int_equal(n_elements(reaches), n);
}

static void
the_first_megabyte_of_a_file_asks_for_a_quarter_more_at_most(void **state)
{
	static const size_t lens[] = { 4 * KIB, 16 * KIB, 64 * KIB, 128 * KIB,
		1 * MIB };

	(void)state;
	for (size_t i = 0; i < n_elements(lens); i++) {
		struct stream s = { 0 };

		assert_in_range(read_through(&s, 0, MIB, lens[i], GIB), MIB,
			MIB + 256 * KIB);
	}
}

static void
nothing_past_the_end_is_asked_for(void **state)
{
	struct stream s = { 0 };
	struct readahead r = stream_read(&s, 0, 128 * KIB, 100 * KIB, MAX);

	(void)state;
	assert_int_equal(r.from, r.to);
	s = (struct stream){ 0 };
	r = stream_read(&s, 0, 128 * KIB, 130 * KIB, MAX);
	assert_int_equal(128 * KIB, r.from);
	assert_int_equal(130 * KIB, r.to);
}

static void
a_short_look_at_the_beginning_asks_for_nothing(void **state)
{
	struct stream s = { 0 };
	struct readahead r = stream_read(&s, 0, 16 * KIB, GIB, MAX);

	(void)state;
	assert_int_equal(r.from, r.to);
	r = stream_read(&s, 16 * KIB, 32 * KIB, GIB, MAX);
	assert_true(r.sequential);
	assert_int_equal(48 * KIB, r.from);
	assert_int_equal(48 * KIB + 128 * KIB, r.to);
}

static uint64_t
next_random(uint64_t *x)
{
	*x = *x * 6364136223846793005 + 1442695040888963407;
	return *x >> 20;
}

static void
random_reads_ask_for_nothing(void **state)
{
	static const uint64_t sizes[] = { 8 * MIB, 64 * MIB, GIB, 1024 * GIB };

	(void)state;
	for (size_t k = 0; k < n_elements(sizes); k++) {
		struct stream s = { 0 };
		uint64_t x = k, asked = 0;

		for (int i = 0; i < 1000; i++) {
			uint64_t off =
				next_random(&x) % (sizes[k] / 4096) * 4096;
			struct readahead r =
				stream_read(&s, off, 4096, sizes[k], MAX);

			asked += r.to - r.from;
		}
		/* By chance a few land beside each other. */
		assert_true(asked <=
			    (sizes[k] <= 64 * MIB ? 2 * MIB : 256 * KIB));
	}
}

static void
after_three_misses_only_sequential_reads_ask_again(void **state)
{
	struct stream s = { 0 };
	struct readahead r;

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		assert_false(stream_read(&s, i * 100 * MIB, 4 * KIB, GIB, MAX)
				     .sequential);
	r = stream_read(&s, 0, 128 * KIB, GIB, MAX);
	assert_int_equal(r.from, r.to);
	r = stream_read(&s, 128 * KIB, 128 * KIB, GIB, MAX);
	assert_true(r.sequential && r.from < r.to);
	/* ... and the misses are forgotten. */
	s.windows[0].reach = s.windows[1].reach = 0;
	s.windows[2].reach = s.windows[3].reach = 0;
	r = stream_read(&s, 0, 128 * KIB, GIB, MAX);
	assert_true(r.from < r.to);
}

/* The kernel has up to eight requests of its read-ahead under way. */
static void
requests_that_overtake_each_other_are_sequential(void **state)
{
	struct stream s = { 0 };
	uint64_t x = 1, asked = 0;
	unsigned sequential = 0;

	(void)state;
	for (uint64_t off = 0; off < 32 * MIB; off += MIB) {
		uint64_t order[8];

		for (uint64_t i = 0; i < 8; i++) {
			uint64_t j = next_random(&x) % (i + 1);

			order[i] = order[j];
			order[j] = off + i * 128 * KIB;
		}
		for (int i = 0; i < 8; i++) {
			struct readahead r = stream_read(&s, order[i],
				128 * KIB, GIB, MAX);

			sequential += r.sequential;
			if (r.from < r.to)
				asked = r.to;
		}
		assert_true(s.misses < READAHEAD_MISSES);
		if (off >= 4 * MIB)
			assert_true(asked >= off + 2 * MIB);
	}
	assert_true(sequential >= 250);
}

static void
two_readers_of_one_file_keep_two_windows(void **state)
{
	struct stream s = { 0 };
	uint64_t asked[2] = { 0, 0 };

	(void)state;
	for (uint64_t off = 0; off < 32 * MIB; off += 128 * KIB) {
		for (int k = 0; k < 2; k++) {
			uint64_t at = off + (uint64_t)k * 512 * MIB;
			struct readahead r =
				stream_read(&s, at, 128 * KIB, GIB, MAX);

			if (r.from < r.to)
				asked[k] = r.to;
		}
	}
	assert_true(asked[0] >= 32 * MIB + 8 * MIB);
	assert_true(asked[0] <= 32 * MIB + MAX);
	assert_true(asked[1] >= 512 * MIB + 32 * MIB + 8 * MIB);
	assert_true(asked[1] <= 512 * MIB + 32 * MIB + MAX);
}

static void
a_sequential_reader_goes_on_among_random_ones(void **state)
{
	struct stream s = { 0 };
	uint64_t x = 7, asked = 0, stray = 0;

	(void)state;
	for (uint64_t off = 0; off < 32 * MIB; off += 128 * KIB) {
		struct readahead r = stream_read(&s, off, 128 * KIB, GIB, MAX);

		if (r.from < r.to)
			asked = r.to;
		r = stream_read(&s, 100 * MIB + next_random(&x) % (800 * MIB),
			4096, GIB, MAX);
		stray += r.to - r.from;
	}
	assert_true(asked >= 32 * MIB + 8 * MIB);
	assert_int_equal(0, stray);
}

static void
a_sequential_reader_that_begins_to_jump_is_not_sequential_for_long(void **state)
{
	struct stream s = { 0 };
	uint64_t asked = 0;

	(void)state;
	read_through(&s, 0, 256 * MIB, 128 * KIB, GIB);
	for (uint64_t off = 256 * MIB; off < 512 * MIB; off += 512 * KIB) {
		struct readahead r = stream_read(&s, off, 4 * KIB, GIB, MAX);

		if (r.from < r.to)
			asked = off;
	}
	assert_true(asked <= 264 * MIB);
}

static void
reading_again_asks_for_nothing_new(void **state)
{
	struct stream s = { 0 };

	(void)state;
	read_through(&s, 0, 2 * MIB, 128 * KIB, GIB);
	for (int i = 0; i < 20; i++) {
		struct readahead r = stream_read(&s,
			2 * MIB - 128 * KIB - (uint64_t)i * 4096, 4096, GIB,
			MAX);

		assert_int_equal(r.from, r.to);
	}
}

static void
offsets_near_the_end_of_numbers_do_no_harm(void **state)
{
	struct stream s = { 0 };
	uint64_t end = INT64_MAX;

	(void)state;
	for (uint64_t back = 4 * MIB; back > 0; back -= 128 * KIB) {
		struct readahead r =
			stream_read(&s, end - back, 128 * KIB, end, MAX);

		assert_true(r.from <= r.to && r.to <= end);
	}
}

static void
what_could_not_be_asked_for_is_asked_for_by_the_next_read(void **state)
{
	struct stream s = { 0 };
	uint64_t asked = read_through(&s, 0, 4 * MIB, 128 * KIB, GIB);
	struct readahead r = { .sequential = false };
	uint64_t off = 4 * MIB;

	(void)state;
	for (; r.from == r.to; off += 128 * KIB)
		r = stream_read(&s, off, 128 * KIB, GIB, MAX);
	assert_int_equal(asked, r.from);
	asked = r.to;
	stream_ask_again(&s, &r, r.from + 256 * KIB);
	off += 128 * KIB;
	r = stream_read(&s, off - 128 * KIB, 128 * KIB, GIB, MAX);
	assert_true(r.from < asked && r.to >= asked);
	/* all of it could be */
	asked = r.to;
	stream_ask_again(&s, &r, r.to);
	r = stream_read(&s, off, 128 * KIB, GIB, MAX);
	assert_true(r.from == r.to || r.from == asked);
}

static void
what_is_near_comes_in_short_strides(void **state)
{
	struct stream s = { .near = true };
	uint64_t asked = 0;

	(void)state;
	for (uint64_t off = 0; off < 64 * MIB; off += 128 * KIB) {
		struct readahead r = stream_read(&s, off, 128 * KIB, GIB, MAX);

		if (r.from < r.to && off > 48 * MIB)
			assert_int_equal(r.to - r.from, 256 * KIB);
		asked = r.from < r.to ? r.to : asked;
	}
	assert_true(asked >= 64 * MIB + MAX - 256 * KIB);
}

static void
a_reader_goes_on_in_another_stream_as_far_ahead_as_before(void **state)
{
	struct stream file = { 0 }, order = { 0 };
	struct readahead r;
	uint64_t front;

	(void)state;
	read_through(&file, 0, 32 * MIB, 128 * KIB, GIB);
	assert_true(stream_is_near(&file, 32 * MIB, &front));
	assert_int_equal(front, 32 * MIB);
	assert_false(stream_is_near(&order, 32 * MIB, NULL));
	/* somebody else, who has not come so far or further */
	assert_false(stream_move(&file, 33 * MIB, MIB, &order, 100 * MIB));
	assert_false(stream_move(&file, 30 * MIB, MIB, &order, 100 * MIB));
	assert_true(stream_move(
		&file, 32 * MIB - 256 * KIB, MIB, &order, 100 * MIB));
	assert_false(stream_is_near(&file, 32 * MIB, NULL));
	assert_true(stream_is_near(&order, 100 * MIB, &front));
	assert_int_equal(front, 100 * MIB);
	r = stream_read(&order, 100 * MIB, 128 * KIB, GIB, MAX);
	assert_true(r.sequential);
	assert_int_equal(r.from, 100 * MIB + 128 * KIB);
	assert_int_equal(r.to, 100 * MIB + 128 * KIB + MAX);
	/* all of it once more */
	stream_start_over(&order);
	r = stream_read(&order, 100 * MIB + 128 * KIB, 128 * KIB, GIB, MAX);
	assert_int_equal(r.from, 100 * MIB + 256 * KIB);
	assert_int_equal(r.to, 100 * MIB + 256 * KIB + MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_sequential_reader_gets_what_it_will_read_once_and_in_order),
		cmocka_unit_test(the_window_begins_small_and_doubles),
		cmocka_unit_test(
			the_first_megabyte_of_a_file_asks_for_a_quarter_more_at_most),
		cmocka_unit_test(nothing_past_the_end_is_asked_for),
		cmocka_unit_test(a_short_look_at_the_beginning_asks_for_nothing),
		cmocka_unit_test(random_reads_ask_for_nothing),
		cmocka_unit_test(
			after_three_misses_only_sequential_reads_ask_again),
		cmocka_unit_test(
			requests_that_overtake_each_other_are_sequential),
		cmocka_unit_test(two_readers_of_one_file_keep_two_windows),
		cmocka_unit_test(a_sequential_reader_goes_on_among_random_ones),
		cmocka_unit_test(
			a_sequential_reader_that_begins_to_jump_is_not_sequential_for_long),
		cmocka_unit_test(reading_again_asks_for_nothing_new),
		cmocka_unit_test(
			what_could_not_be_asked_for_is_asked_for_by_the_next_read),
		cmocka_unit_test(what_is_near_comes_in_short_strides),
		cmocka_unit_test(
			a_reader_goes_on_in_another_stream_as_far_ahead_as_before),
		cmocka_unit_test(offsets_near_the_end_of_numbers_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
