/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "tests/unit/unit.h"
#include "repo/base/clock.h"
#include "repo/history.h"
#include "repo/when.h"

#define END 999999999
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"
/* Clocks change at midnight: a gap after it, a fold before it. */
#define MIDNIGHT "<-03>3<-02>,M10.3.0/0,M2.3.0/0"
/* Clocks are put back over midnight. */
#define NEWFOUNDLAND "NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01"
/* Half an hour, in the southern summer. */
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"

static void
in_zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static int64_t
utc(int year, int month, int day, int hour, int minute, int second, int64_t ns)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1,
		.tm_mday = day, .tm_hour = hour, .tm_min = minute,
		.tm_sec = second };

	return timegm(&tm) * NS_PER_S + ns;
}

/* Friday 2026-11-20, 10:40:30.25 UTC */
static int64_t
now(void)
{
	return utc(2026, 11, 20, 10, 40, 30, 250000000);
}

static void
assert_means(const char *text, int64_t now_ns, int64_t expected)
{
	char a[HISTORY_TIME_MAX + 1], b[HISTORY_TIME_MAX + 1];
	int64_t t = 0;

	if (when_parse(text, now_ns, &t) != 0)
		fail_msg("%s is refused", text);
	history_print_time(a, t);
	history_print_time(b, expected);
	if (t != expected)
		fail_msg("%s is %s (%lld), not %s (%lld)", text, a,
			(long long)t, b, (long long)expected);
}

static void
a_time_as_the_mount_prints_it_is_the_end_of_that_second(void **state)
{
	(void)state;
	in_zone(BERLIN);
	assert_means("2026-11-20T10-32-15Z", now(),
		utc(2026, 11, 20, 10, 32, 15, END));
	assert_means("2026-11-20T10-32-15.123Z", now(),
		utc(2026, 11, 20, 10, 32, 15, 123999999));
	assert_means("2026-11-20T10-32-15.123456789Z", now(),
		utc(2026, 11, 20, 10, 32, 15, 123456789));
	assert_means("1969-12-31T23-59-59Z", now(), -1);
	assert_means("1700-01-01T00-00-00Z", now(),
		utc(1700, 1, 1, 0, 0, 0, END));
}

static void
printed_times_are_found_again(void **state)
{
	char text[HISTORY_TIME_MAX + 1], again[HISTORY_TIME_MAX + 1];
	int64_t t, step = 123456789123456789;

	(void)state;
	in_zone(NEW_YORK);
	for (t = INT64_MIN / step * step; t < INT64_MAX - step; t += step) {
		int64_t found;

		history_print_time(text, t);
		assert_int_equal(0, when_parse(text, 0, &found));
		assert_true(found >= t && found - t < NS_PER_S);
		history_print_time(again, found);
		assert_string_equal(text, again);
	}
}

static void
rfc_3339_with_a_zone_is_that_moment(void **state)
{
	(void)state;
	in_zone(NEW_YORK);
	assert_means("2026-11-20T10:32:15Z", now(),
		utc(2026, 11, 20, 10, 32, 15, END));
	assert_means("2026-11-20t10:32:15z", now(),
		utc(2026, 11, 20, 10, 32, 15, END));
	assert_means("2026-11-20 10:32:15.5+01:00", now(),
		utc(2026, 11, 20, 9, 32, 15, 599999999));
	assert_means("2026-11-20T00:10-05:30", now(),
		utc(2026, 11, 20, 5, 40, 59, END));
	assert_means("2026-01-01T00:10:00+14:00", now(),
		utc(2025, 12, 31, 10, 10, 0, END));
	assert_means("2026-11-20T10:32:15-00:00", now(),
		utc(2026, 11, 20, 10, 32, 15, END));
}

