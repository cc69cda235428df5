/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replicas of zlayer-storage: an SQLite database in snapshots and whole
 * write-ahead logs (zlayer_roll.h).
 *
 * Each snapshot is one, with its stamp for an id, and begins a generation. Each
 * log that can be proved to follow a snapshot (zlayer_proof.h) is a moment of
 * that generation: id STAMP-NUMBER, at the time when it was written.  A
 * snapshot that is not sound is listed, but opening it fails.
 *
 * All logs, applied or not, are the source NAME.wal: a snapshot each, with the
 * id wal-NUMBER, of one file, which is the object as it lies in the store.
 */
#ifndef YORE_FOREIGN_ZLAYER_H
#define YORE_FOREIGN_ZLAYER_H

#include "repo/foreign/foreign.h"

extern const struct foreign_format zlayer_format;

#endif
