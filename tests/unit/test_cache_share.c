/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One cache, several threads, handles and processes. */
#include "tests/unit/cache_fixture.h"
#include "tests/unit/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/cache/private.h"

#define LIMIT (8 * MIB)

/* -- Handles ------------------------------------------------------------- */

static void
what_one_handle_wrote_another_reads(void **state)
{
	auto_cache struct cache *a = open_cache(), *b = open_cache();
	(void)state;

	assert_false(is_kept(b, pack_name(1), 0, 1000));
	keep(a, pack_name(1), 0, 1000);
	assert_true(is_kept(b, pack_name(1), 0, 1000));
	keep(a, pack_name(1), 1000, 1000);
	assert_true(is_kept(b, pack_name(1), 0, 2000));
}

static void
what_one_handle_gave_up_another_does_not_read(void **state)
{
	auto_cache struct cache *a = open_cache(), *b = open_cache();
	struct cache_place at = { pack_name(1), 0, UINT64_MAX };
	(void)state;

	for (unsigned i = 0; i < 20; i++) {
		keep(a, pack_name(1), 0, 300000);
		assert_true(is_kept(b, pack_name(1), 0, 300000));
		assert_int_equal(cache_evict(a, &at, NULL, NULL), 0);
		assert_false(is_kept(b, pack_name(1), 0, 300000));
	}
}

static void
a_replaced_object_is_the_new_one_for_all(void **state)
{
	auto_cache struct cache *a = open_cache(), *b = open_cache();
	(void)state;

	for (unsigned i = 0; i < 20; i++) {
		auto_free uint8_t *data = NULL;
		char text[16];
		size_t len = 0;

		snprintf(text, sizeof(text), "version %u", i);
		cache_put(a, "listing", text, strlen(text));
		assert_int_equal(cache_sync(a, NULL), 0);
		assert_int_equal(cache_get(b, "listing", 99, &data, &len), 0);
		assert_int_equal(len, strlen(text));
		assert_memory_equal(data, text, len);
	}
}

static void
repositories_do_not_see_each_other(void **state)
{
	auto_cache struct cache *a = open_cache(), *b = NULL;
	struct cache_options o = {
		.repository_id = (const uint8_t *)"another one....."
	};
	struct cache_status st;
	(void)state;

	assert_int_equal(cache_open(cache_dir, &o, &b, NULL), 0);
	keep(a, pack_name(1), 0, 1000);
	assert_false(is_kept(b, pack_name(1), 0, 1000));
	keep(b, pack_name(1), 0, 1000);
	assert_int_equal(cache_clear(a, false, NULL), 0);
	assert_false(is_kept(a, pack_name(1), 0, 1000));
	assert_true(is_kept(b, pack_name(1), 0, 1000));
	assert_int_equal(cache_status(b, &st, NULL), 0);
	assert_int_equal(st.repositories, 1);
}

static void
an_emptied_directory_is_filled_again(void **state)
{
	auto_cache struct cache *a = open_cache(), *b = open_cache();
	auto_free char *command = xasprintf("rm -rf %s/*", cache_dir);
	(void)state;

	keep(a, pack_name(1), 0, 1000);
	assert_true(is_kept(b, pack_name(1), 0, 1000));
	assert_int_equal(system(command), 0);
	keep(a, pack_name(2), 0, 1000);
	assert_true(is_kept(a, pack_name(2), 0, 1000));
	keep(b, pack_name(3), 0, 1000);
	assert_true(is_kept(a, pack_name(3), 0, 1000));
	assert_true(is_kept(b, pack_name(2), 0, 1000));
}

/* -- Threads ------------------------------------------------------------- */

struct worker {
	struct cache *c;
	unsigned seed;
	unsigned outcomes[3];
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < 1500 / sanitized_step(4); i++) {
		unsigned x = (unsigned)rand_r(&w->seed);
		uint64_t off = (uint64_t)(x % 50) * 50000;

		w->outcomes[read_through(
			w->c, pack_name(x / 64 % 6), off, 70000)]++;
		if (x % 97 == 0)
			cache_forget(w->c, pack_name(x / 64 % 6), off, 5000);
	}
	return NULL;
}

