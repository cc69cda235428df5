/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of rebuild.c; private to repo/upkeep/rebuild*.c. */
#ifndef YORE_UPKEEP_REBUILD_PRIVATE_H
#define YORE_UPKEEP_REBUILD_PRIVATE_H

#include "repo/format/gc.h"
#include "repo/upkeep/check_packs.h"
#include "repo/upkeep/rebuild.h"
#include "repo/upkeep/sorter.h"

/* A chunk where a pack has it, or where the index says. */
struct rebuild_entry {
	uint8_t key[CHUNK_KEY_LEN];
	uint32_t pack; /* number in packs */
	uint64_t off;
	uint32_t len, chunk_off, chunk_len;
	uint32_t kind; /* 0 in a pack, 1 in the index */
};

struct rebuild {
	struct upkeep *u;
	const struct rebuild_options *o;
	struct rebuild_result *res;
	struct check_packs packs;
	struct gc_state state;
	struct sorter *entries;
};

/* All chunks of all packs (rebuild_packs.c). */
int rebuild_packs(struct rebuild *rb, struct err *e);
/* The index, compared with them and written (rebuild_index.c). */
int rebuild_index(struct rebuild *rb, struct err *e);

#endif
