/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the parts of copy.h: copy.c is about trees, copy_database.c not. */
#ifndef YORE_UPKEEP_COPY_PRIVATE_H
#define YORE_UPKEEP_COPY_PRIVATE_H

#include "repo/upkeep/copy.h"

struct learned;

struct copy {
	struct copy_options o;
	struct writer *w;
	struct history *to; /* the same repository, read */
	struct learned *learned;
};

/* What a copy says of where it comes from: in its record, kept for who copies
 * again. */
#define COPY_ORIGIN_LEN 40

/* One source of a run. */
struct copy_run {
	struct copy *c;
	const struct history_listing *l;
	const struct history_source *s;
	size_t source;
	const char *host, *name; /* in the target */
	const bool *wanted;
	struct copy_result *result;
};

/* Of a state with this id. */
void copy_origin(const struct copy_run *r, const char *id,
	uint8_t out[COPY_ORIGIN_LEN]);
bool copy_is_wanted(const struct copy_run *r, size_t point);
/* It could not be copied: told; 0 if others may go on. */
int copy_fail(struct copy_run *r, const struct history_point *p, int code,
	struct err *e);
bool copy_interrupted(const struct copy *c);
/* The target's newest listing, and the source in it or HISTORY_NONE. */
struct history_listing *copy_target(struct copy_run *r, size_t *source);

/* Whether what is called a database has pages: not all that others wrote and
 * that belongs to one does. */
int copy_has_pages(struct copy_run *r, bool *pages, struct err *e);
/* A source that is a database: every moment of it. */
int copy_database(struct copy_run *r, struct err *e);

#endif
