/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packs being written: frames go in one after the other, the table of contents
 * and the trailer when it is full.  Finished packs are made durable by threads
 * of their own, two at a time: what the end of one waits for does not keep the
 * next one's bytes from travelling.  pack_writer_finish waits for all of them.
 *
 * One thread adds; a pack is bound to its sink and keys.  On a dry run (sink
 * NULL) everything happens but the writing.
 */
#ifndef YORE_WRITE_PACK_H
#define YORE_WRITE_PACK_H

#include <stdint.h>
#include "repo/base/buf.h"
#include "repo/crypto/keyring.h"
#include "repo/crypto/seal.h"
#include "repo/format/ref.h"
#include "repo/store/store.h"

struct pack_writer;

/* One chunk of a frame. */
struct pack_chunk {
	uint8_t id[CHUNK_ID_LEN];
	uint32_t off; /* in the frame's plaintext */
	uint32_t len;
};

/* A frame that is packed (compressed) and not yet sealed. */
struct packed {
	struct buf bytes;
	uint32_t plain_len;
	uint8_t type;  /* enum frame_type */
	uint8_t codec; /* enum frame_codec */
	uint8_t flags;
	struct pack_chunk *chunks;
	uint32_t n_chunks;
};

/* type: OBJECT_DATA or OBJECT_META; target: bytes after which a pack ends.
 * limit: bytes a second, 0 none. */
struct pack_writer *pack_writer_new(struct sink *sink,
	const struct keyring *keys, enum object_type type, uint64_t target,
	uint64_t limit);
/* Forgets what was not finished. */
void pack_writer_free(struct pack_writer *pw);

/* Seal and append; *at says where it lies. */
int pack_writer_add(struct pack_writer *pw, const struct packed *p,
	struct frame_place *at, struct err *e);
/* End the current pack, and do not wait for it. */
int pack_writer_end(struct pack_writer *pw, struct err *e);
/* End the current pack and wait until every pack is durable. */
int pack_writer_finish(struct pack_writer *pw, struct err *e);
/* Bytes appended so far, of all packs. */
uint64_t pack_writer_bytes(const struct pack_writer *pw);

#endif
