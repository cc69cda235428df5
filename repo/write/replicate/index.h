/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shared-memory index of a log in use (sqlite.org/walformat.html): how far
 * the log goes by the word of those who write it, and how much of it has been
 * copied into the database's file.  Read through a connection's own mapping;
 * the -shm file is never opened, since closing a descriptor of it would drop
 * the locks of the whole process.
 */
#ifndef YORE_WRITE_REPLICATE_INDEX_H
#define YORE_WRITE_REPLICATE_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/base/err.h"
#include "repo/base/sqlite.h"

struct wal_index {
	uint32_t page_size;
	uint32_t salt[2];
	uint32_t frames; /* valid and committed; what lies behind them in the
			  * file is nothing, whatever it looks like */
	uint32_t pages;	 /* of the database after the last of them */
	uint32_t sum[2]; /* up to the last of them */
	bool big_endian;
	uint32_t copied; /* frames that are in the database's file too */
};

/*
 * Read the index by way of db, which must be in a read transaction.  -EAGAIN
 * it is being changed all the time; -ENOTSUP not in WAL mode, or the index is
 * not shared (locking_mode=EXCLUSIVE).
 */
int wal_index_read(sqlite3 *db, struct wal_index *ix, struct err *e);

#endif
