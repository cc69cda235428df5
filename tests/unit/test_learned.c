/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <string.h>
#include "repo/write/learned.h"

static void
name_of(uint8_t id[CHUNK_ID_LEN], uint32_t i, uint8_t kind)
{
	memset(id, kind, CHUNK_ID_LEN);
	memcpy(id, &i, sizeof(i));
}

static void
what_was_learned_is_found_and_nothing_else(void **state)
{
	struct learned *l = learned_new();
	uint8_t theirs[CHUNK_ID_LEN], ours[CHUNK_ID_LEN], got[CHUNK_ID_LEN];

	(void)state;
	name_of(theirs, 1, 1);
	assert_false(learned_find(l, theirs, got));
	for (uint32_t i = 0; i < 20000; i++) {
		name_of(theirs, i, 1);
		name_of(ours, i, 2);
		learned_add(l, theirs, ours);
	}
	for (uint32_t i = 0; i < 20000; i++) {
		name_of(theirs, i, 1);
		name_of(ours, i, 2);
		assert_true(learned_find(l, theirs, got));
		assert_memory_equal(got, ours, CHUNK_ID_LEN);
		name_of(theirs, i, 3);
		assert_false(learned_find(l, theirs, got));
	}
	learned_free(l);
}

static void
zeros_are_no_name(void **state)
{
	static const uint8_t none[CHUNK_ID_LEN];
	struct learned *l = learned_new();
	uint8_t ours[CHUNK_ID_LEN] = { 1 };

	(void)state;
	learned_add(l, none, ours);
	assert_false(learned_find(l, none, ours));
	learned_add(NULL, ours, ours);
	assert_false(learned_find(NULL, ours, ours));
	learned_free(l);
}

static void
it_is_bounded_and_learns_the_newest(void **state)
{
	struct learned *l = learned_new();
	uint8_t theirs[CHUNK_ID_LEN], ours[CHUNK_ID_LEN] = { 1 }, got[CHUNK_ID_LEN];
	uint32_t n = 0;

	(void)state;
	name_of(theirs, 7, 1);
	learned_add(l, theirs, theirs);
	learned_add(l, theirs, ours);
	assert_true(learned_find(l, theirs, got));
	assert_memory_equal(got, ours, CHUNK_ID_LEN);
	for (uint32_t i = 0; i < 600000; i++) {
		name_of(theirs, i, 1);
		learned_add(l, theirs, ours);
	}
	for (uint32_t i = 0; i < 600000; i++) {
		name_of(theirs, i, 1);
		n += learned_find(l, theirs, got);
	}
	assert_int_equal(n, 512 << 10);
	learned_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_learned_is_found_and_nothing_else),
		cmocka_unit_test(zeros_are_no_name),
		cmocka_unit_test(it_is_bounded_and_learns_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
