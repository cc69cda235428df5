/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of contents of many packs, one after the other: some are read at
 * the same time, before they are asked for.  One thread.
 */
#ifndef YORE_UPKEEP_TABLES_H
#define YORE_UPKEEP_TABLES_H

#include "repo/format/object.h"
#include "repo/native/repository.h"
#include "repo/upkeep/stock.h"

struct tables;

/* packs: numbers in the stock, ascending; given.  The rest is borrowed. */
struct tables *tables_new(struct repository *rp, const struct stock *stock,
	uint32_t *packs, size_t n);
void tables_free(struct tables *t);

/* The table of one of those packs, at most once, in their order; others may be
 * passed by.  *toc (initialised) is given.  -ENOENT it is none of those; else
 * as table_load. */
int tables_take(
	struct tables *t, uint32_t pack, struct toc *toc, struct err *e);

#define auto_tables AUTO(tables_auto_)
static inline void
tables_auto_(struct tables **t)
{
	tables_free(*t);
}

#endif
