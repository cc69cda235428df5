/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a -r argument names. */
#ifndef YORE_STORE_LOCATION_H
#define YORE_STORE_LOCATION_H

#include "repo/base/err.h"

/*
 * Set *path to the local directory that repo names, a pointer into repo.
 * -EINVAL for nonsense.
 */
int location_directory(const char *repo, const char **path, struct err *e);

#endif
