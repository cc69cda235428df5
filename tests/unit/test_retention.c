/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "repo/upkeep/retention.h"

#define NS INT64_C(1000000000)
#define HOUR (3600 * NS)
#define DAY (24 * HOUR)
#define NOON (INT64_C(1795521600) * NS) /* 2026-11-24T12:00Z, a Tuesday */
#define MANY 120

static struct retention_item items[MANY];
static size_t n;

static void
clear(void)
{
	memset(items, 0, sizeof(items));
	n = 0;
}

static void
add(int64_t t)
{
	items[n] = (struct retention_item){ .time_ns = t, .seq = n + 1 };
	n++;
}

static void
zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

/* Which stay, as letters from the oldest on. */
static const char *
stay(const struct retention *rt, int64_t now)
{
	static char text[MANY + 1];

	for (size_t i = 0; i < n; i++)
		items[i].why &= RETENTION_PIN | RETENTION_TAG;
	retention_apply(rt, items, n, now);
	for (size_t i = 0; i < n; i++)
		text[i] = items[i].why ? (char)('a' + i) : '.';
	text[n] = '\0';
	return text;
}

static int
begin(void **state)
{
	(void)state;
	clear();
	zone("UTC");
	return 0;
}

static void
without_a_rule_only_the_newest_is_held(void **state)
{
	struct retention rt = { .last = 0 };
	(void)state;

	assert_true(retention_is_empty(&rt));
	for (int i = 0; i < 5; i++)
		add(NOON + i);
	assert_string_equal("....e", stay(&rt, NOON));
	retention_apply(&rt, NULL, 0, NOON);
}

static void
any_rule_is_a_rule(void **state)
{
	(void)state;
	for (unsigned p = 0; p < RETENTION_PERIODS; p++) {
		struct retention a = { .last = 0 }, b = { .last = 0 };

		a.every[p] = 1;
		b.every_within_ns[p] = 1;
		assert_false(retention_is_empty(&a));
		assert_false(retention_is_empty(&b));
	}
	assert_false(retention_is_empty(&(struct retention){ .last = 1 }));
	assert_false(retention_is_empty(&(struct retention){ .within_ns = 1 }));
}

static void
last_counts_numbers_not_times(void **state)
{
	struct retention rt = { .last = 2 };
	(void)state;

	add(NOON + DAY);
	add(NOON - DAY);
	add(NOON);
	assert_string_equal(".bc", stay(&rt, NOON));
	rt.last = RETENTION_ALL;
	assert_string_equal("abc", stay(&rt, NOON));
}

static void
the_newest_of_a_day_stands_for_it(void **state)
{
	struct retention rt = { .every[RETENTION_DAY] = 2 };
	(void)state;

	add(NOON - 2 * DAY);
	add(NOON - DAY);
	add(NOON - DAY + HOUR);
	add(NOON);
	add(NOON + HOUR);
	assert_string_equal("..c.e", stay(&rt, NOON));
}

static void
a_day_without_a_state_does_not_count(void **state)
{
	struct retention rt = { .every[RETENTION_DAY] = 3 };
	(void)state;

	add(NOON - 400 * DAY);
	add(NOON - 300 * DAY);
	add(NOON - 20 * DAY);
	add(NOON);
	assert_string_equal(".bcd", stay(&rt, NOON));
}

/* It takes one place, which newer ones push out of the rule. */
static void
a_time_in_the_future_takes_one_place(void **state)
{
	struct retention rt = { .every[RETENTION_DAY] = 2 };
	(void)state;

	add(NOON - DAY);
	add(NOON + 5000 * DAY);
	add(NOON);
	assert_string_equal(".bc", stay(&rt, NOON));
	add(NOON + DAY);
	assert_string_equal("..cd", stay(&rt, NOON + DAY));
}

static void
a_clock_that_goes_back_does_not_hold_a_period_twice(void **state)
{
	struct retention rt = { .every[RETENTION_HOUR] = 9 };
	(void)state;

	add(NOON + 1);
	add(NOON + 2 * HOUR);
	add(NOON);
	assert_string_equal(".bc", stay(&rt, NOON));
}

static void
of_equal_times_the_higher_number_stays(void **state)
{
	struct retention rt = { .every[RETENTION_SECOND] = 1 };
	(void)state;

	for (int i = 0; i < 3; i++)
		add(NOON);
	assert_string_equal("..c", stay(&rt, NOON));
}

