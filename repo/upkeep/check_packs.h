/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packs of a repository: those that are listed, and those that something
 * names although they are not.  About 50 bytes each.
 */
#ifndef YORE_UPKEEP_CHECK_PACKS_H
#define YORE_UPKEEP_CHECK_PACKS_H

#include <stdbool.h>
#include "repo/format/ref.h"
#include "repo/store/store.h"

struct check_pack {
	uint8_t id[OBJECT_ID_LEN];
	uint64_t size;
	uint8_t object; /* OBJECT_DATA, OBJECT_META */
	bool listed : 1;
	bool used : 1;	  /* a snapshot refers to it */
	bool indexed : 1; /* a segment names it */
	bool asked : 1;	  /* whether it is there after all */
	bool broken : 1;  /* some frame of it is bad */
	bool told : 1;	  /* there is a finding about all of it */
};

struct check_packs {
	struct check_pack *p;
	uint32_t n, cap;
	uint32_t *slots; /* number + 1, by id; twice as many as cap */
	uint64_t bytes;	 /* of those that are listed */
	/* What is wrong with the listing itself, or "". */
	char fault[STORE_NAME_MAX + 80];
	char last[STORE_NAME_MAX + 1];
};

void check_packs_release(struct check_packs *all);
/* List data/ and meta/; *strange counts names that are no pack's. */
int check_packs_list(struct check_packs *all, struct store *s,
	uint64_t *strange, struct err *e);
/* NULL: nothing is known of it. */
struct check_pack *check_packs_find(const struct check_packs *all,
	uint8_t object, const uint8_t id[OBJECT_ID_LEN]);
/* The same; it is added if it is not known. */
struct check_pack *check_packs_get(struct check_packs *all, uint8_t object,
	const uint8_t id[OBJECT_ID_LEN]);

#endif
