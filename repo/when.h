/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time expressions: what people type after at/ and '@'.
 *
 *   2026-11-20T10-32-15Z  2026-11-20T10-32-15.123Z     as the mount prints
 *   2026-11-20T10:32:15Z  ...+01:00  ...10:32 (no zone: local)     RFC 3339
 *   2026-11-20             the end of that day, local time
 *   10:32  10:32:15        the last time the clock said so, local time
 *   now  today  yesterday  today is now; yesterday is the end of that day
 *   30s 15m 2h 3d 2w 6mo 1y   and 2h-ago   that long ago
 *   @1700000000  @1700000000.5             seconds since 1970
 *
 * Local times that a change of clocks skipped stand for the last moment before
 * it; of those that came twice the later is meant.  Months and years keep the
 * local time of day, or the last day of a shorter month; a day is 24 hours.
 *
 * A form with less precision than nanoseconds stands for the end of its unit
 * (10:32 is 10:32:59.999999999), so that a snapshot made within it is found.
 */
#ifndef YORE_WHEN_H
#define YORE_WHEN_H

#include <stdint.h>

/*
 * Resolve text against now_ns (ns since 1970) in the process's local time
 * zone.  Stores the moment in *t_ns; 0, or -EINVAL for anything else.
 * "latest" is not a time and is refused here.
 */
int when_parse(const char *text, int64_t now_ns, int64_t *t_ns);

/* As when_parse; the zone-free forms that need "now" answer true: their
 * meaning changes as time goes by. */
int when_parse_moving(const char *text, int64_t now_ns, int64_t *t_ns,
	int *moving);

#endif
