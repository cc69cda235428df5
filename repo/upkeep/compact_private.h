/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One compaction; private to repo/upkeep/compact*.c. */
#ifndef YORE_UPKEEP_COMPACT_PRIVATE_H
#define YORE_UPKEEP_COMPACT_PRIVATE_H

#include "repo/format/segment.h"
#include "repo/upkeep/compact.h"
#include "repo/upkeep/sorter.h"
#include "repo/upkeep/tables.h"

#define BATCH_CHUNKS (1u << 20) /* about: a pack more */

/* A chunk that is to be copied. */
struct compact_item {
	uint64_t order; /* of a frame that is in use whole: of its first chunk */
	uint32_t pack;	/* number in the stock */
	uint32_t frame_len, frame_plain;
	uint64_t frame_off;
	uint32_t chunk_off, chunk_len;
	uint8_t key[CHUNK_KEY_LEN];
	/* The frame goes on as it is packed, with this many chunks: all that it
	 * has.  0: the chunk goes alone. */
	uint32_t packed;
};

struct compact {
	const struct compact_options *o;
	struct compact_result *res;
	struct sorter *items; /* of this batch */
	uint8_t *planned;     /* one a pack: it was in a batch */
	struct tables *tables; /* of all packs that are copied from */
	struct segment_pack *written; /* packs of this batch */
	uint32_t n_written, cap_written;
};

/* What packs of the next batch have to be copied, into c->items. */
int compact_plan(struct compact *c, bool *more, struct err *e);
/* Copy c->items; all packs are durable when it returns. */
int compact_copy(struct compact *c, struct err *e);
/* A pack cannot be condemned. */
void compact_drop(struct compact *c, uint32_t pack, const struct err *why);

#endif
