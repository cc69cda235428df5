/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unmounting by path, as root or with the help of fusermount3. */
#ifndef YORE_FS_DETACH_H
#define YORE_FS_DETACH_H

/* Unmount unless something uses it; 0, or -EBUSY and others. */
int detach_if_unused(const char *mountpoint);
/* Take it out of sight now, whoever uses it. */
int detach_lazily(const char *mountpoint);

#endif
