/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zstd as others wrote it, from hostile bytes (repo/crypto/seal.c has what
 * yore itself packs).  An object is one frame: skippable frames and those of
 * a dictionary are refused, what follows the end is for the caller to refuse.
 */
#ifndef YORE_FOREIGN_ZSTD_H
#define YORE_FOREIGN_ZSTD_H

#include <stddef.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

/* One frame, decoded as it comes, whatever its length: memory for its window,
 * which is refused beyond 2^27 bytes, the most that `zstd --ultra` makes. */
struct zstd_stream;

struct zstd_stream *zstd_stream_new(void);
void zstd_stream_free(struct zstd_stream *s);

/*
 * Take at most *in_len bytes of the frame and give at most *out_len of its
 * content; both are set to what was taken and given.  1: the frame has ended
 * (and its sum is right, where it has one); do not call it again.  0: there is
 * more, of the one or the other; nothing taken and nothing given, though there
 * were bytes and room for some, does not happen.  -EBADMSG.
 */
int zstd_stream_decode(struct zstd_stream *s, const void *in, size_t *in_len,
	void *out, size_t *out_len, struct err *e);

#define auto_zstd_stream AUTO(zstd_stream_auto_)
static inline void
zstd_stream_auto_(struct zstd_stream **s)
{
	zstd_stream_free(*s);
}

#endif
