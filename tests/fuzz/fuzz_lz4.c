/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LZ4 blocks and frames: a frame gives the same bytes at once and in pieces of
 * any size, and more than was asked for is never written.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/lz4.h"

#define OUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* Its bytes in pieces of n_in and n_out; 1 when it has ended. */
static int
decode(const uint8_t *in, size_t len, size_t n_in, size_t n_out,
	struct buf *got)
{
	auto_lz4_stream struct lz4_stream *s = lz4_stream_new();
	size_t at = 0;
	int r = 0;

	while (r == 0 && got->len < OUT_MAX) {
		size_t taken = len - at < n_in ? len - at : n_in;
		size_t given = n_out;

		r = lz4_stream_decode(s, in + at, &taken,
			buf_reserve(got, n_out), &given, NULL);
		assert(given <= n_out && taken <= len - at);
		if (r < 0 || (r == 0 && taken == 0 && given == 0))
			return -EBADMSG;
		at += taken;
		got->len += given;
	}
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT;
	auto_free uint8_t *out = NULL;
	size_t out_len, used = 0;
	int r;

	if (len < 2)
		return 0;
	out_len = 64u * in[0] + in[1];
	out = xmalloc(out_len + 1);
	(void)lz4_block(in + 2, len - 2, out, out_len, NULL);
	r = decode(in + 2, len - 2, 1 + in[0], 1 + in[1], &a);
	assert(r == decode(in + 2, len - 2, len, 65536, &b) ||
		a.len >= OUT_MAX || b.len >= OUT_MAX);
	if (r != 1)
		return 0;
	assert(a.len == b.len && !memcmp(a.data, b.data, a.len));
	out = xrealloc(out, a.len + 1);
	assert(!lz4_frame(in + 2, len - 2, out, a.len, &used, NULL));
	assert(used <= len - 2 && !memcmp(out, a.data, a.len));
	assert(lz4_frame(in + 2, len - 2, out, a.len + 1, &used, NULL));
	return 0;
}
