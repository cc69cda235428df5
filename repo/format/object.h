/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects: the one container everything but `format` and keys/ lies in
 * (FORMAT, "Objects"): header | frames | [table of contents | trailer].
 * Encode and decode only.
 */
#ifndef YORE_FORMAT_OBJECT_H
#define YORE_FORMAT_OBJECT_H

#include "repo/base/bytes.h"
#include "repo/base/err.h"
#include "repo/crypto/keyring.h"
#include "repo/format/ref.h"

#define OBJECT_HEADER_LEN 64
#define OBJECT_TRAILER_LEN 24
#define OBJECT_VERSION 1
/* Longest name object_name makes, with its terminator. */
#define OBJECT_NAME_MAX 96

struct object_header {
	uint8_t type;	       /* enum object_type */
	uint8_t id[OBJECT_ID_LEN];
	uint8_t repository_id[REPOSITORY_ID_LEN];
};

void object_header_encode(uint8_t out[OBJECT_HEADER_LEN],
	const struct object_header *h);
/* -EUCLEAN not an object of ours, -EPROTONOSUPPORT a newer version. */
int object_header_decode(const uint8_t in[OBJECT_HEADER_LEN],
	struct object_header *h, struct err *e);

struct object_trailer {
	uint64_t toc_off;
	uint32_t toc_len; /* the sealed frame, prefix included */
};

void object_trailer_encode(uint8_t out[OBJECT_TRAILER_LEN],
	const struct object_trailer *t);
int object_trailer_decode(const uint8_t in[OBJECT_TRAILER_LEN],
	struct object_trailer *t, struct err *e);

/* data/<xx>/<32 digits> or meta/<xx>/<32 digits> */
void object_pack_name(char out[OBJECT_NAME_MAX], enum object_type type,
	const uint8_t id[OBJECT_ID_LEN]);

/* -- Solid frames: chunk bytes, then u32 length of each, then u32 count -- */

/* Append the table for n chunks of the given lengths. */
void solid_table_encode(struct buf *b, const uint32_t *lens, uint32_t n);
/* Check the table of a solid frame's plaintext: returns the number of chunks
 * and sets *lens to the first length (big-endian u32 each, read with
 * get_be32); -EUCLEAN when it does not add up. */
int solid_table_decode(const uint8_t *plain, size_t len, const uint8_t **lens,
	uint32_t *n, struct err *e);

/* -- Table of contents of a pack ----------------------------------------- */

struct toc_frame {
	uint64_t off;
	uint32_t len;	    /* sealed, prefix included */
	uint32_t plain_len;
	uint32_t n_chunks;
	uint32_t first_chunk; /* index into the toc's chunks */
	uint8_t type;
};

struct toc_chunk {
	uint8_t id[CHUNK_KEY_LEN];
	uint32_t off; /* in the frame's plaintext */
	uint32_t len;
};

struct toc {
	struct toc_frame *frames;
	struct toc_chunk *chunks;
	uint32_t n_frames, cap_frames;
	uint32_t n_chunks, cap_chunks;
};

#define TOC_INIT { 0 }
#define TOC_FRAMES_MAX (1u << 20)
#define TOC_CHUNKS_MAX (1u << 22)

void toc_release(struct toc *t);
/* Begin a frame; the chunks added next belong to it. */
void toc_add_frame(struct toc *t, uint8_t type, uint64_t off, uint32_t len,
	uint32_t plain_len);
void toc_add_chunk(struct toc *t, const uint8_t id[CHUNK_KEY_LEN], uint32_t off,
	uint32_t len);
void toc_encode(const struct toc *t, struct buf *b);
int toc_decode(const void *data, size_t len, struct toc *t, struct err *e);

#define auto_toc AUTO(toc_release)

#endif
