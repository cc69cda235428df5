/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sorted table of any size in what is kept (kept.h): keys in byte order with
 * a small value each, found by key or by rank.  Made once, in order or through
 * a sorter, then only read.  Memory: of a table that is read, its index (some
 * 40 bytes for each block) and TABLE_BLOCKS blocks; of a sorter, 8 MiB.
 *
 * Bytes: blocks are pieces of the kept object, each holding records
 *	varint shared, varint n, n bytes, varint m, m bytes
 * whose keys are the first `shared` bytes of the one before and n bytes more,
 * and whose values are m bytes.  The index is a kept object of its own: the
 * maker's head, then of each block how many records it has and a key that
 * divides it from the block before.
 *
 * What is kept may be given up at any time: then -ENODATA, and the caller makes
 * the table again.
 */
#ifndef YORE_FOREIGN_TABLE_H
#define YORE_FOREIGN_TABLE_H

#include "repo/base/buf.h"
#include "repo/foreign/kept.h"

#define TABLE_KEY_MAX (40u << 10)
#define TABLE_VALUE_MAX 256u
#define TABLE_BLOCKS 32
/* Bytes of a block, unless one record has more: to find a record it is decoded
 * from its beginning. */
#define TABLE_BLOCK (8u << 10)

struct table_record {
	const char *key; /* not terminated */
	size_t key_len;
	const uint8_t *value;
	size_t value_len;
};

/* Order of keys: as memcmp, what ends first before what goes on. */
int table_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* Name of the kept object that a table's index is; given. */
char *table_index_name(const char *name);

/* -- Making one in order ----------------------------------------------------
 */

struct table_writer;

/* kept is borrowed until it is freed; name is copied. */
struct table_writer *table_writer_new(struct kept *k, const char *name);
/* Keys ascend; copied. */
void table_writer_add(struct table_writer *w, const struct table_record *r);
/* The table is complete; head (at most 64 KiB) is what table_head will give.
 * Readable at once.  -EFBIG, or what kept_sync says. */
int table_writer_finish(struct table_writer *w, const void *head,
	size_t head_len, struct err *e);
/* A table that was not finished is of no use. */
void table_writer_free(struct table_writer *w);

/* -- Reading ----------------------------------------------------------------
 */

struct table;

/* *t is given; k is borrowed until it is freed.  -ENOENT it was never made, or
 * has been given up. */
int table_open(
	struct kept *k, const char *name, struct table **t, struct err *e);
void table_free(struct table *t);
uint64_t table_n(const struct table *t);
const void *table_head(const struct table *t, size_t *len);

/* Rank of the first record whose key is not below this one; table_n(t) when
 * none is.  -ENODATA, as all below. */
int table_find(struct table *t, const char *key, size_t len, uint64_t *rank,
	struct err *e);
/* The record of a rank: its key, and behind it its value, in `bytes`, into
 * which r points.  -ENOENT there is none. */
int table_get(struct table *t, uint64_t rank, struct buf *bytes,
	struct table_record *r, struct err *e);
/* Call each record from a rank on, borrowed, until it says false. */
int table_each(struct table *t, uint64_t rank,
	bool (*each)(void *ctx, const struct table_record *r), void *ctx,
	struct err *e);

/* -- One record after the other ----------------------------------------------
 */

struct table_cursor {
	struct table *t;
	uint64_t block; /* the next to be read */
	uint8_t *bytes; /* of the one before, KEPT_PIECE of room */
	size_t len, at;
	struct buf key;
	struct table_record r; /* points into both */
};

/* Stand before the first record. */
void table_cursor_init(struct table_cursor *c, struct table *t);
/* Step to the next record: 1 and c->r; 0 there is none; -ENODATA. */
int table_cursor_next(struct table_cursor *c, struct err *e);
void table_cursor_release(struct table_cursor *c);

#define auto_table_cursor AUTO(table_cursor_release)
#define auto_table AUTO(table_auto_)
static inline void
table_auto_(struct table **t)
{
	table_free(*t);
}
#define auto_table_writer AUTO(table_writer_auto_)
static inline void
table_writer_auto_(struct table_writer **w)
{
	table_writer_free(*w);
}

#endif
