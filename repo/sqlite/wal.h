/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SQLite's write-ahead log, decoded from memory: no I/O, no allocation, any
 * bytes.  (sqlite.org/fileformat2.html, "The Write-Ahead Log".)
 *
 * A log is a header and then frames, each a page and 24 bytes before it.  Two
 * things make a frame part of the log: it carries the header's salts, and the
 * sum it carries is that of the header and of all frames up to it.  Frames of
 * an older log follow in the same file once SQLite has begun anew at its start;
 * so where frames cease to verify a live log ends.  What counts are frames up
 * to the last commit frame; those behind it are of a transaction under way or
 * rolled back.
 */
#ifndef YORE_SQLITE_WAL_H
#define YORE_SQLITE_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"

#define WAL_HEADER_LEN 32
#define WAL_FRAME_HEADER_LEN 24
#define WAL_PAGE_SIZE_MIN 512
#define WAL_PAGE_SIZE_MAX 65536

struct wal_header {
	uint32_t page_size;	 /* a power of two, 512 to 65536 */
	uint32_t checkpoint_seq; /* one more each time the log begins anew */
	uint32_t salt[2];	 /* the first one more too, the second random */
	bool big_endian_sums; /* byte order of the words that sums are over */
	uint32_t sum[2];      /* of the header */
};

struct wal_frame {
	uint32_t pgno; /* not 0; may lie beyond the end of the database */
	uint32_t commit_pages; /* pages of the database after this commit; 0:
				* not a commit frame */
	uint32_t salt[2];
	uint32_t sum[2]; /* of the log up to and with this frame */
};

/* -EUCLEAN not a log, or not of the one version there is (SQLite takes no
 * notice of such a log); -EBADMSG the sum does not verify (nor of this). */
int wal_header_decode(
	const uint8_t in[WAL_HEADER_LEN], struct wal_header *h, struct err *e);

/* Where one is in a log: from the header on, or from any frame whose sum is
 * known.  Plain data, to be copied and kept. */
struct wal_scan {
	struct wal_header header;
	uint32_t sum[2]; /* of what lies before off */
	uint64_t off;	 /* in the file, of the next frame */
};

void wal_scan_init(struct wal_scan *s, const struct wal_header *h);

/* Bytes of a frame with its page. */
static inline size_t
wal_frame_len(const struct wal_header *h)
{
	return WAL_FRAME_HEADER_LEN + (size_t)h->page_size;
}

/*
 * Take the frame at s->off: wal_frame_len bytes, of which the page begins at
 * WAL_FRAME_HEADER_LEN.  0: *f is filled and s stands behind it.  Else s is as
 * it was and the log ends here: -EAGAIN the salts are not the header's (an
 * older log's frame, or none); -EBADMSG they are, but the sum is not, which in
 * a live log is a frame half written, in a finished one damage.
 */
int wal_scan_frame(struct wal_scan *s, const uint8_t *frame,
	struct wal_frame *f, struct err *e);

/* The fields of a frame without verifying anything, sum and all. */
void wal_frame_peek(
	const uint8_t in[WAL_FRAME_HEADER_LEN], struct wal_frame *f);

/*
 * Go on with a sum over len more bytes, a multiple of 8.  What a log's own
 * sums are made of; whoever writes one needs it too.
 */
void wal_sum(bool big_endian, const uint8_t *p, size_t len, uint32_t sum[2]);

#endif
