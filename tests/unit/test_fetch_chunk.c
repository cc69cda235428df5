/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include "tests/unit/fetch_fixture.h"
#include "repo/base/log.h"
#include "repo/crypto/id.h"

#define LEN 20000

/* An index of one place, behind others, or of none. */
struct index {
	const struct ref *knows;
	const struct ref *before;
	unsigned n_before;
	unsigned asked;
};

static int
locate(void *ctx, struct ref *r, unsigned nth, struct err *e)
{
	struct index *x = ctx;

	x->asked++;
	if (!x->knows || nth > x->n_before)
		return err_set(e, ENOENT, "the index does not have it");
	*r = nth < x->n_before ? x->before[nth] : *x->knows;
	return 0;
}

/* A reference to part of pack_fill's frame i, with the right id. */
static struct ref
ref_to(struct fixture *x, struct pack *p, size_t i, uint32_t off, uint32_t len)
{
	struct ref r = { .place = p->at[i], .chunk_off = off,
		.chunk_len = len };
	auto_free uint8_t *bytes = xmalloc(len);

	for (uint32_t k = 0; k < len; k++)
		bytes[k] = frame_byte(p, i, off + k);
	chunk_id(x->keys,
		p->type == OBJECT_DATA ? CHUNK_DATA : CHUNK_PAGE, bytes, len,
		r.id);
	return r;
}

static int
read_chunk(struct fetch *f, const struct ref *r, const struct pack *p,
	size_t i, struct err *e)
{
	auto_frame struct frame *fr = NULL;
	const uint8_t *data;
	int rc = fetch_chunk(f, r, &fr, &data, e);

	if (rc < 0)
		return rc;
	for (uint32_t k = 0; k < r->chunk_len; k++)
		assert_int_equal(frame_byte(p, i, r->chunk_off + k), data[k]);
	return 0;
}

static void
chunks_of_a_frame_are_read_in_place_up_to_its_end(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 2, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	struct ref all = ref_to(x, p, 1, 0, LEN);
	struct ref tail = ref_to(x, p, 1, LEN - 7, 7);
	struct ref none = ref_to(x, p, 1, LEN, 0);

	assert_int_equal(0, read_chunk(f, &all, p, 1, NULL));
	assert_int_equal(0, read_chunk(f, &tail, p, 1, NULL));
	assert_int_equal(0, read_chunk(f, &none, p, 1, NULL));
	assert_int_equal(1, x->gets);
	fetch_free(f);
}

static void
a_reference_that_leaves_its_frame_is_refused(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	pack_fill(x, p, 1, LEN);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	static const uint32_t bad[][2] = { { 0, LEN + 1 }, { LEN, 1 },
		{ LEN + 1, 0 }, { UINT32_MAX, 2 }, { 2, UINT32_MAX } };

	for (size_t i = 0; i < n_elements(bad); i++) {
		struct ref r = { .place = p->at[0], .chunk_off = bad[i][0],
			.chunk_len = bad[i][1] };
		struct err e = ERR_INIT;

		assert_int_equal(-EUCLEAN, read_chunk(f, &r, p, 0, &e));
		assert_non_null(strstr(e.text, p->name));
	}
	fetch_free(f);
}

static void
the_table_of_a_solid_frame_is_no_content(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	auto_buf struct buf plain = BUF_INIT;
	static const uint32_t lens[] = { 3, 4 };
	auto_frame struct frame *fr = NULL;
	const uint8_t *data;

	buf_append(&plain, "onefour", 7);
	solid_table_encode(&plain, lens, 2);
	pack_add(x, p, FRAME_DATA, FRAME_SOLID, plain.data, plain.len);
	struct ref r = { .place = p->at[0], .chunk_off = 3, .chunk_len = 4 };
	assert_int_equal(0, fetch_chunk(f, &r, &fr, &data, NULL));
	assert_memory_equal("four", data, 4);
	assert_int_equal(FRAME_SOLID, fr->flags);
	r.chunk_len = 5;
	assert_int_equal(-EUCLEAN, read_chunk(f, &r, p, 0, NULL));
	fetch_free(f);
}

