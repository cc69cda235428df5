/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view over a directory of this machine, so that a snapshot can be compared
 * with what is there now.  Unlike a real view it shows what it finds at the
 * moment of each call, and numbers nodes as it meets them.
 */
#ifndef YORE_TOOLS_LOCAL_VIEW_H
#define YORE_TOOLS_LOCAL_VIEW_H

#include "repo/view.h"

/* Open a directory; *v is given. */
int local_view_open(const char *path, struct view **v, struct err *e);

#endif
