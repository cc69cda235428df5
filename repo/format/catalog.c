/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalog: varint n, then id, hash, and length-prefixed record of each. */
#include <errno.h>
#include "repo/format/record.h"

/* Bytes of a record in a catalog: more, since it has fields. */
#define ONE_MIN (OBJECT_ID_LEN + HASH_LEN + 64)

void
catalog_release(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++)
		record_release(&c->records[i]);
	free(c->records);
	free(c->hashes);
	memset(c, 0, sizeof(*c));
}

static void
make_room(struct catalog *c, size_t n)
{
	c->cap = n;
	c->records = xrealloc(c->records, n * sizeof(*c->records));
	c->hashes = xrealloc(c->hashes, n * HASH_LEN);
}

/* The next record's place. */
static struct record *
next(struct catalog *c)
{
	if (c->n == c->cap)
		make_room(c, c->cap ? c->cap * 2 : 64);
	return &c->records[c->n];
}

void
catalog_add(struct catalog *c, struct record *r, const uint8_t hash[HASH_LEN])
{
	*next(c) = *r;
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
take_one(struct reader *rd, struct catalog *c, struct err *e)
{
	const uint8_t *id = read_bytes(rd, OBJECT_ID_LEN);
	const uint8_t *hash = read_bytes(rd, HASH_LEN);
	size_t len;
	const uint8_t *bytes = read_blob(rd, RECORD_LEN_MAX, &len);
	struct record *r;
	int rc;

	if (!bytes)
		return err_set(e, EUCLEAN, "catalog ends too early");
	r = next(c);
	rc = record_decode(bytes, len, r, e);
	if (rc)
		return rc;
	memcpy(r->id, id, OBJECT_ID_LEN);
	memcpy(c->hashes[c->n++], hash, HASH_LEN);
	return 0;
}

int
catalog_decode(const uint8_t *data, size_t len, struct catalog *c,
	struct err *e)
{
	struct reader rd = reader_of(data, len);
	uint64_t n = read_varint(&rd);
	int rc = 0;

	memset(c, 0, sizeof(*c));
	if (n <= reader_left(&rd) / ONE_MIN)
		make_room(c, n + 1);
	for (uint64_t i = 0; i < n && !rc; i++)
		rc = take_one(&rd, c, e);
	if (!rc && (rd.bad || reader_left(&rd)))
		rc = err_set(e, EUCLEAN, "catalog does not end where it should");
	if (rc)
		catalog_release(c);
	return rc;
}
