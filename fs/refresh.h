/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that asks the history for news, at intervals and when kicked, and
 * tells the kernel which of the names it remembers have changed.  It also
 * unmounts when nobody has asked anything for long.
 */
#ifndef YORE_FS_REFRESH_H
#define YORE_FS_REFRESH_H

#include "fs/mount.h"

struct refresh;

/* Start the thread. */
struct refresh *refresh_start(struct mount *m);
/* Refresh now. */
void refresh_kick(struct refresh *r);
/* End the thread and free r; waits for a refresh in progress. */
void refresh_stop(struct refresh *r);

#endif