static void
a_solid_frame_whose_table_does_not_add_up_is_refused(void **state)
{
	struct fixture *x = *state;
	struct pack *p = fixture_pack(x, OBJECT_DATA);
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	auto_buf struct buf plain = BUF_INIT;
	static const uint32_t lens[] = { 3, 5 };
	struct frame *fr;
	struct err e = ERR_INIT;

	buf_append(&plain, "onefour", 7);
	solid_table_encode(&plain, lens, 2);
	pack_add(x, p, FRAME_DATA, FRAME_SOLID, plain.data, plain.len);
	assert_int_equal(-EUCLEAN, fetch_frame(f, &p->at[0], &fr, &e));
	assert_non_null(strstr(e.text, p->name));
	fetch_free(f);
}

/* Two packs with equal frames: the reference names a, the index knows b. */
struct twins {
	struct pack *a, *b;
	struct ref r, better;
	struct index index;
	struct fetch *f;
};

static void
twins_init(struct twins *t, struct fixture *x)
{
	t->a = fixture_pack(x, OBJECT_DATA);
	t->b = fixture_pack(x, OBJECT_DATA);
	t->b->id[0] = t->a->id[0]; /* what pack_fill's bytes are made from */
	object_pack_name(t->b->name, OBJECT_DATA, t->b->id);
	memcpy(t->b->bytes.data + 16, t->b->id, OBJECT_ID_LEN);
	pack_fill(x, t->a, 4, LEN);
	pack_fill(x, t->b, 4, LEN);
	t->r = ref_to(x, t->a, 1, 10, 50);
	t->better = ref_to(x, t->b, 1, 10, 50);
	assert_memory_equal(t->r.id, t->better.id, CHUNK_ID_LEN);
	t->index = (struct index){ .knows = &t->better };
	t->f = fetch_new(&x->store, x->keys, NULL);
	fetch_set_locator(t->f, locate, &t->index);
}

static void
a_chunk_of_a_pack_that_is_gone_is_found_by_the_index(void **state)
{
	struct fixture *x = *state;
	struct twins t;

	twins_init(&t, x);
	t.a->gone = true;
	for (int i = 0; i < 5; i++)
		assert_int_equal(0, read_chunk(t.f, &t.r, t.a, 1, NULL));
	assert_int_equal(2, x->gets); /* the hint is tried once */
	struct ref other = ref_to(x, t.a, 2, 0, 9);
	t.better = ref_to(x, t.b, 2, 0, 9);
	assert_int_equal(0, read_chunk(t.f, &other, t.a, 2, NULL));
	assert_int_equal(3, x->gets);
	fetch_free(t.f);
}

static void
a_damaged_frame_is_replaced_and_its_neighbours_are_not(void **state)
{
	struct fixture *x = *state;
	struct twins t;

	twins_init(&t, x);
	flip(x, t.a, t.a->at[1].off + 99);
	assert_int_equal(0, read_chunk(t.f, &t.r, t.a, 1, NULL));
	assert_int_equal(0, read_chunk(t.f, &t.r, t.a, 1, NULL));
	assert_int_equal(1, gets_of(x, t.a));
	struct ref other = ref_to(x, t.a, 2, 0, 9);
	assert_int_equal(0, read_chunk(t.f, &other, t.a, 2, NULL));
	assert_int_equal(2, gets_of(x, t.a));
	assert_int_equal(1, gets_of(x, t.b));
	assert_int_equal(2, t.index.asked);
	fetch_free(t.f);
}

/* One is gone, one is the hint itself, one has other bytes, one is damaged. */
static void
every_place_that_the_index_has_is_tried(void **state)
{
	struct fixture *x = *state;
	struct pack *third = fixture_pack(x, OBJECT_DATA);
	struct ref before[4];
	struct twins t;

	twins_init(&t, x);
	pack_fill(x, third, 4, LEN);
	before[0] = before[1] = t.r;
	before[0].place.pack[5] ^= 1;
	before[2] = ref_to(x, third, 1, 10, 50);
	memcpy(before[2].id, t.r.id, CHUNK_ID_LEN);
	before[3] = ref_to(x, third, 2, 10, 50);
	flip(x, third, third->at[2].off + 99);
	t.index.before = before;
	t.index.n_before = 4;
	t.a->gone = true;
	assert_int_equal(0, read_chunk(t.f, &t.r, t.a, 1, NULL));
	assert_int_equal(5, t.index.asked);
	assert_int_equal(1, gets_of(x, t.b));
	t.b->gone = true;
	struct fetch *f = fetch_new(&x->store, x->keys, NULL);
	fetch_set_locator(f, locate, &t.index);
	assert_int_equal(-ENOENT, read_chunk(f, &t.r, t.a, 1, NULL));
	fetch_free(f);
	fetch_free(t.f);
}

