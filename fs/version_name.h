/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a version is called in a directory: the name of the first snapshot that
 * has it and, of a file, the ending of the file's own name, so that programs
 * which go by it open it (2026-11-20T10-32-15Z.odt).  The rest of the name is
 * not in it, so it is never too long.
 */
#ifndef YORE_FS_VERSION_NAME_H
#define YORE_FS_VERSION_NAME_H

#include "repo/history.h"

#define VERSION_NAME_SIZE 64
#define VERSION_ENDING_MAX 20 /* with its dot; ".tar.gz" is one */

/* The ending of a path's last name, which may be "": letters and digits behind
 * the last dot, not of a hidden file's first one.  Points into path. */
const char *version_name_ending(const char *path);

void version_name_print(char out[VERSION_NAME_SIZE],
	const struct history_point *p, const struct view_attr *attr,
	const char *path);

/*
 * The snapshot's name that such a name begins with, to out; false: it cannot
 * be one.  What is the snapshot's name alone will do, too.
 */
bool version_name_parse(const char *name, const char *path,
	char out[HISTORY_TIME_MAX + 1]);

#endif
