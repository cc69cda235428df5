/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a snapshot is what its name says.  Its own sum says only that it is
 * some snapshot; what the logs around it hold says whether it is that of its
 * index:
 *
 * - every page that the log before it wrote last is in it as it was written
 *   there, or as its own log wrote it later, since a log begins anew only when
 *   all of the one before has been moved to the database;
 * - it has no page that the log of a later snapshot begins with.  (With that
 *   write, to a table of its own, Litestream begins each log, and no two are
 *   the same.)
 *
 * The oldest snapshot has no log before it; instead it must not be of a later
 * state of its own log.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_VOUCH_H
#define YORE_FOREIGN_LITESTREAM03_VOUCH_H

#include "repo/foreign/litestream03/log.h"
#include "repo/foreign/litestream03/snapshot.h"

/* Of an opened snapshot; asked once, then what came of it is kept.  -EUCLEAN it
 * is not; -EINTR. */
int ls03_vouch(struct ls03 *r, const struct ls03_timeline *t,
	struct ls03_snapshot *s, struct err *e);

/* A page of the snapshot; *have is false behind its end. */
int ls03_snapshot_page(struct ls03_snapshot *s, uint32_t pgno,
	uint32_t page_size, uint8_t *page, bool *have, struct err *e);

#endif
