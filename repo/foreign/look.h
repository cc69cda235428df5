/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking for replicas at the root of a store and in its folders; private to
 * foreign.c. */
#ifndef YORE_FOREIGN_LOOK_H
#define YORE_FOREIGN_LOOK_H

#include "repo/foreign/foreign.h"

/* How deep and how many folders are looked into, fewer while nothing at all
 * has been found. */
#define LOOK_DEPTH 8
#define LOOK_FOLDERS_MAX 10000
#define LOOK_FOLDERS_VAIN 1000
#define LOOK_NAMES_MAX 10000 /* of a folder */
#define LOOK_BELOW_MAX 1000  /* of one that a format asks for: a request */

struct look_found {
	const struct foreign_format *format;
	char *prefix;
};

struct look_result {
	struct look_found *found;
	size_t n;
	size_t n_folders; /* that were looked into: a LIST each, or more */
};

/* Look for replicas of these formats (ends with NULL), but not into those that
 * are known (may be NULL).  -errno when a listing failed. */
int look_for(struct store *s, const struct foreign_format *const *formats,
	const struct look_result *known, struct look_result *out,
	struct err *e);
void look_result_release(struct look_result *out);

#endif
