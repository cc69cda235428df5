/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moments in the virtual directories: points/ of a generation, which lists the
 * days that have some, its days, which list their times, and what at/ and
 * `latest` lead to.
 *
 * There may be far more moments than a mount should remember, so they are
 * listed by name only, straight from the history; a node is made of what is
 * looked up.  Positions in a listing follow the times, so that moments that
 * come meanwhile change none.
 */
#ifndef YORE_FS_TREE_MOMENTS_H
#define YORE_FS_TREE_MOMENTS_H

#include "fs/tree.h"

/* Does a source have moments that its snapshots do not tell? */
bool tree_moments_of(const struct picture *p, size_t source);

/* Have child lead to a moment that the picture's history told. */
void tree_moments_describe(const struct picture *p,
	const struct history_point *moment, struct tree_child *child);

/*
 * Have child lead to the newest moment of a source not later than t_ns.
 * moving: what t_ns stands for changes as time goes by.  Sources without
 * moments are answered from the listing.
 */
int tree_moments_find_at(const struct picture *p, size_t source, int64_t t_ns,
	bool moving, struct tree_child *child, struct err *e);

/* A name in points/ or in a day of it. */
int tree_moments_find(const struct picture *p, const struct node *dir,
	const char *name, struct tree_child *child, struct err *e);
int tree_moments_list(const struct picture *p, const struct node *dir,
	uint64_t from, tree_each *each, void *ctx, struct err *e);

#endif
