/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of contents, tables of solid frames, headers and trailers of objects:
 * what decodes lies one behind the other, and encodes to the bytes it came
 * from.
 */
#include <assert.h>
#include "repo/crypto/seal.h"
#include "repo/format/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check_places(const struct toc *t)
{
	uint64_t off = OBJECT_HEADER_LEN;
	uint32_t chunk = 0;

	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct toc_frame *f = &t->frames[i];
		uint32_t at = 0;

		assert(f->off == off && f->len <= FRAME_SEALED_MAX);
		assert(f->first_chunk == chunk && f->n_chunks > 0);
		for (uint32_t k = 0; k < f->n_chunks; k++, chunk++) {
			assert(t->chunks[chunk].off == at);
			at += t->chunks[chunk].len;
		}
		assert(at <= f->plain_len && f->plain_len <= FRAME_PLAIN_MAX);
		off += f->len;
	}
	assert(chunk == t->n_chunks);
}

static void
check_toc(const uint8_t *in, size_t len)
{
	auto_toc struct toc t = TOC_INIT;
	auto_buf struct buf b = BUF_INIT;

	if (toc_decode(in, len, &t, NULL))
		return;
	check_places(&t);
	toc_encode(&t, &b);
	assert(b.len == len && !memcmp(b.data, in, len));
}

static void
check_solid(const uint8_t *in, size_t len)
{
	auto_free uint32_t *lens = NULL;
	auto_buf struct buf b = BUF_INIT;
	const uint8_t *table;
	uint32_t n;

	if (solid_table_decode(in, len, &table, &n, NULL))
		return;
	lens = xcalloc(n + 1u, sizeof(*lens));
	for (uint32_t i = 0; i < n; i++)
		lens[i] = get_be32(table + (size_t)i * 4);
	solid_table_encode(&b, lens, n);
	assert(table + b.len == in + len);
	assert(!memcmp(table, b.data, b.len));
}

static void
check_ends(const uint8_t *in, size_t len)
{
	uint8_t out[OBJECT_HEADER_LEN];
	struct object_header h;
	struct object_trailer t;

	if (len >= OBJECT_HEADER_LEN && !object_header_decode(in, &h, NULL)) {
		object_header_encode(out, &h);
		assert(!memcmp(in, out, OBJECT_HEADER_LEN));
	}
	if (len >= OBJECT_TRAILER_LEN && !object_trailer_decode(in, &t, NULL)) {
		object_trailer_encode(out, &t);
		assert(!memcmp(in, out, OBJECT_TRAILER_LEN));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	check_toc(in, len);
	check_solid(in, len);
	check_ends(in, len);
	return 0;
}
