/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of which packs are in use: every reference that snapshots have,
 * sorted by where it leads, outside memory.
 *
 * A reference leads where its hint says, if that pack is listed and neither
 * condemned nor lost; else to the first place that the index knows in such a
 * pack; else, if its own is condemned and still there, there, and that pack is
 * used again.  What leads nowhere is missing.  One thread.
 */
#ifndef YORE_UPKEEP_LIVE_H
#define YORE_UPKEEP_LIVE_H

#include "repo/format/gc.h"
#include "repo/native/index.h"
#include "repo/upkeep/reach.h"
#include "repo/upkeep/stock.h"

struct live;

/* Of what kind of record the references are that come next; a chunk is in use
 * as the first of these it is used as. */
enum live_class {
	LIVE_PINNED,   /* must be found where its hint says (DESIGN, B5) */
	LIVE_SNAPSHOT,
	LIVE_TRASH,    /* a snapshot that may be brought back */
};

#define LIVE_CLASS_SHIFT 56

/* A chunk that is in use. */
struct live_chunk {
	uint32_t pack; /* number in the stock */
	uint32_t frame_len;
	uint64_t frame_off;
	uint32_t chunk_off, chunk_len;
	uint64_t order; /* class << LIVE_CLASS_SHIFT | when it was met first */
};

/* Borrows stock, whose packs' flags say what is condemned, and state.
 * memory: of sorting. */
struct live *live_new(struct stock *stock, const struct gc_state *state,
	size_t memory);
void live_free(struct live *l);

void live_class(struct live *l, enum live_class class);
/* A callback of reach: ctx is the struct live. */
int live_found(void *ctx, enum reach_kind kind, const struct ref *r,
	struct err *e);

/*
 * All records were walked: find out where the references lead, and note in the
 * stock what is live.  -EUCLEAN: a chunk that a snapshot needs is nowhere; the
 * sentence names it.
 */
int live_settle(struct live *l, struct index *index, struct err *e);

/* Step through the chunks in use by pack, frame and place, each once.
 * live_next: 1, 0 at the end, -errno. */
int live_read(struct live *l, struct err *e);
int live_next(struct live *l, struct live_chunk *c, struct err *e);

/* Packs that hints of snapshots name and that are not listed. */
const struct gc_packs *live_gone(struct live *l);
/* Chunks that check knows to be lost, and that snapshots use. */
uint64_t live_lost(const struct live *l);

#define auto_live AUTO(live_auto_)
static inline void
live_auto_(struct live **l)
{
	live_free(*l);
}

#endif
