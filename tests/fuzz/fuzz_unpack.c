/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gzip and zstd from hostile bytes (the first byte says which): they end, in
 * the room given, and the same however they are taken.
 */
#include <assert.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/foreign/gzip.h"
#include "repo/foreign/zstd.h"

#define PLAIN_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* Decode step bytes by step bytes; 1 whole, 0 cut off or too long, -1. */
static int
decode(bool gzip, const uint8_t *in, size_t len, size_t step, struct buf *out)
{
	auto_gzip_stream struct gzip_stream *g =
		gzip ? gzip_stream_new() : NULL;
	auto_zstd_stream struct zstd_stream *z =
		gzip ? NULL : zstd_stream_new();

	for (size_t at = 0; out->len < PLAIN_MAX;) {
		size_t n_in = len - at < step ? len - at : step, n_out = step;
		bool some = n_in > 0;
		uint8_t *to = buf_reserve(out, n_out);
		int r = gzip ? gzip_stream_decode(
				       g, in + at, &n_in, to, &n_out, NULL)
			     : zstd_stream_decode(
				       z, in + at, &n_in, to, &n_out, NULL);

		if (r < 0)
			return -1;
		assert(n_in <= len - at && n_out <= step);
		at += n_in;
		out->len += n_out;
		if (r > 0)
			return 1;
		if (n_in == 0 && n_out == 0) {
			assert(!some);
			return 0;
		}
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_buf struct buf whole = BUF_INIT, bits = BUF_INIT;

	if (len == 0)
		return 0;
	int a = decode(in[0] & 1, in + 1, len - 1, 1u << 16, &whole);
	int b = decode(in[0] & 1, in + 1, len - 1, 5, &bits);

	if (a == 1 || b == 1) {
		assert(a == b && whole.len == bits.len);
		assert(!memcmp(whole.data ? whole.data : in,
			bits.data ? bits.data : in, bits.len));
	}
	return 0;
}
