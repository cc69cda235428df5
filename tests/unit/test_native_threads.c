/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that share a history and its views. */
#include "tests/unit/model.h"

struct comparer {
	pthread_t thread;
	const struct model *m;
	struct history *h;
	unsigned seed;
};

static void *
compare_in_thread(void *arg)
{
	struct comparer *r = arg;
	auto_view struct view *v = forge_view(r->h, 0);

	assert_int_equal(model_compare(r->m, v, r->seed), 0);
	return NULL;
}

static void
many_threads_read_one_history(void **state)
{
	struct comparer readers[6];
	struct model_repo w;
	struct history *h;

	(void)state;
	model_repo_init(&w, 9, 50, 3, false);
	h = forge_open(&w.f, 2 << 20);
	for (unsigned i = 0; i < n_elements(readers); i++) {
		readers[i] = (struct comparer){ .m = &w.m, .h = h, .seed = i };
		assert_int_equal(pthread_create(&readers[i].thread, NULL,
					 compare_in_thread, &readers[i]),
			0);
	}
	for (unsigned i = 0; i < n_elements(readers); i++)
		pthread_join(readers[i].thread, NULL);
	history_free(h);
	model_repo_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_read_one_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
