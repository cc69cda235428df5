/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What part of the namespace the root of a mount is. */
#ifndef YORE_FS_ROOT_H
#define YORE_FS_ROOT_H

#include "fs/mount.h"

/*
 * Set m->root, m->root_at and m->scope for an address: SOURCE its directory,
 * SOURCE@TIME a tree, SOURCE@TIME:PATH a directory in it; NULL everything.
 * A TIME is resolved once.  -ENOENT no such source, time or path, -ENOTDIR
 * the path is no directory, -EINVAL no address, and errors of reading.
 */
int root_resolve(struct mount *m, const char *address, struct err *e);

#endif
