/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>
#include "tests/unit/fetch_fixture.h"

#define LEN 20000
#define KIB 1024
#define MIB (1024 * KIB)

static void
assert_reads(struct fetch *f, struct pack *p, size_t i, size_t len)
{
	auto_frame struct frame *fr = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(0, fetch_frame(f, &p->at[i], &fr, &e));
	assert_true(is_frame(fr, p, i, len));
}

struct reader_thread {
	pthread_t thread;
	struct fetch *f;
	const struct frame_place *at;
	int r;
};

static void *
read_one(void *ctx)
{
	struct reader_thread *t = ctx;
	auto_frame struct frame *fr = NULL;

	t->r = fetch_frame(t->f, t->at, &fr, NULL);
	return NULL;
}

static void
start_reader(struct reader_thread *t, struct fetch *f, struct frame_place *at)
{
	*t = (struct reader_thread){ .f = f, .at = at };
	assert_int_equal(0, pthread_create(&t->thread, NULL, read_one, t));
}

static unsigned
tasks(void)
{
	auto_closedir DIR *d = opendir("/proc/self/task");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n - 2;
}

static void
neighbours_travel_in_one_get_and_are_read_without_another(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_META);
	pack_fill(x, p, 16, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	fetch_ahead(f, p->at, 16);
	WAIT_STAT(f, ahead_frames, 16);
	for (size_t i = 0; i < 16; i++)
		assert_reads(f, p, i, LEN);
	fetch_ahead(f, p->at, 16);
	assert_int_equal(1, x->gets);
	assert_int_equal(p->bytes.len - OBJECT_HEADER_LEN, x->bytes);
	assert_int_equal(16, stats_of(f).unsealed);
	assert_int_equal(16, stats_of(f).ahead_frames);
	assert_int_equal(0, stats_of(f).ahead_unused);
	fetch_free(f);
}

static void
only_gaps_up_to_the_limit_are_skipped(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 8, LEN);
	struct fetch_options o = { .gap = LEN + FRAME_OVERHEAD };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);
	/* 0 and 2 have one frame between them, 2 and 5 have two. */
	struct frame_place at[4] = { p->at[0], p->at[2], p->at[5], p->at[6] };

	fetch_ahead(f, at, 4);
	WAIT_STAT(f, ahead_frames, 4);
	assert_int_equal(2, x->gets);
	assert_null(fetch_peek(f, &p->at[1]));
	assert_reads(f, p, 2, LEN);
	fetch_free(f);
}

static void
frames_of_two_packs_do_not_travel_together(void **state)
{
	struct fixture *x = *state;
	struct pack *a = fixture_pack(x, OBJECT_DATA);
	struct pack *b = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, a, 3, LEN);
	pack_fill(x, b, 3, LEN);
	struct fetch_options o = { .threads = 1 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);
	/* By their offsets alone they would follow each other. */
	struct frame_place at[3] = { a->at[0], b->at[1], a->at[2] };

	fetch_ahead(f, at, 3);
	WAIT_STAT(f, ahead_frames, 3);
	assert_int_equal(1, gets_of(x, a));
	assert_int_equal(1, gets_of(x, b));
	assert_reads(f, a, 0, LEN);
	assert_reads(f, b, 1, LEN);
	assert_reads(f, a, 2, LEN);
	fetch_free(f);
}

static void
a_long_stretch_is_shared_by_all_threads(void **state)
{
	struct fixture *x = *state;
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	for (uint64_t k = 1; k <= 2; k++) { /* also when it was not the first */
		struct pack *p = fixture_pack(x, OBJECT_DATA);

		pack_fill(x, p, 32, 512 * KIB);
		hold(x, p);
		fetch_ahead(f, p->at, 32);
		wait_gets(x, p, 8);
		let_go(x, p);
		WAIT_STAT(f, ahead_frames, 32 * k);
		assert_in_range(gets_of(x, p), 8, 16);
		for (size_t i = 0; i < 32; i++)
			assert_reads(f, p, i, 512 * KIB);
	}
	fetch_free(f);
}

static void
a_get_has_at_most_4_mib(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 20, 512 * KIB);
	struct fetch_options o = { .threads = 1 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);

	fetch_ahead(f, p->at, 20);
	WAIT_STAT(f, ahead_frames, 20);
	assert_in_range(x->longest, 3 * MIB, 4 * MIB);
	fetch_free(f);
}

