/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a database is sound, as SQLite's own integrity_check says: for
 * formats whose snapshots may be torn and carry no sum.  SQLite reads through a
 * file system of ours that cannot write, in 4 MiB of memory and its page cache,
 * with what a hostile schema could call switched off.
 */
#ifndef YORE_FOREIGN_INTEGRITY_H
#define YORE_FOREIGN_INTEGRITY_H

#include "repo/sqlite/database_view.h"

/* 0; -EUCLEAN and what SQLite found first; -EINTR (cancel_current), or why d
 * could not be read. */
int integrity_check(struct database *d, struct err *e);

#endif