static void
without_a_zone_local_time_is_meant(void **state)
{
	(void)state;
	in_zone(BERLIN);
	assert_means("2026-11-20T10:32:15", now(),
		utc(2026, 11, 20, 9, 32, 15, END));
	assert_means("2026-07-20T10:32", now(),
		utc(2026, 7, 20, 8, 32, 59, END));
	assert_means("2026-11-20", now(), utc(2026, 11, 20, 22, 59, 59, END));
	in_zone(NEW_YORK);
	assert_means("2026-11-20", now(), utc(2026, 11, 21, 4, 59, 59, END));
	in_zone("UTC0");
	assert_means("2026-11-20", now(), utc(2026, 11, 20, 23, 59, 59, END));
}

static void
a_clock_time_is_the_last_time_the_clock_said_so(void **state)
{
	(void)state;
	in_zone("UTC0");
	assert_means("10:32", now(), utc(2026, 11, 20, 10, 32, 59, END));
	assert_means("10:40", now(), utc(2026, 11, 20, 10, 40, 59, END));
	assert_means("10:41", now(), utc(2026, 11, 19, 10, 41, 59, END));
	assert_means("10:40:30", now(), utc(2026, 11, 20, 10, 40, 30, END));
	assert_means("10:40:31", now(), utc(2026, 11, 19, 10, 40, 31, END));
	assert_means("10:40:29.5", now(),
		utc(2026, 11, 20, 10, 40, 29, 599999999));
	assert_means("00:00", now(), utc(2026, 11, 20, 0, 0, 59, END));
	in_zone(BERLIN);
	assert_means("11:32", now(), utc(2026, 11, 20, 10, 32, 59, END));
	assert_means("12:32", now(), utc(2026, 11, 19, 11, 32, 59, END));
	/* Before 1970 too. */
	in_zone("UTC0");
	assert_means("10:32", utc(1965, 3, 1, 9, 0, 0, 5),
		utc(1965, 2, 28, 10, 32, 59, END));
}

static void
words_stand_for_now_and_for_the_end_of_yesterday(void **state)
{
	(void)state;
	in_zone(BERLIN);
	assert_means("now", now(), now());
	assert_means("today", now(), now());
	assert_means("yesterday", now(), utc(2026, 11, 19, 22, 59, 59, END));
	/* Half past midnight in Berlin is still the day before in UTC. */
	assert_means("yesterday", utc(2026, 3, 1, 23, 30, 0, 0),
		utc(2026, 3, 1, 22, 59, 59, END));
	assert_means("yesterday", utc(2024, 3, 1, 12, 0, 0, 0),
		utc(2024, 2, 29, 22, 59, 59, END));
}

static void
ago_counts_back_from_now(void **state)
{
	(void)state;
	in_zone(BERLIN);
	assert_means("30s", now(), now() - 30 * NS_PER_S);
	assert_means("15m", now(), now() - 900 * NS_PER_S);
	assert_means("2h", now(), now() - 7200 * NS_PER_S);
	assert_means("2h-ago", now(), now() - 7200 * NS_PER_S);
	assert_means("3d", now(), now() - 3 * 86400 * NS_PER_S);
	assert_means("2w-ago", now(), now() - 14 * 86400 * NS_PER_S);
	assert_means("0s", now(), now());
	assert_means("0mo", now(), now());
	assert_means("6mo", now(), utc(2026, 5, 20, 9, 40, 30, 250000000));
	assert_means("1y", now(), utc(2025, 11, 20, 10, 40, 30, 250000000));
	assert_means("11mo-ago", now(),
		utc(2025, 12, 20, 10, 40, 30, 250000000));
	assert_means("10mo", now(), utc(2026, 1, 20, 10, 40, 30, 250000000));
}

