/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/zstd.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include "repo/base/buf.h"
#include "repo/base/zstd.h"

#define WINDOW_LOG_MAX 27
#define MAGIC_LEN 4

struct zstd_stream {
	ZSTD_DCtx *decoder;
	unsigned n_magic; /* bytes of the magic number seen so far */
};

struct zstd_stream *
zstd_stream_new(void)
{
	struct zstd_stream *s = xcalloc(1, sizeof(*s));

	s->decoder = ZSTD_createDCtx();
	if (!s->decoder)
		abort(); /* memory is exhausted, as in xmalloc */
	ZSTD_DCtx_setParameter(s->decoder, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return s;
}

void
zstd_stream_free(struct zstd_stream *s)
{
	if (!s)
		return;
	ZSTD_freeDCtx(s->decoder);
	free(s);
}

/* A skippable frame would decode to nothing and end well. */
static int
check_magic(struct zstd_stream *s, const uint8_t *in, size_t n, struct err *e)
{
	static const uint8_t magic[MAGIC_LEN] = { 0x28, 0xb5, 0x2f, 0xfd };

	for (; n > 0 && s->n_magic < MAGIC_LEN; n--, in++) {
		if (*in != magic[s->n_magic++])
			return err_set(e, EBADMSG, "not a zstd frame");
	}
	return 0;
}

int
zstd_stream_decode(struct zstd_stream *s, const void *in, size_t *in_len,
	void *out, size_t *out_len, struct err *e)
{
	ZSTD_inBuffer from = { in, *in_len, 0 };
	ZSTD_outBuffer to = { out, *out_len, 0 };
	int r = check_magic(s, in, *in_len, e);

	if (r)
		return r;
	size_t hint = ZSTD_decompressStream(s->decoder, &to, &from);

	*in_len = from.pos;
	*out_len = to.pos;
	if (ZSTD_isError(hint))
		return err_set(e, EBADMSG, "the zstd frame is damaged (%s)",
			ZSTD_getErrorName(hint));
	return hint == 0;
}
