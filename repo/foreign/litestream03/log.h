/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The write-ahead logs of a replica, decoded.  A log's segments are fetched and
 * decoded once: what is known of its frames is kept as one object, its pages as
 * another of pieces; where it has grown, only what is new is fetched.  Nothing
 * is believed before every sum has been verified from the log's header to the
 * segment's end and each segment was seen to begin where the one before it
 * ends.
 */
#ifndef YORE_FOREIGN_LITESTREAM03_LOG_H
#define YORE_FOREIGN_LITESTREAM03_LOG_H

#include "repo/foreign/litestream03/replica.h"
#include "repo/sqlite/wal.h"

/* A log of more frames is refused: 12 MiB of numbers. */
#define LS03_FRAMES_MAX (3u << 19)

struct ls03_frame {
	uint32_t pgno;
	uint32_t commit_pages; /* 0: not the last one of a commit */
};

/* A segment that was decoded, and where its log was then. */
struct ls03_decoded {
	uint64_t off, size; /* of its object, as in the listing */
	int64_t written_ns;
	size_t end; /* frames of the log up to it */
	struct wal_scan after;
};

/* One log, from its first segment up to some segment. */
struct ls03_log {
	uint32_t page_size;
	size_t first; /* of the timeline's segments */
	struct ls03_decoded *segments;
	size_t n_segments;
	struct ls03_frame *frames;
	size_t n_frames, cap;
};

/*
 * Load the segments of an index up to (without) segment number `end` of the
 * timeline.  -EUCLEAN segments are missing or do not follow each other,
 * -EBADMSG one is damaged, -ESTALE removed, -EPROTONOSUPPORT encrypted, -EFBIG
 * too many frames, -EINTR, or why the store gave up.
 */
int ls03_log_load(struct ls03 *r, const struct ls03_timeline *t, uint32_t index,
	size_t end, struct ls03_log *log, struct err *e);
void ls03_log_release(struct ls03_log *log);
/* Load those from `first` to before `last`, several at a time, so that they are
 * kept; ends early when one cannot be loaded, without an error. */
void ls03_log_load_ahead(struct ls03 *r, const struct ls03_timeline *t,
	uint32_t first, uint32_t last);

/* Number of frames of the log before segment number `segment`. */
size_t ls03_log_frames_before(const struct ls03_log *log, size_t segment);
/* The number of the segment that a frame of the log is in. */
size_t ls03_log_segment(const struct ls03_log *log, size_t frame);

/* Frame number `frame` of a log, which is in segment number `segment` of the
 * timeline: its page into buf (page_size bytes of room).  Decodes the log up to
 * that again, if it is not kept any more. */
int ls03_log_page(struct ls03 *r, const struct ls03_timeline *t, size_t segment,
	uint32_t frame, uint32_t page_size, void *buf, struct err *e);

#define auto_ls03_log AUTO(ls03_log_release)

#endif
