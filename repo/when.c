/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time expressions.  A form names a unit (a day, a minute, a second, a
 * fraction) and stands for its last nanosecond.
 *
 * Local times go through "readings": what a clock on the wall shows, counted
 * in seconds as if it showed UTC.  mktime(3) is not used because it guesses
 * where clocks were changed; instead the offsets in force around the reading
 * are tried, and an offset fits when it is in force at the moment it leads to.
 * Two fit where clocks were put back (the later moment is meant), none where
 * they were put forward (the last moment before the change is meant).
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include "repo/base/clock.h"
#include "repo/when.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

/* A reading, its precision below the second, and where the text goes on. */
struct parsed {
	const char *p;
	int64_t date; /* midnight, as a reading */
	int second;   /* of the day: the last of the unit */
	int unit;     /* seconds the unit has, at least 1 */
	int64_t ns;   /* last nanosecond of the unit within that second */
	bool leap;    /* the clock showed :60 */
};

/* -- Digits -------------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly n digits, at most max. */
static bool
take_digits(const char **p, int n, int max, int *v)
{
	*v = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (!is_digit(**p))
			return false;
		*v = *v * 10 + (**p - '0');
	}
	return *v <= max;
}

static bool
take_char(const char **p, const char *any)
{
	if (**p == '\0' || !strchr(any, **p))
		return false;
	(*p)++;
	return true;
}

/* One digit or more, as long as they fit. */
static bool
take_number(const char **p, int64_t *v)
{
	*v = 0;
	if (!is_digit(**p))
		return false;
	for (; is_digit(**p); (*p)++) {
		if (__builtin_mul_overflow(*v, 10, v) ||
			__builtin_add_overflow(*v, **p - '0', v))
			return false;
	}
	return true;
}

/* ".5" is the tenth of a second that ends at .599999999; without a fraction
 * it is the whole second. */
static bool
take_fraction(const char **p, int64_t *last_ns)
{
	int64_t unit = NS_PER_S, ns = 0;

	if (take_char(p, ".")) {
		if (!is_digit(**p))
			return false;
		for (; is_digit(**p) && unit > 1; (*p)++) {
			unit /= 10;
			ns += unit * (**p - '0');
		}
	}
	*last_ns = ns + unit - 1;
	return !is_digit(**p);
}

static int
finish(int64_t seconds, int64_t ns, int64_t *t_ns)
{
	__int128 t = (__int128)seconds * NS_PER_S + ns;

	if (t < INT64_MIN || t > INT64_MAX)
		return -EINVAL;
	*t_ns = (int64_t)t;
	return 0;
}

static int64_t
whole_seconds(int64_t t_ns)
{
	return t_ns / NS_PER_S - (t_ns % NS_PER_S < 0);
}

static int64_t
below_second(int64_t t_ns)
{
	int64_t ns = t_ns % NS_PER_S;

	return ns < 0 ? ns + NS_PER_S : ns;
}

/* -- Readings of the local clock ----------------------------------------- */

static int64_t
offset_at(int64_t t)
{
	time_t seconds = t;
	struct tm tm;

	return localtime_r(&seconds, &tm) ? tm.tm_gmtoff : 0;
}

/*
 * The last moment, not after `limit`, at which the local clock showed the
 * reading; false when it never did.
 */
static bool
last_shown(int64_t reading, int64_t limit, int64_t *t)
{
	bool found = false;

	for (int day = -1; day <= 1; day++) {
		int64_t off = offset_at(reading + day * DAY);
		int64_t at = reading - off;

		if (offset_at(at) != off || at > limit || (found && at < *t))
			continue;
		*t = at;
		found = true;
	}
	return found;
}

