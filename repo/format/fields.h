/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of fields, of which records, deltas and states of pruning consist:
 * varint tag, varint length, bytes.  A tag that is odd must be understood; an
 * unknown even one is skipped.  No field stands there twice, but for those
 * that may.
 */
#ifndef YORE_FORMAT_FIELDS_H
#define YORE_FORMAT_FIELDS_H

#include "repo/base/bytes.h"
#include "repo/base/err.h"
#include "repo/crypto/id.h"

#define FIELD_BIT(tag) (1ULL << (tag))

void fields_put_number(struct buf *b, unsigned tag, uint64_t v);
void fields_put(struct buf *b, unsigned tag, const void *data, size_t len);

/* What is all of a field; anything else makes f bad. */
uint64_t fields_take_number(struct reader *f);
void fields_take_hash(struct reader *f, uint8_t hash[HASH_LEN]);

struct fields {
	const char *of; /* in messages: "record" */
	uint64_t repeated; /* FIELD_BIT of those that may come again */
	/* Take field tag, of which f has the bytes; f.bad when they are
	 * malformed.  False: no such field is known. */
	bool (*take)(unsigned tag, struct reader *f, void *ctx);
	void *ctx;
	uint64_t seen; /* FIELD_BIT of those there were, below 64 */
};

/* Hand every field to take.  0, -EUCLEAN, or -EPROTONOSUPPORT for a field that
 * had to be understood. */
int fields_each(struct fields *fs, const uint8_t *data, size_t len,
	struct err *e);

#endif
