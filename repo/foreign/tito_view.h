/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The view of a tito store at a point: a file for each key (tito_path.h), which
 * holds the value as it stands in the backup.  Node numbers are ranks in the
 * state's table, plus one.
 */
#ifndef YORE_FOREIGN_TITO_VIEW_H
#define YORE_FOREIGN_TITO_VIEW_H

#include "repo/foreign/stem.h"
#include "repo/foreign/tito_roll.h"

/* label is copied; stem and roll are kept until the view is gone. */
int tito_view_open(struct stem *stem, struct tito_roll *roll, size_t point,
	const char *label, struct view **view, struct err *e);

#endif
