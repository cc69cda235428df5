/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/bytes.h"

size_t
varint_len(uint64_t v)
{
	return v ? (70 - (size_t)__builtin_clzll(v)) / 7 : 1;
}

size_t
put_varint(uint8_t *p, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	return n;
}

void
buf_u8(struct buf *b, uint8_t v)
{
	*buf_reserve(b, 1) = v;
	b->len += 1;
}

void
buf_be16(struct buf *b, uint16_t v)
{
	put_be16(buf_reserve(b, 2), v);
	b->len += 2;
}

void
buf_be32(struct buf *b, uint32_t v)
{
	put_be32(buf_reserve(b, 4), v);
	b->len += 4;
}

void
buf_be64(struct buf *b, uint64_t v)
{
	put_be64(buf_reserve(b, 8), v);
	b->len += 8;
}

void
buf_varint(struct buf *b, uint64_t v)
{
	b->len += put_varint(buf_reserve(b, VARINT_MAX), v);
}

void
buf_svarint(struct buf *b, int64_t v)
{
	buf_varint(b, zigzag(v));
}

void
buf_bytes(struct buf *b, const void *data, size_t len)
{
	buf_varint(b, len);
	buf_append(b, data, len);
}

static void
spoil(struct reader *r)
{
	r->bad = true;
	r->p = r->end;
}

const uint8_t *
read_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > reader_left(r)) {
		spoil(r);
		return NULL;
	}
	r->p += n;
	return p;
}

uint8_t
read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);

	return p ? *p : 0;
}

uint16_t
read_be16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p ? get_be16(p) : 0;
}

uint32_t
read_be32(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 4);

	return p ? get_be32(p) : 0;
}

uint64_t
read_be64(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 8);

	return p ? get_be64(p) : 0;
}

uint64_t
read_long_varint(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 7 * VARINT_MAX; shift += 7) {
		uint8_t byte;

		if (r->p == r->end)
			break;
		byte = *r->p++;
		if (shift == 63 && byte > 1) /* more than 64 bits */
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte == 0 && shift) /* not the shortest form */
			break;
		return v;
	}
	spoil(r);
	return 0;
}

int64_t
read_svarint(struct reader *r)
{
	return unzigzag(read_varint(r));
}

uint64_t
read_bounded(struct reader *r, uint64_t max)
{
	uint64_t v = read_varint(r);

	if (v <= max)
		return v;
	spoil(r);
	return 0;
}

const uint8_t *
read_blob(struct reader *r, size_t max, size_t *len)
{
	size_t n = (size_t)read_bounded(r, max);
	const uint8_t *p = read_bytes(r, n);

	*len = p ? n : 0;
	return p;
}
