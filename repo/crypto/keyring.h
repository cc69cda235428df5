/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of an unlocked repository, derived from its root secret
 * (FORMAT, "Keys").  Lives in locked memory and is wiped when freed.
 */
#ifndef YORE_CRYPTO_KEYRING_H
#define YORE_CRYPTO_KEYRING_H

#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

#define REPOSITORY_ID_LEN 16
#define OBJECT_ID_LEN 16
#define KEY_LEN 32
#define CHUNK_ID_LEN 20
/* Of these, what tables of contents and index segments keep: enough to tell
 * 2^30 chunks from each other with 2^30 others (DESIGN, "Sizes"). */
#define CHUNK_KEY_LEN 12

/* Object types: byte 10 of every object's header (FORMAT, "Objects"). */
enum object_type {
	OBJECT_DATA = 1,    /* data pack */
	OBJECT_META = 2,    /* metadata pack */
	OBJECT_INDEX = 3,   /* index segment */
	OBJECT_RECORD = 4,  /* snapshot record */
	OBJECT_CATALOG = 5, /* catalog */
	OBJECT_DELTA = 6,   /* delta of a database */
	OBJECT_GC = 7,	    /* state of pruning */
};

struct keyring {
	uint8_t repository_id[REPOSITORY_ID_LEN];
	uint8_t root[KEY_LEN];	 /* the root secret RS */
	uint8_t id[KEY_LEN];	 /* K(id): chunk ids */
	uint8_t cut[KEY_LEN];	 /* K(cut): gear table, page boundaries */
	uint8_t pack[KEY_LEN];	 /* K(pack): data and metadata packs */
	uint8_t index[KEY_LEN];	 /* K(index) */
	uint8_t record[KEY_LEN]; /* K(record): records, catalogs, states */
	uint8_t cache[KEY_LEN];	 /* K(cache) */
	uint8_t delta[KEY_LEN];	 /* K(delta): deltas of databases, their ids */
	uint8_t page[KEY_LEN];	 /* K(page): hashes of database pages */
};

/* Derive everything from repository id and root secret; given to the caller. */
struct keyring *keyring_new(const uint8_t repository_id[REPOSITORY_ID_LEN],
	const uint8_t root[KEY_LEN]);
void keyring_free(struct keyring *k);

/*
 * From now on this process leaves no core dump and no other process of the
 * user may trace it.  Programs call it before they unlock.  (Its /proc/self
 * belongs to root from then on; a fork inherits it, an exec does not.)
 */
void secret_no_dump(void);

/* n random bytes from the system's generator; aborts when it has none. */
void random_bytes(void *out, size_t n);
/* Zeroed memory that is locked (as far as RLIMIT_MEMLOCK allows), wiped on
 * free, absent from core dumps; whole pages.  A forked child keeps it. */
void *secret_alloc(size_t n);
void secret_free(void *p, size_t n);
/* Overwrite, not optimised away. */
void secret_wipe(void *p, size_t n);

#define auto_keyring AUTO(keyring_auto_)
static inline void
keyring_auto_(struct keyring **k)
{
	keyring_free(*k);
}

#endif
