/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing fails: the source in each of its states, again and again, by all of
 * the writer's threads, with files that are read aside.  For ThreadSanitizer.
 */
#include "tests/fault/world.h"

#include "repo/base/buf.h"

#define TIMES 8

static void
snapshots_are_the_source_however_threads_take_turns(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, WORLD_MIXED);
	for (;;) {
		for (unsigned i = 0; i < TIMES; i++) {
			auto_free char *what = xasprintf("time %u", i);
			struct err e = ERR_INIT;

			world_reset(&w);
			if (world_backup(&w, w.repo, NULL, &e))
				fail_msg("%s: %s", what, e.text);
			world_check(&w, what, WORLD_MADE);
		}
		if (w.n + 1 == WORLD_STATES)
			break;
		world_next(&w);
	}
	world_release(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			snapshots_are_the_source_however_threads_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
