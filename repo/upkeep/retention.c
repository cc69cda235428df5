/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each rule by itself: the states are sorted by period, the one with the
 * highest number of each period stands for it, and those are counted from the
 * highest number down.
 */
#include "repo/upkeep/retention.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

#define NS 1000000000
#define DAY_S 86400

/* -- Periods ------------------------------------------------------------ */

static int64_t
floor_to(int64_t a, int64_t unit)
{
	int64_t rest = a % unit;

	return a - (rest < 0 ? rest + unit : rest);
}

static struct tm
broken_down(int64_t s, bool local_time)
{
	time_t t = (time_t)s;
	struct tm tm = { .tm_isdst = 0 };

	if (local_time)
		localtime_r(&t, &tm);
	else
		gmtime_r(&t, &tm);
	return tm;
}

/* Of hours and less: the moment it began.  So the hour that comes twice when
 * summer ends is two. */
static int64_t
short_period(int64_t s, int64_t unit, bool local_time)
{
	int64_t off = local_time ? broken_down(s, true).tm_gmtoff : 0;

	return floor_to(s + off, unit) - off;
}

/* Of days and more: its number. */
static int64_t
long_period(enum retention_period p, int64_t s, bool local_time)
{
	struct tm tm = broken_down(s, local_time);
	int64_t day;

	if (p == RETENTION_YEAR)
		return tm.tm_year;
	if (p == RETENTION_MONTH)
		return tm.tm_year * 12 + tm.tm_mon;
	day = floor_to(s + tm.tm_gmtoff, DAY_S) / DAY_S;
	/* 1970 began on a Thursday */
	return p == RETENTION_DAY ? day : floor_to(day + 3, 7) / 7;
}

int64_t
retention_period_of(enum retention_period p, int64_t time_ns, bool local_time)
{
	static const int64_t units[] = {
		[RETENTION_SECOND] = 1,
		[RETENTION_MINUTE] = 60,
		[RETENTION_HOUR] = 3600,
	};
	int64_t s = time_ns / NS - (time_ns % NS < 0);

	return p <= RETENTION_HOUR ? short_period(s, units[p], local_time)
				   : long_period(p, s, local_time);
}

/* -- Rules -------------------------------------------------------------- */

bool
retention_is_empty(const struct retention *rt)
{
	bool some = rt->last || rt->within_ns > 0;

	for (unsigned p = 0; p < RETENTION_PERIODS; p++)
		some |= rt->every[p] || rt->every_within_ns[p] > 0;
	return !some;
}

/* The moment that lies so long before another one. */
static int64_t
before(int64_t t_ns, int64_t ns)
{
	int64_t then;

	return __builtin_sub_overflow(t_ns, ns, &then) ? INT64_MIN : then;
}

static void
hold_last(const struct retention *rt, struct retention_item *items, size_t n)
{
	for (size_t i = n; i-- > 0 && n - i <= rt->last;)
		items[i].why |= RETENTION_LAST;
}

static void
hold_within(const struct retention *rt, struct retention_item *items, size_t n,
	int64_t from_ns)
{
	int64_t since = before(from_ns, rt->within_ns);

	for (size_t i = 0; i < n && rt->within_ns > 0; i++) {
		if (items[i].time_ns >= since)
			items[i].why |= RETENTION_WITHIN;
	}
}

struct place {
	int64_t period;
	size_t i;
};

static int
compare_periods(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->period != y->period)
		return x->period < y->period ? -1 : 1;
	return (x->i > y->i) - (x->i < y->i);
}

static int
compare_numbers(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->i < y->i) - (x->i > y->i);
}

/* Leave of each period only the one with the highest number, the highest of all
 * first. */
static size_t
stand_for_periods(struct place *at, size_t n)
{
	size_t kept = 0;

	qsort(at, n, sizeof(*at), compare_periods);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 == n || at[i].period != at[i + 1].period)
			at[kept++] = at[i];
	}
	qsort(at, kept, sizeof(*at), compare_numbers);
	return kept;
}

static void
hold_every(const struct retention *rt, enum retention_period p,
	struct retention_item *items, size_t n, int64_t from_ns)
{
	auto_free struct place *at = NULL;
	int64_t since = before(from_ns, rt->every_within_ns[p]);
	size_t kept;

