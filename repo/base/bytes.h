/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integers in byte strings.  Fixed-width integers are big-endian; varints are
 * LEB128 (7 bits a byte, low group first, at most 10 bytes, shortest form
 * only); signed varints are zigzag-coded first.
 *
 * struct reader is a cursor over foreign bytes that cannot leave them: a read
 * past the end or a malformed varint sets bad and yields 0, and everything
 * after it yields 0 too, so that a decoder may check once at the end.
 */
#ifndef YORE_BASE_BYTES_H
#define YORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <endian.h>
#include "repo/base/buf.h"

static inline void put_be16(uint8_t *p, uint16_t v) { v = htobe16(v); memcpy(p, &v, 2); }
static inline void put_be32(uint8_t *p, uint32_t v) { v = htobe32(v); memcpy(p, &v, 4); }
static inline void put_be64(uint8_t *p, uint64_t v) { v = htobe64(v); memcpy(p, &v, 8); }
static inline uint16_t get_be16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return be16toh(v); }
static inline uint32_t get_be32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return be32toh(v); }
static inline uint64_t get_be64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return be64toh(v); }

static inline uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static inline int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

#define VARINT_MAX 10
/* Write v at p (VARINT_MAX bytes of room); returns the number written. */
size_t put_varint(uint8_t *p, uint64_t v);
size_t varint_len(uint64_t v);

void buf_u8(struct buf *b, uint8_t v);
void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
void buf_varint(struct buf *b, uint64_t v);
void buf_svarint(struct buf *b, int64_t v);
/* varint length, then the bytes */
void buf_bytes(struct buf *b, const void *data, size_t len);

struct reader {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

/* A cursor over len bytes (borrowed; data may be NULL when len is 0). */
static inline struct reader
reader_of(const void *data, size_t len)
{
	const uint8_t *p = data ? data : (const uint8_t *)"";

	return (struct reader){ .p = p, .end = p + len };
}

static inline size_t
reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->p);
}

/* The next n bytes in place, or NULL (and bad) when fewer are left. */
const uint8_t *read_bytes(struct reader *r, size_t n);
uint8_t read_u8(struct reader *r);
uint16_t read_be16(struct reader *r);
uint32_t read_be32(struct reader *r);
uint64_t read_be64(struct reader *r);
uint64_t read_long_varint(struct reader *r);
/* Most are of one byte. */
static inline uint64_t
read_varint(struct reader *r)
{
	return r->p < r->end && *r->p < 0x80 ? *r->p++ : read_long_varint(r);
}
int64_t read_svarint(struct reader *r);
/* A varint that must not exceed max; else bad and 0. */
uint64_t read_bounded(struct reader *r, uint64_t max);
/* varint length (at most max) and the bytes in place; NULL when bad. */
const uint8_t *read_blob(struct reader *r, size_t max, size_t *len);

#endif
