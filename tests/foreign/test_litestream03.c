/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every state of a replica of Litestream 0.3, in all dialects. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include "repo/store/s3_time.h"
#include "tests/foreign/litestream03_replica.h"

struct comparing {
	struct history *h;
	unsigned n;
};

static void
compare_index(void *ctx, char *columns[REPLICA_COLUMNS])
{
	struct comparing *c = ctx;
	auto_free char *id = xasprintf("%s-%s", columns[0], columns[1]);
	struct err e = ERR_INIT;
	char sum[65];
	int r = replica_sum_of(c->h, id, 0, sum, &e);

	/* litestream restores the last one for what is above it */
	if (strcmp(id, "659262bdca7d241d-00000002") == 0) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	if (r < 0)
		fail_msg("%s: %s", id, e.text);
	assert_string_equal(sum, columns[2]);
	c->n++;
}

static void
each_index_of_each_dialect_is_as_litestream_restores_it(void **state)
{
	static const enum ls03_kind kinds[] = { LS03_SEGMENT, LS03_SEGMENT_8,
		LS03_SEGMENT_16, LS03_WHOLE, LS03_LIVE };
	(void)state;

	for (size_t i = 0; i < n_elements(kinds); i++) {
		struct comparing c = { .n = 0 };

		replica_make(kinds[i]);
		c.h = replica_open(NULL);
		replica_lines("expected-index.tsv", compare_index, &c);
		history_free(c.h);
		assert_int_equal(c.n, 5);
		fixture_tear_down(state);
		fixture_set_up(state);
	}
}

/* Litestream finds nothing before the first state, and we neither; and nothing
 * between and behind the generations, where their last states are expected. */
static const struct {
	const char *until, *sum;
} ends[] = {
	{ "2026-11-20T20:39:52Z", NULL },
	{ "2026-11-20T20:40:19Z",
		"7398c2ea18a79a650cccc1d20235c4a0932b9ee2ca6b6ac7a39eceb9409a73"
		"87" },
	{ "2026-11-21T00:00:00Z",
		"eb5572489dec9d4dcbf2947726c073eea96b914de722e5b9cef036d06896b3"
		"4a" },
};

static const char *
end_before(int64_t t)
{
	size_t i = 0;

	while (t >= s3_time_parse(ends[i].until))
		i++;
	return ends[i].sum;
}

static void
compare_time(void *ctx, char *columns[REPLICA_COLUMNS])
{
	struct comparing *c = ctx;
	int64_t t = s3_time_parse(columns[0]);
	bool none = strcmp(columns[1], "ERR") == 0;
	const char *expected = none ? end_before(t) : columns[1];
	struct err e = ERR_INIT;
	char sum[65];
	int r = replica_sum_of(c->h, NULL, t, sum, &e);

	assert_true(t != S3_TIME_UNKNOWN);
	if (!expected) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	if (r < 0)
		fail_msg("%s: %s", columns[0], e.text);
	if (strcmp(sum, expected) != 0)
		fail_msg("%s: %s, not %s", columns[0], sum, expected);
	c->n++;
}

static void
each_time_is_as_litestream_restores_it_and_those_it_cannot(void **state)
{
	struct comparing c = { .n = 0 };
	(void)state;

	replica_make(LS03_SEGMENT);
	c.h = replica_open(NULL);
	replica_lines("expected-timestamp.tsv", compare_time, &c);
	history_free(c.h);
	assert_int_equal(c.n, 92);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(
			each_index_of_each_dialect_is_as_litestream_restores_it),
		IN_FIXTURE(
			each_time_is_as_litestream_restores_it_and_those_it_cannot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