static void
shorter_months_and_leap_days_keep_the_last_day(void **state)
{
	(void)state;
	in_zone("UTC0");
	assert_means("1mo", utc(2026, 3, 31, 8, 0, 0, 7),
		utc(2026, 2, 28, 8, 0, 0, 7));
	assert_means("1mo", utc(2024, 3, 31, 8, 0, 0, 7),
		utc(2024, 2, 29, 8, 0, 0, 7));
	assert_means("1y", utc(2024, 2, 29, 8, 0, 0, 7),
		utc(2023, 2, 28, 8, 0, 0, 7));
	assert_means("4y", utc(2024, 2, 29, 8, 0, 0, 7),
		utc(2020, 2, 29, 8, 0, 0, 7));
	assert_means("2024-02-29", 0, utc(2024, 2, 29, 23, 59, 59, END));
	assert_means("2000-02-29", 0, utc(2000, 2, 29, 23, 59, 59, END));
}

static void
seconds_since_1970_end_with_their_unit(void **state)
{
	(void)state;
	in_zone(NEW_YORK);
	assert_means("@1700000000", now(), 1700000000 * NS_PER_S + END);
	assert_means("@1700000000.5", now(),
		1700000000 * NS_PER_S + 599999999);
	assert_means("@1700000000.500000000", now(),
		1700000000 * NS_PER_S + 500000000);
	assert_means("@0", now(), END);
	assert_means("@9223372036.854775807", now(), INT64_MAX);
}

static void
a_time_that_clocks_skipped_is_the_moment_before_the_skip(void **state)
{
	int64_t skip = utc(2026, 3, 29, 1, 0, 0, 0) - 1;

	(void)state;
	in_zone(BERLIN);
	assert_means("2026-03-29T01:59", 0, skip);
	assert_means("2026-03-29T02:00", 0, skip);
	assert_means("2026-03-29T02:30:30.5", 0, skip);
	assert_means("2026-03-29T02:59", 0, skip);
	assert_means("2026-03-29T03:00", 0, utc(2026, 3, 29, 1, 0, 59, END));
	assert_means("1mo", utc(2026, 4, 29, 0, 30, 0, 5), skip);
	/* The clock has not said 02:30 today. */
	assert_means("02:30", utc(2026, 3, 29, 12, 0, 0, 0),
		utc(2026, 3, 28, 1, 30, 59, END));
}

static void
of_a_time_that_came_twice_the_later_is_meant(void **state)
{
	(void)state;
	in_zone(BERLIN);
	assert_means("2026-10-25T02:30", 0, utc(2026, 10, 25, 1, 30, 59, END));
	assert_means("2026-10-25T01:59", 0,
		utc(2026, 10, 24, 23, 59, 59, END));
	assert_means("2026-10-25T03:00", 0, utc(2026, 10, 25, 2, 0, 59, END));
	assert_means("2026-10-25", 0, utc(2026, 10, 25, 22, 59, 59, END));
	/* ... unless it has come once so far. */
	assert_means("02:30", utc(2026, 10, 25, 0, 45, 0, 0),
		utc(2026, 10, 25, 0, 30, 59, END));
	assert_means("02:30", utc(2026, 10, 25, 1, 45, 0, 0),
		utc(2026, 10, 25, 1, 30, 59, END));
	/* Ten minutes ago it was tomorrow. */
	in_zone(NEWFOUNDLAND);
	assert_means("00:00", utc(2026, 11, 1, 2, 40, 0, 0),
		utc(2026, 11, 1, 2, 30, 59, END));
}

/* What the definition says, minute by minute: the last minute whose local
 * time is not after the one asked for. */
