/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store in a local directory: one file an object, at the object's name.
 *
 * Writing: a temporary file tmp/<random> in the store's root (open file
 * descriptors relative to it), write, fsync, linkat to the final name (which
 * fails when it is taken), unlink, fsync of the directories involved.  Nothing
 * half-written ever has a final name; what a crash leaves in tmp/ older than a
 * day is removed by the next sink_directory_open.
 *
 * Reading: openat below the root with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
 * pread; recently used descriptors are kept open (at most 64).
 */
#ifndef YORE_STORE_DIRECTORY_H
#define YORE_STORE_DIRECTORY_H

#include "repo/store/store.h"

int store_directory_open(const char *path, struct store **s, struct err *e);
int sink_directory_open(const char *path, bool create, struct sink **s,
	struct err *e);

#endif
