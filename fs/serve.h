/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of a running mount: those that answer the kernel, one that
 * waits for signals, one that refreshes.
 */
#ifndef YORE_FS_SERVE_H
#define YORE_FS_SERVE_H

#include <signal.h>
#include "fs/mount.h"

/* Block the signals that serve_until_told takes; before any thread starts. */
void serve_block_signals(sigset_t *old);

/*
 * Answer until the mount is gone, or SIGTERM or SIGINT; SIGHUP refreshes.
 * Requests that the store keeps waiting do not hold up the end for more than
 * SERVE_PATIENCE_S: then the mount is detached and the process exits with 0.
 */
#define SERVE_PATIENCE_S 5
int serve_until_told(struct mount *m);

#endif