static void
assert_three_days_from(int64_t first_ns)
{
	enum { N = 3 * 1440 };
	static int64_t reading[N];
	int64_t first = first_ns / NS_PER_S;

	for (int i = 0; i < N; i++) {
		time_t t = first + i * 60;
		struct tm tm;

		localtime_r(&t, &tm);
		reading[i] = t + tm.tm_gmtoff;
	}
	for (int i = 300; i < N - 300; i++) {
		time_t asked = reading[0] + i * 60;
		struct tm tm;
		char text[40];
		int last = N - 1;

		gmtime_r(&asked, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M", &tm);
		while (reading[last] > asked)
			last--;
		assert_means(text, 0, (first + last * 60 + 59) * NS_PER_S + END);
	}
}

static void
every_minute_around_changes_of_clocks_is_as_defined(void **state)
{
	(void)state;
	in_zone(BERLIN);
	assert_three_days_from(utc(2026, 3, 28, 0, 0, 0, 0));
	assert_three_days_from(utc(2026, 10, 24, 0, 0, 0, 0));
	in_zone(MIDNIGHT);
	assert_three_days_from(utc(2026, 10, 17, 0, 0, 0, 0));
	assert_three_days_from(utc(2026, 2, 14, 0, 0, 0, 0));
	in_zone(NEWFOUNDLAND);
	assert_three_days_from(utc(2026, 10, 30, 0, 0, 0, 0));
	in_zone(LORD_HOWE);
	assert_three_days_from(utc(2026, 10, 2, 0, 0, 0, 0));
	assert_three_days_from(utc(2026, 4, 3, 0, 0, 0, 0));
	in_zone("UTC0");
	assert_three_days_from(utc(2026, 4, 3, 0, 0, 0, 0));
}

static void
days_that_change_at_midnight_end_when_they_end(void **state)
{
	(void)state;
	in_zone(MIDNIGHT);
	assert_means("2026-10-17", 0, utc(2026, 10, 18, 3, 0, 0, 0) - 1);
	assert_means("2026-02-14", 0, utc(2026, 2, 15, 3, 0, 0, 0) - 1);
	assert_means("yesterday", utc(2026, 10, 18, 12, 0, 0, 0),
		utc(2026, 10, 18, 3, 0, 0, 0) - 1);
}

static void
a_day_that_the_date_line_swallowed_ends_before_it_began(void **state)
{
	(void)state;
	if (access("/usr/share/zoneinfo/Pacific/Apia", R_OK) != 0)
		skip();
	in_zone("Pacific/Apia");
	/* 2011-12-30 did not take place. */
	int64_t swallowed = utc(2011, 12, 30, 10, 0, 0, 0) - 1;
	assert_means("2011-12-30", 0, swallowed);
	assert_means("2011-12-30T12:00", 0, swallowed);
	assert_means("2011-12-29", 0, swallowed);
	assert_means("yesterday", utc(2011, 12, 30, 20, 0, 0, 0), swallowed);
	assert_means("12:00", utc(2011, 12, 30, 20, 0, 0, 0),
		utc(2011, 12, 29, 22, 0, 59, END));
	assert_three_days_from(utc(2011, 12, 29, 0, 0, 0, 0));
}

static void
a_leap_second_ends_with_the_second_before(void **state)
{
	(void)state;
	in_zone(BERLIN);
	assert_means("2016-12-31T23:59:60Z", 0,
		utc(2016, 12, 31, 23, 59, 59, END));
	assert_means("2017-01-01T00:59:60.5", 0,
		utc(2016, 12, 31, 23, 59, 59, END));
}

static void
nonsense_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "latest", "tomorrow", "Now",
		"now ", " now", "nowx", "2026", "2026-11", "2026-11-2",
		"2026-1-20", "26-11-20", "2026-11-20T", "2026-11-20T10",
		"2026-11-20T10:3", "2026-11-20T10:32:", "2026-11-20T10:32:1",
		"2026-11-20T10:32:15.", "2026-11-20T10:32:15.Z",
		"2026-11-20T10:32:15.1234567890Z", "2026-11-20T10:32:15ZZ",
		"2026-11-20T10:32:15+1:00", "2026-11-20T10:32:15+0100",
		"2026-11-20T10:32:15+24:00", "2026-11-20T10:32:15+01:60",
		"2026-11-20T10-32-15", "2026-11-20T10-32-15z",
		"2026-11-20T10-32-15+01:00", "2026-11-20T10-32:15Z",
		"2026-11-20T10:32-15Z", "2026-11-20Z", "2026-11-20T24:00:00Z",
		"2026-11-20T10:60:00Z", "2026-11-20T10:32:61Z",
		"2026-11-20T10:32:60Z", "2026-13-20", "2026-00-20",
		"2026-11-31", "2026-11-00", "2026-02-29", "1900-02-29",
		"2100-02-29", "2026-11-20T10:32:15 Z", "+2026-11-20",
		"-2026-11-20", "0000-01-01", "1677-09-20", "2262-04-12T12:00Z",
		"9999-12-31", "10", "1:32", "10:3", "10:320", "24:00", "10:60",
		"10:32:60", "23:59:60", "10:32Z", "10:32:15.", "10-32", "10:",
		":32", "h", "2", "2x", "2H", "2hago", "2h-", "2h-agox", "2 h",
		"-2h", "+2h", "2.5h", "2h30m", "0x2h", "2mon", "ago", "-ago",
		"9223372036854775808s", "18446744073709551617s",
		"9223372036854775807s", "9223372036854775807mo",
		"9223372036854775807y", "768614336404564651y", "400y",
		"2000000000000m", "@", "@-1", "@+1", "@1.", "@.5", "@1x",
		"@ 1", "@1e9", "@9223372036.854775808", "@9223372037",
		"@9223372036854775807", "@9223372036854775808",
		"@0.1234567890" };
	int64_t t;

	(void)state;
	in_zone(BERLIN);
	for (size_t i = 0; i < n_elements(bad); i++) {
		if (when_parse(bad[i], now(), &t) != -EINVAL)
			fail_msg("\"%s\" is not refused", bad[i]);
	}
}

