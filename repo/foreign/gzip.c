/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/gzip.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>
#include "repo/base/buf.h"
#include "repo/base/library.h"

#define WINDOW_GZIP_ONLY (MAX_WBITS + 16)

#define FUNCTIONS(F) F(inflateInit2_) F(inflate) F(inflateEnd) F(crc32_z)
LIBRARY(zlib, ZLIB_LIBRARY, FUNCTIONS);

struct gzip_stream {
	z_stream z;
	bool begun;
};

int
gzip_load(struct err *e)
{
	return library_load(&zlib_library, e);
}

struct gzip_stream *
gzip_stream_new(void)
{
	return xcalloc(1, sizeof(struct gzip_stream));
}

void
gzip_stream_free(struct gzip_stream *s)
{
	if (!s)
		return;
	if (s->begun)
		zlib.inflateEnd(&s->z);
	free(s);
}

/* What inflateInit2 is. */
static int
begin(struct gzip_stream *s, struct err *e)
{
	int r = gzip_load(e);

	if (r)
		return r;
	if (zlib.inflateInit2_(&s->z, WINDOW_GZIP_ONLY, ZLIB_VERSION,
		    (int)sizeof(s->z)) != Z_OK)
		abort(); /* memory is exhausted, as in xmalloc */
	s->begun = true;
	return 0;
}

static uInt
at_most(size_t n)
{
	return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

int
gzip_stream_decode(struct gzip_stream *s, const void *in, size_t *in_len,
	void *out, size_t *out_len, struct err *e)
{
	uInt n_in = at_most(*in_len), n_out = at_most(*out_len);
	int r = s->begun ? 0 : begin(s, e);

	if (r)
		return r;

	s->z.next_in = (Bytef *)(uintptr_t)in;
	s->z.avail_in = n_in;
	s->z.next_out = out;
	s->z.avail_out = n_out;
	r = zlib.inflate(&s->z, Z_NO_FLUSH);

	*in_len = n_in - s->z.avail_in;
	*out_len = n_out - s->z.avail_out;
	if (r == Z_STREAM_END)
		return 1;
	if (r == Z_OK || r == Z_BUF_ERROR)
		return 0;
	if (r == Z_MEM_ERROR)
		abort();
	return err_set(e, EBADMSG, "the gzip data is damaged (%s)",
		s->z.msg ? s->z.msg : "not of a known kind");
}

uint32_t
gzip_crc32(uint32_t crc, const void *data, size_t len)
{
	if (gzip_load(NULL))
		abort(); /* it was to be asked before */
	return (uint32_t)zlib.crc32_z(crc, data, len);
}
