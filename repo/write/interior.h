/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A database's interior pages put together (FORMAT, "Interior pages"): what
 * leads a query to its leaf lies all over the file, and a reader that is far
 * from the store would pay a request for each of them.
 *
 * Workers pick them out of the chunks of a file, the placing thread stores them
 * once more, side by side, and makes the map that says where they are.
 */
#ifndef YORE_WRITE_INTERIOR_H
#define YORE_WRITE_INTERIOR_H

#include "repo/base/buf.h"
#include "repo/format/ref.h"

struct file_build;
struct run;

/* What was picked of one job's chunks, in the order of the file. */
struct picked {
	uint64_t off; /* in the file */
	size_t at;    /* in bytes */
};

struct pickings {
	uint32_t unit; /* bytes each; 0: the job is of no database */
	struct picked *p;
	size_t n, cap;
	struct buf bytes;
};

/* Bytes that are picked together where pages have page_size; 0: none are. */
uint32_t interior_unit(uint32_t page_size);
/* Pick from the len bytes that lie at off in the file. */
void interior_pick(struct pickings *ps, uint32_t page_size, uint64_t off,
	const uint8_t *data, size_t len);
void pickings_release(struct pickings *ps);

/* -- The placing thread's ------------------------------------------------- */

struct interior;
void interior_free(struct interior *in); /* NULL is allowed */

/* Take over what was picked of the next job of the file. */
int interior_add(struct run *run, struct file_build *f,
	const struct pickings *ps, struct err *e);
/* What is stored already: len bytes at off of the file, as r. */
int interior_keep(struct run *run, struct file_build *f, uint64_t off,
	uint32_t len, const struct ref *r, struct err *e);
/* The file, of size bytes, ends: *ref is the root page of its map.  -ENOENT
 * there is none: it has few, or next to nothing else. */
int interior_finish(struct run *run, struct file_build *f, uint64_t size,
	struct ref *ref, struct err *e);

#endif
