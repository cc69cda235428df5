/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup whose Nth call of store and sink, or Nth system call that writes,
 * fails: once, or from then on as on a full disk; for every N until it goes
 * through.
 */
#include "tests/fault/world.h"

#include <errno.h>
#include <stdio.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/store/fault.h"

static struct world world;

struct failure {
	const char *kind; /* of the fault store, or NULL */
	bool onwards;
	enum trap trap;
	int code; /* the errno that must come back */
	uint64_t at;
};

static void
backup_and_fail(struct world *w, struct world_report *rp, const void *arg)
{
	const struct failure *f = arg;
	auto_free char *repo = xasprintf("fault:%s@%llu%s:%s",
		f->kind ? f->kind : "delay=0", (unsigned long long)f->at,
		f->onwards ? "+" : "", w->repo);
	struct err e = ERR_INIT;
	struct fault *fault;
	const char *inner;

	log_set_level(LOG_LEVEL_ERROR);
	if (f->trap)
		trap_arm(f->trap, f->at);
	rp->r = world_backup(w, repo, &rp->stored, &e);
	snprintf(rp->text, sizeof(rp->text), "%s", e.text);
	rp->happened = trap_happened();
	if (f->kind && !fault_parse_repo(repo, &fault, &inner, &e))
		rp->happened = fault_happened(fault);
}

/* Only a snapshot that cannot be looked after, and not be removed either, stays
 * though the run failed; it says so. */
static enum world_outcome
outcome(const struct world_report *rp)
{
	if (!rp->r)
		return WORLD_MADE;
	return strstr(rp->text, "cannot be removed") ? WORLD_EITHER
						     : WORLD_FAILED;
}

/* Whether the fault came; false: there was no such call. */
static bool
fail_at(struct world *w, const struct failure *f)
{
	auto_free char *what =
		xasprintf("%s %llu fails: %s", f->trap ? "system call" : "call",
			(unsigned long long)f->at, strerror(f->code));
	struct world_report rp;
	int status;

	world_reset(w);
	status = world_run(w, &rp, backup_and_fail, f);
	if (status)
		fail_msg("%s: status %x", what, (unsigned)status);
	if (rp.r && (rp.r != -f->code || !*rp.text || strchr(rp.text, '\n')))
		fail_msg("%s: %d, \"%s\"", what, rp.r, rp.text);
	if (rp.r && !rp.happened)
		fail_msg("%s: nothing happened, but: %s", what, rp.text);
	if (rp.happened)
		world_check(w, what, outcome(&rp));
	return rp.happened;
}

static void
fail_everywhere(struct failure f)
{
	unsigned failures = 0;

	for (f.at = 1; fail_at(&world, &f); f.at++)
		failures++;
	printf("%u points\n", failures);
	assert_true(failures > 30);
}

static void
a_store_call_that_fails_ends_the_run_cleanly(void **state)
{
	(void)state;
	fail_everywhere((struct failure){ .kind = "eio", .code = EIO });
}

static void
a_store_that_is_full_from_some_call_on_ends_it(void **state)
{
	(void)state;
	fail_everywhere((struct failure){
		.kind = "enospc", .onwards = true, .code = ENOSPC });
}

static void
a_system_call_that_fails_ends_it(void **state)
{
	(void)state;
	fail_everywhere((struct failure){ .trap = TRAP_EIO, .code = EIO });
}

static void
a_disk_that_is_full_from_some_write_on_ends_it(void **state)
{
	(void)state;
	fail_everywhere(
		(struct failure){ .trap = TRAP_ENOSPC, .code = ENOSPC });
}

/* All of it once more where the run also merges index segments: a merge that
 * fails costs a warning. */
static void
a_merge_of_segments_that_fails_loses_nothing(void **state)
{
	const struct failure all[] = {
		{ .kind = "eio", .code = EIO },
		{ .kind = "enospc", .onwards = true, .code = ENOSPC },
		{ .trap = TRAP_EIO, .code = EIO },
		{ .trap = TRAP_ENOSPC, .code = ENOSPC },
	};

	(void)state;
	world_release(&world);
	world_init(&world, WORLD_MERGING);
	while (world.n + 1 < WORLD_MERGING_AT)
		world_next(&world);
	assert_int_equal(world_bytes(world.base, "idx/1-"), 0);
	for (size_t i = 0; i < n_elements(all); i++) {
		fail_everywhere(all[i]);
		/* nothing happened to the last run of the loop */
		assert_true(world_bytes(world.repo, "idx/1-") > 0);
	}
}

static int
set_up(void **state)
{
	(void)state;
	world_init(&world, WORLD_MIXED);
	world_next(&world);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	world_release(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_call_that_fails_ends_the_run_cleanly),
		cmocka_unit_test(
			a_store_that_is_full_from_some_call_on_ends_it),
		cmocka_unit_test(a_system_call_that_fails_ends_it),
		cmocka_unit_test(
			a_disk_that_is_full_from_some_write_on_ends_it),
		cmocka_unit_test(a_merge_of_segments_that_fails_loses_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
