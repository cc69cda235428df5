/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States of pruning, and their names. */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/base/bytes.h"
#include "repo/crypto/seal.h"
#include "tests/unit/gc_states.h"

static int
decode(const struct buf *b, struct gc_state *s)
{
	auto_free uint8_t *exact = xmemdup(b->data, b->len);

	return gc_state_decode(exact, b->len, s, NULL);
}

static int
code_of(const struct buf *b)
{
	struct gc_state s;
	int r = decode(b, &s);

	if (!r)
		gc_state_release(&s);
	return r;
}

static void
assert_same_packs(const struct gc_packs *a, const struct gc_packs *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->p[i].object, b->p[i].object);
		assert_int_equal(a->p[i].since, b->p[i].since);
		assert_memory_equal(a->p[i].id, b->p[i].id, OBJECT_ID_LEN);
	}
}

static void
a_state_comes_back(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 3000; n = 3 * n + 1) {
		auto_buf struct buf b = BUF_INIT;
		auto_gc_state struct gc_state s, back = { .n = 0 };

		make_gc_state(&s, n);
		gc_state_sort(&s);
		assert_int_equal(gc_state_encode(&s, &b, NULL), 0);
		assert_int_equal(decode(&b, &back), 0);
		assert_int_equal(s.n, back.n);
		assert_int_equal(s.time_ns, back.time_ns);
		assert_memory_equal(s.previous, back.previous, HASH_LEN);
		assert_same_packs(&s.condemned, &back.condemned);
		assert_same_packs(&s.sentenced, &back.sentenced);
		assert_same_packs(&s.gone, &back.gone);
		assert_int_equal(s.lost.n, back.lost.n);
		for (size_t i = 0; i < s.lost.n; i++) {
			assert_int_equal(s.lost.p[i].off, back.lost.p[i].off);
			assert_int_equal(s.lost.p[i].len, back.lost.p[i].len);
			assert_memory_equal(s.lost.p[i].pack,
				back.lost.p[i].pack, OBJECT_ID_LEN);
		}
		assert_int_equal(gc_state_is_empty(&back), n == 0);
	}
}

static void
a_million_condemned_packs_fit(void **state)
{
	auto_gc_state struct gc_state s = { .n = GC_NUMBER_MAX };
	auto_gc_state struct gc_state back = { .n = 0 };
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (uint32_t i = 0; i < GC_PACKS_MAX; i++) {
		uint8_t id[OBJECT_ID_LEN];

		memset(id, 0xee, sizeof(id));
		put_be32(id, i);
		gc_packs_add(&s.condemned, OBJECT_DATA, id, 100000);
		gc_packs_add(&s.sentenced, OBJECT_DATA, id, 0);
		gc_packs_add(&s.gone, OBJECT_DATA, id, 0);
	}
	assert_int_equal(gc_state_encode(&s, &b, NULL), 0);
	assert_true(b.len <= GC_LEN_MAX);
	assert_int_equal(decode(&b, &back), 0);
	assert_same_packs(&s.condemned, &back.condemned);
	gc_packs_add(&s.gone, OBJECT_META, s.gone.p[0].id, 0);
	b.len = 7;
	assert_int_equal(gc_state_encode(&s, &b, NULL), -EFBIG);
	assert_int_equal(b.len, 7);
}

/* A cut between two fields behind the third leaves a state that says less. */
static void
a_state_cut_inside_a_field_is_refused(void **state)
{
	auto_gc_state struct gc_state s;
	auto_buf struct buf b = BUF_INIT;
	size_t n_whole = 0;

	(void)state;
	make_gc_state(&s, 10);
	gc_state_sort(&s);
	assert_int_equal(gc_state_encode(&s, &b, NULL), 0);
	for (size_t len = b.len; b.len = len, len-- > 0;)
		n_whole += code_of(&b) == 0;
	assert_int_equal(n_whole, 5);
}

/* -- Fields by hand ------------------------------------------------------ */

static void
head(struct buf *b)
{
	static const uint8_t hash[HASH_LEN];

	b->len = 0;
	buf_append(b, "\1\1\5\3\1\0\5", 7);
	buf_bytes(b, hash, HASH_LEN);
}

