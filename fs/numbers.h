/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inode numbers as users see them (st_ino): unique in the mount and the same
 * after a remount, though nothing is remembered.  They follow from what a file
 * is, so a file seen at two virtual paths has one number.
 *
 *   0 | key 24 | ino 39, plus 1     a file of a snapshot
 *   10 | hash 62                    a virtual node, by its path
 *   11 | source 12 | key 48 | ino 2  a file of a moment
 *
 * A moment's key is unique in its source only.  The two fields before ino are
 * a hash of the source's name, of which 48 bits are xored to the key: within a
 * source no two moments share a number, and those of two sources do no sooner
 * than two hashes of 60 bits.  ino is the view's inode as it stands up to 2,
 * which is all that a database has; 3 means that the 60 bits before it are a
 * hash of what they else were and the view's inode.
 */
#ifndef YORE_FS_NUMBERS_H
#define YORE_FS_NUMBERS_H

#include "repo/history.h"

/*
 * What a point is known by in the whole mount, from which the numbers of its
 * files are made: of a snapshot its key, of a moment that is none a number
 * with bit 63 set.
 */
uint64_t numbers_of_snapshot(const struct history_point *p);
uint64_t numbers_of_moment(
	const struct history_source *s, const struct history_point *p);

/* The inode number of a view's inode; never 0. */
uint64_t numbers_inode(uint64_t point, uint64_t ino);
/* That of a virtual node: of its parent's (0: it has none) and its name. */
uint64_t numbers_virtual(uint64_t parent, const char *name);

#endif