/* The last second before clocks were put forward over the reading. */
static int64_t
before_skip(int64_t reading)
{
	int64_t lo = reading - DAY - HOUR, hi = reading + DAY + HOUR;

	while (lo + 1 < hi) {
		int64_t mid = lo + (hi - lo) / 2;

		if (mid + offset_at(mid) <= reading)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static int
finish_local(int64_t reading, int64_t ns, int64_t *t_ns)
{
	int64_t t;

	if (last_shown(reading, INT64_MAX, &t))
		return finish(t, ns, t_ns);
	return finish(before_skip(reading), NS_PER_S - 1, t_ns);
}

/* Midnight as a reading. */
static int64_t
date_reading(int year, int month, int day)
{
	struct tm tm = {
		.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
	};
	return timegm(&tm);
}

static int
days_of_month(int year, int month)
{
	int64_t next = month == 12 ? date_reading(year + 1, 1, 1)
				   : date_reading(year, month + 1, 1);
	return (int)((next - date_reading(year, month, 1)) / DAY);
}

/* -- 2026-11-20 and what may follow -------------------------------------- */

static bool
take_date(struct parsed *x)
{
	int year, month, day;

	if (!take_digits(&x->p, 4, 9998, &year) || !take_char(&x->p, "-") ||
		!take_digits(&x->p, 2, 12, &month) || !take_char(&x->p, "-") ||
		!take_digits(&x->p, 2, 31, &day))
		return false;
	if (year < 1 || month < 1 || day < 1 ||
		day > days_of_month(year, month))
		return false;
	x->date = date_reading(year, month, day);
	return true;
}

/* hh<sep>mm[<sep>ss[.fraction]] */
static bool
take_clock(struct parsed *x, const char *separator)
{
	int hour, minute, second = 59;

	if (!take_digits(&x->p, 2, 23, &hour) || !take_char(&x->p, separator) ||
		!take_digits(&x->p, 2, 59, &minute))
		return false;
	x->unit = MINUTE;
	x->ns = NS_PER_S - 1;
	if (take_char(&x->p, separator)) {
		x->unit = 1;
		if (!take_digits(&x->p, 2, 60, &second) ||
			!take_fraction(&x->p, &x->ns))
			return false;
	}
	if (second == 60) { /* what ends there ends with :59 */
		x->leap = true;
		x->ns = NS_PER_S - 1;
		second = 59;
	}
	x->second = hour * HOUR + minute * MINUTE + second;
	return true;
}

/* Z, +hh:mm or -hh:mm */
static bool
take_zone(const char **p, int64_t *offset)
{
	int hour, minute;
	bool west = **p == '-';

	*offset = 0;
	if (take_char(p, "Zz"))
		return true;
	if (!take_char(p, "+-") || !take_digits(p, 2, 23, &hour) ||
		!take_char(p, ":") || !take_digits(p, 2, 59, &minute))
		return false;
	*offset = hour * HOUR + minute * MINUTE;
	if (west)
		*offset = -*offset;
	return true;
}

/* Leap seconds come at midnight UTC only. */
static bool
leap_is_plausible(const struct parsed *x, int64_t t_ns)
{
	return !x->leap || (whole_seconds(t_ns) + 1) % DAY == 0;
}

static int
parse_date(const char *text, int64_t *t_ns)
{
	struct parsed x = { .p = text };
	int64_t offset;

	if (!take_date(&x))
		return -EINVAL;
	if (*x.p == '\0')
		return finish_local(x.date + DAY - 1, NS_PER_S - 1, t_ns);
	if (!take_char(&x.p, "Tt "))
		return -EINVAL;

	/* As the mount prints it the separator is '-', and the zone is Z. */
	bool printed = strlen(x.p) > 2 && x.p[2] == '-';
	if (!take_clock(&x, printed ? "-" : ":"))
		return -EINVAL;
	int64_t reading = x.date + x.second;
	int r;
	if (*x.p == '\0' && !printed) {
		r = finish_local(reading, x.ns, t_ns);
	} else {
		if (printed && *x.p != 'Z')
			return -EINVAL;
		if (!take_zone(&x.p, &offset) || *x.p != '\0')
			return -EINVAL;
		r = finish(reading - offset, x.ns, t_ns);
	}
	return r == 0 && leap_is_plausible(&x, *t_ns) ? 0 : -EINVAL;
}

/* -- Forms that need "now" ----------------------------------------------- */

static int64_t
local_midnight(int64_t now_ns)
{
	int64_t now = whole_seconds(now_ns), reading = now + offset_at(now);
	int64_t into = reading % DAY;

	return reading - (into < 0 ? into + DAY : into);
}

/* The last time the clock showed it: a change of clocks may have skipped it
 * today, and more than one day in a row where the date line moved. */
static int
parse_clock(const char *text, int64_t now_ns, int64_t *t_ns)
{
	struct parsed x = { .p = text };
	int64_t now = whole_seconds(now_ns), today = local_midnight(now_ns);
	int64_t best = INT64_MIN, t;

	if (!take_clock(&x, ":") || *x.p != '\0' || x.leap)
		return -EINVAL;
	for (int day = 1; day >= -3; day--) {
		int64_t first = today + day * DAY + x.second - (x.unit - 1);

		if (last_shown(first, now, &t) && t > best)
			best = t;
	}
	if (best == INT64_MIN)
		return -EINVAL;
	return finish(best + x.unit - 1, x.ns, t_ns);
}

static int
months_ago(int64_t n, int64_t now_ns, int64_t *t_ns)
{
	int64_t now = whole_seconds(now_ns);
	time_t seconds = now;
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return -EINVAL;
	int64_t month = (tm.tm_year + 1900) * 12LL + tm.tm_mon;
	if (n >= month - 12)
		return -EINVAL;
	month -= n;
	int year = (int)(month / 12), of_year = (int)(month % 12) + 1;
	int last = days_of_month(year, of_year);
	int64_t reading = date_reading(year, of_year,
				  tm.tm_mday < last ? tm.tm_mday : last) +
			  tm.tm_hour * HOUR + tm.tm_min * MINUTE + tm.tm_sec;
	return finish_local(reading, below_second(now_ns), t_ns);
}

static int
exactly_ago(int64_t n, int64_t unit, int64_t now_ns, int64_t *t_ns)
{
	int64_t ns, t;

	if (__builtin_mul_overflow(n, unit * NS_PER_S, &ns) ||
		__builtin_sub_overflow(now_ns, ns, &t))
		return -EINVAL;
	*t_ns = t;
	return 0;
}

static int
parse_ago(const char *text, int64_t now_ns, int64_t *t_ns)
{
	static const struct {
		const char *name;
		int64_t seconds, months;
	} units[] = {
		{ "s", 1, 0 },
		{ "m", MINUTE, 0 },
		{ "h", HOUR, 0 },
		{ "d", DAY, 0 },
		{ "w", 7 * DAY, 0 },
		{ "mo", 0, 1 },
		{ "y", 0, 12 },
	};
	int64_t n, months;

	if (!take_number(&text, &n))
		return -EINVAL;
	size_t len = strcspn(text, "-");
	if (text[len] != '\0' && strcmp(text + len, "-ago") != 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) != len ||
			memcmp(units[i].name, text, len) != 0)
			continue;
		if (units[i].seconds || n == 0)
			return exactly_ago(n, units[i].seconds, now_ns, t_ns);
		if (__builtin_mul_overflow(n, units[i].months, &months))
			return -EINVAL;
		return months_ago(months, now_ns, t_ns);
	}
	return -EINVAL;
}

