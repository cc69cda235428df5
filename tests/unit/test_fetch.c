/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include "tests/unit/fetch_fixture.h"
#include "repo/base/clock.h"

#define LEN 20000

struct reader_thread {
	pthread_t thread;
	struct fetch *f;
	const struct frame_place *at;
	const struct pack *p;
	size_t i;
	int r;
	bool right;
	struct err e;
};

static void *
read_one(void *ctx)
{
	struct reader_thread *t = ctx;
	auto_frame struct frame *fr = NULL;

	t->r = fetch_frame(t->f, t->at, &fr, &t->e);
	t->right = t->r == 0 && is_frame(fr, t->p, t->i, LEN);
	return NULL;
}

/* Thread k reads frame first + k * step. */
static void
start_readers(struct reader_thread *t, size_t n, struct fetch *f,
	struct pack *p, size_t step)
{
	for (size_t k = 0; k < n; k++) {
		t[k] = (struct reader_thread){ .f = f,
			.at = &p->at[k * step], .p = p, .i = k * step };
		assert_int_equal(0,
			pthread_create(&t[k].thread, NULL, read_one, &t[k]));
	}
}

static void
join_readers(struct reader_thread *t, size_t n)
{
	for (size_t k = 0; k < n; k++)
		pthread_join(t[k].thread, NULL);
}

static void
a_frame_is_read_once_and_then_found_in_memory(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 2, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct err e = ERR_INIT;

	assert_null(fetch_peek(f, &p->at[1]));
	for (int i = 0; i < 3; i++) {
		struct frame *fr;

		assert_int_equal(0, fetch_frame(f, &p->at[1], &fr, &e));
		assert_true(is_frame(fr, p, 1, LEN));
		assert_int_equal(FRAME_DATA, fr->type);
		frame_put(fr);
	}
	struct frame *fr = fetch_peek(f, &p->at[1]);
	assert_non_null(fr);
	frame_put(fr);
	assert_int_equal(1, x->gets);
	assert_int_equal(p->at[1].len, x->bytes);
	assert_int_equal(1, stats_of(f).unsealed);
	assert_int_equal(3, stats_of(f).memory_hits);
	fetch_free(f);
}

