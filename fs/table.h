/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's table of mounts, /proc/self/mountinfo. */
#ifndef YORE_FS_TABLE_H
#define YORE_FS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Is the topmost mount at path one of yore's? */
bool table_is_yore(const char *path);
/* Write MAJOR:MINOR of the topmost mount at path to out; false: none there. */
bool table_device(const char *path, char *out, size_t size);

#endif