static int
parse_epoch(const char *text, int64_t *t_ns)
{
	int64_t seconds, ns;

	if (!take_number(&text, &seconds) || !take_fraction(&text, &ns) ||
		*text != '\0')
		return -EINVAL;
	return finish(seconds, ns, t_ns);
}

static int
parse_moving(const char *text, int64_t now_ns, int64_t *t_ns)
{
	if (strcmp(text, "now") == 0 || strcmp(text, "today") == 0) {
		*t_ns = now_ns;
		return 0;
	}
	if (strcmp(text, "yesterday") == 0) {
		return finish_local(
			local_midnight(now_ns) - 1, NS_PER_S - 1, t_ns);
	}
	if (strchr(text, ':'))
		return parse_clock(text, now_ns, t_ns);
	return parse_ago(text, now_ns, t_ns);
}

int
when_parse_moving(const char *text, int64_t now_ns, int64_t *t_ns, int *moving)
{
	*moving = 0;
	if (text[0] == '@')
		return parse_epoch(text + 1, t_ns);
	if (parse_date(text, t_ns) == 0)
		return 0;
	*moving = 1;
	return parse_moving(text, now_ns, t_ns);
}

int
when_parse(const char *text, int64_t now_ns, int64_t *t_ns)
{
	int moving;

	return when_parse_moving(text, now_ns, t_ns, &moving);
}
