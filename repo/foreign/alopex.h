/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups of alopex: ROOT/.lifecycle/backup/ts-SECONDS/ holds a copy of the
 * data directory ROOT and snapshot.manifest, which has size and CRC-32 of every
 * file; ROOT/.lifecycle/backup/latest the path, on the machine where it was
 * made, of the newest that alopex found good.
 *
 * Each is a snapshot with the id ts-SECONDS.  Those that alopex did not finish
 * (no manifest, or newer than the one that latest names) are not among the
 * source's but among those of NAME.unfinished, so that no time of NAME leads to
 * them.  Only the last part of what latest says counts: the directory may have been
 * moved.  That snapshot has the tag `latest`.
 *
 * What a view shows of a file against the manifest, in user.yore.state:
 *   ok            its sum was right (each file of a good backup, once read)
 *   unverified    its sum has not been looked at so far
 *   missing       in the manifest only: listed, mode 0, reading is EIO
 *   size-differs  likewise, though something is there
 *   crc-differs   reading is EIO, since its sum was looked at
 *   unlisted      not in the manifest: sticky bit set
 *   manifest      the manifest itself
 * user.yore.unverified is 1 for what no sum vouches for, so far or ever, and
 * missing for all else.  What lies below a name .lifecycle is no part of a
 * backup and not shown.
 */
#ifndef YORE_FOREIGN_ALOPEX_H
#define YORE_FOREIGN_ALOPEX_H

#include "repo/foreign/stem.h"

/* Where the backups of a data directory are, below its root. */
#define ALOPEX_BACKUPS ".lifecycle/backup/"

/*
 * Recognises a directory that has ALOPEX_BACKUPS, and one that was moved from
 * there.  Opening asks for one LIST a root and a GET of latest, and nothing
 * else before a snapshot is opened: a LIST and a GET of its manifest.
 */
extern const struct foreign_format alopex_format;

/* The seconds of "ts-SECONDS"; false: it is none. */
bool alopex_parse_name(const char *name, size_t len, uint64_t *seconds);

#endif
