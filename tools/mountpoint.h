/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says is mounted. */
#ifndef YORE_TOOLS_MOUNTPOINT_H
#define YORE_TOOLS_MOUNTPOINT_H

#include <stddef.h>

/*
 * How many mounts lie at path (absolute, without symlinks and trailing '/')
 * when the topmost is one of yore, else 0.  Reads /proc/self/mountinfo and
 * never touches the mount, so a hung one does not hang the caller.
 */
unsigned mountpoint_depth(const char *path);

/* "bash (1234), vim (99)": who uses what is mounted there, as far as that may
 * be seen; "" when nobody is found.  Given. */
char *mountpoint_users(const char *path);

/*
 * Descriptors (pidfd_open(2)) of at most n programs that serve what is mounted
 * at path, more than one where mounts lie on each other; how many.  Read from
 * their arguments: one that was started by hand with another path to it, a
 * relative one say, is not found.
 */
size_t mountpoint_daemons(const char *path, int *fds, size_t n);

/* The absolute path of a mountpoint, found without touching what is mounted
 * on it; given, NULL when its parent does not exist. */
char *mountpoint_path(const char *path);

#endif