/* An entry of a list: type, an id of one byte repeated, a varint or two. */
static void
item(struct buf *b, uint8_t object, uint8_t id, const char *rest, size_t len)
{
	buf_u8(b, object);
	memset(buf_reserve(b, OBJECT_ID_LEN), id, OBJECT_ID_LEN);
	b->len += OBJECT_ID_LEN;
	buf_append(b, rest, len);
}

static int
code_with(uint64_t tag, const struct buf *list)
{
	auto_buf struct buf b = BUF_INIT;

	head(&b);
	buf_varint(&b, tag);
	buf_bytes(&b, list->data, list->len);
	return code_of(&b);
}

static void
a_state_without_number_time_or_chain_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	head(&b);
	assert_int_equal(code_of(&b), 0);
	b.data[2] = 0; /* state 0 */
	assert_int_equal(code_of(&b), -EUCLEAN);
	b.data[2] = 5;
	memmove(b.data + 3, b.data + 6, b.len - 6);
	b.len -= 3;
	assert_int_equal(code_of(&b), -EUCLEAN);
	head(&b);
	b.len = 6;
	assert_int_equal(code_of(&b), -EUCLEAN);
	head(&b);
	buf_append(&b, "\1\1\5", 3); /* twice */
	assert_int_equal(code_of(&b), -EUCLEAN);
}

static void
an_unknown_odd_field_is_refused_and_an_even_one_skipped(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	head(&b);
	buf_append(&b, "\20\3abc", 5);
	assert_int_equal(code_of(&b), 0);
	buf_append(&b, "\21\0", 2);
	assert_int_equal(code_of(&b), -EPROTONOSUPPORT);
}

static void
packs_out_of_order_doubled_or_of_another_type_are_refused(void **state)
{
	static const uint8_t pairs[][4] = { { 1, 9, 1, 8 }, { 2, 1, 1, 9 },
		{ 1, 9, 1, 9 }, { 1, 9, 3, 9 }, { 0, 9, 1, 9 },
		{ 1, 9, 6, 9 } };
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	item(&b, 1, 9, "", 0);
	item(&b, 2, 1, "", 0);
	assert_int_equal(code_with(11, &b), 0);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		b.len = 0;
		item(&b, pairs[i][0], pairs[i][1], "", 0);
		item(&b, pairs[i][2], pairs[i][3], "", 0);
		assert_int_equal(code_with(11, &b), -EUCLEAN);
	}
}

static void
a_pack_condemned_by_no_state_or_a_later_one_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	item(&b, 1, 9, "\5", 1);
	assert_int_equal(code_with(7, &b), 0);
	b.data[b.len - 1] = 6;
	assert_int_equal(code_with(7, &b), -EUCLEAN);
	b.data[b.len - 1] = 0;
	assert_int_equal(code_with(7, &b), -EUCLEAN);
}

static void
a_sentence_without_condemnation_is_refused(void **state)
{
	auto_buf struct buf b = BUF_INIT, list = BUF_INIT;

	(void)state;
	item(&list, 1, 9, "", 0);
	assert_int_equal(code_with(9, &list), -EUCLEAN);
	head(&b);
	buf_append(&b, "\7\22", 2);
	item(&b, 1, 9, "\1", 1);
	buf_append(&b, "\11\21", 2);
	buf_append(&b, list.data, list.len);
	assert_int_equal(code_of(&b), 0);
}

static void
a_lost_frame_outside_its_pack_is_refused(void **state)
{
	static const struct {
		const char *rest;
		size_t len;
		int code;
	} cases[] = {
		{ "\0\0", 2, 0 },
		{ "\100\40", 2, 0 },
		{ "\0\40", 2, -EUCLEAN },   /* a whole pack has no length */
		{ "\77\40", 2, -EUCLEAN },  /* in the header */
		{ "\100\37", 2, -EUCLEAN }, /* shorter than a frame */
		{ "\100", 1, -EUCLEAN },
		{ "\100\240\200\200\10", 5, 0 }, /* FRAME_SEALED_MAX */
		{ "\100\241\200\200\10", 5, -EUCLEAN },
		{ "\200\200\200\200\200\200\100\40", 8, -EUCLEAN }, /* 2^48 */
	};
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		b.len = 0;
		item(&b, 2, 9, cases[i].rest, cases[i].len);
		assert_int_equal(code_with(13, &b), cases[i].code);
	}
}

