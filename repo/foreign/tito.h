/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups of tito 0.4.7: a key-value store in full backups and changelogs
 * (tito_roll.h).  Each stamp that a state follows from is a snapshot, its id
 * the stamp; each full backup begins a generation.  Keys are files
 * (tito_path.h); a value is the bytes it has in the backup.
 *
 * Full backups that tito did not finish are not among the source's snapshots
 * but among those of NAME.unfinished, each without changelogs.  The layout of
 * later versions is recognised and refused by name.
 */
#ifndef YORE_FOREIGN_TITO_H
#define YORE_FOREIGN_TITO_H

#include "repo/foreign/foreign.h"

extern const struct foreign_format tito_format;

#endif
