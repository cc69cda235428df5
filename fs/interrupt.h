/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that waits for a slow store can be stopped: by SIGINT, SIGTERM,
 * SIGQUIT, SIGHUP, and whatever kills it.  The kernel tells the mount about any
 * signal, but a file on a disk is not interrupted by SIGCHLD, SIGWINCH or a
 * profiler's timer, and programs do not expect it: those are ignored.  As the
 * kernel tells of the first signal only, whoever had one that was ignored is
 * looked after until the request is answered.
 *
 * A thread that serves requests has a place of its own here, which outlives
 * it, because libfuse may still call back about a request that was answered.
 */
#ifndef YORE_FS_INTERRUPT_H
#define YORE_FS_INTERRUPT_H

#include <fuse_lowlevel.h>

struct cancel;

/*
 * From here on what the calling thread waits for (cancel_current) ends with
 * -EINTR once the process that made the request is to stop.  Again
 * for the same request: nothing changes.  When there are more threads than
 * places some are not interrupted.
 */
void interrupt_begin(fuse_req_t req);
/* Before or after the request was answered. */
void interrupt_end(void);

#endif
