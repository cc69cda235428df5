/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building sorted maps: directories and the extents of big files (FORMAT,
 * "Sorted maps", "Cutting").  Entries come in ascending order; pages end where
 * the content says so, so that a change rewrites one leaf and the spine above
 * it.
 */
#ifndef YORE_WRITE_MAP_H
#define YORE_WRITE_MAP_H

#include "repo/format/entry.h"

/* Lengths between which a page ends, and how likely at an entry between. */
#define MAP_PAGE_MIN (12u << 10)
#define MAP_PAGE_MAX (96u << 10)
#define MAP_PAGE_ONE_IN 512

/* Keyed hashing of names for page boundaries; immutable. */
struct map_cut {
	uint64_t value[256];
};
void map_cut_init(struct map_cut *mc, const struct keyring *keys);

/* Puts a finished page somewhere and says where. */
typedef int map_store(void *ctx, const uint8_t *page, size_t len,
	struct ref *ref, struct err *e);

struct map_builder;

/* directory: of entries; else of extents.  Borrows cut. */
struct map_builder *map_builder_new(bool directory, const struct map_cut *cut,
	map_store *store, void *ctx);
void map_builder_free(struct map_builder *mb);
/* Before anything is added: the first leaf is put away last of all, so that it
 * lies where the pages above it do. */
void map_builder_first_last(struct map_builder *mb);

int map_builder_entry(struct map_builder *mb, const struct entry *en,
	struct err *e);
int map_builder_extent(struct map_builder *mb, const struct extent *x,
	struct err *e);

/* End: the root page's place and, borrowed until free, its bytes; false in
 * *any when nothing was added. */
int map_builder_finish(struct map_builder *mb, bool *any, struct ref *root,
	const uint8_t **page, size_t *len, struct err *e);

/* Totals of all entries added to a directory. */
struct totals map_builder_totals(const struct map_builder *mb);

#endif