static void
threads_read_and_write_one_handle(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	struct worker w[4];
	pthread_t threads[4];
	(void)state;

	for (unsigned i = 0; i < 4; i++) {
		w[i] = (struct worker){ .c = c, .seed = i };
		assert_int_equal(
			pthread_create(&threads[i], NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(w[i].outcomes[OUT_BAD], 0);
	}
	assert_int_equal(cache_sync(c, NULL), 0);
	assert_true(disk_use() <= LIMIT + LIMIT / 100);
}

/* -- Processes ----------------------------------------------------------- */

/* What a process of its own does; exits with 0 when nothing was wrong. */
static pid_t
spawn(unsigned seed)
{
	pid_t child = fork();

	if (child == 0) {
		struct worker w = { .seed = seed };

		w.c = open_cache();
		work(&w);
		cache_close(w.c);
		_exit(w.outcomes[OUT_BAD] ? 1 : w.outcomes[OUT_HIT] ? 0 : 2);
	}
	assert_true(child > 0);
	return child;
}

static void
processes_share_a_cache_too_small_for_them(void **state)
{
	pid_t children[3];
	(void)state;

	cache_close(open_cache_of(LIMIT));
	for (unsigned i = 0; i < 3; i++)
		children[i] = spawn(i);
	for (unsigned i = 0; i < 3; i++) {
		int status = -1;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_true(disk_use() <= LIMIT + LIMIT / 100);
}

/* A process that holds the lock and does nothing; killed by the caller. */
static pid_t
hold_the_lock(void)
{
	auto_free char *path = xasprintf("%s/lock", cache_dir);
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		int fd = open(path, O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fd >= 0 && flock(fd, LOCK_EX) == 0 &&
			write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void
a_process_that_holds_the_lock_delays_no_reader(void **state)
{
	struct cache_options o = { .repository_id = cache_repository,
		.queue = 200000 };
	auto_cache struct cache *c = NULL;
	int64_t began;
	pid_t holder;
	(void)state;

	assert_int_equal(cache_open(cache_dir, &o, &c, NULL), 0);
	keep(c, pack_name(1), 0, 100000);
	keep(c, pack_name(2), 0, 100000);
	assert_true(is_kept(c, pack_name(1), 0, 100000));
	holder = hold_the_lock();
	began = clock_mono_ns();
	for (unsigned i = 0; i < 1000; i++)
		assert_true(is_kept(c, pack_name(1), 0, 10000));
	/* also what has to be looked up in the ledger */
	assert_true(is_kept(c, pack_name(2), 0, 10000));
	for (unsigned i = 0; i < 100; i++) {
		auto_free uint8_t *data = content_of(pack_name(3), 0, 50000);

		cache_write(c, pack_name(3), i * 50000, data, 50000);
	}
	/* who waits for the lock, waits a while each time */
	assert_true(clock_mono_ns() - began < 60 * NS_PER_S);
	assert_int_equal(cache_sync(c, NULL), -EBUSY);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	keep(c, pack_name(3), 0, 50000);
	assert_true(is_kept(c, pack_name(3), 0, 50000));
}

static void
what_is_forgotten_lacks_before_it_is_given_up(void **state)
{
	auto_cache struct cache *c = open_cache();
	pid_t holder;
	(void)state;

	keep(c, pack_name(1), 0, 100000);
	keep(c, pack_name(2), 0, 100000);
	assert_true(is_kept(c, pack_name(1), 0, 100000));
	holder = hold_the_lock();
	cache_forget(c, pack_name(1), 0, 1000);
	cache_forget(c, pack_name(2), 0, 1000);
	assert_false(is_kept(c, pack_name(1), 999, 1));
	assert_true(is_kept(c, pack_name(1), 1000, 1));
	/* this one has not been looked up yet */
	assert_false(is_kept(c, pack_name(2), 999, 1));
	assert_true(is_kept(c, pack_name(2), 1000, 1));
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

static void
an_emptied_directory_has_one_lock_for_all(void **state)
{
	auto_cache struct cache *a = open_cache(), *b = NULL;
	auto_free char *command = xasprintf("rm -rf %s/*", cache_dir);
	uint8_t byte = 1;
	pid_t holder;
	(void)state;

	assert_int_equal(system(command), 0);
	b = open_cache();
	holder = hold_the_lock();
	cache_write(a, pack_name(1), 0, &byte, 1);
	assert_int_equal(cache_sync(a, NULL), -EBUSY);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

/* -- One moment ---------------------------------------------------------- */

static void (*meanwhile)(void);

int __real_ledger_present(struct ledger *ix, int64_t object,
	struct ranges *present, struct ranges *claimed);
int __wrap_ledger_present(struct ledger *ix, int64_t object,
	struct ranges *present, struct ranges *claimed);

int
__wrap_ledger_present(struct ledger *ix, int64_t object,
	struct ranges *present, struct ranges *claimed)
{
	void (*first)(void) = meanwhile;

	meanwhile = NULL;
	if (first)
		first();
	return __real_ledger_present(ix, object, present, claimed);
}

/* The next object gets the number of the one that is dropped. */
static void
replace_it(void)
{
	auto_cache struct cache *c = open_cache();
	struct cache_place all = { pack_name(1), 0, UINT64_MAX };

	assert_int_equal(cache_evict(c, &all, NULL, NULL), 0);
	keep(c, pack_name(2), 5000, 1000);
}

static void
what_is_learnt_of_an_object_is_not_anothers(void **state)
{
	auto_cache struct cache *c = open_cache_of(LIMIT);
	auto_ranges struct ranges present = RANGES_INIT;
	struct ledger *ix;
	struct key key;
	bool whole;
	(void)state;

	keep(c, pack_name(1), 0, 1000);
	files_key(&key, cache_repository, pack_name(1));
	assert_int_equal(ledger_open(c->ledger_path, false, &ix, NULL), 0);
	meanwhile = replace_it;
	assert_int_equal(ledger_learn(ix, &key, &whole, &present), 0);
	assert_null(meanwhile);
	assert_int_equal(present.n, 1);
	assert_int_equal(present.r[0].to, 1000);
	assert_int_equal(ledger_learn(ix, &key, &whole, &present), -ENOENT);
	ledger_close(ix);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CACHE(what_one_handle_wrote_another_reads),
		WITH_CACHE(what_one_handle_gave_up_another_does_not_read),
		WITH_CACHE(a_replaced_object_is_the_new_one_for_all),
		WITH_CACHE(repositories_do_not_see_each_other),
		WITH_CACHE(an_emptied_directory_is_filled_again),
		WITH_CACHE(threads_read_and_write_one_handle),
		WITH_CACHE(what_is_learnt_of_an_object_is_not_anothers),
		WITH_CACHE(processes_share_a_cache_too_small_for_them),
		WITH_CACHE(a_process_that_holds_the_lock_delays_no_reader),
		WITH_CACHE(what_is_forgotten_lacks_before_it_is_given_up),
		WITH_CACHE(an_emptied_directory_has_one_lock_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
