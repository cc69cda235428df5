/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --files-from: the set of paths a scan is restricted to.  A listed directory
 * stands for all that is below it; the parents of a listed path are scanned
 * too, with only what is listed in them.
 *
 * Made by one thread; sorted by wanted_seal and immutable afterwards.
 */
#ifndef YORE_WRITE_WANTED_H
#define YORE_WRITE_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include "repo/base/err.h"

struct wanted;

/* root: absolute path of the source; absolute paths must lie below it. */
struct wanted *wanted_new(const char *root);
void wanted_free(struct wanted *w);

/* Add a path, absolute or relative to the source; "." components and doubled
 * slashes are dropped.  -EINVAL for "..", an empty path, one outside. */
int wanted_add(struct wanted *w, const char *path, size_t len, struct err *e);
/* Add the paths in fd up to its end, each ended by separator ('\n' or 0);
 * empty ones are skipped. */
int wanted_read(struct wanted *w, int fd, char separator, struct err *e);
void wanted_seal(struct wanted *w);

/* The listed paths below one directory. */
struct wanted_range {
	size_t lo, hi; /* among the sorted paths */
	size_t off;    /* where their next component begins */
	bool whole;    /* everything below is wanted */
};

struct wanted_range wanted_top(const struct wanted *w);
/* Whether name in the directory of r is wanted; *below is then its range. */
bool wanted_child(const struct wanted *w, const struct wanted_range *r,
	const char *name, struct wanted_range *below);
/* Step through the names listed in the directory of r, begin with *i == r->lo:
 * the next one (not terminated) or NULL at the end. */
const char *wanted_next(const struct wanted *w, const struct wanted_range *r,
	size_t *i, size_t *name_len);

#endif
