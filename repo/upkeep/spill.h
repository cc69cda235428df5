/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorting more records of one size than fit memory: full buffers are sorted and
 * written to a scratch file, and merged when they are read.
 */
#ifndef YORE_UPKEEP_SPILL_H
#define YORE_UPKEEP_SPILL_H

#include <stdint.h>
#include "repo/base/auto.h"
#include "repo/base/err.h"

struct spill;

/* Records of `size` bytes, ordered by their bytes as memcmp does; memory: of
 * the buffer, about half as much again when it is read. */
struct spill *spill_new(size_t size, size_t memory);
void spill_free(struct spill *s); /* NULL is allowed */

int spill_add(struct spill *s, const void *record, struct err *e);
uint64_t spill_count(const struct spill *s);
/* No more will be added: begin to read. */
int spill_sort(struct spill *s, struct err *e);
/* 1 and the next record, borrowed until the next call; 0 at the end; -errno. */
int spill_next(struct spill *s, const void **record, struct err *e);

#define auto_spill AUTO(spill_auto_)
static inline void
spill_auto_(struct spill **s)
{
	spill_free(*s);
}

#endif
