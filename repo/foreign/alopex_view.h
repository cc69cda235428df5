/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The view of one alopex backup, for alopex.c. */
#ifndef YORE_FOREIGN_ALOPEX_VIEW_H
#define YORE_FOREIGN_ALOPEX_VIEW_H

#include "repo/foreign/stem.h"

/* Files up to this are verified whole before a byte is served; of bigger ones
 * the sum is looked at beside reading, by a thread. */
#define ALOPEX_VERIFY_FIRST (64u << 20)

struct alopex_backup {
	const char *prefix; /* of its objects: ends in ts-SECONDS/ */
	const char *label;  /* for messages */
	int64_t time_ns;
	bool unfinished;
};

/* b's strings are copied; stem is kept until the view is gone.  -ESTALE there
 * is nothing; -EUCLEAN the manifest is none. */
int alopex_view_open(struct stem *stem, const struct alopex_backup *b,
	struct view **view, struct err *e);

#endif
