/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is this a place to mount on?  Asked before a key is derived, so that a slip
 * is reported at once.
 */
#ifndef YORE_FS_MOUNTPOINT_H
#define YORE_FS_MOUNTPOINT_H

#include "repo/base/err.h"

/*
 * Check a mountpoint; *absolute (given) is its path without symlinks.  The
 * sentence says what is wrong and what to do.  repo is the directory of a
 * local repository, or NULL: neither may lie inside the other.
 */
int mountpoint_check(
	const char *path, const char *repo, char **absolute, struct err *e);

/* Can FUSE file systems be mounted at all? */
int mountpoint_check_fuse(struct err *e);

#endif
