/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which points stay, by their times alone. */
#include "tests/unit/unit.h"

#include <errno.h>
#include "repo/base/clock.h"
#include "repo/upkeep/thin_rules.h"

#define NOW (1700000000 * NS_PER_S)
#define DAY (86400 * NS_PER_S)

static struct thin_rules
rules(const char *text)
{
	struct thin_rules r;
	struct err e = ERR_INIT;

	if (thin_rules_parse(text, &r, &e))
		fail_msg("%s", e.text);
	return r;
}

/* How many points stay that are step_ns apart and from..to old. */
static unsigned
kept(const char *text, int64_t from, int64_t to, int64_t step_ns)
{
	struct thin_rules r = rules(text);
	unsigned n = 0;

	for (int64_t t = NOW - from; t <= NOW - to; t += step_ns) {
		int64_t next = t + step_ns;

		n += thin_rules_hold(
			&r, NOW, t, next <= NOW - to ? &next : NULL);
	}
	return n;
}

static void
rules_say_what_they_mean(void **state)
{
	struct thin_rules r = rules("1s:1d,90m:2w,all:12h,1d:all,1y:2y");

	(void)state;
	assert_int_equal(r.n, 5);
	assert_true(r.rule[0].every_ns == NS_PER_S);
	assert_true(r.rule[0].within_ns == DAY);
	assert_true(r.rule[1].every_ns == 5400 * NS_PER_S);
	assert_true(r.rule[1].within_ns == 14 * DAY);
	assert_true(r.rule[2].every_ns == 0);
	assert_true(r.rule[3].within_ns == INT64_MAX);
	assert_int_equal(rules("none").n, 0);
	assert_int_equal(rules(THIN_RULES_DEFAULT).n, 3);
}

static void
what_is_no_rule_is_refused(void **state)
{
	static const char *const wrong[] = { "", "1s", "1s:", ":1d", "0s:1d",
		"1s:1d,", ",1s:1d", "1s:1d;1m:7d", "1x:1d", "-1s:1d", "1:1d",
		"1s:1d:1d", "1s: 1d", "9999999999s:1d", "999999999y:1d",
		"none,1s:1d", "1s:alll",
		("1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,"
		"1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,1s:1d,1s:1d") };
	struct thin_rules r;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < n_elements(wrong); i++)
		assert_int_equal(thin_rules_parse(wrong[i], &r, &e), -EINVAL);
}

static void
the_newest_of_each_period_stays(void **state)
{
	const struct thin_rules r = rules("1m:1d");
	int64_t minute = NOW / (60 * NS_PER_S) * (60 * NS_PER_S);
	int64_t t = minute - 2 * NS_PER_S, next = minute - 1;

	(void)state;
	assert_false(thin_rules_hold(&r, NOW, t, &next));
	t = next;
	next = minute;
	assert_true(thin_rules_hold(&r, NOW, t, &next));
	next = t; /* two of the same time: the later one stands for both */
	assert_false(thin_rules_hold(&r, NOW, t, &next));
	assert_true(thin_rules_hold(&r, NOW, t, NULL));
}

static void
ages_are_told_apart(void **state)
{
	(void)state;
	/* a day, of seconds */
	assert_int_equal(kept(THIN_RULES_DEFAULT, 86400 * NS_PER_S - 1, 0,
				 NS_PER_S),
		86400);
	/* the day before, of minutes */
	assert_in_range(
		kept(THIN_RULES_DEFAULT, 2 * DAY - 1, DAY + 1, NS_PER_S), 1440,
		1441);
	assert_in_range(kept(THIN_RULES_DEFAULT, 9 * DAY, 8 * DAY, NS_PER_S),
		24, 25);
	assert_int_equal(
		kept(THIN_RULES_DEFAULT, 40 * DAY, 31 * DAY, NS_PER_S * 60), 0);
	assert_int_equal(kept("none", DAY, 0, NS_PER_S * 60), 0);
	assert_int_equal(kept("all:1h", 3600 * NS_PER_S, 1, NS_PER_S / 10),
		36000);
	assert_in_range(kept("1d:all", 3000 * DAY, 0, 3600 * NS_PER_S), 3000,
		3002);
}

/* Before 1970, far in the future, further than can be subtracted. */
static void
no_time_is_too_far(void **state)
{
	const struct thin_rules day = rules("1h:1d"), all = rules("1h:all");
	int64_t t = INT64_MIN, next = INT64_MAX, close = INT64_MIN + 1;

	(void)state;
	assert_false(thin_rules_hold(&day, INT64_MAX, t, NULL));
	assert_true(thin_rules_hold(&day, INT64_MIN, next, NULL));
	assert_true(thin_rules_hold(&day, NOW, next, NULL));
	assert_true(thin_rules_hold(&all, NOW, NOW - 90 * DAY, &next));
	assert_false(thin_rules_hold(&all, NOW, t, &close) &&
		     thin_rules_hold(&day, NOW, t, &close));
	t = -1;
	next = 0;
	assert_true(thin_rules_hold(&all, NOW, t, &next));
	t = -3600 * NS_PER_S;
	next = -1;
	assert_false(thin_rules_hold(&all, NOW, t, &next));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_say_what_they_mean),
		cmocka_unit_test(what_is_no_rule_is_refused),
		cmocka_unit_test(the_newest_of_each_period_stays),
		cmocka_unit_test(ages_are_told_apart),
		cmocka_unit_test(no_time_is_too_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