static void
a_reader_takes_over_what_is_queued_and_waits_for_what_is_coming(void **state)
{
	struct fixture *x = *state;
	struct pack *slow = fixture_pack(x, OBJECT_DATA);
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, slow, 1, LEN);
	pack_fill(x, p, 4, LEN);
	struct fetch_options o = { .threads = 1 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);
	struct reader_thread t;

	hold(x, slow);
	fetch_ahead(f, slow->at, 1);
	wait_gets(x, slow, 1);
	fetch_ahead(f, p->at, 4);
	assert_reads(f, p, 0, LEN);
	assert_int_equal(1, gets_of(x, p));

	start_reader(&t, f, &slow->at[0]);
	WAIT_STAT(f, joined, 1);
	let_go(x, slow);
	pthread_join(t.thread, NULL);
	assert_int_equal(0, t.r);
	WAIT_STAT(f, ahead_frames, 4);
	for (size_t i = 0; i < 4; i++)
		assert_reads(f, p, i, LEN);
	assert_int_equal(1, gets_of(x, slow));
	assert_int_equal(2, gets_of(x, p));
	assert_int_equal(5, stats_of(f).unsealed);
	fetch_free(f);
}

static void
frames_that_were_taken_over_do_not_outstay_the_bound(void **state)
{
	struct fixture *x = *state;
	struct pack *slow = fixture_pack(x, OBJECT_DATA);
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, slow, 1, LEN);
	pack_fill(x, p, 60, LEN);
	struct fetch_options o = { .threads = 1, .memory = 20 * LEN };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);

	hold(x, slow);
	fetch_ahead(f, slow->at, 1);
	wait_gets(x, slow, 1);
	for (size_t i = 0; i < 60; i++) {
		fetch_ahead(f, &p->at[i], 1);
		assert_reads(f, p, i, LEN);
		assert_true(stats_of(f).memory_bytes <= o.memory);
	}
	let_go(x, slow);
	WAIT_STAT(f, ahead_frames, 1);
	assert_int_equal(60, gets_of(x, p));
	fetch_free(f);
}

static void
a_run_with_a_frame_taken_out_is_cut_there(void **state)
{
	struct fixture *x = *state;
	struct pack *slow = fixture_pack(x, OBJECT_DATA);
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, slow, 1, LEN);
	pack_fill(x, p, 5, LEN);
	struct fetch_options o = { .threads = 1, .gap = 1 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);

	hold(x, slow);
	fetch_ahead(f, slow->at, 1);
	wait_gets(x, slow, 1);
	fetch_ahead(f, p->at, 5);
	assert_reads(f, p, 2, LEN);
	let_go(x, slow);
	WAIT_STAT(f, ahead_frames, 5);
	assert_int_equal(3, gets_of(x, p));
	for (size_t i = 0; i < 5; i++)
		assert_reads(f, p, i, LEN);
	assert_int_equal(6, stats_of(f).unsealed);
	fetch_free(f);
}

static void
a_failure_of_read_ahead_does_not_reach_the_reader(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 2, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct reader_thread t[8];

	set_failures(x, 1);
	hold(x, p);
	fetch_ahead(f, p->at, 2);
	wait_gets(x, p, 1);
	for (int i = 0; i < 8; i++)
		start_reader(&t[i], f, &p->at[1]);
	WAIT_STAT(f, joined, 8);
	let_go(x, p);
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i].thread, NULL);
		assert_int_equal(0, t[i].r);
	}
	assert_int_equal(2, x->gets);
	fetch_free(f);
}

static void
a_damaged_frame_does_not_spoil_those_it_travels_with(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 5, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct frame *fr;

	flip(x, p, p->at[2].off + 100);
	p->bytes.len -= 1;
	fetch_ahead(f, p->at, 5);
	WAIT_STAT(f, ahead_frames, 3);
	assert_int_equal(1, x->gets);
	assert_reads(f, p, 0, LEN);
	assert_reads(f, p, 1, LEN);
	assert_reads(f, p, 3, LEN);
	assert_int_equal(1, x->gets);
	assert_int_equal(-EBADMSG, fetch_frame(f, &p->at[2], &fr, NULL));
	assert_int_equal(-EBADMSG, fetch_frame(f, &p->at[4], &fr, NULL));
	fetch_free(f);
}

static void
frames_dropped_before_anyone_read_them_are_counted(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 40, LEN);
	struct fetch_options o = { .memory = 12 * LEN };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);

	fetch_ahead(f, p->at, 4);
	WAIT_STAT(f, ahead_frames, 4);
	assert_reads(f, p, 0, LEN);
	for (size_t i = 10; i < 40; i++)
		assert_reads(f, p, i, LEN);
	assert_int_equal(3, stats_of(f).ahead_unused);
	fetch_free(f);
}

static void
read_ahead_never_evicts_what_it_has_just_fetched(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 64, 64 * KIB);
	struct fetch_options o = { .memory = MIB };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);

	fetch_ahead(f, p->at, 64);
	WAIT_STAT(f, ahead_frames, 7);
	usleep(20000);
	uint64_t fetched = stats_of(f).ahead_frames;
	assert_true(fetched <= 8);
	assert_true(stats_of(f).memory_bytes <= MIB);
	/* Each read makes room for one more. */
	for (size_t i = 0; i < 64; i++) {
		assert_reads(f, p, i, 64 * KIB);
		fetch_ahead(f, p->at + i + 1, 63 - i);
		WAIT_STAT(f, ahead_frames, i < 56 ? 8 + i : 64);
	}
	assert_int_equal(64, stats_of(f).unsealed);
	assert_int_equal(0, stats_of(f).ahead_unused);
	fetch_free(f);
}

