/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of a database at a moment, out of a view of it; and which of them
 * differ from those of another moment.
 */
#ifndef YORE_UPKEEP_COPY_PAGES_H
#define YORE_UPKEEP_COPY_PAGES_H

#include "repo/view.h"

struct delta_writer;

struct copy_pages {
	struct view *view;
	uint64_t node; /* of the bytes as stored */
	struct view_attr attr;
	char file[256];	  /* name of the database */
	const char *path; /* where it lay; borrowed from the view */
	uint32_t page_size;
	uint32_t n;
	struct view_check *check; /* or NULL: of the source's own hash */
	uint32_t checked;	  /* pages that have passed it */
	enum { PLACES_UNKNOWN, PLACES_TOLD, PLACES_NOT_TOLD } places;
};

/* *p is given; v is referred to.  -EUCLEAN it is no database. */
int copy_pages_open(struct view *v, struct copy_pages **p, struct err *e);
void copy_pages_free(struct copy_pages *p); /* NULL is allowed */

/* As delta_writer_pages.read; ctx is the struct copy_pages. */
int copy_pages_read(void *ctx, uint32_t first, uint32_t n, void *buf,
	struct err *e);

/* All pages are read from now on, once and in order: compare them with what the
 * source says of the whole. */
int copy_pages_prove(struct copy_pages *p, struct err *e);
/* They have been: -EBADMSG they were not those. */
int copy_pages_proved(struct copy_pages *p, struct err *e);
/* Both at once, and whether the target has the very same: -ESTALE. */
int copy_pages_adopt(struct copy_pages *p, struct delta_writer *dw,
	struct err *e);

/* Pages of `now` that differ, ascending. */
struct copy_changes {
	struct copy_pages *now;
	uint32_t *pgno;
	size_t n, cap;
};

int copy_changes_find(struct copy_changes *ch, struct copy_pages *before,
	struct err *e);
void copy_changes_release(struct copy_changes *ch);
/* As delta_writer_delta.read; ctx is the struct copy_changes. */
int copy_changes_read(void *ctx, size_t i, void *buf, struct err *e);

#endif
