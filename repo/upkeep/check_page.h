/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of a map for check_tree.c: reading it, comparing it with what is said
 * of it above, and remembering that it was looked at.  Private to
 * repo/upkeep/check*.c.
 */
#ifndef YORE_UPKEEP_CHECK_PAGE_H
#define YORE_UPKEEP_CHECK_PAGE_H

#include "repo/format/entry.h"
#include "repo/upkeep/check_private.h"

/* What a page is in sum, whoever refers to it. */
struct check_sum {
	bool directory;
	uint64_t off, len;    /* of extents */
	struct totals totals; /* of a directory */
};

/* A page, or what the page above says of it. */
struct check_page {
	struct ref ref;
	struct check_sum sum;
	uint64_t n;	      /* map entries below it; 0: not said */
	const uint8_t *first; /* its first name, or NULL: not said */
	uint32_t first_len;
	uint32_t name_len; /* of what it is the map of; 0: as above */
	size_t name_at;	   /* where both stand (check_tree.c) */
	uint8_t depth;	   /* in its map */
};

/*
 * Read a page where its reference says or, when that fails, where the index
 * does; what it borrows from is in *copy, both given.  1: it cannot be read,
 * for *f.  Other than that, -errno.
 */
int check_page_read(struct check *c, const struct ref *r, struct page **p,
	uint8_t **copy, struct check_fault **f, struct err *e);
/* The same of bytes that are at hand; -errno when they are not that page. */
int check_page_decode(struct check *c, const struct ref *r, const uint8_t *data,
	struct page **p, uint8_t **copy, struct err *e);
/* Why a page is not what is said of it, or NULL. */
const char *check_page_differs(
	const struct page *p, const struct check_page *said);

/* -- Pages that were looked at; by id and place
 * ---------------------------------- */

#define CHECK_SEEN_KEY 12

struct check_seen {
	uint8_t key[CHECK_SEEN_KEY]; /* zeros: free */
	uint32_t sum; /* of what it is; the lowest bit: CHECK_TAINTED */
};
#define CHECK_TAINTED 1u /* it or something below it cannot be read */

uint32_t check_sum_hash(const struct check_sum *s);
void check_seen_key(const struct ref *r, uint8_t key[CHECK_SEEN_KEY]);
/* NULL: it has not been looked at.  Valid until the next one is added. */
struct check_seen *check_seen_find(
	const struct check_pages *all, const uint8_t key[CHECK_SEEN_KEY]);
int check_seen_add(struct check_pages *all, const uint8_t key[CHECK_SEEN_KEY],
	uint32_t sum, struct err *e);

#endif
