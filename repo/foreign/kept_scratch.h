/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of this process below $TMPDIR (/tmp), for kept.h.  It is locked
 * as long as the process lives, so that the next one that makes such a
 * directory knows which ones nobody will come back to, and removes them.
 */
#ifndef YORE_FOREIGN_KEPT_SCRATCH_H
#define YORE_FOREIGN_KEPT_SCRATCH_H

#include "repo/base/err.h"

struct kept_scratch {
	char *path; /* NULL: none */
	int lock;
};

/* -errno. */
int kept_scratch_make(struct kept_scratch *s, struct err *e);
/* Remove it with all that is in it. */
void kept_scratch_remove(struct kept_scratch *s);

#endif
