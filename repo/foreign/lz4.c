/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/lz4.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <lz4.h>
#include <lz4frame.h>
#include "repo/base/buf.h"
#include "repo/base/library.h"

/* Magic and flags: what a frame begins with. */
#define HEAD_LEN 5
#define FLAG_DICTIONARY 0x01
#define FLAG_CONTENT_SUM 0x04

/* clang-format off */
#define FUNCTIONS(F) \
	F(LZ4_decompress_safe) F(LZ4F_createDecompressionContext) \
	F(LZ4F_freeDecompressionContext) F(LZ4F_decompress) F(LZ4F_isError) \
	F(LZ4F_getErrorName)
/* clang-format on */
LIBRARY(lz4, LZ4_LIBRARY, FUNCTIONS);

struct lz4_stream {
	LZ4F_dctx *decoder; /* once there is something to decode */
	bool sum_optional;
	unsigned n_head; /* bytes of the head seen so far */
};

int
lz4_block(
	const void *in, size_t in_len, void *out, size_t out_len, struct err *e)
{
	int n = -1, r = library_load(&lz4_library, e);

	if (r)
		return r;
	if (in_len <= INT_MAX && out_len <= INT_MAX)
		n = lz4.LZ4_decompress_safe(in, out, (int)in_len, (int)out_len);
	if (n >= 0 && (size_t)n == out_len)
		return 0;
	return err_set(e, EBADMSG,
		"an LZ4 block of %zu bytes does not hold %zu", in_len, out_len);
}

/* -- Frames as they come -------------------------------------------------- */

static struct lz4_stream *
new_stream(bool sum_optional)
{
	struct lz4_stream *s = xcalloc(1, sizeof(*s));

	s->sum_optional = sum_optional;
	return s;
}

struct lz4_stream *
lz4_stream_new(void)
{
	return new_stream(false);
}

void
lz4_stream_free(struct lz4_stream *s)
{
	if (!s)
		return;
	if (s->decoder)
		lz4.LZ4F_freeDecompressionContext(s->decoder);
	free(s);
}

static int
begin(struct lz4_stream *s, struct err *e)
{
	int r = library_load(&lz4_library, e);

	if (r == 0 && lz4.LZ4F_isError(lz4.LZ4F_createDecompressionContext(
			      &s->decoder, LZ4F_VERSION)))
		abort(); /* memory is exhausted, as in xmalloc */
	return r;
}

static bool
flags_are_good(const struct lz4_stream *s, uint8_t flags)
{
	return !(flags & FLAG_DICTIONARY) &&
	       (s->sum_optional || (flags & FLAG_CONTENT_SUM));
}

/* Look at the first bytes, as they are taken. */
static bool
head_is_good(struct lz4_stream *s, const uint8_t *in, size_t n)
{
	static const uint8_t magic[] = { 0x04, 0x22, 0x4d, 0x18 };

	for (; n > 0 && s->n_head < HEAD_LEN; n--, in++, s->n_head++) {
		if (s->n_head < sizeof(magic) ? *in != magic[s->n_head]
					      : !flags_are_good(s, *in))
			return false;
	}
	return true;
}

int
lz4_stream_decode(struct lz4_stream *s, const void *in, size_t *in_len,
	void *out, size_t *out_len, struct err *e)
{
	int r = s->decoder ? 0 : begin(s, e);

	if (r)
		return r;
	size_t hint = lz4.LZ4F_decompress(
		s->decoder, out, out_len, in, in_len, NULL);

	if (lz4.LZ4F_isError(hint))
		return err_set(e, EBADMSG, "the LZ4 frame is damaged (%s)",
			lz4.LZ4F_getErrorName(hint));
	if (!head_is_good(s, in, *in_len))
		return err_set(e, EBADMSG, "not an LZ4 frame of a known kind");
	return hint == 0;
}

/* -- Whole frames --------------------------------------------------------- */

static int
decode_all(struct lz4_stream *s, const uint8_t *in, size_t *in_len,
	uint8_t *out, size_t *out_len, struct err *e)
{
	size_t taken = 0, given = 0;
	int r = 0;

	while (r == 0) {
		size_t n_in = *in_len - taken, n_out = *out_len - given;

		r = lz4_stream_decode(
			s, in + taken, &n_in, out + given, &n_out, e);
		if (r == 0 && n_in == 0 && n_out == 0)
			return err_set(e, EBADMSG,
				taken == *in_len ? "the LZ4 frame is cut off"
						 : "the LZ4 frame is too long");
		taken += n_in;
		given += n_out;
	}
	*in_len = taken;
	*out_len = given;
	return r < 0 ? r : 0;
}

int
lz4_frame(const void *in, size_t in_len, void *out, size_t out_len,
	size_t *used, struct err *e)
{
	auto_lz4_stream struct lz4_stream *s = new_stream(true);
	size_t taken = in_len, given = out_len;
	int r = decode_all(s, in, &taken, out, &given, e);

	if (r < 0)
		return r;
	if (given != out_len)
		return err_set(e, EBADMSG,
			"the LZ4 frame holds %zu bytes, "
			"not %zu",
			given, out_len);
	if (!used && taken != in_len)
		return err_set(e, EBADMSG, "bytes follow the LZ4 frame");
	if (used)
		*used = taken;
	return 0;
}