static void
sixty_four_readers_of_one_frame_cost_one_get_and_one_unsealing(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 1, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct reader_thread t[64];

	hold(x, p);
	start_readers(t, 64, f, p, 0);
	WAIT_STAT(f, joined, 63);
	let_go(x, p);
	join_readers(t, 64);
	for (int k = 0; k < 64; k++)
		assert_true(t[k].right);
	assert_int_equal(1, x->gets);
	assert_int_equal(1, stats_of(f).unsealed);
	fetch_free(f);
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
reads_from_memory_go_on_while_32_gets_hang(void **state)
{
	struct fixture *x = *state;
	struct pack *warm = fixture_pack(x, OBJECT_DATA);
	struct pack *hung = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, warm, 64, LEN);
	pack_fill(x, hung, 32, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct reader_thread t[32];
	int64_t ns[1000];
	struct frame *fr;

	for (int i = 0; i < 64; i++) {
		assert_int_equal(0, fetch_frame(f, &warm->at[i], &fr, NULL));
		frame_put(fr);
	}
	hold(x, hung);
	start_readers(t, 32, f, hung, 1);
	wait_gets(x, hung, 32);
	for (int i = 0; i < 1000; i++) {
		int64_t before = clock_mono_ns();

		assert_int_equal(0,
			fetch_frame(f, &warm->at[i % 64], &fr, NULL));
		ns[i] = clock_mono_ns() - before;
		frame_put(fr);
	}
	qsort(ns, 1000, sizeof(*ns), by_time);
	assert_true(ns[990] < 5000000);
	let_go(x, hung);
	join_readers(t, 32);
	fetch_free(f);
}

static void
an_error_reaches_every_waiter_and_is_not_kept(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 1, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct reader_thread t[16];
	char text[ERR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s: the store gave up", p->name);
	set_failures(x, 1);
	hold(x, p);
	start_readers(t, 16, f, p, 0);
	WAIT_STAT(f, joined, 15);
	let_go(x, p);
	join_readers(t, 16);
	for (int k = 0; k < 16; k++) {
		assert_int_equal(-EIO, t[k].r);
		assert_int_equal(EIO, t[k].e.code);
		assert_string_equal(text, t[k].e.text);
	}
	assert_int_equal(1, x->gets);
	read_one(&t[0]);
	assert_true(t[0].right);
	fetch_free(f);
}

static void
a_damaged_frame_is_refused_by_name_and_read_again_when_healed(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 3, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct reader_thread t = { .f = f, .at = &p->at[1], .p = p, .i = 1 };

	flip(x, p, p->at[1].off + 500);
	for (unsigned i = 1; i <= 3; i++) {
		read_one(&t);
		assert_int_equal(-EBADMSG, t.r);
		assert_non_null(strstr(t.e.text, p->name));
		assert_null(fetch_peek(f, &p->at[1]));
		assert_int_equal(i, x->gets);
	}
	assert_int_equal(0, stats_of(f).memory_bytes);
	flip(x, p, p->at[1].off + 500);
	read_one(&t);
	assert_true(t.right);
	fetch_free(f);
}

static void
a_reference_with_another_length_does_not_verify(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 2, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct frame_place at = p->at[0];
	struct frame *fr;

	assert_int_equal(0, fetch_frame(f, &at, &fr, NULL));
	frame_put(fr);
	at.len++;
	assert_int_equal(-EBADMSG, fetch_frame(f, &at, &fr, NULL));
	at.len -= 2;
	assert_int_equal(-EBADMSG, fetch_frame(f, &at, &fr, NULL));
	assert_null(fetch_peek(f, &at));
	fetch_free(f);
}

static void
a_frame_of_another_type_than_its_object_holds_is_refused(void **state)
{
	struct fixture *x = *state;
	struct pack *data = fixture_pack(x, OBJECT_DATA);
	struct pack *meta = fixture_pack(x, OBJECT_META);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct frame *fr;

	pack_add(x, data, FRAME_PAGES, 0, "pages", 5);
	pack_add(x, data, FRAME_TOC, 0, "table", 5);
	pack_add(x, meta, FRAME_DATA, 0, "data", 4);
	pack_add(x, meta, FRAME_PAGES, 0, "pages", 5);
	assert_int_equal(-EUCLEAN, fetch_frame(f, &data->at[0], &fr, NULL));
	assert_int_equal(-EUCLEAN, fetch_frame(f, &data->at[1], &fr, NULL));
	assert_int_equal(-EUCLEAN, fetch_frame(f, &meta->at[0], &fr, NULL));
	assert_int_equal(0, fetch_frame(f, &meta->at[1], &fr, NULL));
	frame_put(fr);
	fetch_free(f);
}

static void
packs_of_both_types_may_have_one_id(void **state)
{
	struct fixture *x = *state;
	struct pack *data = fixture_pack(x, OBJECT_DATA);
	struct pack *meta = fixture_pack(x, OBJECT_META);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);

	memcpy(meta->id, data->id, sizeof(meta->id));
	object_pack_name(meta->name, OBJECT_META, meta->id);
	pack_fill(x, data, 1, LEN);
	pack_fill(x, meta, 1, LEN);
	for (int i = 0; i < 2; i++) {
		struct pack *p = i == 0 ? data : meta;
		struct frame *fr;

		assert_int_equal(0, fetch_frame(f, &p->at[0], &fr, NULL));
		assert_int_equal(i == 0 ? FRAME_DATA : FRAME_PAGES, fr->type);
		frame_put(fr);
	}
	fetch_free(f);
}

static void
places_where_no_frame_can_be_cost_no_request(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 1, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct frame_place bad[6];
	struct frame *fr;

	for (int i = 0; i < 6; i++)
		bad[i] = p->at[0];
	bad[0].object = OBJECT_RECORD;
	bad[1].object = 0;
	bad[2].off = OBJECT_HEADER_LEN - 1;
	bad[3].off = UINT64_MAX - 100;
	bad[4].len = FRAME_OVERHEAD - 1;
	bad[5].len = FRAME_SEALED_MAX + 1;
	for (int i = 0; i < 6; i++) {
		struct err e = ERR_INIT;

		assert_int_equal(-EUCLEAN, fetch_frame(f, &bad[i], &fr, &e));
		assert_int_equal(EUCLEAN, e.code);
	}
	fetch_ahead(f, bad, 6);
	assert_int_equal(0, x->gets);
	fetch_free(f);
}

static void
a_missing_or_cut_off_object_is_named(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 2, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct reader_thread t = { .f = f, .at = &p->at[1], .p = p, .i = 1 };

	p->bytes.len--;
	read_one(&t);
	assert_int_equal(-EBADMSG, t.r);
	assert_non_null(strstr(t.e.text, p->name));
	p->gone = true;
	read_one(&t);
	assert_int_equal(-ENOENT, t.r);
	assert_non_null(strstr(t.e.text, p->name));
	fetch_free(f);
}

static void
memory_stays_within_its_bound(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 100, LEN);
	struct fetch_options o = { .memory = 10 * LEN + 5000 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);
	struct frame *fr;
	unsigned kept = 0;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(0, fetch_frame(f, &p->at[i], &fr, NULL));
		frame_put(fr);
		assert_true(stats_of(f).memory_bytes <= o.memory);
	}
	for (int i = 0; i < 100; i++) {
		fr = fetch_peek(f, &p->at[i]);
		kept += fr != NULL;
		assert_int_equal(i >= 90, fr != NULL);
		frame_put(fr);
	}
	assert_int_equal(10, kept);
	fetch_free(f);
}

