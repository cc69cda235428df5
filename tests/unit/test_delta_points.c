/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every point of a database reads as it was: what the delta writer wrote,
 * through readers that know nothing yet. */
#include "tests/unit/pages_model.h"

/* Some pages change; now and then the database grows or shrinks. */
static void
change(struct model *m)
{
	uint32_t n = 1 + model_random(m, 6);

	switch (model_random(m, 12)) {
	case 0:
		model_resize(m, m->now.n + model_random(m, 20));
		break;
	case 1:
		model_resize(m, m->now.n - model_random(m, m->now.n / 2));
		break;
	case 2:
		n = m->now.n; /* as VACUUM does */
		for (uint32_t p = 1; p <= n; p++)
			model_touch(m, p);
		return;
	}
	while (n--)
		model_touch(m, 1 + model_random(m, m->now.n));
}

static void
every_point(uint32_t page_size, uint32_t pages, unsigned deltas)
{
	struct model m;
	struct err e = ERR_INIT;

	model_init(&m, page_size, pages);
	model_open(&m);
	if (model_put_base(&m, false, &e))
		fail_msg("%s", e.text);
	for (unsigned i = 0; i < deltas; i++) {
		change(&m);
		if (model_put_delta(&m, &e))
			fail_msg("delta %u: %s", i + 1, e.text);
		if (i % 37 == 36) {
			model_close(&m);
			model_open(&m);
		}
	}
	for (size_t i = 0; i < m.n_past; i++) {
		struct history *h = model_history(&m);

		model_check(&m, h, i);
		history_free(h);
	}
	model_release(&m);
}

static void
every_point_of_small_pages_reads_as_it_was(void **state)
{
	(void)state;
	every_point(512, 300, 200);
}

static void
every_point_of_usual_pages_reads_as_it_was(void **state)
{
	(void)state;
	every_point(4096, 100, 600);
}

static void
every_point_of_the_largest_pages_reads_as_it_was(void **state)
{
	(void)state;
	every_point(65536, 20, 70);
}

/* Indexes of more than one leaf, sets, and readers that read only some. */
static void
big_indexes_are_read_by_the_leaf(void **state)
{
	struct history *h;
	struct model m;
	struct err e = ERR_INIT;

	(void)state;
	model_init(&m, 512, 30000);
	model_open(&m);
	assert_int_equal(model_put_base(&m, false, &e), 0);
	for (unsigned i = 0; i < 40; i++) {
		for (unsigned k = 0; k < 1500; k++)
			model_touch(&m, 1 + model_random(&m, m.now.n));
		if (i == 20)
			model_resize(&m, 9000);
		if (i == 30)
			model_resize(&m, 31000);
		if (model_put_delta(&m, &e))
			fail_msg("%s", e.text);
	}
	h = model_history(&m);
	for (size_t i = 0; i < m.n_past; i += 3)
		model_check(&m, h, i);
	history_free(h);
	model_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_point_of_small_pages_reads_as_it_was),
		cmocka_unit_test(every_point_of_usual_pages_reads_as_it_was),
		cmocka_unit_test(
			every_point_of_the_largest_pages_reads_as_it_was),
		cmocka_unit_test(big_indexes_are_read_by_the_leaf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
