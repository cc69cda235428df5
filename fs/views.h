/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The views that are open: at most VIEWS_MAX, the least recently used is
 * closed first (its users keep their own reference).  A view is opened when
 * first asked for, by one thread while the others that want it wait.  Views
 * of points that have been removed are the last to go, because they cannot be
 * opened again.
 */
#ifndef YORE_FS_VIEWS_H
#define YORE_FS_VIEWS_H

#include "fs/nodes.h"
#include "fs/picture.h"

#define VIEWS_MAX 64

struct views;

/* Borrows the history. */
struct views *views_new(struct history *h);
void views_free(struct views *vs);

/*
 * The view of a slot's point; *view is given.  -ESTALE when the point is not
 * in the picture and not open, else errors of history_open.
 */
int views_open(struct views *vs, const struct picture *p,
	const struct node *slot, struct view **view, struct err *e);

/* Look again which open views belong to points that have been removed. */
void views_mark_removed(struct views *vs, const struct picture *p);
size_t views_count(struct views *vs);

#endif
