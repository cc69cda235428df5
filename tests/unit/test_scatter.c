/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a snapshot's content lies alone, and which of it is stored again. */
#include <string.h>
#include <sys/stat.h>
#include "repo/write/scatter.h"
#include "tests/unit/unit.h"

static struct frame_place
place(int pack, uint64_t off, uint32_t len)
{
	struct frame_place at = { .off = off, .len = len,
		.object = OBJECT_DATA };

	memset(at.pack, pack, sizeof(at.pack));
	return at;
}

static struct entry
file_at(int pack, uint64_t off)
{
	return (struct entry){ .mode = S_IFREG,
		.size = 1000,
		.content = CONTENT_CHUNK,
		.ref.place = place(pack, off, 900) };
}

/* A record with stretches of these lengths, each of a pack of its own. */
static void
scatter(struct record *r, const uint64_t *len, uint32_t n)
{
	memset(r, 0, sizeof(*r));
	record_reset_scattered(r);
	r->n_scattered = n;
	for (uint32_t i = 0; i < n; i++) {
		memset(r->scattered[i].pack, (int)i + 1, OBJECT_ID_LEN);
		r->scattered[i].off = 5000;
		r->scattered[i].len = len[i];
	}
}

/* Which of the stretches are gathered, a bit for each. */
static unsigned
gathered(const uint64_t *len, uint32_t n)
{
	struct record r;
	struct scatter s;
	unsigned bits = 0;

	scatter(&r, len, n);
	scatter_init(&s, &r, false);
	for (uint32_t i = 0; i < n; i++) {
		struct entry en = file_at((int)i + 1, 5000 + len[i] - 1);

		bits |= (unsigned)scatter_gathers(&s, &en) << i;
	}
	scatter_release(&s);
	record_release(&r);
	return bits;
}

static void
few_stretches_stay_where_they_are(void **state)
{
	const uint64_t len[] = { 10, 10, 10, 10, 10 };

	(void)state;
	assert_int_equal(gathered(len, SCATTER_MAX), 0);
	assert_int_equal(gathered(len, SCATTER_MAX + 1), 0x1f);
}

static void
a_big_one_waits_for_others_of_its_size(void **state)
{
	const uint64_t four[] = { 10, 1000, 10, 10, 10 };
	const uint64_t five[] = { 10, 1000, 10, 10, 10, 10 };
	const uint64_t like[] = { 10, 300, 300, 10, 10, 10 };
	const uint64_t tiers[] = { 9000, 10, 300, 10, 10, 10, 10, 2000 };

	(void)state;
	assert_int_equal(gathered(four, 5), 0);
	assert_int_equal(gathered(five, 6), 0x3d);
	assert_int_equal(gathered(like, 6), 0x3f);
	assert_int_equal(gathered(tiers, 8), 0x7a);
}

static void
only_small_files_of_one_name_within_a_stretch_are_gathered(void **state)
{
	const uint64_t len[] = { 4000, 4000, 4000, 4000, 4000 };
	struct record r;
	struct scatter s;
	struct entry en = file_at(2, 5000);

	(void)state;
	scatter(&r, len, 5);
	scatter_init(&s, &r, false);
	assert_true(scatter_gathers(&s, &en));
	en.link = 1;
	assert_false(scatter_gathers(&s, &en));
	en.link = 0;
	en.size = (128 << 10) + 1;
	assert_false(scatter_gathers(&s, &en));
	en = file_at(2, 4999);
	assert_false(scatter_gathers(&s, &en));
	en = file_at(2, 9000);
	assert_false(scatter_gathers(&s, &en));
	en = file_at(6, 5000);
	assert_false(scatter_gathers(&s, &en));
	en = file_at(2, 8999);
	assert_true(scatter_gathers(&s, &en));
	en.content = CONTENT_MAP;
	assert_false(scatter_gathers(&s, &en));
	scatter_release(&s);
	scatter_init(&s, &r, true);
	en = file_at(2, 5000);
	assert_false(scatter_gathers(&s, &en));
	scatter_release(&s);
	record_release(&r);
}

static void
use(struct scatter *s, int pack, uint64_t off, uint32_t len, bool movable)
{
	struct frame_place at = place(pack, off, len);

	scatter_use(s, &at, movable);
}

static void
assert_noted(const struct record *r, uint32_t i, int pack, uint64_t off,
	uint64_t len)
{
	assert_true(i < r->n_scattered);
	assert_int_equal(r->scattered[i].pack[3], pack);
	assert_int_equal(r->scattered[i].off, off);
	assert_int_equal(r->scattered[i].len, len);
}

static void
small_stretches_are_noted(void **state)
{
	struct record none = { .n_scattered = 0 }, r = { .n_scattered = 9 };
	struct scatter s;

	(void)state;
	scatter_init(&s, &none, false);
	use(&s, 1, 64, 100, true);
	use(&s, 1, 64, 100, true);
	use(&s, 1, 164 + SCATTER_GAP, 50, true); /* just near enough */
	use(&s, 1, 164 + 50 + 2 * SCATTER_GAP + 1, 70, true); /* just not */
	use(&s, 1, 64, 100, true); /* once more, later */
	use(&s, 2, 64, SCATTER_LITTLE, true); /* much */
	use(&s, 3, 64, SCATTER_LITTLE - 1, true);
	use(&s, 4, 64, 10, true);
	use(&s, 4, 74, 10, false); /* a file that would stay */
	use(&s, 5, 64, 10, true);
	use(&s, 5, 64, 10, false);
	scatter_note(&s, &r);
	assert_int_equal(r.n_scattered, 3);
	assert_noted(&r, 0, 1, 64, 150 + SCATTER_GAP);
	assert_noted(&r, 1, 1, 164 + 50 + 2 * SCATTER_GAP + 1, 70);
	assert_noted(&r, 2, 3, 64, SCATTER_LITTLE - 1);
	scatter_release(&s);
	record_release(&r);
}

static void
a_tree_of_too_many_frames_is_left_alone(void **state)
{
	struct record none = { .n_scattered = 0 }, r = { .n_scattered = 0 };
	struct scatter s;

	(void)state;
	scatter_init(&s, &none, false);
	use(&s, 2, 64, 10, true);
	for (uint64_t i = 0; i < 1 << 16; i++)
		use(&s, 1, i * 10, 10, true);
	scatter_note(&s, &r);
	assert_int_equal(r.n_scattered, 0);
	scatter_release(&s);
	record_release(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_stretches_stay_where_they_are),
		cmocka_unit_test(a_big_one_waits_for_others_of_its_size),
		cmocka_unit_test(
			only_small_files_of_one_name_within_a_stretch_are_gathered),
		cmocka_unit_test(small_stretches_are_noted),
		cmocka_unit_test(a_tree_of_too_many_frames_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
