/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot records and the catalog (FORMAT, "Snapshot records", "Catalog").
 * Encode and decode only.
 */
#ifndef YORE_FORMAT_RECORD_H
#define YORE_FORMAT_RECORD_H

#include "repo/crypto/id.h"
#include "repo/format/delta.h"
#include "repo/format/entry.h"
#include "repo/format/object.h"

#define RECORD_LEN_MAX (256u << 10)
#define RECORD_TAGS_MAX 64
#define RECORD_TAG_LEN_MAX 200
#define RECORD_INLINE_PAGE_MAX 3072
#define RECORD_PAGE_PACKS_MAX 16
#define RECORD_SCATTERED_MAX 64

/* A metadata pack of which a snapshot uses little. */
struct page_pack {
	uint8_t id[OBJECT_ID_LEN];
	uint64_t bytes; /* sealed, of pages that it uses */
};

/* A few frames of a data pack that a snapshot uses, alone on their way. */
struct scattered {
	uint8_t pack[OBJECT_ID_LEN];
	uint64_t off, len; /* from the first frame to the end of the last */
};

struct record {
	uint8_t id[OBJECT_ID_LEN]; /* of its object; from the header */
	char *host;
	char *name;
	uint64_t seq;		/* 1, 2, ... within the source */
	int64_t time_ns;	/* what it is called after */
	int64_t began_ns, ended_ns; /* wall clock of the run */
	uint8_t previous[HASH_LEN]; /* SHA-256 of the previous record's object;
				     * zeros for the first */
	uint64_t generation;	/* seq of its generation's first snapshot */
	char **tags;
	uint32_t n_tags;
	struct entry root;	/* no name; ref is the directory's root page */
	uint64_t next_link;	/* numbers of hard-linked files below it are smaller */
	uint64_t n_errors;	/* paths that could not be read */
	char *path;		/* where the source lay, for display */
	bool is_database;	/* the source is one: then */
	struct database_state database; /* what is backed up, */
	/* Its deltas were thinned: they were written anew so many times, there
	 * are n_deltas of them, the last of which closes, and this record took
	 * the place of the one with that hash, which is what the next record's
	 * previous says.  0: none of that. */
	uint32_t epoch;
	uint32_t n_deltas;
	uint8_t original[HASH_LEN];
	uint8_t *opaque;	/* and what its writer wants to know again; */
	uint32_t opaque_len;	/* NULL: nothing */
	struct page_pack *page_packs; /* room for RECORD_PAGE_PACKS_MAX, or */
	uint32_t n_page_packs;	      /* NULL; owned */
	struct scattered *scattered;  /* for RECORD_SCATTERED_MAX, likewise */
	uint32_t n_scattered;
	uint64_t gc; /* state of pruning whose packs it does not refer to; 0:
		      * none was known */
	uint8_t *root_page;	/* the root directory's page, or NULL */
	uint32_t root_page_len;
	/* Decoded: what host, name, path and root borrow from; owned.  NULL: the
	 * strings are owned themselves. */
	uint8_t *bytes;
	struct ref *root_refs; /* likewise; NULL: root has none */
};

void record_release(struct record *r);
/* Empty lists with their room: most records have none. */
void record_reset_page_packs(struct record *r);
void record_reset_scattered(struct record *r);
/* The plaintext of FRAME_RECORD, or (not whole) what a catalog keeps of it:
 * what a listing shows. */
void record_encode(const struct record *r, bool whole, struct buf *b);
/* SHA-256 of the object that the next record of the source names as previous:
 * hash, that of r's own object, unless it took the place of another one. */
static inline const uint8_t *
record_link(const struct record *r, const uint8_t hash[HASH_LEN])
{
	return r->epoch ? r->original : hash;
}
/* Decode; strings and page are given.  -EPROTONOSUPPORT for must-read fields
 * this program does not know. */
int record_decode(const uint8_t *data, size_t len, struct record *r,
	struct err *e);

/* snap/<source>/<seq, 12 digits>-<time>-<id> */
void record_name(char out[OBJECT_NAME_MAX * 2],
	const uint8_t source[SOURCE_KEY_LEN], const struct record *r);
/* Read seq and id back from such a name; -EINVAL for others. */
int record_name_parse(const char *name, uint64_t *seq,
	uint8_t id[OBJECT_ID_LEN]);

/* -- Catalog: what listings show of many records ------------------------- */

struct catalog {
	struct record *records;
	uint8_t (*hashes)[HASH_LEN]; /* SHA-256 of each record's object */
	size_t n, cap;
};
#define CATALOG_LEN_MAX (64u << 20)

void catalog_release(struct catalog *c);
/* r is taken over. */
void catalog_add(struct catalog *c, struct record *r,
	const uint8_t hash[HASH_LEN]);
/* The plaintexts of the catalog's frames are this string cut every 4 MiB. */
void catalog_encode(const struct catalog *c, struct buf *b);
/* For each record in turn: what is not taken over (and *r zeroed) is released.
 * An error may come after some. */
typedef void catalog_record(
	void *ctx, struct record *r, const uint8_t hash[HASH_LEN]);
int catalog_each(const uint8_t *data, size_t len, catalog_record *found,
	void *ctx, struct err *e);
/* What is found goes into ctx, a struct catalog. */
catalog_record catalog_collect;
int catalog_decode(const uint8_t *data, size_t len, struct catalog *c,
	struct err *e);

#endif
