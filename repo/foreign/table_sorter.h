/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts records in order that come in any, whatever their number: sorted
 * stretches that fit into memory become tables for the while, which are merged
 * in the end.  Of records with one key the last one given counts.
 */
#ifndef YORE_FOREIGN_TABLE_SORTER_H
#define YORE_FOREIGN_TABLE_SORTER_H

#include "repo/foreign/table.h"

struct table_sorter;

/* kept is borrowed until it is freed; memory: bytes of a stretch, 0: 8 MiB. */
struct table_sorter *table_sorter_new(struct kept *k, size_t memory);
void table_sorter_free(struct table_sorter *s);

/* Copied.  -ENODATA, -ENOSPC what is kept for the while gets lost. */
int table_sorter_add(
	struct table_sorter *s, const struct table_record *r, struct err *e);

/*
 * Call each record in order of keys, those of base (NULL: none) among them
 * unless a key was added, too.  Once; -EINTR cancelled; errors of each.
 */
int table_sorter_each(struct table_sorter *s, struct table *base,
	int (*each)(void *ctx, const struct table_record *r, struct err *e),
	void *ctx, struct err *e);

#define auto_table_sorter AUTO(table_sorter_auto_)
static inline void
table_sorter_auto_(struct table_sorter **s)
{
	table_sorter_free(*s);
}

#endif
