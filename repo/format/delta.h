/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deltas of databases (FORMAT, "Databases"): names, trailer, record; what a
 * database is at a point.  The index and the times are in delta_places.h and
 * delta_times.h.  Encode and decode only.
 */
#ifndef YORE_FORMAT_DELTA_H
#define YORE_FORMAT_DELTA_H

#include <stdbool.h>
#include "repo/crypto/id.h"
#include "repo/crypto/seal.h"
#include "repo/format/object.h"

#define DATABASE_PAGE_MIN 512
#define DATABASE_PAGE_MAX 65536
#define DATABASE_LOCK_BYTE 0x40000000u
#define DATABASE_OPAQUE_MAX 4096

/* What a database is at a point. */
struct database_state {
	uint32_t page_size;
	uint32_t pages;
	/* Sum mod 2^128, big-endian, of the hashes of all pages but the one
	 * with the lock byte (page_hash in repo/crypto/id.h). */
	uint8_t hash[PAGE_HASH_LEN];
};

bool database_page_size_ok(uint32_t page_size);
/* The page that has the lock byte, which no hash counts. */
static inline uint32_t
database_lock_page(uint32_t page_size)
{
	return DATABASE_LOCK_BYTE / page_size + 1;
}
/* Add a page's hash to a sum of them, or take it out again. */
void database_hash_add(uint8_t sum[PAGE_HASH_LEN],
	const uint8_t hash[PAGE_HASH_LEN]);
void database_hash_take(uint8_t sum[PAGE_HASH_LEN],
	const uint8_t hash[PAGE_HASH_LEN]);

/* varint page size || varint pages || hash */
void database_state_encode(struct buf *b, const struct database_state *s);
/* Marks the reader bad for a state that cannot be. */
void database_state_read(struct reader *r, struct database_state *s);

/* -- Numbers ------------------------------------------------------------- */

#define DELTA_N_MAX 9999999
#define DELTA_EPOCH_MAX 9999
/* Octal digits of that: how many spans follow each other down to the base. */
#define DELTA_CHAIN_MAX 8

/* The span of delta n begins behind this one: n with its lowest octal digit
 * that is not 0 made 0. */
static inline uint64_t
delta_before(uint64_t n)
{
	uint64_t digit = 7;

	while (n && !(n & digit))
		digit <<= 3;
	return n & ~digit;
}

/* -- Names --------------------------------------------------------------- */

/* What the name of a delta says; of a base's epoch see repo/format/record.h. */
struct delta_place {
	uint8_t source[SOURCE_KEY_LEN];
	uint64_t base_seq;
	uint32_t epoch; /* 0: as they were written first */
	uint64_t n;
};

/* db/<source>/<seq of the base>[-<epoch>]/<999999999999 - n> */
void delta_name(char out[OBJECT_NAME_MAX], const struct delta_place *p);
/* The same without its last part, ends in '/'; n does not matter. */
void delta_prefix(char out[OBJECT_NAME_MAX], const struct delta_place *p);
/* n from the last part of such a name; 0: it is none. */
uint64_t delta_name_n(const char *name);
/* All of it; false: it is none. */
bool delta_name_parse(const char *name, struct delta_place *p);

/* -- Trailer ------------------------------------------------------------- */

#define DELTA_TRAILER_LEN \
	(OBJECT_ID_LEN + WRITER_ID_LEN + OBJECT_TRAILER_LEN)

struct delta_trailer {
	uint8_t base[OBJECT_ID_LEN]; /* snapshot record it builds on */
	uint8_t writer[WRITER_ID_LEN];
	struct object_trailer record; /* where its record frame lies */
};

void delta_trailer_encode(uint8_t out[DELTA_TRAILER_LEN],
	const struct delta_trailer *t);
int delta_trailer_decode(const uint8_t in[DELTA_TRAILER_LEN],
	struct delta_trailer *t, struct err *e);

/* -- Record -------------------------------------------------------------- */

/* Where the last part of a delta lies.  In this order:
 * pages | times | places from places_off | set from set_off | record from
 * record_off | trailer | len */
struct delta_tail {
	uint64_t len; /* of the whole object */
	uint64_t record_off;
	uint64_t set_off;    /* record_off: there is no set */
	uint64_t places_off; /* set_off: the places are in the record */
	uint32_t first_len;  /* sealed length of the frame at places_off */
};

struct delta_member {
	uint64_t n;
	int64_t time_ns;
	uint32_t writer; /* number in writers */
	struct delta_tail tail;
};

/* A frame of the index or of the times. */
struct delta_leaf {
	uint64_t off;
	uint32_t len; /* sealed */
	uint32_t first_page; /* of the index */
	uint64_t first_n;    /* of the times, */
	int64_t first_ns;    /* and the time of that */
};

/* Leaves in frames of their own, or one leaf in the record. */
struct delta_leaves {
	const uint8_t *whole; /* the one leaf, borrowed; NULL: */
	size_t whole_len;
	struct delta_leaf *leaf; /* owned */
	uint32_t n;
};

#define DELTA_WRITERS_MAX 65536

struct delta_record {
	uint64_t n;
	int64_t time_ns;
	struct database_state state;
	/* SHA-256 of the record of delta n - 1; of the base's object, for 1. */
	uint8_t previous[HASH_LEN];
	const uint8_t *writers; /* n_writers ids; borrowed; 0: its own */
	uint32_t n_writers;
	struct delta_member chain[DELTA_CHAIN_MAX]; /* from before(n) down */
	unsigned n_chain;
	const uint8_t *base_page; /* the base's directory; borrowed */
	uint32_t base_page_len;
	struct delta_leaves places, times;
	const uint8_t *opaque; /* borrowed; NULL: none */
	size_t opaque_len;
	bool closed; /* the base has no further delta; this one no pages */
};

void delta_record_release(struct delta_record *r);
/* The plaintext of FRAME_DELTA. */
void delta_record_encode(const struct delta_record *r, struct buf *b);
/* tail: where the record was found, of which len and record_off are given and
 * the rest is filled in.  What r borrows is data. */
int delta_record_decode(const uint8_t *data, size_t len,
	struct delta_record *r, struct delta_tail *tail, struct err *e);

/* Id of writer number i, or NULL. */
static inline const uint8_t *
delta_record_writer(const struct delta_record *r, uint32_t i)
{
	return i < r->n_writers ? r->writers + (size_t)i * WRITER_ID_LEN : NULL;
}

#define auto_delta_record AUTO(delta_record_release)

#endif
