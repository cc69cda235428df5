/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For how long a call may go on, however many attempts it makes. */
#include "tests/unit/unit.h"

#include "repo/base/clock.h"
#include "repo/store/http_retry.h"

#define MIB (1u << 20)

/* Seconds from now, to the nearest. */
static int64_t
seconds_until(int64_t ns)
{
	return (ns - clock_mono_ns() + NS_PER_S / 2) / NS_PER_S;
}

static void
an_attempt_has_half_a_minute_and_time_for_its_bytes(void **state)
{
	struct http_retry r;
	(void)state;

	http_retry_begin(&r, 60, 16 * MIB, NULL);
	assert_int_equal(seconds_until(http_retry_deadline(&r, 0)), 30);
	assert_int_equal(seconds_until(http_retry_deadline(&r, MIB)), 30 + 32);
	assert_int_equal(
		seconds_until(http_retry_deadline(&r, 16 * MIB)), 30 + 512);
}

static void
a_later_attempt_has_no_more_than_is_left(void **state)
{
	struct http_retry r;
	(void)state;

	http_retry_begin(&r, 60, MIB, NULL);
	r.give_up_ns -= 55 * NS_PER_S; /* so much later */
	r.end_ns -= 55 * NS_PER_S;
	assert_int_equal(seconds_until(http_retry_deadline(&r, 0)), 5);
	assert_int_equal(seconds_until(http_retry_deadline(&r, MIB)), 5 + 32);
	/* one that took its time for the bytes does not get it twice */
	r.give_up_ns -= 30 * NS_PER_S;
	r.end_ns -= 30 * NS_PER_S;
	assert_true(seconds_until(http_retry_deadline(&r, MIB)) <= 7);
	assert_false(http_retry_wait(&r, 0));
}

static void
what_is_won_gives_patience_but_no_time_for_bytes(void **state)
{
	struct http_retry r;
	int64_t end;
	(void)state;

	http_retry_begin(&r, 60, 16 * MIB, NULL);
	end = r.end_ns;
	for (int i = 0; i < 16; i++)
		http_retry_progress(&r);
	assert_int_equal(r.end_ns - end, 16 * 60 * NS_PER_S);
	assert_int_equal(seconds_until(r.give_up_ns), 60);
	/* never beyond the end */
	r.end_ns = clock_mono_ns() - 50 * NS_PER_S;
	http_retry_progress(&r);
	assert_int_equal(seconds_until(r.give_up_ns), 10);
	assert_int_equal(seconds_until(http_retry_deadline(&r, MIB)), 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_attempt_has_half_a_minute_and_time_for_its_bytes),
		cmocka_unit_test(
			a_later_attempt_has_no_more_than_is_left),
		cmocka_unit_test(
			what_is_won_gives_patience_but_no_time_for_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
