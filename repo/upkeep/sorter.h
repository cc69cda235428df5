/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorting more records of a fixed size than memory holds: sorted runs in a
 * scratch file that has no name, merged when they are read.  One thread.
 *
 * Memory: what sorter_new is told, while adding and while reading.
 */
#ifndef YORE_UPKEEP_SORTER_H
#define YORE_UPKEEP_SORTER_H

#include <stddef.h>
#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

struct sorter;

/* Records of `size` bytes, in the order that compare says, as qsort's.  The
 * scratch file is made in $TMPDIR, else /var/tmp, when memory is full. */
struct sorter *sorter_new(size_t size, int (*compare)(const void *, const void *),
	size_t memory);
void sorter_free(struct sorter *s);

/* Not after sorter_read.  -errno of the scratch file. */
int sorter_add(struct sorter *s, const void *record, struct err *e);
/* From now on sorter_next begins with the first record; may be repeated. */
int sorter_read(struct sorter *s, struct err *e);
/* 1 and the next record (valid until the next call), 0 at the end, -errno. */
int sorter_next(struct sorter *s, const void **record, struct err *e);
/* Records that were added. */
uint64_t sorter_n(const struct sorter *s);

#define auto_sorter AUTO(sorter_auto_)
static inline void
sorter_auto_(struct sorter **s)
{
	sorter_free(*s);
}

#endif