	if (!rt->every[p] && rt->every_within_ns[p] <= 0)
		return;
	at = xcalloc(n + 1, sizeof(*at));
	for (size_t i = 0; i < n; i++)
		at[i] = (struct place){ .i = i,
			.period = retention_period_of(
				p, items[i].time_ns, rt->local_time) };
	kept = stand_for_periods(at, n);
	for (size_t i = 0; i < kept; i++) {
		struct retention_item *it = &items[at[i].i];

		if (i < rt->every[p])
			it->why |= RETENTION_EVERY << p;
		if (rt->every_within_ns[p] > 0 && it->time_ns >= since)
			it->why |= RETENTION_EVERY_WITHIN << p;
	}
}

/* Those of one number share their reasons. */
static void
share(struct retention_item *items, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		uint32_t why = 0;

		for (end = i; end < n && items[end].seq == items[i].seq; end++)
			why |= items[end].why;
		for (size_t k = i; k < end; k++)
			items[k].why = why;
	}
}

void
retention_apply(const struct retention *rt, struct retention_item *items,
	size_t n, int64_t now_ns)
{
	int64_t from_ns;

	if (!n)
		return;
	from_ns = items[n - 1].time_ns;
	if (from_ns > now_ns)
		from_ns = now_ns;
	items[n - 1].why |= RETENTION_NEWEST;
	hold_last(rt, items, n);
	hold_within(rt, items, n, from_ns);
	for (unsigned p = 0; p < RETENTION_PERIODS; p++)
		hold_every(rt, p, items, n, from_ns);
	share(items, n);
}

/* -- Words -------------------------------------------------------------- */

static const char *const period_names[RETENTION_PERIODS] = {
	[RETENTION_SECOND] = "secondly",
	[RETENTION_MINUTE] = "minutely",
	[RETENTION_HOUR] = "hourly",
	[RETENTION_DAY] = "daily",
	[RETENTION_WEEK] = "weekly",
	[RETENTION_MONTH] = "monthly",
	[RETENTION_YEAR] = "yearly",
};

static const struct {
	uint32_t bit;
	const char *name;
} words[] = {
	{ RETENTION_NEWEST, "newest" },
	{ RETENTION_PIN, "pinned" },
	{ RETENTION_TAG, "tag" },
	{ RETENTION_DAMAGED, "damaged" },
	{ RETENTION_LAST, "last" },
	{ RETENTION_WITHIN, "within" },
	{ RETENTION_EVERY << RETENTION_SECOND, "secondly" },
	{ RETENTION_EVERY << RETENTION_MINUTE, "minutely" },
	{ RETENTION_EVERY << RETENTION_HOUR, "hourly" },
	{ RETENTION_EVERY << RETENTION_DAY, "daily" },
	{ RETENTION_EVERY << RETENTION_WEEK, "weekly" },
	{ RETENTION_EVERY << RETENTION_MONTH, "monthly" },
	{ RETENTION_EVERY << RETENTION_YEAR, "yearly" },
	{ RETENTION_EVERY_WITHIN << RETENTION_SECOND, "within-secondly" },
	{ RETENTION_EVERY_WITHIN << RETENTION_MINUTE, "within-minutely" },
	{ RETENTION_EVERY_WITHIN << RETENTION_HOUR, "within-hourly" },
	{ RETENTION_EVERY_WITHIN << RETENTION_DAY, "within-daily" },
	{ RETENTION_EVERY_WITHIN << RETENTION_WEEK, "within-weekly" },
	{ RETENTION_EVERY_WITHIN << RETENTION_MONTH, "within-monthly" },
	{ RETENTION_EVERY_WITHIN << RETENTION_YEAR, "within-yearly" },
};

const char *
retention_period_name(enum retention_period p)
{
	return period_names[p];
}

const char *
retention_reason(uint32_t why, unsigned i)
{
	for (size_t k = 0; k < n_elements(words); k++) {
		if ((why & words[k].bit) && i-- == 0)
			return words[k].name;
	}
	return NULL;
}

const char *
retention_reasons(char out[RETENTION_REASONS_MAX], uint32_t why)
{
	const char *word;
	char *end = out;

	*out = '\0';
	for (unsigned i = 0; (word = retention_reason(why, i)); i++)
		end = stpcpy(stpcpy(end, i ? ", " : ""), word);
	return out;
}
