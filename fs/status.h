/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small files below .yore/: status for people, metrics for programs.  A
 * file is written when it is looked up and stays as it is while it is open.
 */
#ifndef YORE_FS_STATUS_H
#define YORE_FS_STATUS_H

#include "fs/mount.h"

/* The content of the file with that name; given, *len bytes. */
char *status_text(struct mount *m, const struct picture *p, const char *name,
	size_t *len);

#endif