static void
the_index_is_asked_where_a_reference_contradicts_itself(void **state)
{
	struct fixture *x = *state;
	struct twins t;

	twins_init(&t, x);
	t.r.chunk_off = LEN;
	auto_frame struct frame *fr = NULL;
	const uint8_t *data;
	assert_int_equal(0, fetch_chunk(t.f, &t.r, &fr, &data, NULL));
	assert_int_equal(frame_byte(t.b, 1, 10), data[0]);
	fetch_free(t.f);
}

static void
the_index_is_not_asked_when_the_store_gave_up(void **state)
{
	struct fixture *x = *state;
	struct twins t;

	twins_init(&t, x);
	set_failures(x, 1);
	assert_int_equal(-EIO, read_chunk(t.f, &t.r, t.a, 1, NULL));
	assert_int_equal(0, t.index.asked);
	fetch_free(t.f);
}

static void
what_the_index_says_is_checked_before_it_is_served(void **state)
{
	struct fixture *x = *state;
	struct twins t;
	struct err e = ERR_INIT;

	twins_init(&t, x);
	t.a->gone = true;
	t.better.chunk_off++; /* authentic bytes, but others */
	assert_int_equal(-ENOENT, read_chunk(t.f, &t.r, t.a, 1, &e));
	assert_non_null(strstr(e.text, t.a->name));
	t.better.chunk_off--;
	t.better.chunk_len++;
	assert_int_equal(-ENOENT, read_chunk(t.f, &t.r, t.a, 1, NULL));
	t.better.chunk_len--;
	t.r.chunk_len++; /* right bytes, but fewer than the reader takes */
	assert_int_equal(-ENOENT, read_chunk(t.f, &t.r, t.a, 1, NULL));
	t.r.chunk_len--;
	assert_int_equal(0, read_chunk(t.f, &t.r, t.a, 1, NULL));
	fetch_free(t.f);
}

static void
the_first_error_stands_when_the_index_knows_nothing_better(void **state)
{
	struct fixture *x = *state;
	struct twins t;

	twins_init(&t, x);
	flip(x, t.a, t.a->at[1].off + 99);
	t.index.knows = NULL;
	assert_int_equal(-EBADMSG, read_chunk(t.f, &t.r, t.a, 1, NULL));
	assert_int_equal(1, t.index.asked);
	t.index.knows = &t.r;
	assert_int_equal(-EBADMSG, read_chunk(t.f, &t.r, t.a, 1, NULL));
	assert_int_equal(2, gets_of(x, t.a)); /* not twice at one place */
	t.index.knows = &t.better;
	t.b->gone = true;
	assert_int_equal(-EBADMSG, read_chunk(t.f, &t.r, t.a, 1, NULL));
	fetch_set_locator(t.f, NULL, NULL);
	assert_int_equal(-EBADMSG, read_chunk(t.f, &t.r, t.a, 1, NULL));
	fetch_free(t.f);
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
		TEST(chunks_of_a_frame_are_read_in_place_up_to_its_end),
		TEST(a_reference_that_leaves_its_frame_is_refused),
		TEST(the_table_of_a_solid_frame_is_no_content),
		TEST(a_solid_frame_whose_table_does_not_add_up_is_refused),
		TEST(a_chunk_of_a_pack_that_is_gone_is_found_by_the_index),
		TEST(a_damaged_frame_is_replaced_and_its_neighbours_are_not),
		TEST(every_place_that_the_index_has_is_tried),
		TEST(the_index_is_asked_where_a_reference_contradicts_itself),
		TEST(the_index_is_not_asked_when_the_store_gave_up),
		TEST(what_the_index_says_is_checked_before_it_is_served),
		TEST(the_first_error_stands_when_the_index_knows_nothing_better),
	};
	log_set_level(LOG_LEVEL_ERROR);
	alarm(300); /* a thread left waiting by a failed test */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
