/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listings (repo/history.h) of what others wrote, made of the points that a
 * format has found: sorts and names them, and gives each a key that it keeps
 * from one listing to the next.
 */
#ifndef YORE_FOREIGN_POINTS_H
#define YORE_FOREIGN_POINTS_H

#include "repo/history.h"

struct points; /* being collected */

struct points *points_new(void);
void points_free(struct points *p);

/* A source; what follows is of it.  Both strings are copied.  A name that is
 * taken already gets "-2" behind it, the next "-3". */
void points_source(struct points *p, const char *host, const char *name,
	enum history_kind kind);

struct points_item {
	const char *id; /* unique in its source; copied, as tag */
	int64_t time_ns;
	uint64_t seq;
	bool begins; /* a generation; the first of a source does anyway */
	bool damaged;
	const char *tag; /* or NULL */
	struct view_attr root;
	struct view_totals totals;
};
/* A point of the source, in any order; seq is unique in it. */
void points_add(struct points *p, const struct points_item *item);

/*
 * The listing, to be given up by the caller, of what was collected; sources
 * without points are left out.  before (may be NULL) is the one that it
 * follows: returned, with one more reference, when nothing has changed.
 */
struct history_listing *points_listing(
	const struct points *p, struct history_listing *before);

#define auto_points AUTO(points_auto_)
static inline void
points_auto_(struct points **p)
{
	points_free(*p);
}

#endif
