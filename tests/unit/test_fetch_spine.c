/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that come along with the one behind them. */
#include <errno.h>
#include "tests/unit/fetch_fixture.h"

#define LEN 500
#define FRAMES 100
#define SEALED (LEN + FRAME_OVERHEAD)

static int
set_up(void **state)
{
	struct fixture *x = xcalloc(1, sizeof(*x));

	fixture_init(x);
	pack_fill(x, fixture_pack(x, OBJECT_META), FRAMES, LEN);
	*state = x;
	return 0;
}

static int
tear_down(void **state)
{
	fixture_release(*state);
	free(*state);
	return 0;
}

static int
read_spine(struct fetch *f, struct pack *p, size_t i, size_t before)
{
	const struct ref r = { .place = p->at[i], .chunk_len = LEN };
	auto_frame struct frame *fr = NULL;
	const uint8_t *data;
	struct err e = ERR_INIT;
	int rc = fetch_spine(f, &r, before, &fr, &data, &e);

	if (rc == 0)
		assert_true(is_frame(fr, p, i, LEN));
	return rc;
}

static int
read_one(struct fetch *f, struct pack *p, size_t i)
{
	return read_spine(f, p, i, 0);
}

static void
what_lies_before_costs_no_other_get(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	/* ten whole frames and a part of one */
	assert_int_equal(read_spine(f, p, 50, 10 * SEALED + 100), 0);
	assert_int_equal(x->gets, 1);
	assert_int_equal(x->bytes, 11 * SEALED + 100);
	assert_true(fetch_is_near(f, &p->at[40]));
	assert_false(fetch_is_near(f, &p->at[39]));
	for (size_t i = 49; i >= 40; i--)
		assert_int_equal(read_one(f, p, i), 0);
	assert_int_equal(x->gets, 1);
	assert_int_equal(read_one(f, p, 39), 0);
	assert_int_equal(read_one(f, p, 51), 0);
	assert_int_equal(x->gets, 3);
	/* it is decoded: nothing is asked, whatever lies before */
	assert_int_equal(read_spine(f, p, 51, 10 * SEALED), 0);
	assert_int_equal(x->gets, 3);
	fetch_free(f);
}

static void
it_begins_behind_the_header(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	assert_int_equal(read_spine(f, p, 2, 1 << 20), 0);
	assert_int_equal(x->bytes, 3 * SEALED);
	assert_int_equal(read_one(f, p, 0), 0);
	assert_int_equal(x->gets, 1);
	fetch_free(f);
}

static void
a_local_store_is_asked_for_no_more_than_is_wanted(void **state)
{
	static char here[] = "/here";
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f;

	x->store.local_path = here;
	f = fetch_new(&x->store, x->keys, NULL);
	assert_int_equal(read_spine(f, p, 50, 10 * SEALED), 0);
	assert_int_equal(x->bytes, SEALED);
	fetch_free(f);
	x->store.local_path = NULL;
}

static void
only_the_last_few_are_kept(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	for (size_t i = 10; i <= 50; i += 10)
		assert_int_equal(read_spine(f, p, i, 2 * SEALED), 0);
	assert_false(fetch_is_near(f, &p->at[9]));
	for (size_t i = 20; i <= 50; i += 10)
		assert_true(fetch_is_near(f, &p->at[i - 1]));
	fetch_free(f);
}

/* What came along damaged is asked for itself. */
static void
what_does_not_unseal_is_asked_for_again(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	uint64_t at = p->at[45].off + FRAME_PREFIX_LEN + 7;

	flip(x, p, at);
	assert_int_equal(read_spine(f, p, 50, 10 * SEALED), 0);
	assert_int_equal(read_one(f, p, 45), -EBADMSG);
	assert_int_equal(x->gets, 2);
	flip(x, p, at);
	assert_int_equal(read_one(f, p, 45), 0);
	assert_int_equal(read_one(f, p, 44), 0);
	assert_int_equal(x->gets, 3);
	fetch_free(f);
}

static void
what_is_dropped_is_fetched_again_unless_it_is_held(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct frame *held = NULL;
	size_t memory;

	assert_int_equal(read_one(f, p, 1), 0);
	assert_int_equal(read_one(f, p, 2), 0);
	memory = stats_of(f).memory_bytes;
	assert_true(fetch_drop(f, &p->at[1]));
	assert_int_equal(stats_of(f).memory_bytes, memory / 2);
	assert_false(fetch_drop(f, &p->at[1]));
	assert_int_equal(fetch_frame(f, &p->at[2], &held, NULL), 0);
	fetch_drop(f, &p->at[2]);
	frame_put(held);
	assert_int_equal(read_one(f, p, 2), 0);
	assert_int_equal(x->gets, 2);
	assert_int_equal(read_one(f, p, 1), 0);
	assert_int_equal(x->gets, 3);
	fetch_free(f);
}

static void
a_page_asked_for_ahead_brings_those_behind_it(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	fetch_ahead_beyond(f, &p->at[20], 5 * SEALED + 100);
	WAIT_STAT(f, ahead_frames, 6);
	for (size_t i = 20; i <= 25; i++)
		assert_int_equal(read_one(f, p, i), 0);
	assert_int_equal(x->gets, 1);
	assert_int_equal(x->bytes, 6 * SEALED + 100);
	/* to the end of the object, and not of what is there already */
	fetch_ahead_beyond(f, &p->at[98], 1 << 20);
	fetch_ahead_beyond(f, &p->at[98], 1 << 20);
	WAIT_STAT(f, ahead_frames, 8);
	assert_int_equal(x->gets, 2);
	assert_int_equal(read_one(f, p, 99), 0);
	assert_int_equal(x->gets, 2);
	fetch_free(f);
}

#define READERS 16

struct spine_reader {
	struct fetch *f;
	struct pack *p;
	pthread_t thread;
};

static void *
read_in_thread(void *arg)
{
	struct spine_reader *r = arg;

	assert_int_equal(read_spine(r->f, r->p, 50, 10 * SEALED), 0);
	assert_int_equal(read_one(r->f, r->p, 45), 0);
	return NULL;
}

static void
many_readers_make_one_get(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct spine_reader readers[READERS];

	hold(x, p);
	for (int i = 0; i < READERS; i++) {
		readers[i] = (struct spine_reader){ .f = f, .p = p };
		assert_int_equal(pthread_create(&readers[i].thread, NULL,
					 read_in_thread, &readers[i]),
			0);
	}
	WAIT_STAT(f, joined, READERS - 1);
	let_go(x, p);
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	assert_int_equal(x->gets, 1);
	fetch_free(f);
}

#define WITH_PACK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PACK(what_lies_before_costs_no_other_get),
		WITH_PACK(it_begins_behind_the_header),
		WITH_PACK(a_local_store_is_asked_for_no_more_than_is_wanted),
		WITH_PACK(only_the_last_few_are_kept),
		WITH_PACK(what_does_not_unseal_is_asked_for_again),
		WITH_PACK(what_is_dropped_is_fetched_again_unless_it_is_held),
		WITH_PACK(a_page_asked_for_ahead_brings_those_behind_it),
		WITH_PACK(many_readers_make_one_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
