/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses: SOURCE@TIME:PATH.
 *
 *   SOURCE  HOST/NAME, or NAME on this host
 *   TIME    latest (the default), a snapshot's name, every form of repo/when.h,
 *           the first digits of a snapshot's id; of a database also a
 *           moment's name or whole id
 *   PATH    below the source's root; the root when left out
 *
 *   web1/home-ann            web1/home-ann:docs/a.txt     latest
 *   home-ann@yesterday:docs  home-ann@10:32:docs          (the longest TIME)
 *   @3f2a9c51:docs           the snapshot alone tells the source
 *   web1/orders.db@10:32     the newest moment not later
 *
 * Names may hold '@' and ':' themselves: the first split whose left side is a
 * source that exists is meant.
 */
#ifndef YORE_ADDRESS_H
#define YORE_ADDRESS_H

#include "repo/history.h"

/* Where addresses lead; all borrowed. */
struct address_space {
	struct history *history;
	const struct history_listing *listing;
	const char *host; /* that NAME alone belongs to */
	int64_t now_ns;
};

struct address {
	size_t source;		    /* index into the listing's sources */
	struct history_point point; /* its tags are the listing's */
	const char *path;	    /* points into the text; "": the root */
};

/*
 * Find what text means.  -ENOENT no such source, or nothing at that time (the
 * sentence says what there is), -EINVAL not a time, and what asking for the
 * moments of a database fails with.  What it finds, history_open_moment opens.
 */
int address_find(const struct address_space *in, const char *text,
	struct address *a, struct err *e);

/* Find a source alone: HOST/NAME or NAME.  -ENOENT. */
int address_find_source(const struct history_listing *l, const char *text,
	const char *host, size_t *source, struct err *e);

/* This machine's name as gethostname(2) says it; "localhost" when it
 * has none.  In static memory. */
const char *address_host(void);

/* A source's default name: an absolute path without its leading '/', '/'
 * written as '-'; "root" for "/".  Given. */
char *address_source_name(const char *path);

#endif
