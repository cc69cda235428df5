/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Litestream 0.3: generations, each with snapshots and logs cut into segments
 * (name.h).  A source a replica, of the kind HISTORY_DATABASE.
 *
 * Points are the snapshots, with ids GENERATION-snapshot-INDEX.  Moments are
 * also the ends of all segments, with ids GENERATION-INDEX-OFFSET, where offset
 * is that in the segment's name; of the last segment of a log that another log
 * follows, and of logs in one object, GENERATION-INDEX; of a log under way in
 * one object GENERATION-INDEX-SIZE.  Index and offset are hexadecimal, 8 digits
 * or more.  What GENERATION-INDEX asks for is the end of the last segment
 * of that log there is, whatever its own id; without any its snapshot.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_HISTORY_H
#define YORE_FOREIGN_LITESTREAM03_HISTORY_H

#include "repo/foreign/foreign.h"

extern const struct foreign_format litestream03;

#endif
