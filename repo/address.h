/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses: SOURCE@TIME:PATH.
 *
 *   SOURCE  HOST/NAME, or NAME on this host
 *   TIME    latest (the default), a snapshot's name, every form of repo/when.h,
 *           or the first digits of a snapshot's id
 *   PATH    below the source's root; the root when left out
 *
 *   web1/home-ann            web1/home-ann:docs/a.txt     latest
 *   home-ann@yesterday:docs  home-ann@10:32:docs          (the longest TIME)
 *   @3f2a9c51:docs           the snapshot alone tells the source
 *
 * Names may hold '@' and ':' themselves: the first split whose left side is a
 * source that exists is meant.
 */
#ifndef YORE_ADDRESS_H
#define YORE_ADDRESS_H

#include "repo/history.h"

struct address {
	size_t source;	  /* index into the listing's sources */
	size_t point;	  /* index into its points */
	const char *path; /* points into the text; "" for the root */
};

/*
 * Find what text means in a listing.  host is the one that NAME alone belongs
 * to.  -ENOENT no such source, or nothing at that time (the sentence says what
 * there is), -EINVAL not a time.
 */
int address_find(const struct history_listing *l, const char *text,
	const char *host, int64_t now_ns, struct address *a, struct err *e);

/* Find a source alone: HOST/NAME or NAME.  -ENOENT. */
int address_find_source(const struct history_listing *l, const char *text,
	const char *host, size_t *source, struct err *e);

/* Find the point of a source that a TIME names.  -ENOENT, -EINVAL. */
int address_find_point(const struct history_listing *l, size_t source,
	const char *time, int64_t now_ns, size_t *point, struct err *e);

/* This machine's name as gethostname(2) says it; "localhost" when it
 * has none.  In static memory. */
const char *address_host(void);

/* A source's default name: an absolute path without its leading '/', '/'
 * written as '-'; "root" for "/".  Given. */
char *address_source_name(const char *path);

#endif
