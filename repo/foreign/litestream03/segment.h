/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One segment of a log, decoded as it comes from the store; for log.c. */
#ifndef YORE_FOREIGN_LITESTREAM03_SEGMENT_H
#define YORE_FOREIGN_LITESTREAM03_SEGMENT_H

#include "repo/foreign/litestream03/log.h"
#include "repo/foreign/litestream03/pager.h"

/*
 * Fetch and decode an object and append its frames to the log, which is of no
 * use any more when that fails.  before: where the log was before it; NULL: it
 * is the first.  *after is where the log is behind it.
 */
int ls03_segment_read(struct ls03 *r, const char *object,
	const struct ls03_object *o, const struct wal_scan *before,
	struct ls03_log *log, struct ls03_pager *pager, struct wal_scan *after,
	struct err *e);

#endif
