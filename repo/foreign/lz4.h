/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LZ4 as others wrote it, from hostile bytes: all of liblz4.  Blocks have no
 * sum; frames end with one of their content, which is verified where it is
 * there.  Frames with a dictionary, and the skippable ones, are refused.
 */
#ifndef YORE_FOREIGN_LZ4_H
#define YORE_FOREIGN_LZ4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

/* One block that holds exactly out_len bytes; -EBADMSG. */
int lz4_block(const void *in, size_t in_len, void *out, size_t out_len,
	struct err *e);

/*
 * One whole frame that holds exactly out_len bytes.  *used is its length in
 * the input; with NULL it must be all of that.  -EBADMSG it is not, is cut
 * off, or its sum does not verify.
 */
int lz4_frame(const void *in, size_t in_len, void *out, size_t out_len,
	size_t *used, struct err *e);

/*
 * One frame, decoded as it comes, whatever its length: holds two blocks at
 * most (4 MiB each).  What it gave before its end may be wrong, because the
 * sum comes last, so a frame without a sum is refused here.
 */
struct lz4_stream;

struct lz4_stream *lz4_stream_new(void);
void lz4_stream_free(struct lz4_stream *s);

/*
 * Take at most *in_len bytes of the frame and give at most *out_len of its
 * content; both are set to what was taken and given.  1: the frame has ended
 * and its sum is right; do not call it again.  0: there is more, of the one or
 * the other; nothing taken and nothing given, though there were bytes and room
 * for some, does not happen.  -EBADMSG.
 */
int lz4_stream_decode(struct lz4_stream *s, const void *in, size_t *in_len,
	void *out, size_t *out_len, struct err *e);

#define auto_lz4_stream AUTO(lz4_stream_auto_)
static inline void
lz4_stream_auto_(struct lz4_stream **s)
{
	lz4_stream_free(*s);
}

#endif
