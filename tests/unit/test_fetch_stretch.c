/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "tests/unit/fetch_fixture.h"

#define LEN 500
#define FRAMES 100

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

static size_t
end_of(const struct pack *p, size_t i)
{
	return p->at[i].off + p->at[i].len;
}

static void
assert_reads(struct fetch *f, struct pack *p, size_t i)
{
	auto_frame struct frame *fr = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(0, fetch_frame(f, &p->at[i], &fr, &e));
	assert_true(is_frame(fr, p, i, LEN));
}

static void
whole_frames_that_follow_are_kept(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	/* one byte of frame 30 is missing */
	fetch_stretch(f, &p->at[10], end_of(p, 30) - p->at[10].off - 1);
	assert_int_equal(1, x->gets);
	for (size_t i = 10; i < 30; i++)
		assert_reads(f, p, i);
	assert_int_equal(1, x->gets);
	assert_int_equal(20, stats_of(f).ahead_frames);
	assert_reads(f, p, 30);
	assert_reads(f, p, 9);
	assert_int_equal(3, x->gets);
	fetch_free(f);
}

static void
a_stretch_ends_with_its_object(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	fetch_stretch(f, &p->at[90], 1 << 20);
	for (size_t i = 90; i < FRAMES; i++)
		assert_reads(f, p, i);
	assert_int_equal(1, x->gets);
	fetch_free(f);
}

static void
frames_in_memory_are_passed_over(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	assert_reads(f, p, 12);
	fetch_stretch(f, &p->at[10], end_of(p, 14) - p->at[10].off);
	assert_int_equal(4, stats_of(f).ahead_frames);
	assert_int_equal(5, stats_of(f).unsealed);
	/* what is there costs nothing */
	fetch_stretch(f, &p->at[10], 1 << 20);
	assert_int_equal(2, x->gets);
	fetch_free(f);
}

static void
what_does_not_unseal_is_left_to_its_reader(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct frame *fr = NULL;
	struct err e = ERR_INIT;

	flip(x, p, p->at[11].off + FRAME_PREFIX_LEN + 3);
	fetch_stretch(f, &p->at[10], end_of(p, 13) - p->at[10].off);
	assert_int_equal(3, stats_of(f).ahead_frames);
	assert_int_equal(-EBADMSG, fetch_frame(f, &p->at[11], &fr, &e));
	assert_reads(f, p, 12);
	assert_int_equal(2, x->gets);
	fetch_free(f);
}

/* The type, the lengths and the marker of a prefix, flipped bit by bit. */
static void
a_wrong_prefix_ends_it_or_harms_only_its_frame(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];

	for (unsigned bit = 0; bit < FRAME_PREFIX_LEN * 8; bit++) {
		struct fetch *f = fetch_new(&x->store, x->keys, NULL);
		uint8_t *prefix = p->bytes.data + p->at[11].off;
		struct frame *fr = NULL;
		struct err e = ERR_INIT;

		prefix[bit / 8] ^= (uint8_t)(1 << bit % 8);
		fetch_stretch(f, &p->at[10], 1 << 20);
		assert_reads(f, p, 10);
		assert_true(fetch_frame(f, &p->at[11], &fr, &e) < 0);
		for (size_t i = 12; i < 20; i++)
			assert_reads(f, p, i);
		prefix[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_reads(f, p, 11);
		fetch_free(f);
	}
}

static void
a_store_that_fails_is_asked_again_by_the_reader(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	set_failures(x, 1);
	fetch_stretch(f, &p->at[10], 1 << 20);
	assert_reads(f, p, 10);
	fetch_free(f);
}

struct stretcher {
	pthread_t thread;
	struct fetch *f;
	struct pack *p;
};

static void *
stretch_and_read(void *ctx)
{
	struct stretcher *s = ctx;

	fetch_stretch(s->f, &s->p->at[10], 1 << 20);
	assert_reads(s->f, s->p, 10);
	return NULL;
}

static void
many_readers_of_one_stretch_cost_one_get(void **state)
{
	struct fixture *x = *state;
	struct pack *p = &x->packs[0];
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct stretcher s[8];

	hold(x, p);
	for (size_t i = 0; i < n_elements(s); i++) {
		s[i] = (struct stretcher){ .f = f, .p = p };
		assert_int_equal(0, pthread_create(&s[i].thread, NULL,
					    stretch_and_read, &s[i]));
	}
	WAIT_STAT(f, joined, n_elements(s) - 1);
	let_go(x, p);
	for (size_t i = 0; i < n_elements(s); i++)
		pthread_join(s[i].thread, NULL);
	assert_int_equal(1, x->gets);
	fetch_free(f);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_frames_that_follow_are_kept),
		TEST(a_stretch_ends_with_its_object),
		TEST(frames_in_memory_are_passed_over),
		TEST(what_does_not_unseal_is_left_to_its_reader),
		TEST(a_wrong_prefix_ends_it_or_harms_only_its_frame),
		TEST(a_store_that_fails_is_asked_again_by_the_reader),
		TEST(many_readers_of_one_stretch_cost_one_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
