/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backup that is killed before the Nth call of store and sink, or the Nth
 * system call that writes, for every N until it goes through; in each state of
 * the source.
 */
#include "tests/fault/world.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "repo/base/buf.h"

#define POINTS_AT_LEAST 500

static struct world world;
static unsigned killed;

struct death {
	bool in_system_call;
	uint64_t at;
};

static void
backup_and_die(struct world *w, struct world_report *rp, const void *arg)
{
	const struct death *d = arg;
	auto_free char *repo = xasprintf("%s%llu:%s",
		d->in_system_call ? "fault:delay=0@" : "fault:kill@",
		(unsigned long long)d->at, w->repo);
	struct err e = ERR_INIT;

	if (d->in_system_call)
		trap_arm(TRAP_KILL, d->at);
	rp->r = world_backup(w, repo, &rp->stored, &e);
	snprintf(rp->text, sizeof(rp->text), "%s", e.text);
}

/* Whether it was killed; false: it went through. */
static bool
kill_at(struct world *w, const struct death *d)
{
	auto_free char *what = xasprintf("state %u, killed before %s %llu",
		w->n + 1, d->in_system_call ? "system call" : "call",
		(unsigned long long)d->at);
	struct world_report rp;
	int status;

	world_reset(w);
	status = world_run(w, &rp, backup_and_die, d);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		world_check(w, what, WORLD_EITHER);
		return true;
	}
	if (status || rp.r)
		fail_msg("%s: status %x, %d, %s", what, (unsigned)status, rp.r,
			rp.text);
	return false;
}

static void
kill_everywhere(struct world *w)
{
	for (int in = 0; in < 2; in++) {
		struct death d = { .in_system_call = in, .at = 1 };

		for (; kill_at(w, &d); d.at++)
			killed++;
		printf("state %u: %llu %scalls\n", w->n + 1,
			(unsigned long long)d.at - 1, in ? "system " : "");
	}
}

static void
a_killed_first_backup_leaves_nothing_half_done(void **state)
{
	(void)state;
	kill_everywhere(&world);
}

static void
a_killed_later_backup_leaves_all_snapshots(void **state)
{
	(void)state;
	while (world.n + 1 < WORLD_STATES) {
		world_next(&world);
		kill_everywhere(&world);
	}
}

/* Of the index segments that one run more makes too many. */
static void
a_killed_merge_of_segments_leaves_the_index_whole(void **state)
{
	(void)state;
	world_release(&world);
	world_init(&world, WORLD_MERGING);
	while (world.n + 1 < WORLD_MERGING_AT)
		world_next(&world);
	assert_int_equal(world_bytes(world.base, "idx/1-"), 0);
	kill_everywhere(&world);
	/* the last run of the loop was not killed */
	assert_true(world_bytes(world.repo, "idx/1-") > 0);
}

static void
it_was_killed_often_enough(void **state)
{
	(void)state;
	printf("%u kill points\n", killed);
	assert_true(killed >= POINTS_AT_LEAST);
}

static int
set_up(void **state)
{
	(void)state;
	world_init(&world, WORLD_MIXED);
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
		cmocka_unit_test(
			a_killed_first_backup_leaves_nothing_half_done),
		cmocka_unit_test(a_killed_later_backup_leaves_all_snapshots),
		cmocka_unit_test(
			a_killed_merge_of_segments_leaves_the_index_whole),
		cmocka_unit_test(it_was_killed_often_enough),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
