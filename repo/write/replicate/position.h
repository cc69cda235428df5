/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in the life of a database one is: a commit.  Everything needed to tell
 * later whether the database went on from there without a gap.
 */
#ifndef YORE_WRITE_REPLICATE_POSITION_H
#define YORE_WRITE_REPLICATE_POSITION_H

#include "repo/base/bytes.h"
#include "repo/sqlite/wal.h"

#define POSITION_LEN 64 /* bytes it encodes to */

struct position {
	uint64_t dev, ino; /* the database's file */
	uint32_t page_size;
	uint32_t pages;	  /* of the database */
	uint32_t salt[2]; /* of the log */
	uint32_t frames;  /* of the log up to the commit; 0: the log is empty
			   * and everything is in the database's file */
	uint32_t sum[2];  /* of the log up to there */
	bool big_endian;  /* sums of that log */
	/* When the database's file was last changed (st_ctim), if all of the
	 * log was in it by then; else 0. */
	int64_t copied_ns;
	int64_t time_ns; /* wall clock at which it was seen */
};

/* Offset in the log behind so many frames. */
static inline uint64_t
position_off(uint32_t page_size, uint32_t frames)
{
	return WAL_HEADER_LEN +
	       (uint64_t)frames * (WAL_FRAME_HEADER_LEN + (uint64_t)page_size);
}

void position_encode(const struct position *p, struct buf *b);
/* The reader is bad afterwards when there was none. */
void position_decode(struct reader *r, struct position *p);

#endif
