/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chunks of a batch in their order, each with the frame it lies in, which
 * threads have read and unsealed meanwhile.  Frames that lie together in a pack
 * come in one get, and a frame that several of the next chunks lie in comes
 * once.  Memory: AHEAD_LEN of frames (compact_ahead.c), or one of any length.
 */
#ifndef YORE_UPKEEP_COMPACT_AHEAD_H
#define YORE_UPKEEP_COMPACT_AHEAD_H

#include "repo/crypto/seal.h"
#include "repo/upkeep/compact_private.h"

struct compact_frame {
	struct err why; /* with a code: the frame cannot be had */
	/* Of an item that goes on as it is packed: */
	struct frame_prefix prefix;
	uint8_t *sealed; /* the packed bytes behind FRAME_PREFIX_LEN */
	/* Of another one: */
	struct frame *frame;
};

struct compact_ahead;

/* Of c->items, which are read from the first one on.  -EAGAIN no thread. */
int compact_ahead_new(
	struct compact *c, struct compact_ahead **a, struct err *e);
void compact_ahead_free(struct compact_ahead *a);

/* The next item and its frame, valid until the next call.  1, 0 at the end,
 * -errno of the sorter. */
int compact_ahead_next(struct compact_ahead *a, const struct compact_item **it,
	const struct compact_frame **f, struct err *e);

#define auto_compact_ahead AUTO(compact_ahead_auto_)
static inline void
compact_ahead_auto_(struct compact_ahead **a)
{
	compact_ahead_free(*a);
}

#endif
