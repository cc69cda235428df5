/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the index of a repository knows what its packs hold. */
#ifndef YORE_TESTS_INDEXED_H
#define YORE_TESTS_INDEXED_H

#include "repo/base/err.h"

/*
 * Look up each chunk that the tables of contents of all packs name: it is
 * found, at a place that a table gives it.  -ENOENT names the pack.
 */
int indexed_whole(const char *repo, struct err *e);

#endif
