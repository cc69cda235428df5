/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which states of one source stay: a decision about times and numbers, without
 * I/O, that never looks at a clock itself.
 *
 * States are ordered by their number (seq): that is what "newest" means, and
 * what is counted from.  Their times only say which second, hour or month they
 * belong to.  So a clock that was wrong once costs a state the wrong place in a
 * calendar and nothing else:
 *
 *   a time in the future      is of a period of its own, and pushed out of a
 *                             rule by as many newer states as any other one
 *   a clock that went back    two states of one hour are of one hour, whatever
 *                             was between them; the one with the higher number
 *                             stands for it
 *   equal times               the higher number stands for the period
 *   equal numbers             (writers that raced) stay or go together
 *
 * A rule holds states, it never removes one: what no rule holds may go.  The
 * newest state is always held.
 */
#ifndef YORE_UPKEEP_RETENTION_H
#define YORE_UPKEEP_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum retention_period {
	RETENTION_SECOND,
	RETENTION_MINUTE,
	RETENTION_HOUR,
	RETENTION_DAY,
	RETENTION_WEEK, /* from Monday on */
	RETENTION_MONTH,
	RETENTION_YEAR,
	RETENTION_PERIODS
};

#define RETENTION_ALL UINT64_MAX

/* Zeros: no rule. */
struct retention {
	uint64_t last;	   /* so many newest ones */
	int64_t within_ns; /* everything of so long a time before the newest */
	/* The newest state of each of so many periods that have one, counted
	 * from the newest state; RETENTION_ALL of every period. */
	uint64_t every[RETENTION_PERIODS];
	/* The newest state of each period of so long a time before the newest
	 * state. */
	int64_t every_within_ns[RETENTION_PERIODS];
	bool local_time; /* periods are those of the zone that TZ says, not of
			  * UTC */
};

/* Why a state stays. */
enum {
	RETENTION_NEWEST = 1u << 0,
	RETENTION_LAST = 1u << 1,
	RETENTION_WITHIN = 1u << 2,
	/* by the caller, which knows tags, pins and what is damaged */
	RETENTION_TAG = 1u << 3,
	RETENTION_PIN = 1u << 4,
	RETENTION_DAMAGED = 1u << 5,
	RETENTION_EVERY = 1u << 8, /* << period */
	RETENTION_EVERY_WITHIN = 1u << 16, /* << period */
};
#define RETENTION_REASONS_MAX 320 /* characters of them in words */

struct retention_item {
	int64_t time_ns; /* since 1970 */
	uint64_t seq;
	uint32_t why; /* filled in; 0: may go.  What is set before stays set */
};

/* Whether there is no rule in it: then nothing may be removed by it. */
bool retention_is_empty(const struct retention *rt);

/*
 * Fill in `why` of n items in the order of their numbers.  Lengths of time are
 * measured from the time of the newest one, or from now_ns should that be
 * earlier: so neither a source that rests nor a clock that runs ahead makes
 * states old.
 */
void retention_apply(const struct retention *rt, struct retention_item *items,
	size_t n, int64_t now_ns);

/* The beginning of the period that a time lies in, for comparing. */
int64_t retention_period_of(
	enum retention_period p, int64_t time_ns, bool local_time);
/* "hourly"; a static string. */
const char *retention_period_name(enum retention_period p);
/* The i-th of a state's reasons in one word or two ("last", "pinned",
 * "within a time, daily"), or NULL: it has no more. */
const char *retention_reason(uint32_t why, unsigned i);
/* All of them, with commas between. */
const char *retention_reasons(char out[RETENTION_REASONS_MAX], uint32_t why);

#endif
