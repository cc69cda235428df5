/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Write-ahead logs made by hand, and genuine ones with other sums. */
#ifndef YORE_TESTS_WAL_FIXTURE_H
#define YORE_TESTS_WAL_FIXTURE_H

#include "repo/base/buf.h"
#include "repo/sqlite/wal.h"

struct wal_made {
	struct buf bytes;
	uint32_t page_size;
	uint32_t salt[2];
	bool big_endian;
	uint32_t sum[2];
};

/* The header of a new log. */
void wal_made_begin(
	struct wal_made *w, uint32_t page_size, bool big_endian, uint32_t salt);
/* A frame whose page is filled with fill. */
void wal_made_frame(
	struct wal_made *w, uint32_t pgno, uint32_t commit_pages, uint8_t fill);
/* Write the sums of a log anew, in the other byte order or its own, as far as
 * its frames carry its salts.  Works in place on a log that is in memory. */
void wal_convert(uint8_t *log, size_t len, bool big_endian);

#endif
