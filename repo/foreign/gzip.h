/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gzip as others wrote it, from hostile bytes: all of zlib.  An object is one
 * member; what follows its end is for the caller to refuse.
 */
#ifndef YORE_FOREIGN_GZIP_H
#define YORE_FOREIGN_GZIP_H

#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

/* One member, decoded as it comes, whatever its length, in 44 KiB of memory.
 * What it gave before its end may be wrong, because the sum comes last. */
struct gzip_stream;

/* zlib is there; a stream asks that for itself. */
int gzip_load(struct err *e);

struct gzip_stream *gzip_stream_new(void);
void gzip_stream_free(struct gzip_stream *s);

/*
 * Take at most *in_len bytes of the member and give at most *out_len of its
 * content; both are set to what was taken and given.  1: the member has ended,
 * its sum and length are right; do not call it again.  0: there is more, of
 * the one or the other; nothing taken and nothing given, though there were
 * bytes and room for some, does not happen.  -EBADMSG, -ELIBACC.
 */
int gzip_stream_decode(struct gzip_stream *s, const void *in, size_t *in_len,
	void *out, size_t *out_len, struct err *e);

/* CRC-32 (IEEE 802.3) of what had the sum crc (0: nothing yet) and len more
 * bytes.  After gzip_load. */
uint32_t gzip_crc32(uint32_t crc, const void *data, size_t len);

#define auto_gzip_stream AUTO(gzip_stream_auto_)
static inline void
gzip_stream_auto_(struct gzip_stream **s)
{
	gzip_stream_free(*s);
}

#endif
