/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One path in one snapshot, and two of those compared; private to repo/versions. */
#ifndef YORE_VERSIONS_LOOK_H
#define YORE_VERSIONS_LOOK_H

#include "repo/versions/versions.h"

/* The view of a snapshot, by its number in the source; *view is given. */
int versions_open_view(const struct versions_query *q, uint32_t point,
	struct view **view, struct err *e);

/*
 * The state of a directory on the way, of the same snapshot, if one is
 * remembered, to s: returns how much of the path leads there, with the '/'
 * behind it; 0: none.  And remember that of the first len bytes.
 */
size_t versions_recall_way(
	const struct versions_query *q, struct versions_state *s);
void versions_keep_way(const struct versions_query *q,
	const struct versions_state *s, size_t len);

/* Fill s, of snapshot s->point, in; attr.mode is 0 when nothing is there. */
int look_at(const struct versions_query *q, struct versions_state *s,
	struct err *e);

/*
 * Whether two states, of which something is there, are the same.  Opens their
 * views unless the states say so.
 */
int versions_alike(const struct versions_query *q, const struct versions_state *a,
	const struct versions_state *b, bool *alike, struct err *e);

/* Whether nothing can have happened to the path between two snapshots. */
bool look_same_way(
	const struct versions_state *a, const struct versions_state *b);

#endif
