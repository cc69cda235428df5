/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A remote store whose listings are kept (kept.h), and objects that were read
 * without their size being known (marks of a few bytes): so that what was found
 * there can be found again offline, when these are all the answers there are.
 * What they say may then be older than what else is kept; everything is
 * verified by those who read it, as ever.
 *
 * Online every question goes to the store.  Listings that were not heard to
 * their end, or of more than RECALL_LIST_MAX bytes, are not kept.
 */
#ifndef YORE_FOREIGN_RECALL_H
#define YORE_FOREIGN_RECALL_H

#include "repo/foreign/place.h"

#define RECALL_LIST_MAX (8u << 20)
#define RECALL_MARK_MAX (64u << 10)

/* The store of a place, which outlives it; s is taken over. */
struct store *recall_new(struct store *s, struct foreign_place *place);

#endif
