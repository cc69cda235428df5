/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot records of a repository: listing their names, and loading
 * them.  No record is believed whose name in the store does not follow from
 * what it says.
 */
#ifndef YORE_NATIVE_RECORDS_H
#define YORE_NATIVE_RECORDS_H

#include "repo/format/record.h"
#include "repo/native/repository.h"

#define RECORD_NAME_LEN_MAX 103

/* The name of a record in the store, taken apart. */
struct record_place {
	uint8_t source[SOURCE_KEY_LEN];
	uint8_t id[OBJECT_ID_LEN];
	uint64_t seq;
	char name[RECORD_NAME_LEN_MAX + 1];
};

/* Read a name below snap/; -EINVAL for others. */
int record_place_parse(const char *name, struct record_place *p);
/* Where a record lies, by what it says. */
void record_place_of(const struct repository *rp, const struct record *r,
	struct record_place *p);
/* The same of a source whose key is known. */
void record_place_below(const uint8_t source[SOURCE_KEY_LEN],
	const struct record *r, struct record_place *p);
/* The moment in the name, ns since 1970, or 0: for display. */
int64_t record_place_time(const struct record_place *p);

struct record_places {
	struct record_place *p;
	size_t n, cap;
};

/* List what is below prefix ("snap/", "snap/<source>/"); names that are none
 * of ours are left out. */
int records_list(struct repository *rp, const char *prefix,
	struct record_places *all, struct err *e);
void record_places_add(struct record_places *all, const struct record_place *p);
void record_places_release(struct record_places *all);

enum record_state {
	RECORD_UNKNOWN,
	RECORD_LOADED,
	RECORD_GONE,	/* removed meanwhile */
	RECORD_DAMAGED, /* will never be readable */
	RECORD_FAILED,	/* the store gave up: try again later */
};

struct loaded_record {
	const struct record_place *place; /* borrowed */
	struct record record;
	uint8_t hash[HASH_LEN]; /* of its sealed object */
	enum record_state state;
};

/* Load each of n records that are RECORD_UNKNOWN; failures are logged. */
void records_load(
	struct repository *rp, struct loaded_record *const *r, size_t n);
/* Load one; errors as repository_load and record_decode, -EBADMSG when the
 * record is not the one its name says. */
int records_load_one(struct repository *rp, const struct record_place *p,
	struct record *r, uint8_t hash[HASH_LEN], struct err *e);

#endif
