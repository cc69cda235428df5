/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening files of a directory store: never outside its root, never through a
 * symbolic link, whatever somebody put there.
 */
#ifndef YORE_STORE_BENEATH_H
#define YORE_STORE_BENEATH_H

#include "repo/base/err.h"

/*
 * openat2 below the directory root with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
 * and O_CLOEXEC; flags must not create.  A descriptor, or -errno and a sentence
 * that names path: -ENOENT, -ELOOP a symbolic link, -ENOSYS a kernel before
 * Linux 5.6.
 */
int beneath_open(int root, const char *path, int flags, struct err *e);

/* The same for what must be a regular file: anything else is -EUCLEAN. */
int beneath_open_file(int root, const char *path, int flags, struct err *e);

#endif
