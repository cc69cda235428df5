/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What snapshots refer to: all references below records, each page read once
 * over all records that one struct reach is given.  Never writes; one thread.
 *
 * References are told in the order of a walk through the tree: content of a
 * file where its entry stands, a page after all that is below it, as writers
 * put them into packs.  A reference is told as often as pages name it; who
 * wants it once sorts.  What lies below a page that another record has led to
 * already is not told again: it was.
 *
 * Memory: about 20 bytes a page, and a path's worth of pages' references.
 */
#ifndef YORE_UPKEEP_REACH_H
#define YORE_UPKEEP_REACH_H

#include "repo/fetch/fetch.h"
#include "repo/format/record.h"

struct reach;

enum reach_kind {
	REACH_PAGE,   /* of a directory or of a file's extents: CHUNK_PAGE */
	REACH_DATA,   /* content: CHUNK_DATA */
	REACH_XATTRS, /* extended attributes: CHUNK_XATTRS */
};

struct reach_options {
	const struct keyring *keys; /* borrowed, as this: */
	/* If it has a locator, pages are also found where the index says. */
	struct fetch *fetch;
	/* A reference, as a page or record has it: its place is the hint.  What
	 * is not 0 ends the walk. */
	int (*found)(void *ctx, enum reach_kind kind, const struct ref *r,
		struct err *e);
	/* A page cannot be read, or is none of its kind: 0 goes on without what
	 * is below it (its own reference is told), else the walk ends with
	 * that.  NULL: ends with the error. */
	int (*unread)(void *ctx, const struct ref *r, const struct err *why);
	/* Where a page is to be read, if its hint is known to be of no use: may
	 * change r's place.  May be NULL. */
	void (*where)(void *ctx, struct ref *r);
	/* Each page that is read, once, before what is below it; may be NULL.
	 * p is valid until it returns. */
	void (*page)(void *ctx, const struct ref *r, const struct page *p);
	void *ctx;
};

struct reach *reach_new(const struct reach_options *o);
void reach_free(struct reach *re);

/*
 * Walk what is below a record; its root page too is told.  Every page is
 * compared with its id (-EBADMSG: it is another one).  Errors: what the
 * callbacks returned, -ENOENT and so on as fetch_chunk, -EUCLEAN.
 */
int reach_record(struct reach *re, const struct record *r, struct err *e);
/* A record that will be walked soon: ask for its root page. */
void reach_ahead(struct reach *re, const struct record *r);

/* In a callback: the path, in the record that is being walked, of what is told
 * ("." is its root), cut off if it is longer. */
void reach_path(const struct reach *re, char *out, size_t size);

/* Pages that were read so far. */
uint64_t reach_pages(const struct reach *re);

#define auto_reach AUTO(reach_auto_)
static inline void
reach_auto_(struct reach **re)
{
	reach_free(*re);
}

#endif
