/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many readers of one replica of Litestream 0.3, and refreshes meanwhile. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include "repo/base/cancel.h"
#include "tests/foreign/litestream03_replica.h"

#define THREADS 8
#define ROUNDS 6

static struct history *history;
static atomic_uint n_right;

/* Asserts may not be used here: counts what was right. */
static void
compare(void *ctx, char *columns[REPLICA_COLUMNS])
{
	auto_free char *id = xasprintf("%s-%s", columns[0], columns[1]);
	char sum[65];

	(void)ctx;
	if (replica_sum_of(history, id, 0, sum, NULL) == 0 &&
		strcmp(sum, columns[2]) == 0)
		n_right++;
}

static void *
reader(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < ROUNDS; i++)
		replica_lines("expected-index.tsv", compare, NULL);
	return NULL;
}

static void *
refresher(void *ctx)
{
	for (int i = 0; i < ROUNDS * 3; i++)
		if (history_refresh(history, NULL) < 0)
			*(bool *)ctx = true;
	return NULL;
}

static void
all_readers_see_what_each_would_see(void **state)
{
	pthread_t threads[THREADS + 1];
	bool failed = false;
	(void)state;

	replica_make(LS03_SEGMENT);
	history = replica_open(NULL);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, reader, NULL), 0);
	assert_int_equal(
		pthread_create(&threads[THREADS], NULL, refresher, &failed), 0);
	for (int i = 0; i <= THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_false(failed);
	assert_int_equal(n_right, THREADS * ROUNDS * 5);
	history_free(history);
}

/* What is cancelled by one is no error of another, who waits for the same. */
static void
who_is_interrupted_disturbs_nobody(void **state)
{
	struct cancel c = CANCEL_INIT;
	char sum[65];
	(void)state;

	replica_make(LS03_SEGMENT);
	history = replica_open(NULL);
	cancel_raise(&c);
	cancel_set_current(&c);
	assert_int_equal(replica_sum_of(history, "10fecc8c20264bfa-00000001", 0,
				 sum, NULL),
		-EINTR);
	cancel_set_current(NULL);
	assert_int_equal(replica_sum_of(history, "10fecc8c20264bfa-00000001", 0,
				 sum, NULL),
		0);
	history_free(history);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FIXTURE(all_readers_see_what_each_would_see),
		IN_FIXTURE(who_is_interrupted_disturbs_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
