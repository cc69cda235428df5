/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include "repo/base/hex.h"
#include "repo/crypto/seal.h"
#include "repo/format/object.h"

static const uint8_t header_magic[8] = "YOREOBJ\n";
static const uint8_t trailer_magic[8] = "YOREEND\n";

void
object_header_encode(uint8_t out[OBJECT_HEADER_LEN],
	const struct object_header *h)
{
	memset(out, 0, OBJECT_HEADER_LEN);
	memcpy(out, header_magic, 8);
	put_be16(out + 8, OBJECT_VERSION);
	out[10] = h->type;
	memcpy(out + 16, h->id, OBJECT_ID_LEN);
	memcpy(out + 32, h->repository_id, REPOSITORY_ID_LEN);
}

int
object_header_decode(const uint8_t in[OBJECT_HEADER_LEN],
	struct object_header *h, struct err *e)
{
	static const uint8_t zeros[16];

	if (memcmp(in, header_magic, 8))
		return err_set(e, EUCLEAN, "not an object of a yore repository");
	if (get_be16(in + 8) != OBJECT_VERSION || in[11])
		return err_set(e, EPROTONOSUPPORT,
			"object version %u, flags %u: written by a newer yore",
			get_be16(in + 8), in[11]);
	if (get_be32(in + 12) || memcmp(in + 48, zeros, 16))
		return err_set(e, EPROTONOSUPPORT,
			"object uses fields this yore does not know");
	h->type = in[10];
	memcpy(h->id, in + 16, OBJECT_ID_LEN);
	memcpy(h->repository_id, in + 32, REPOSITORY_ID_LEN);
	return 0;
}

void
object_trailer_encode(uint8_t out[OBJECT_TRAILER_LEN],
	const struct object_trailer *t)
{
	put_be64(out, t->toc_off);
	put_be32(out + 8, t->toc_len);
	put_be32(out + 12, 0);
	memcpy(out + 16, trailer_magic, 8);
}

int
object_trailer_decode(const uint8_t in[OBJECT_TRAILER_LEN],
	struct object_trailer *t, struct err *e)
{
	if (memcmp(in + 16, trailer_magic, 8) || get_be32(in + 12))
		return err_set(e, EUCLEAN, "pack has no trailer: cut off?");
	t->toc_off = get_be64(in);
	t->toc_len = get_be32(in + 8);
	return 0;
}

void
object_pack_name(char out[OBJECT_NAME_MAX], enum object_type type,
	const uint8_t id[OBJECT_ID_LEN])
{
	char hex[OBJECT_ID_LEN * 2 + 1];

	hex_encode(hex, id, OBJECT_ID_LEN);
	snprintf(out, OBJECT_NAME_MAX, "%s/%.2s/%s",
		type == OBJECT_DATA ? "data" : "meta", hex, hex);
}

void
solid_table_encode(struct buf *b, const uint32_t *lens, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		buf_be32(b, lens[i]);
	buf_be32(b, n);
}

int
solid_table_decode(const uint8_t *plain, size_t len, const uint8_t **lens,
	uint32_t *n, struct err *e)
{
	uint64_t sum = 0;

	if (len < 4)
		return err_set(e, EUCLEAN, "solid frame has no table");
	*n = get_be32(plain + len - 4);
	if (*n > (len - 4) / 4)
		return err_set(e, EUCLEAN, "solid frame's table is too long");
	*lens = plain + len - 4 - (size_t)*n * 4;
	for (uint32_t i = 0; i < *n; i++)
		sum += get_be32(*lens + (size_t)i * 4);
	if (sum != (uint64_t)(*lens - plain))
		return err_set(e, EUCLEAN,
			"solid frame's lengths do not add up");
	return 0;
}

void
toc_release(struct toc *t)
{
	free(t->frames);
	free(t->chunks);
	memset(t, 0, sizeof(*t));
}

void
toc_add_frame(struct toc *t, uint8_t type, uint64_t off, uint32_t len,
	uint32_t plain_len)
{
	if (t->n_frames == t->cap_frames) {
		t->cap_frames = t->cap_frames ? t->cap_frames * 2 : 64;
		t->frames = xrealloc(t->frames,
			t->cap_frames * sizeof(*t->frames));
	}
	t->frames[t->n_frames++] = (struct toc_frame){ .off = off,
		.len = len,
		.plain_len = plain_len,
		.first_chunk = t->n_chunks,
		.type = type };
}

