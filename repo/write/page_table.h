/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hashes of all pages of a database, on the local disk: what the hash of
 * the whole is kept up from when a few pages change.
 *
 * Three files of one directory: `pages`, 16 bytes a page; `pages.next`, the
 * hashes that a delta under way brings; `pages.new`, all of them anew, while a
 * base is made.  None is ever synced or trusted: what is there is the right one
 * if its sum is what the store says, which page_table_open finds out.
 *
 * One thread.
 */
#ifndef YORE_WRITE_PAGE_TABLE_H
#define YORE_WRITE_PAGE_TABLE_H

#include <stdio.h>
#include "repo/base/auto.h"
#include "repo/format/delta.h"

struct page_table {
	int dir; /* owned */
	int fd;	 /* of `pages`; -1: they are not known */
	const struct keyring *keys; /* borrowed */
	struct database_state state; /* that the table is of */
	FILE *next;  /* `pages.next` or `pages.new`, being written */
	uint32_t n_new; /* pages put into pages.new so far */
	/* Page pgno as it was when the table was opened, of which no hash is
	 * known yet; NULL: all are. */
	int (*read)(void *ctx, uint32_t pgno, void *buf, struct err *e);
	void *ctx;
};

/* Of an existing directory. */
int page_table_init(struct page_table *t, const char *dir,
	const struct keyring *keys, struct err *e);
void page_table_release(struct page_table *t);

/*
 * Find the hashes of the database in this state, among what is there.  With
 * number, also what the delta of that number was to bring (page_table_begin).
 * False: they are lost.  Reads all of them.
 */
bool page_table_open(struct page_table *t, const struct database_state *s,
	uint64_t number);
/* Begin with a database in this state whose pages read gives: each is hashed
 * when it first changes.  Reads nothing now. */
int page_table_open_of(struct page_table *t, const struct database_state *s,
	int (*read)(void *ctx, uint32_t pgno, void *buf, struct err *e),
	void *ctx, struct err *e);
/* They are known. */
static inline bool
page_table_known(const struct page_table *t)
{
	return t->fd >= 0;
}

/* -- A delta ----------------------------------------------------------------- */

/* Begin with a copy of the state, which the calls below change. */
int page_table_begin(struct page_table *t, uint64_t number,
	struct database_state *s, struct err *e);
/* A page, ascending, is now this one; it may lie beyond the end so far. */
int page_table_set(struct page_table *t, struct database_state *s,
	uint32_t pgno, const void *page, struct err *e);
/* Whether a page, which must be there, was all zeros before the delta. */
int page_table_is_zeros(const struct page_table *t, uint32_t pgno, bool *empty,
	struct err *e);
/* The database has fewer pages: those behind are gone. */
int page_table_shrink(struct page_table *t, struct database_state *s,
	uint32_t pages, struct err *e);
/* All is in pages.next. */
int page_table_end(struct page_table *t, const struct database_state *s,
	struct err *e);
/* The delta is in the store: so is the table.  What fails makes the table
 * unknown. */
void page_table_apply(struct page_table *t, const struct database_state *s);

/* -- A base ------------------------------------------------------------------ */

/* page_size is s's; its hash and pages are counted up from 0. */
int page_table_begin_new(struct page_table *t, struct database_state *s,
	struct err *e);
/* The next page. */
int page_table_add(struct page_table *t, struct database_state *s,
	const void *page, struct err *e);
/* It is in the store: the new table takes the place of the one before. */
void page_table_keep_new(struct page_table *t, const struct database_state *s);
/* It is not. */
void page_table_drop_new(struct page_table *t);

#endif
