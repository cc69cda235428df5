/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames on their way into new packs: threads compress what is not packed yet,
 * and all of them are sealed and appended in the order in which they came.  One
 * thread adds.  Memory: OUT_LEN of frames (compact_out.c), or one of any
 * length, beside what packs take that are being made durable.
 */
#ifndef YORE_UPKEEP_COMPACT_OUT_H
#define YORE_UPKEEP_COMPACT_OUT_H

#include "repo/upkeep/compact_private.h"
#include "repo/write/pack.h"

struct compact_out;

/* -EAGAIN no thread. */
int compact_out_new(struct compact *c, struct compact_out **o, struct err *e);
/* Forgets what was not finished. */
void compact_out_free(struct compact_out *o);

/* A frame that is packed already: its bytes and chunks are given, also when it
 * fails, and *p is empty then.  Errors as of pack_writer_add. */
int compact_out_packed(
	struct compact_out *o, uint8_t object, struct packed *p, struct err *e);
/* One of these chunks, whose plaintext lies one behind the other: both given.
 */
int compact_out_plain(struct compact_out *o, uint8_t object, struct buf *plain,
	struct packed *p, struct err *e);
/* All packs are durable, and noted in c->written. */
int compact_out_finish(struct compact_out *o, struct err *e);

#define auto_compact_out AUTO(compact_out_auto_)
static inline void
compact_out_auto_(struct compact_out **o)
{
	compact_out_free(*o);
}

#endif
