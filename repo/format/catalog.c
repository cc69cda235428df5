/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalog: varint n, then id, hash, and length-prefixed record of each. */
#include <errno.h>
#include "repo/format/record.h"

void
catalog_release(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++)
		record_release(&c->records[i]);
	free(c->records);
	free(c->hashes);
	memset(c, 0, sizeof(*c));
}

void
catalog_add(struct catalog *c, struct record *r, const uint8_t hash[HASH_LEN])
{
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->records = xrealloc(c->records, c->cap * sizeof(*c->records));
		c->hashes = xrealloc(c->hashes, c->cap * HASH_LEN);
	}
	c->records[c->n] = *r;
	memset(r, 0, sizeof(*r));
	memcpy(c->hashes[c->n++], hash, HASH_LEN);
}

void
catalog_encode(const struct catalog *c, struct buf *b)
{
	auto_buf struct buf one = BUF_INIT;

	buf_varint(b, c->n);
	for (size_t i = 0; i < c->n; i++) {
		one.len = 0;
		record_encode(&c->records[i], false, &one);
		buf_append(b, c->records[i].id, OBJECT_ID_LEN);
		buf_append(b, c->hashes[i], HASH_LEN);
		buf_bytes(b, one.data, one.len);
	}
}

static int
take_one(struct reader *rd, catalog_record *found, void *ctx, struct err *e)
{
	const uint8_t *id = read_bytes(rd, OBJECT_ID_LEN);
	const uint8_t *hash = read_bytes(rd, HASH_LEN);
	size_t len;
	const uint8_t *bytes = read_blob(rd, RECORD_LEN_MAX, &len);
	struct record r;
	int rc;

	if (!bytes)
		return err_set(e, EUCLEAN, "catalog ends too early");
	rc = record_decode(bytes, len, &r, e);
	if (rc)
		return rc;
	memcpy(r.id, id, OBJECT_ID_LEN);
	found(ctx, &r, hash);
	record_release(&r);
	return 0;
}

int
catalog_each(const uint8_t *data, size_t len, catalog_record *found, void *ctx,
	struct err *e)
{
	struct reader rd = reader_of(data, len);
	uint64_t n = read_varint(&rd);
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc; i++)
		rc = take_one(&rd, found, ctx, e);
	if (!rc && (rd.bad || reader_left(&rd)))
		rc = err_set(e, EUCLEAN, "catalog does not end where it should");
	return rc;
}

void
catalog_collect(void *ctx, struct record *r, const uint8_t hash[HASH_LEN])
{
	catalog_add(ctx, r, hash);
}

int
catalog_decode(const uint8_t *data, size_t len, struct catalog *c,
	struct err *e)
{
	int rc;

	memset(c, 0, sizeof(*c));
	rc = catalog_each(data, len, catalog_collect, c, e);
	if (rc)
		catalog_release(c);
	return rc;
}
