/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Unix socket that answers what .yore/metrics says, for collectors that come
 * from outside the mount and must not hang with it:
 *
 *	curl --unix-socket PATH http://yore/metrics
 *
 * GET /metrics and /metrics.json, one request a connection, one at a time; who
 * does not ask within two seconds is sent away.
 */
#ifndef YORE_FS_METRICS_SOCKET_H
#define YORE_FS_METRICS_SOCKET_H

#include "fs/mount.h"

struct metrics_socket;

/*
 * Listen at a path (0600); what is left there of a mount that is gone is
 * replaced.  *ms is given.  -EADDRINUSE somebody answers there, or it is no
 * socket; -errno.
 */
int metrics_socket_open(
	const char *path, struct metrics_socket **ms, struct err *e);
/* Answer about m, which must outlive it, in a thread of its own. */
int metrics_socket_serve(
	struct metrics_socket *ms, struct mount *m, struct err *e);
/* Stop, and remove the path.  NULL is allowed. */
void metrics_socket_close(struct metrics_socket *ms);

#define auto_metrics_socket AUTO(metrics_socket_auto_)
static inline void
metrics_socket_auto_(struct metrics_socket **ms)
{
	metrics_socket_close(*ms);
}

#endif
