/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One segment of a log, decoded as it comes from the store; for log.c. */
#ifndef YORE_FOREIGN_LITESTREAM03_SEGMENT_H
#define YORE_FOREIGN_LITESTREAM03_SEGMENT_H

#include "repo/base/buf.h"
#include "repo/foreign/litestream03/log.h"

struct ls03_segment {
	struct wal_scan before; /* off 0: it begins with the log's header */
	struct wal_scan after;
	struct ls03_frame *frames;
	size_t n_frames;
};

void ls03_segment_release(struct ls03_segment *s);
#define auto_ls03_segment AUTO(ls03_segment_release)

/* What is kept of a segment's frames, encoded and back.  -EUCLEAN. */
void ls03_segment_encode(const struct ls03_segment *s, struct buf *out);
int ls03_segment_decode(const uint8_t *in, size_t len, struct ls03_segment *s);

/* A page that is wanted of those that pass by; page NULL: none. */
struct ls03_wanted {
	uint32_t frame;
	uint8_t *page; /* page_size bytes of room */
};

/*
 * Fetch and decode a segment.  before: what its log was before it; NULL, of the
 * first one.  Its pages, one behind the other, are kept as `pages`.  *s is
 * given.
 */
int ls03_segment_read(struct ls03 *r, const char *object,
	const struct ls03_object *o, const struct wal_scan *before,
	const char *pages, struct ls03_wanted *wanted, struct ls03_segment *s,
	struct err *e);

#endif
