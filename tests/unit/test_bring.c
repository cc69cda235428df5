/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes brought into the disk cache far ahead of who reads them. */
#include "tests/unit/cached_fixture.h"
#include "repo/fetch/bring.h"

#define LEN CACHED_FRAME_LEN

static struct store *s; /* through a cache */
static struct fetch *f;

static int
begin(void **state)
{
	int r = set_up(state);

	s = open_cached(false);
	f = fetch_new(s, x.keys, NULL);
	return r;
}

static int
end(void **state)
{
	fetch_free(f);
	store_free(s);
	return tear_down(state);
}

static uint64_t
end_of_frame(size_t i)
{
	return pack->at[i].off + pack->at[i].len;
}

/* Wait until a frame is in the cache. */
static void
wait_kept(size_t i)
{
	while (!cache_read(cached_cache(s), pack->name, pack->at[i].off,
		pack->at[i].len, NULL, NULL))
		usleep(200);
}

static void
frames_that_lie_near_each_other_are_brought_in_one_get(void **state)
{
	struct frame_place at[] = { pack->at[7], pack->at[2], pack->at[4] };

	(void)state;
	assert_int_equal(end_of_frame(7) - pack->at[2].off,
		fetch_bring(f, at, n_elements(at), 1 << 20));
	for (size_t i = 2; i < 8; i++)
		wait_kept(i);
	assert_int_equal(1, x.gets);
	assert_int_equal(0, fetch_bring(f, at, n_elements(at), 1 << 20));
	/* counted after it is kept */
	while (fetch_bring_reach(f, 1) == BRING_REACH_UNKNOWN)
		usleep(200);
}

static void
frames_that_lie_far_from_each_other_travel_alone(void **state)
{
	struct frame_place at[] = { pack->at[11], pack->at[0] };

	(void)state;
	assert_int_equal(pack->at[0].len + pack->at[11].len,
		fetch_bring(f, at, n_elements(at), 1 << 20));
	wait_kept(0);
	wait_kept(11);
	assert_int_equal(2, x.gets);
	assert_int_equal(pack->at[0].len + pack->at[11].len, x.bytes);
}

static void
the_shortest_gaps_are_bridged_first_and_no_more_than_may_be(void **state)
{
	struct frame_place at[] = { pack->at[0], pack->at[3], pack->at[5] };
	uint64_t gap = pack->at[4].len;

	(void)state;
	assert_int_equal(pack->at[0].len + pack->at[3].len + gap +
				 pack->at[5].len,
		fetch_bring(f, at, n_elements(at), gap));
	for (size_t i = 3; i < 6; i++)
		wait_kept(i);
	wait_kept(0);
	assert_int_equal(2, x.gets);
}

static void
assert_reads(size_t i)
{
	auto_frame struct frame *fr = NULL;

	assert_int_equal(0, fetch_frame(f, &pack->at[i], &fr, NULL));
	assert_true(is_frame(fr, pack, i, LEN));
}

static void
what_lies_before_a_stretch_comes_into_the_cache(void **state)
{
	size_t before = pack->at[5].off - pack->at[3].off;

	(void)state;
	fetch_stretch_around(f, &pack->at[5], before, end_of_frame(6) -
							      pack->at[5].off);
	wait_kept(3);
	for (size_t i = 3; i < 7; i++)
		assert_reads(i);
	assert_int_equal(1, x.gets);
	assert_reads(7);
	assert_int_equal(2, x.gets);
	/* where nothing lies before it */
	fetch_stretch_around(f, &pack->at[1], 1 << 20, pack->at[1].len);
	wait_kept(0);
}

/* A thread: returns NULL when it has not read the frame. */
static void *
read_frame(void *arg)
{
	struct frame *fr = NULL;
	bool right;

	(void)arg;
	if (fetch_frame(f, &pack->at[3], &fr, NULL))
		return NULL;
	right = is_frame(fr, pack, 3, LEN);
	frame_put(fr);
	return right ? f : NULL;
}

/* A reader of a frame that is on its way, and that the store holds back. */
static pthread_t
read_what_is_on_its_way(void)
{
	pthread_t reader;

	hold(&x, pack);
	fetch_bring(f, &pack->at[2], 4, 1 << 20);
	wait_gets(&x, pack, 1);
	assert_int_equal(0, pthread_create(&reader, NULL, read_frame, NULL));
	return reader;
}

static void
let_it_read(pthread_t reader)
{
	void *right;

	let_go(&x, pack);
	pthread_join(reader, &right);
	assert_ptr_equal(f, right);
}

static void
who_wants_what_is_on_its_way_waits_for_it(void **state)
{
	(void)state;
	pthread_t reader = read_what_is_on_its_way();

	usleep(50000); /* it would ask meanwhile */
	let_it_read(reader);
	assert_int_equal(1, gets_of(&x, pack));
}

