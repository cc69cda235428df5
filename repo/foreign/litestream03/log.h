/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The write-ahead logs of a replica, decoded.  Each segment is fetched and
 * decoded once: its frames' numbers are kept as one object, its pages as
 * another of pieces.  Nothing is believed before every sum has been verified
 * from the log's header to the segment's end and each segment was seen to begin
 * where the one before it ends.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_LOG_H
#define YORE_FOREIGN_LITESTREAM03_LOG_H

#include "repo/foreign/litestream03/replica.h"
#include "repo/sqlite/wal.h"

/* A log of more frames is refused: 16 MiB of numbers. */
#define LS03_FRAMES_MAX (2u << 20)

struct ls03_frame {
	uint32_t pgno;
	uint32_t commit_pages; /* 0: not the last one of a commit */
};

/* The frames of one index, from its first segment up to some segment. */
struct ls03_log {
	uint32_t page_size;
	size_t first, end; /* of the timeline's segments */
	size_t *begin;	   /* of each: its first frame; and behind the last */
	struct wal_scan *before; /* of each: where its log was then (not of
				  * the first) */
	struct ls03_frame *frames;
	size_t n_frames;
};

/*
 * Load the segments of an index up to (without) segment number `end` of the
 * timeline.  -EUCLEAN segments are missing or do not follow each other,
 * -EBADMSG one is damaged, -ESTALE removed, -EPROTONOSUPPORT encrypted, -EINTR,
 * or why the store gave up.
 */
int ls03_log_load(struct ls03 *r, const struct ls03_timeline *t, uint32_t index,
	size_t end, struct ls03_log *log, struct err *e);
void ls03_log_release(struct ls03_log *log);

/* The number of the segment that a frame of the log is in. */
size_t ls03_log_segment(const struct ls03_log *log, size_t frame);

/* Frame number `frame` of segment number `segment` of a timeline: its page into
 * buf (page_size bytes of room).  Decodes the segment again, and what is before
 * it, if it is not kept any more. */
int ls03_log_page(struct ls03 *r, const struct ls03_timeline *t, size_t segment,
	uint32_t frame, uint32_t page_size, void *buf, struct err *e);

#define auto_ls03_log AUTO(ls03_log_release)

#endif