static void
what_decoding_would_refuse_is_not_encoded(void **state)
{
	auto_gc_state struct gc_state s;
	auto_buf struct buf b = BUF_INIT;

	(void)state;
	make_gc_state(&s, 10); /* not sorted */
	assert_int_equal(gc_state_encode(&s, &b, NULL), -EINVAL);
	gc_state_sort(&s);
	s.n = 0;
	assert_int_equal(gc_state_encode(&s, &b, NULL), -EINVAL);
	s.n = GC_NUMBER_MAX + 1;
	assert_int_equal(gc_state_encode(&s, &b, NULL), -EINVAL);
	assert_int_equal(b.len, 0);
}

/* -- Lists --------------------------------------------------------------- */

static void
the_first_of_two_condemnations_stays(void **state)
{
	auto_gc_state struct gc_state s = { .n = 9 };
	static const uint8_t id[OBJECT_ID_LEN] = { 1 };

	(void)state;
	gc_packs_add(&s.condemned, OBJECT_META, id, 7);
	gc_packs_add(&s.condemned, OBJECT_META, id, 3);
	gc_packs_add(&s.condemned, OBJECT_META, id, 8);
	gc_state_sort(&s);
	assert_int_equal(s.condemned.n, 1);
	assert_int_equal(s.condemned.p[0].since, 3);
}

static void
every_list_is_avoided_and_nothing_else(void **state)
{
	auto_gc_state struct gc_state s = { .n = 9 };
	struct frame_place at = { .object = OBJECT_DATA, .off = 64, .len = 99 };

	(void)state;
	at.pack[0] = 1;
	assert_false(gc_state_avoids(&s, &at));
	gc_packs_add(&s.condemned, OBJECT_DATA, at.pack, 9);
	assert_true(gc_state_avoids(&s, &at));
	at.object = OBJECT_META;
	assert_false(gc_state_avoids(&s, &at));
	gc_packs_add(&s.gone, OBJECT_META, at.pack, 9);
	assert_true(gc_state_avoids(&s, &at));
	at.pack[0] = 2;
	assert_false(gc_state_avoids(&s, &at));
	gc_frames_add(&s.lost, &at);
	assert_true(gc_state_avoids(&s, &at));
	at.off = 163;
	assert_false(gc_state_avoids(&s, &at));
	gc_frames_add(&s.lost,
		&(struct frame_place){ .object = OBJECT_META, .pack = { 2 } });
	gc_state_sort(&s);
	assert_true(gc_state_avoids(&s, &at));
}

static void
names_count_down(void **state)
{
	static const char *const others[] = { "gc/99999999999",
		"gc/9999999999990", "gc/99999999999x", "cat/999999999998",
		"gc/snap/0123456", "gc/999999999999" };
	char name[GC_NAME_LEN + 1];

	(void)state;
	gc_name(name, 1);
	assert_string_equal(name, "gc/999999999998");
	assert_int_equal(gc_name_parse(name), 1);
	gc_name(name, GC_NUMBER_MAX);
	assert_string_equal(name, "gc/000000000000");
	assert_int_equal(gc_name_parse(name), GC_NUMBER_MAX);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(gc_name_parse(others[i]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_comes_back),
		cmocka_unit_test(a_million_condemned_packs_fit),
		cmocka_unit_test(a_state_cut_inside_a_field_is_refused),
		cmocka_unit_test(
			a_state_without_number_time_or_chain_is_refused),
		cmocka_unit_test(
			an_unknown_odd_field_is_refused_and_an_even_one_skipped),
		cmocka_unit_test(
			packs_out_of_order_doubled_or_of_another_type_are_refused),
		cmocka_unit_test(
			a_pack_condemned_by_no_state_or_a_later_one_is_refused),
		cmocka_unit_test(a_sentence_without_condemnation_is_refused),
		cmocka_unit_test(a_lost_frame_outside_its_pack_is_refused),
		cmocka_unit_test(what_decoding_would_refuse_is_not_encoded),
		cmocka_unit_test(the_first_of_two_condemnations_stays),
		cmocka_unit_test(every_list_is_avoided_and_nothing_else),
		cmocka_unit_test(names_count_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