static void
what_is_used_stays_and_what_is_held_is_not_evicted(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 60, LEN);
	struct fetch_options o = { .memory = 10 * LEN + 5000 };
	struct fetch *f = fetch_new(&x->store, x->keys, &o);
	struct frame *held, *fr;

	assert_int_equal(0, fetch_frame(f, &p->at[0], &held, NULL));
	assert_int_equal(0, fetch_frame(f, &p->at[1], &fr, NULL));
	frame_put(fr);
	for (int i = 2; i < 60; i++) {
		fr = fetch_peek(f, &p->at[1]);
		assert_non_null(fr);
		frame_put(fr);
		assert_int_equal(0, fetch_frame(f, &p->at[i], &fr, NULL));
		frame_put(fr);
	}
	assert_true(is_frame(held, p, 0, LEN));
	fr = fetch_peek(f, &p->at[0]);
	assert_ptr_equal(held, fr);
	frame_put(fr);
	assert_int_equal(60, x->gets);
	frame_put(held);
	fetch_free(f);
}

static void
a_held_frame_outlives_everything(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 1, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct frame *fr;

	assert_int_equal(0, fetch_frame(f, &p->at[0], &fr, NULL));
	struct frame *again = frame_get(fr);
	frame_put(fr);
	fetch_free(f);
	assert_true(is_frame(again, p, 0, LEN));
	frame_put(again);
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
		TEST(a_frame_is_read_once_and_then_found_in_memory),
		TEST(sixty_four_readers_of_one_frame_cost_one_get_and_one_unsealing),
		TEST(reads_from_memory_go_on_while_32_gets_hang),
		TEST(an_error_reaches_every_waiter_and_is_not_kept),
		TEST(a_damaged_frame_is_refused_by_name_and_read_again_when_healed),
		TEST(a_reference_with_another_length_does_not_verify),
		TEST(a_frame_of_another_type_than_its_object_holds_is_refused),
		TEST(packs_of_both_types_may_have_one_id),
		TEST(places_where_no_frame_can_be_cost_no_request),
		TEST(a_missing_or_cut_off_object_is_named),
		TEST(memory_stays_within_its_bound),
		TEST(what_is_used_stays_and_what_is_held_is_not_evicted),
		TEST(a_held_frame_outlives_everything),
	};
	alarm(300); /* a thread left waiting by a failed test */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
