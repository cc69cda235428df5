/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/format/fields.h"

#include <errno.h>
#include <inttypes.h>

void
fields_put(struct buf *b, unsigned tag, const void *data, size_t len)
{
	buf_varint(b, tag);
	buf_bytes(b, data, len);
}

void
fields_put_number(struct buf *b, unsigned tag, uint64_t v)
{
	uint8_t tmp[VARINT_MAX];

	fields_put(b, tag, tmp, put_varint(tmp, v));
}

uint64_t
fields_take_number(struct reader *f)
{
	uint64_t v = read_varint(f);

	if (reader_left(f))
		f->bad = true;
	return v;
}

void
fields_take_hash(struct reader *f, uint8_t hash[HASH_LEN])
{
	const uint8_t *h = read_bytes(f, HASH_LEN);

	if (h && !reader_left(f))
		memcpy(hash, h, HASH_LEN);
	else
		f->bad = true;
}

static int
take_one(struct fields *fs, uint64_t tag, struct reader f, struct err *e)
{
	uint64_t bit = tag < 64 ? FIELD_BIT(tag) : 0;
	bool known;

	if (fs->seen & bit & ~fs->repeated)
		return err_set(e, EUCLEAN, "%s has field %" PRIu64 " twice",
			fs->of, tag);
	fs->seen |= bit;
	known = bit && fs->take((unsigned)tag, &f, fs->ctx);
	if (!known && (tag & 1))
		return err_set(e, EPROTONOSUPPORT,
			"%s has field %" PRIu64 ": written by a newer yore",
			fs->of, tag);
	if (known && f.bad)
		return err_set(e, EUCLEAN, "%s's field %" PRIu64
			" is malformed", fs->of, tag);
	return 0;
}

int
fields_each(struct fields *fs, const uint8_t *data, size_t len, struct err *e)
{
	struct reader rd = reader_of(data, len);

	while (reader_left(&rd)) {
		uint64_t tag = read_varint(&rd);
		size_t n;
		const uint8_t *bytes = read_blob(&rd, len, &n);
		int r;

		if (!bytes)
			return err_set(e, EUCLEAN, "%s ends too early", fs->of);
		r = take_one(fs, tag, reader_of(bytes, n), e);
		if (r)
			return r;
	}
	return 0;
}
