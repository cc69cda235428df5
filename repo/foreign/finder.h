/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replicas that were found at an address, opened as one history; those that
 * appear later, when that is refreshed.  Private to foreign.c.
 */
#ifndef YORE_FOREIGN_FINDER_H
#define YORE_FOREIGN_FINDER_H

#include "repo/foreign/look.h"

#define FINDER_FORMATS_MAX 16

/* What was found is kept under this name, so that it can be mounted offline:
 * format and prefix of each in a line of its own. */
#define FINDER_KEPT_NAME "replicas"
#define FINDER_KEPT_MAX (4u << 20)

/*
 * Open what was found (copied) of these formats (ends with NULL; copied); *h is
 * given.  Unless it is one replica at the root, a refresh of h looks for others
 * that have appeared below it: a LIST for each folder that is none, and not
 * every time if that has been more than FINDER_FOLDERS.
 */
#define FINDER_FOLDERS 64
int finder_open(struct foreign_place *place,
	const struct foreign_format *const *formats,
	const struct look_result *found, struct history **h, struct err *e);

#endif
