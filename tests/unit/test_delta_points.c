/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every point of a database reads as it was: what the delta writer wrote,
 * through readers that know nothing yet. */
#include "tests/unit/pages_model.h"

static void
every_point(uint32_t page_size, uint32_t pages, unsigned deltas)
{
	struct model m;

	model_init(&m, page_size, pages);
	model_open(&m);
	model_add_base(&m, false);
	for (unsigned i = 0; i < deltas; i++) {
		model_change(&m);
		model_add_delta(&m);
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

	(void)state;
	model_init(&m, 512, 30000);
	model_open(&m);
	model_add_base(&m, false);
	for (unsigned i = 0; i < 40; i++) {
		model_change_much(&m, i);
		model_add_delta(&m);
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