static void
equal_numbers_share_their_fate(void **state)
{
	struct retention rt = { .every[RETENTION_DAY] = 2 };
	(void)state;

	add(NOON - 9 * DAY);
	add(NOON - 8 * DAY);
	add(NOON - 8 * DAY);
	add(NOON);
	items[1].seq = items[2].seq = 2;
	assert_string_equal(".bcd", stay(&rt, NOON));
	assert_int_equal(items[1].why, items[2].why);
}

static void
time_is_measured_from_the_newest_state(void **state)
{
	struct retention rt = { .within_ns = DAY };
	(void)state;

	add(NOON - DAY - 1);
	add(NOON - DAY);
	add(NOON);
	assert_string_equal(".bc", stay(&rt, NOON + 900 * DAY));
}

static void
a_newest_state_of_the_future_makes_nothing_old(void **state)
{
	struct retention rt = { .within_ns = DAY };
	(void)state;

	add(NOON - HOUR);
	add(NOON + 5000 * DAY);
	assert_string_equal("ab", stay(&rt, NOON));
}

static void
a_time_longer_than_time_holds_everything(void **state)
{
	struct retention rt = { .within_ns = INT64_MAX };
	(void)state;

	add(INT64_MIN);
	add(-1);
	add(-2);
	assert_string_equal("abc", stay(&rt, NOON));
}

static void
what_a_caller_holds_stays_held(void **state)
{
	struct retention rt = { .last = 1 };
	char text[RETENTION_REASONS_MAX];
	(void)state;

	add(NOON);
	add(NOON + 1);
	items[0].why = RETENTION_PIN | RETENTION_TAG;
	stay(&rt, NOON);
	assert_string_equal("pinned, tag",
		retention_reasons(text, items[0].why));
	assert_string_equal("newest, last",
		retention_reasons(text, items[1].why));
	assert_string_equal("", retention_reasons(text, 0));
	assert_null(retention_reason(items[1].why, 2));
	assert_true(strlen(retention_reasons(text, UINT32_MAX)) <
		    RETENTION_REASONS_MAX);
}

/* 2026-10-25, 02:30 comes twice in Berlin. */
static void
the_hour_that_comes_twice_is_two(void **state)
{
	struct retention rt = { .every[RETENTION_HOUR] = 9,
		.local_time = true };
	(void)state;

	zone("Europe/Berlin");
	add(INT64_C(1792888200) * NS);
	add(INT64_C(1792891800) * NS);
	assert_string_equal("ab", stay(&rt, NOON));
}

static void
days_are_those_of_the_zone_only_if_asked(void **state)
{
	struct retention rt = { .every[RETENTION_DAY] = 9 };
	int64_t midnight = NOON + 12 * HOUR;
	(void)state;

	zone("Europe/Berlin");
	add(midnight - HOUR / 2);
	add(midnight + HOUR / 2);
	assert_string_equal("ab", stay(&rt, midnight));
	rt.local_time = true;
	assert_string_equal(".b", stay(&rt, midnight));
}

/* -- A model: each state is asked by itself, periods are strings --------- */

static char texts[RETENTION_PERIODS][MANY][64];

static void
print_period(char out[64], unsigned p, int64_t t, bool local)
{
	time_t s = (time_t)(t / NS - (t % NS < 0));
	struct tm tm;
	size_t len;

	if (local)
		localtime_r(&s, &tm);
	else
		gmtime_r(&s, &tm);
	if (p <= RETENTION_DAY)
		len = strftime(out, 48, "%F %T", &tm);
	else if (p == RETENTION_WEEK)
		len = strftime(out, 48, "%G-%V", &tm);
	else
		len = strftime(out, 48, "%Y-%m", &tm);
	if (p != RETENTION_WEEK && p != RETENTION_MONTH)
		len -= strlen(p == RETENTION_YEAR     ? "-mm"
			      : p == RETENTION_DAY    ? " hh:mm:ss"
			      : p == RETENTION_HOUR   ? ":mm:ss"
			      : p == RETENTION_MINUTE ? ":ss"
						      : "");
	out[len] = '\0';
	if (p <= RETENTION_HOUR)
		snprintf(out + len, 16, " %ld", tm.tm_gmtoff);
}

static void
print_periods(bool local)
{
	for (unsigned p = 0; p < RETENTION_PERIODS; p++) {
		for (size_t i = 0; i < n; i++)
			print_period(texts[p][i], p, items[i].time_ns, local);
	}
}

