/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which points of a database stay when its past is thinned: a decision about
 * times, without I/O, that never looks at a clock.
 */
#ifndef YORE_UPKEEP_THIN_RULES_H
#define YORE_UPKEEP_THIN_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/base/err.h"

#define THIN_RULES_MAX 16
/* Every second for a day, every minute for a week, every hour for a month;
 * then snapshots. */
#define THIN_RULES_DEFAULT "1s:1d,1m:7d,1h:30d"

/* Of points at most within_ns old the newest of each period of every_ns, by
 * UTC; 0: all of them. */
struct thin_rule {
	int64_t every_ns;
	int64_t within_ns; /* INT64_MAX: however old */
};

/* A point stays if one of them holds it. */
struct thin_rules {
	struct thin_rule rule[THIN_RULES_MAX];
	unsigned n;
};

/*
 * EVERY:WITHIN[,...], lengths of time as 90s, 1m, 12h, 7d, 4w or 1y, or "all".
 * "none" is no rule: nothing but snapshots stays.  -EINVAL.
 */
int thin_rules_parse(
	const char *text, struct thin_rules *rules, struct err *e);

/* Whether the point at t_ns stays; next_ns is the time of the point after it in
 * its stretch, not before t_ns, or NULL: it is the last. */
bool thin_rules_hold(const struct thin_rules *rules, int64_t now_ns,
	int64_t t_ns, const int64_t *next_ns);

#endif