static void
who_waits_in_vain_asks_the_store(void **state)
{
	(void)state;
	pthread_t reader = read_what_is_on_its_way();

	wait_gets(&x, pack, 2);
	let_it_read(reader);
}

static void
who_waits_has_his_part_once_that_has_come(void **state)
{
	pthread_t reader;
	void *right;

	(void)state;
	hold_behind(&x, pack, end_of_frame(3) - pack->at[2].off);
	fetch_bring(f, &pack->at[2], 4, 1 << 20);
	wait_gets(&x, pack, 1);
	assert_int_equal(0, pthread_create(&reader, NULL, read_frame, NULL));
	pthread_join(reader, &right);
	assert_ptr_equal(f, right);
	assert_int_equal(1, gets_of(&x, pack));
	let_go(&x, pack);
	wait_kept(5);
}

static void
what_has_come_wrong_is_asked_of_the_store(void **state)
{
	uint64_t at = pack->at[3].off + 1000;
	pthread_t reader;

	(void)state;
	flip(&x, pack, at);
	hold_behind(&x, pack, end_of_frame(3) - pack->at[2].off);
	fetch_bring(f, &pack->at[2], 4, 1 << 20);
	wait_gets(&x, pack, 1);
	flip(&x, pack, at);
	assert_int_equal(0, pthread_create(&reader, NULL, read_frame, NULL));
	wait_gets(&x, pack, 2);
	let_it_read(reader);
	assert_int_equal(2, gets_of(&x, pack));
}

static void
a_plan_is_asked_for_as_far_as_its_reader_has_come(void **state)
{
	struct frame_place at[] = { pack->at[11], pack->at[0], pack->at[5],
		pack->at[9] };
	struct bring_plan *p = fetch_bring_plan(f, at, n_elements(at),
		pack->at[10].len);

	(void)state;
	/* with the last frame, which lies near the first */
	assert_int_equal(end_of_frame(11) - pack->at[9].off,
		fetch_bring_send(f, p, 1));
	wait_kept(9);
	assert_int_equal(1, gets_of(&x, pack));
	assert_int_equal(0, fetch_bring_send(f, p, 1));
	assert_int_equal(pack->at[0].len + pack->at[5].len,
		fetch_bring_send(f, p, n_elements(at)));
	wait_kept(0);
	wait_kept(5);
	assert_int_equal(3, gets_of(&x, pack));
	bring_plan_free(p);
}

static void
no_more_is_on_its_way_than_has_room(void **state)
{
	const struct fetch_options room_for_two = { .memory = 5 * LEN };
	struct frame_place at[] = { pack->at[0], pack->at[5], pack->at[11] };
	struct fetch *small = fetch_new(s, x.keys, &room_for_two);

	(void)state;
	hold(&x, pack);
	fetch_bring(small, at, n_elements(at), 0);
	wait_gets(&x, pack, 2);
	usleep(20000); /* the third would begin meanwhile */
	assert_int_equal(2, gets_of(&x, pack));
	let_go(&x, pack);
	wait_kept(11);
	fetch_free(small);
}

static void
without_a_cache_nothing_is_brought(void **state)
{
	struct fetch *bare = fetch_new(&x.store, x.keys, NULL);

	(void)state;
	assert_false(fetch_brings(bare));
	assert_int_equal(0, fetch_bring(bare, pack->at, 3, 1 << 20));
	fetch_free(bare);
	assert_int_equal(0, x.gets);
}

static void
a_store_that_fails_is_brought_from_no_more(void **state)
{
	(void)state;
	set_failures(&x, 2);
	assert_true(fetch_brings(f));
	fetch_bring(f, &pack->at[0], 1, 1 << 20);
	fetch_bring(f, &pack->at[11], 1, 1 << 20);
	while (fetch_brings(f))
		usleep(200);
	assert_int_equal(0, fetch_bring(f, &pack->at[5], 1, 1 << 20));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_that_lie_near_each_other_are_brought_in_one_get),
		TEST(frames_that_lie_far_from_each_other_travel_alone),
		TEST(what_lies_before_a_stretch_comes_into_the_cache),
		TEST(the_shortest_gaps_are_bridged_first_and_no_more_than_may_be),
		TEST(who_wants_what_is_on_its_way_waits_for_it),
		TEST(who_waits_in_vain_asks_the_store),
		TEST(who_waits_has_his_part_once_that_has_come),
		TEST(what_has_come_wrong_is_asked_of_the_store),
		TEST(a_plan_is_asked_for_as_far_as_its_reader_has_come),
		TEST(no_more_is_on_its_way_than_has_room),
		TEST(without_a_cache_nothing_is_brought),
		TEST(a_store_that_fails_is_brought_from_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
