/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replicas of Litestream 0.5, each of whose files is cut off, exchanged,
 * removed, and has a bit flipped in each 64 bytes: every state is what it was
 * or an error, never anything else.
 */
#include <errno.h>
#include <stdio.h>
#include "repo/base/log.h"
#include "repo/store/s3_time.h"
#include "tests/foreign/litestream05_replica.h"

#define STATES_MAX 40

/* What is expected of a replica. */
static struct {
	char *id, *sum;
} states[STATES_MAX];
static unsigned n_states, checks, errors;

static void
take_state(void *ctx, char *columns[LTX_COLUMNS])
{
	(void)ctx;
	states[n_states].id = xstrdup(columns[0]);
	states[n_states++].sum = xstrdup(columns[1]);
}

static void
drop_states(void)
{
	while (n_states > 0) {
		free(states[--n_states].id);
		free(states[n_states].sum);
	}
}

static void
check_state(struct history *h, unsigned i, const char *damaged)
{
	struct err e = ERR_INIT;
	char sum[65];
	int r = ltx_sum_at(h, states[i].id, 0, sum, &e);

	if (r == 0 && strcmp(sum, states[i].sum) != 0)
		fail_msg("%s damaged: TXID %s is wrong", damaged, states[i].id);
	errors += r < 0;
}

/* Latest is the last state or an error; but a file that is gone takes its TXID
 * along. */
static void
check_latest(struct history *h, const char *damaged, enum fixture_damage how)
{
	struct err e = ERR_INIT;
	char sum[65];
	int r = ltx_sum_at(h, NULL, INT64_MAX, sum, &e);

	for (unsigned i = how == REMOVED ? 0 : n_states - 1;
		r == 0 && i < n_states; i++) {
		if (strcmp(sum, states[i].sum) == 0)
			return;
	}
	if (r == 0)
		fail_msg("%s damaged: latest is another state", damaged);
}

static void
check(void *ctx, const char *damaged, enum fixture_damage how)
{
	const unsigned *step = ctx;
	struct history *h;

	checks++;
	if (fixture_history(&litestream05_format, "", "orders", &h) < 0) {
		errors++;
		return;
	}
	for (unsigned i = checks % *step; i < n_states; i += *step)
		check_state(h, i, damaged);
	check_latest(h, damaged, how);
	history_free(h);
}

/* Of the states, every step-th is looked at each time, in turn. */
static void
damage(const char *version, const char *without, unsigned step)
{
	auto_free char *list = xasprintf("%s/expected-txid.tsv", version);

	/* hundreds of damaged headers are warned of */
	log_set_level((enum log_level) - 1);
	checks = errors = 0;
	ltx_make(version, false, without);
	ltx_lines(list, take_state, NULL);
	fixture_damage(check, &step);
	drop_states();
	print_message("%u damages, %u errors\n", checks, errors);
	assert_true(errors > checks / 8);
}

static void
damaged_blocks_are_errors_and_nothing_else(void **state)
{
	(void)state;
	damage("v0.5.16", NULL, 9);
}

static void
damaged_frames_are_errors_and_nothing_else(void **state)
{
	(void)state;
	damage("v0.5.0", NULL, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(damaged_blocks_are_errors_and_nothing_else),
		IN_FIXTURE(damaged_frames_are_errors_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
