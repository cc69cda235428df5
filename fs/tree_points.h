/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual directories that list snapshots: snapshots/ of a source and of a
 * generation, a tag's source, by-id/ (where moments are found too).
 *
 * Positions in them follow the sequence numbers, so that a refresh in the
 * middle of a listing loses nothing.
 */
#ifndef YORE_FS_TREE_POINTS_H
#define YORE_FS_TREE_POINTS_H

#include "fs/tree.h"

/* Can it be the name of a directory entry? */
bool tree_points_is_component(const char *name);
/* The source that a directory belongs to, or HISTORY_NONE (none, or gone). */
size_t tree_points_source(const struct picture *p, const struct node *dir);
/* Index of a source's generation by name, or HISTORY_NONE. */
size_t tree_points_generation(
	const struct picture *p, size_t source, const char *name);
/* The newest of the points that a directory lists, or HISTORY_NONE. */
size_t tree_points_newest(const struct picture *p, const struct node *dir);

void tree_points_list(const struct picture *p, const struct node *dir,
	uint64_t from, tree_each *each, void *ctx);

/* Position after a point; bounded, so that it only grows. */
uint64_t tree_points_after(const struct history_point *pt);

/* A name in a list of points, and in by-id/. */
int tree_points_find(const struct picture *p, const struct node *dir,
	const char *name, struct tree_child *child);
int tree_points_find_id(const struct picture *p, const char *name,
	struct tree_child *child, struct err *e);

#endif