static void
forms_that_need_now_are_moving(void **state)
{
	static const struct {
		const char *text;
		int moving;
	} forms[] = { { "now", 1 }, { "today", 1 }, { "yesterday", 1 },
		{ "10:32", 1 }, { "10:32:15", 1 }, { "2h", 1 }, { "1y-ago", 1 },
		{ "2026-11-20", 0 }, { "2026-11-20T10:32", 0 },
		{ "2026-11-20T10-32-15Z", 0 }, { "@1700000000", 0 } };

	(void)state;
	in_zone(BERLIN);
	for (size_t i = 0; i < n_elements(forms); i++) {
		int64_t t, later;
		int moving = -1;

		assert_int_equal(0, when_parse_moving(forms[i].text, now(), &t,
					    &moving));
		assert_int_equal(forms[i].moving, moving);
		assert_int_equal(0, when_parse(forms[i].text,
					    now() + 86400 * NS_PER_S, &later));
		assert_int_equal(forms[i].moving, later != t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_time_as_the_mount_prints_it_is_the_end_of_that_second),
		cmocka_unit_test(printed_times_are_found_again),
		cmocka_unit_test(rfc_3339_with_a_zone_is_that_moment),
		cmocka_unit_test(without_a_zone_local_time_is_meant),
		cmocka_unit_test(
			a_clock_time_is_the_last_time_the_clock_said_so),
		cmocka_unit_test(
			words_stand_for_now_and_for_the_end_of_yesterday),
		cmocka_unit_test(ago_counts_back_from_now),
		cmocka_unit_test(shorter_months_and_leap_days_keep_the_last_day),
		cmocka_unit_test(seconds_since_1970_end_with_their_unit),
		cmocka_unit_test(
			a_time_that_clocks_skipped_is_the_moment_before_the_skip),
		cmocka_unit_test(of_a_time_that_came_twice_the_later_is_meant),
		cmocka_unit_test(
			every_minute_around_changes_of_clocks_is_as_defined),
		cmocka_unit_test(days_that_change_at_midnight_end_when_they_end),
		cmocka_unit_test(
			a_day_that_the_date_line_swallowed_ends_before_it_began),
		cmocka_unit_test(a_leap_second_ends_with_the_second_before),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(forms_that_need_now_are_moving),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
