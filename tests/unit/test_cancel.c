/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/base/cancel.h"
#include "repo/store/store.h"

struct sleeper {
	struct cancel_waker waker;
	atomic_int woken;
};

static void
wake(struct cancel_waker *w)
{
	atomic_fetch_add(&((struct sleeper *)w)->woken, 1);
}

static void
every_sleeper_is_woken_once(void **state)
{
	struct sleeper s[5] = { 0 };
	struct cancel c = CANCEL_INIT;
	(void)state;

	for (size_t i = 0; i < 5; i++) {
		s[i].waker.wake = wake;
		assert_true(cancel_watch(&c, &s[i].waker));
	}
	cancel_unwatch(&c, &s[0].waker);
	cancel_unwatch(&c, &s[2].waker);
	cancel_unwatch(&c, &s[4].waker);
	assert_false(cancel_raised(&c));
	cancel_raise(&c);
	cancel_raise(&c);
	assert_true(cancel_raised(&c));
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(s[i].woken, i % 2);
	cancel_unwatch(&c, &s[1].waker);
	cancel_unwatch(&c, &s[3].waker);
	assert_false(cancel_watch(&c, &s[0].waker));
	assert_null(c.wakers);
}

#define ROUNDS 2000

static void *
raise_it(void *c)
{
	cancel_raise(c);
	return NULL;
}

static void
a_waker_that_is_taken_back_is_not_called(void **state)
{
	(void)state;

	for (int i = 0; i < ROUNDS; i++) {
		struct cancel c = CANCEL_INIT;
		struct sleeper s = { .waker = { .wake = wake } };
		pthread_t thread;

		pthread_create(&thread, NULL, raise_it, &c);
		if (cancel_watch(&c, &s.waker))
			cancel_unwatch(&c, &s.waker);
		int woken = s.woken;

		pthread_join(thread, NULL);
		assert_int_equal(s.woken, woken);
	}
}

static void
nobody_to_stop_is_never_stopped(void **state)
{
	(void)state;

	assert_false(cancel_raised(NULL));
}

static void
a_cancelled_call_asks_nothing_of_the_store(void **state)
{
	static const struct store_ops none;
	struct store store = { .ops = &none };
	struct cancel c = CANCEL_INIT;
	struct store_call call = { .cancel = &c };
	struct err e = ERR_INIT;
	char byte;
	(void)state;

	cancel_raise(&c);
	assert_int_equal(
		store_get_call(&store, "a", 0, 1, &byte, NULL, &call, &e),
		-EINTR);
	assert_int_equal(e.code, EINTR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sleeper_is_woken_once),
		cmocka_unit_test(a_waker_that_is_taken_back_is_not_called),
		cmocka_unit_test(nobody_to_stop_is_never_stopped),
		cmocka_unit_test(a_cancelled_call_asks_nothing_of_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