void
toc_add_chunk(struct toc *t, const uint8_t id[CHUNK_KEY_LEN], uint32_t off,
	uint32_t len)
{
	struct toc_chunk *c;

	if (t->n_chunks == t->cap_chunks) {
		t->cap_chunks = t->cap_chunks ? t->cap_chunks * 2 : 256;
		t->chunks = xrealloc(t->chunks,
			t->cap_chunks * sizeof(*t->chunks));
	}
	c = &t->chunks[t->n_chunks++];
	memcpy(c->id, id, CHUNK_KEY_LEN);
	c->off = off;
	c->len = len;
	t->frames[t->n_frames - 1].n_chunks++;
}

/* Frames lie one behind the other and chunks likewise, so lengths suffice. */
void
toc_encode(const struct toc *t, struct buf *b)
{
	buf_varint(b, t->n_frames);
	buf_varint(b, t->n_chunks);
	for (uint32_t i = 0; i < t->n_frames; i++) {
		const struct toc_frame *f = &t->frames[i];

		buf_u8(b, f->type);
		buf_varint(b, f->len);
		buf_varint(b, f->plain_len);
		buf_varint(b, f->n_chunks);
		for (uint32_t k = 0; k < f->n_chunks; k++)
			buf_varint(b, t->chunks[f->first_chunk + k].len);
	}
	for (uint32_t i = 0; i < t->n_chunks; i++)
		buf_append(b, t->chunks[i].id, CHUNK_KEY_LEN);
}

/* Chunks fill a frame: one alone, or several and their table. */
static bool
chunks_fill(const struct toc_frame *f, uint64_t sum)
{
	return (f->n_chunks == 1 && sum == f->plain_len) ||
	       (f->n_chunks > 0 &&
		       sum + 4 * (uint64_t)f->n_chunks + 4 == f->plain_len);
}

static void
toc_decode_frame(struct reader *r, uint64_t *off, uint64_t n_chunks,
	struct toc *t)
{
	uint8_t type = read_u8(r);
	uint32_t len = (uint32_t)read_bounded(r, FRAME_SEALED_MAX);
	uint32_t plain_len = (uint32_t)read_bounded(r, FRAME_PLAIN_MAX);
	uint64_t n = read_bounded(r, n_chunks - t->n_chunks);
	static const uint8_t no_id[CHUNK_KEY_LEN];
	uint32_t at = 0;

	toc_add_frame(t, type, *off, len, plain_len);
	*off += len;
	for (uint64_t k = 0; k < n && !r->bad; k++) {
		uint32_t l = (uint32_t)read_bounded(r, plain_len - at);

		toc_add_chunk(t, no_id, at, l);
		at += l;
	}
	if (len < FRAME_OVERHEAD || (type != FRAME_DATA && type != FRAME_PAGES) ||
		!chunks_fill(&t->frames[t->n_frames - 1], at))
		r->bad = true;
}

int
toc_decode(const void *data, size_t len, struct toc *t, struct err *e)
{
	struct reader r = reader_of(data, len);
	uint64_t n_frames = read_bounded(&r, TOC_FRAMES_MAX);
	uint64_t n_chunks = read_bounded(&r, TOC_CHUNKS_MAX);
	uint64_t off = OBJECT_HEADER_LEN;

	memset(t, 0, sizeof(*t));
	if (n_chunks > reader_left(&r) / CHUNK_KEY_LEN ||
		n_frames > reader_left(&r) / 4)
		r.bad = true;
	for (uint64_t i = 0; i < n_frames && !r.bad; i++)
		toc_decode_frame(&r, &off, n_chunks, t);
	if (t->n_chunks != n_chunks ||
		reader_left(&r) != n_chunks * CHUNK_KEY_LEN)
		r.bad = true;
	for (uint64_t i = 0; i < n_chunks && !r.bad; i++)
		memcpy(t->chunks[i].id, read_bytes(&r, CHUNK_KEY_LEN),
			CHUNK_KEY_LEN);
	if (!r.bad)
		return 0;
	toc_release(t);
	return err_set(e, EUCLEAN, "pack's table of contents contradicts itself");
}
