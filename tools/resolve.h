/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way in which names from a snapshot reach a file system: relative to
 * a directory that is already open, beneath it, through no symlink and no
 * magic link (openat2(2), Linux 5.6).
 */
#ifndef YORE_TOOLS_RESOLVE_H
#define YORE_TOOLS_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Open path beneath dir_fd (O_CLOEXEC is added).  Returns the descriptor or
 * -errno: -ELOOP where a symlink is on the way, -EXDEV where it leads out.
 */
int resolve_open(int dir_fd, const char *path, int flags, mode_t mode);

/* The same for a path of any length: it is gone through in stretches, each
 * beneath the one before. */
int resolve_open_path(int dir_fd, const char *path, int flags, mode_t mode);

/* Whether a name may become an entry: 1..255 bytes without '/' and NUL,
 * neither "." nor "..". */
bool resolve_name_ok(const char *name, size_t len);

/* The path by which /proc leads to what fd is open on.  Returns out. */
#define RESOLVE_PROC_MAX 32
const char *resolve_proc_path(char out[RESOLVE_PROC_MAX], int fd);

#endif
