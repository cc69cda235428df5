/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/model.h"
#include "tests/unit/sanitized.h"

#include <errno.h>
#include <sys/stat.h>

static void
compare_repo(unsigned seed, unsigned breadth, uint32_t page_max,
	bool inline_page, size_t memory)
{
	struct model_repo w;
	struct history *h;

	model_repo_init(&w, seed, breadth, page_max, inline_page);
	h = forge_open(&w.f, memory);
	{
		auto_view struct view *v = forge_view(h, 0);

		assert_int_equal(model_compare(&w.m, v, seed), 0);
		assert_int_equal(model_compare(&w.m, v, seed + 1), 0);
	}
	history_free(h);
	model_repo_release(&w);
}

static void
a_view_answers_as_the_tree_it_was_made_of(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 12; seed++)
		compare_repo(seed, 40, 2 + seed % 7, seed % 2, 0);
}

static void
maps_may_be_deep(void **state)
{
	(void)state;
	unsigned breadth = 400 / (unsigned)sanitized_step(4);

	compare_repo(100, breadth, 2, true, 0);
	compare_repo(101, breadth, 2, false, 0);
}

static void
pages_may_be_large(void **state)
{
	(void)state;
	compare_repo(102, 400, 1000, false, 0);
}

static void
little_memory_suffices(void **state)
{
	(void)state;
	compare_repo(103, 60, 3, false, 1);
}

static void
an_empty_root_is_a_directory(void **state)
{
	(void)state;
	compare_repo(104, 0, 3, false, 0);
}

static void
the_wrong_kind_of_node_is_refused(void **state)
{
	static const struct view_attr any;
	struct model_repo w;
	struct history *h;
	struct err e = ERR_INIT;
	struct view_attr a = any;
	struct view_totals t;
	char target[4096];
	uint64_t found;

	(void)state;
	model_repo_init(&w, 1, 40, 5, true);
	h = forge_open(&w.f, 0);
	auto_view struct view *v = forge_view(h, 0);
	for (size_t i = 0; i < w.m.n; i++) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		bool dir = S_ISDIR(w.m.nodes[i]->en.mode);
		bool reg = S_ISREG(w.m.nodes[i]->en.mode);

		if (!dir) {
			assert_int_equal(view_lookup(v, i, "x", 1, &a, &e),
				-ENOTDIR);
			assert_int_equal(view_totals(v, i, &t, &e), -ENOTDIR);
		}
		if (!reg) {
			assert_int_equal(view_read(v, i, 0, 10, &d, &e),
				dir ? -EISDIR : -EINVAL);
			assert_int_equal(
				view_seek(v, i, 0, SEEK_DATA, &found, &e),
				dir ? -EISDIR : -EINVAL);
		}
		if (!S_ISLNK(w.m.nodes[i]->en.mode))
			assert_int_equal(view_readlink(v, i, target,
						 sizeof(target), &e),
				-EINVAL);
	}
	view_put(steal(v));
	history_free(h);
	model_repo_release(&w);
}

/* -- Damage -------------------------------------------------------------------- */

static void
flipped_bits_give_errors_or_the_right_bytes(void **state)
{
	struct model_repo w;
	size_t errors = 0, flips = 0;

	(void)state;
	model_repo_init(&w, 7, 12, 4, false);
	for (int k = 0; k < 2; k++) {
		size_t len = w.pack_lens[k];
		size_t step = (1 + len / 150) * sanitized_step(7);

		for (size_t at = 0; at < len; at += step) {
			uint8_t bit = (uint8_t)(1 << at % 8);
			struct history *h;
			struct view *v;
			size_t n;

			forge_damage(&w.f, w.packs[k], at, bit);
			h = forge_open(&w.f, 0);
			v = forge_view(h, 0);
			n = model_compare(&w.m, v, (unsigned)at);
			/* Nothing reads the header of a pack. */
			assert_true(n > 0 || at < OBJECT_HEADER_LEN);
			errors += n;
			flips++;
			view_put(v);
			history_free(h);
			forge_damage(&w.f, w.packs[k], at, bit);
		}
	}
	assert_true(flips > 200 / sanitized_step(7) && errors > flips);
	model_repo_release(&w);
}

static void
a_missing_pack_is_an_input_output_error(void **state)
{
	struct model_repo w;
	struct history *h;
	struct view_attr a;
	struct err e = ERR_INIT;

	(void)state;
	model_repo_init(&w, 8, 30, 3, false);
	assert_int_equal(sink_remove(w.f.sink, w.packs[1], &e), 0);
	h = forge_open(&w.f, 0);
	auto_view struct view *v = forge_view(h, 0);
	assert_int_equal(view_attr(v, 1, &a, &e), -EIO);
	assert_int_equal(e.code, EIO);
	assert_non_null(strstr(e.text, "web1/home@"));
	assert_non_null(strstr(e.text, w.packs[1]));
	assert_true(model_compare(&w.m, v, 1) > 0);
	view_put(steal(v));
	history_free(h);
	model_repo_release(&w);
}

static void
a_view_outlives_its_history(void **state)
{
	struct model_repo w;
	struct history *h;
	struct view *v, *again;

	(void)state;
	model_repo_init(&w, 10, 20, 3, false);
	h = forge_open(&w.f, 0);
	v = forge_view(h, 0);
	again = forge_view(h, 0);
	assert_ptr_equal(v, again);
	view_put(again);
	history_free(h);
	assert_int_equal(model_compare(&w.m, v, 1), 0);
	view_put(v);
	model_repo_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_answers_as_the_tree_it_was_made_of),
		cmocka_unit_test(maps_may_be_deep),
		cmocka_unit_test(pages_may_be_large),
		cmocka_unit_test(little_memory_suffices),
		cmocka_unit_test(an_empty_root_is_a_directory),
		cmocka_unit_test(the_wrong_kind_of_node_is_refused),
		cmocka_unit_test(flipped_bits_give_errors_or_the_right_bytes),
		cmocka_unit_test(a_missing_pack_is_an_input_output_error),
		cmocka_unit_test(a_view_outlives_its_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
