/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first 100 bytes of an SQLite database (sqlite.org/fileformat2.html, "The
 * Database Header"), decoded from memory: no I/O, any bytes.
 */
#ifndef YORE_SQLITE_HEADER_H
#define YORE_SQLITE_HEADER_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/base/err.h"

#define SQLITE_HEADER_LEN 100
/* Where the file format's write and read versions are: 1 rollback journal, 2
 * write-ahead log. */
#define SQLITE_HEADER_VERSIONS_AT 18
/* The byte range that processes lock, and the page it lies in: never written,
 * no part of the content. */
#define SQLITE_LOCK_BYTE 0x40000000u

struct sqlite_header {
	uint32_t page_size; /* a power of two, 512 to 65536 (coded as 1) */
	bool wal;	    /* both versions are 2 */
	uint32_t changes;   /* one more with each change; does not move with
			     * commits to a write-ahead log */
	uint32_t pages;	    /* 0: not known (written by SQLite before 3.7) */
};

/* -EUCLEAN: no database, or none of a version this knows. */
int sqlite_header_decode(const uint8_t in[SQLITE_HEADER_LEN],
	struct sqlite_header *h, struct err *e);

/* Number of the page that the lock bytes lie in. */
static inline uint32_t
sqlite_lock_page(uint32_t page_size)
{
	return SQLITE_LOCK_BYTE / page_size + 1;
}

#endif