static void
what_does_not_fit_the_queue_is_forgotten(void **state)
{
	struct fixture *x = *state;
	struct pack *slow = fixture_pack(x, OBJECT_DATA);
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, slow, 1, LEN);
	pack_fill(x, p, 800, 100);
	struct fetch_options o = { .threads = 1 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);

	hold(x, slow);
	fetch_ahead(f, slow->at, 1);
	wait_gets(x, slow, 1);
	fetch_ahead(f, p->at, 800);
	let_go(x, slow);
	WAIT_STAT(f, ahead_frames, 513);
	usleep(20000);
	assert_int_equal(513, stats_of(f).ahead_frames);
	assert_reads(f, p, 799, 100);
	fetch_ahead(f, p->at, 800);
	WAIT_STAT(f, ahead_frames, 513 + 287);
	fetch_free(f);
}

static void
a_full_queue_is_let_go_with_everything_else(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	struct pack *slow = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, slow, 1, LEN);
	pack_fill(x, p, 600, 100);
	struct fetch_options o = { .threads = 1 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);

	hold(x, slow);
	fetch_ahead(f, slow->at, 1);
	wait_gets(x, slow, 1);
	fetch_ahead(f, p->at, 600);
	let_go(x, slow);
	fetch_free(f);
}

static void
threads_begin_with_the_first_request_even_after_a_fork(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 4, LEN);
	unsigned before = tasks();
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	int status;

	assert_reads(f, p, 3, LEN);
	assert_int_equal(before, tasks());
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		fetch_ahead(f, p->at, 4);
		WAIT_STAT(f, ahead_frames, 3);
		_exit(tasks() > before ? 0 : 1);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	fetch_free(f);
}

struct storm {
	pthread_t thread;
	struct fixture *x;
	struct fetch *f;
	unsigned seed;
	unsigned failed;
};

static void *
storm(void *ctx)
{
	struct storm *s = ctx;
	struct pack *p = &s->x->packs[0];

	for (int k = 0; k < 3000; k++) {
		auto_frame struct frame *fr = NULL;
		size_t i = (size_t)rand_r(&s->seed) % (p->n - 16);

		if (rand_r(&s->seed) % 4 == 0)
			fetch_ahead(s->f, &p->at[i], 16);
		if (rand_r(&s->seed) % 50 == 0)
			set_failures(s->x, 1);
		int r = fetch_frame(s->f, &p->at[i], &fr, NULL);
		if (r == 0 && !is_frame(fr, p, i, 3000))
			abort();
		s->failed += r < 0;
	}
	return NULL;
}

static void
a_storm_of_readers_failures_and_evictions_returns_right_bytes(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 200, 3000);
	struct fetch_options o = { .memory = 200000, .gap = 7000 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);
	struct storm s[6];

	for (unsigned i = 0; i < 6; i++) {
		s[i] = (struct storm){ .x = x, .f = f, .seed = i + 1 };
		assert_int_equal(0,
			pthread_create(&s[i].thread, NULL, storm, &s[i]));
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(s[i].thread, NULL);
		assert_in_range(s[i].failed, 0, 1500);
	}
	assert_true(stats_of(f).memory_bytes <= o.memory);
	assert_true(stats_of(f).ahead_frames > 0);
	fetch_free(f);
}

static int
setup(void **state)
{
	*state = xmalloc(sizeof(struct fixture));
	fixture_init(*state);
	return 0;
}

static int
teardown(void **state)
{
	fixture_release(*state);
	free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(threads_begin_with_the_first_request_even_after_a_fork),
		TEST(neighbours_travel_in_one_get_and_are_read_without_another),
		TEST(only_gaps_up_to_the_limit_are_skipped),
		TEST(frames_of_two_packs_do_not_travel_together),
		TEST(a_long_stretch_is_shared_by_all_threads),
		TEST(a_get_has_at_most_4_mib),
		TEST(a_reader_takes_over_what_is_queued_and_waits_for_what_is_coming),
		TEST(frames_that_were_taken_over_do_not_outstay_the_bound),
		TEST(a_run_with_a_frame_taken_out_is_cut_there),
		TEST(a_failure_of_read_ahead_does_not_reach_the_reader),
		TEST(a_damaged_frame_does_not_spoil_those_it_travels_with),
		TEST(frames_dropped_before_anyone_read_them_are_counted),
		TEST(read_ahead_never_evicts_what_it_has_just_fetched),
		TEST(what_does_not_fit_the_queue_is_forgotten),
		TEST(a_full_queue_is_let_go_with_everything_else),
		TEST(a_storm_of_readers_failures_and_evictions_returns_right_bytes),
	};
	alarm(300); /* a thread left waiting by a failed test */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