/* No later one is of its period. */
static bool
stands(unsigned p, size_t i)
{
	for (size_t k = i + 1; k < n; k++) {
		if (strcmp(texts[p][i], texts[p][k]) == 0)
			return false;
	}
	return true;
}

static uint32_t
model(const struct retention *rt, size_t i, int64_t now)
{
	int64_t newest = items[n - 1].time_ns;
	int64_t age = (newest < now ? newest : now) - items[i].time_ns;
	uint32_t why = i == n - 1 ? RETENTION_NEWEST : 0;

	if (n - 1 - i < rt->last)
		why |= RETENTION_LAST;
	if (rt->within_ns && age <= rt->within_ns)
		why |= RETENTION_WITHIN;
	for (unsigned p = 0; p < RETENTION_PERIODS; p++) {
		uint64_t later = 0;

		if (!stands(p, i))
			continue;
		for (size_t k = i + 1; k < n; k++)
			later += stands(p, k);
		if (later < rt->every[p])
			why |= RETENTION_EVERY << p;
		if (rt->every_within_ns[p] && age <= rt->every_within_ns[p])
			why |= RETENTION_EVERY_WITHIN << p;
	}
	return why;
}

static int64_t
random_time(int64_t spread)
{
	int64_t t = ((int64_t)rand() << 31 | rand()) % spread * NS + rand();

	return rand() % 2 ? t : -t;
}

static void
random_items(void)
{
	static const int64_t spreads[] = { 5, 600, 20000, 200000, 4000000,
		100000000, 2000000000 };
	int64_t spread = spreads[rand() % 7], t = random_time(spread);
	bool monotone = rand() % 2;
	size_t wanted = 1 + (size_t)rand() % 40;

	clear();
	while (n < wanted) {
		int64_t step = random_time(spread / 4 + 1);

		add(t);
		if (monotone)
			t += llabs(step) / 8;
		else
			t = rand() % 8 ? t + step / 4 : random_time(spread);
	}
}

static struct retention
random_rules(void)
{
	struct retention rt = { .local_time = rand() % 2 };

	if (rand() % 3 == 0)
		rt.last = (uint64_t)rand() % 9;
	if (rand() % 3 == 0)
		rt.within_ns = llabs(random_time(10000000));
	for (unsigned p = 0; p < RETENTION_PERIODS; p++) {
		if (rand() % 3 == 0)
			rt.every[p] = rand() % 9 ? (uint64_t)rand() % 9
						 : RETENTION_ALL;
		if (rand() % 5 == 0)
			rt.every_within_ns[p] = llabs(random_time(10000000));
	}
	return rt;
}

static void
random_states_are_held_as_the_model_says(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Berlin",
		"America/St_Johns", "Pacific/Apia" };
	(void)state;

	srand(6);
	for (int round = 0; round < 2000; round++) {
		struct retention rt = random_rules();
		int64_t now;

		zone(zones[round % 4]);
		random_items();
		now = items[n - 1].time_ns + random_time(1000000);
		retention_apply(&rt, items, n, now);
		print_periods(rt.local_time);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(model(&rt, i, now), items[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			without_a_rule_only_the_newest_is_held, begin),
		cmocka_unit_test_setup(any_rule_is_a_rule, begin),
		cmocka_unit_test_setup(last_counts_numbers_not_times, begin),
		cmocka_unit_test_setup(the_newest_of_a_day_stands_for_it, begin),
		cmocka_unit_test_setup(
			a_day_without_a_state_does_not_count, begin),
		cmocka_unit_test_setup(
			a_time_in_the_future_takes_one_place, begin),
		cmocka_unit_test_setup(
			a_clock_that_goes_back_does_not_hold_a_period_twice,
			begin),
		cmocka_unit_test_setup(
			of_equal_times_the_higher_number_stays, begin),
		cmocka_unit_test_setup(equal_numbers_share_their_fate, begin),
		cmocka_unit_test_setup(
			time_is_measured_from_the_newest_state, begin),
		cmocka_unit_test_setup(
			a_newest_state_of_the_future_makes_nothing_old, begin),
		cmocka_unit_test_setup(
			a_time_longer_than_time_holds_everything, begin),
		cmocka_unit_test_setup(what_a_caller_holds_stays_held, begin),
		cmocka_unit_test_setup(the_hour_that_comes_twice_is_two, begin),
		cmocka_unit_test_setup(
			days_are_those_of_the_zone_only_if_asked, begin),
		cmocka_unit_test_setup(
			random_states_are_held_as_the_model_says, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
