/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames: compress + encrypt + authenticate, and back (FORMAT, "Frames").
 * A frame knows its object and its place in it; moved or swapped it does not
 * unseal.  No I/O, no threads of its own; every function is thread-safe.
 */
#ifndef YORE_CRYPTO_SEAL_H
#define YORE_CRYPTO_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/err.h"
#include "repo/base/buf.h"
#include "repo/crypto/keyring.h"

#define FRAME_PREFIX_LEN 16
#define FRAME_TAG_LEN 16
#define FRAME_OVERHEAD (FRAME_PREFIX_LEN + FRAME_TAG_LEN)
#define FRAME_PLAIN_MAX (16u << 20)
#define FRAME_SEALED_MAX (FRAME_PLAIN_MAX + FRAME_OVERHEAD)

enum frame_type {
	FRAME_DATA = 1,	   /* chunks of file content */
	FRAME_PAGES = 2,   /* pages of sorted maps, and other metadata chunks */
	FRAME_TOC = 3,	   /* a pack's table of contents */
	FRAME_INDEX = 4,   /* index entries */
	FRAME_RECORD = 5,  /* snapshot record */
	FRAME_CATALOG = 6, /* catalog */
	FRAME_DELTA = 7,   /* what a delta is, and where the rest lies */
	FRAME_DELTA_PLACES = 8, /* a delta's index: where pages lie */
	FRAME_DELTA_SET = 9,	/* which pages the index has */
	FRAME_DELTA_TIMES = 10, /* when deltas were made, where they lie */
	FRAME_GC = 11,	   /* state of pruning */
};

enum frame_codec { CODEC_RAW = 0, CODEC_ZSTD = 1 };

#define FRAME_SOLID 1 /* flag: several chunks and their lengths at the end */

struct frame_prefix {
	uint8_t type;  /* enum frame_type */
	uint8_t codec; /* enum frame_codec */
	uint8_t flags;
	uint32_t body_len;  /* ciphertext and tag, without the prefix */
	uint32_t plain_len; /* at most FRAME_PLAIN_MAX */
};

/* What the first frame would wait for: OpenSSL and its setting up, zstd; once a
 * process, from any thread. */
void frame_prepare_sealing(void);
void frame_prepare_packing(void);
void frame_prefix_encode(uint8_t out[FRAME_PREFIX_LEN],
	const struct frame_prefix *p);
/* -EUCLEAN names the field that is out of bounds. */
int frame_prefix_decode(const uint8_t in[FRAME_PREFIX_LEN],
	struct frame_prefix *p, struct err *e);

/* The key of one object and what binds its frames to it. */
struct object_key {
	uint8_t key[KEY_LEN];
	uint8_t repository_id[REPOSITORY_ID_LEN];
	uint8_t object_id[OBJECT_ID_LEN];
	uint8_t type; /* enum object_type */
};

void object_key_init(struct object_key *k, const struct keyring *keys,
	enum object_type type, const uint8_t object_id[OBJECT_ID_LEN]);

/* A compressor; one per thread. */
struct packer;
struct packer *packer_new(int zstd_level);
void packer_free(struct packer *p);

/*
 * Compress plain (at most FRAME_PLAIN_MAX, else -EINVAL) into out (replaced),
 * or copy it when that does not gain; the codec says which.  level overrides
 * the packer's own unless it is 0.
 * Then decompress again and compare; -EBADMSG when it differs.
 */
int packer_pack(struct packer *p, int level, const void *plain,
	size_t plain_len, struct buf *out, enum frame_codec *codec,
	struct err *e);

/*
 * Seal packed bytes (what packer_pack made) as the frame at `offset` of the
 * object; appends prefix, ciphertext and tag to out.  prefix->body_len is
 * filled in, everything else in it is the caller's.  The result is unsealed
 * again and compared with packed; -EBADMSG when it differs, -EINVAL for a
 * prefix that frame_prefix_decode would refuse; out is then as before.
 */
int frame_seal(const struct object_key *k, uint64_t offset,
	struct frame_prefix *prefix, const struct buf *packed, struct buf *out,
	struct err *e);

/*
 * Unseal the frame in sealed (prefix, ciphertext, tag; exactly len bytes) that
 * lies at `offset`.  Order: bounds, authentication, exact-size decompression.
 * sealed is overwritten.  *plain (given, free()) has prefix->plain_len bytes.
 * -EBADMSG does not verify; -EUCLEAN verifies but is not a frame we write.
 */
int frame_unseal(const struct object_key *k, uint64_t offset, uint8_t *sealed,
	size_t len, struct frame_prefix *prefix, uint8_t **plain,
	struct err *e);
/*
 * The same for who seals it again elsewhere, as it is packed: nothing is
 * decompressed, and the packed bytes, prefix->body_len - FRAME_TAG_LEN of them,
 * lie in sealed behind its first FRAME_PREFIX_LEN bytes.  -EBADMSG.
 */
int frame_unseal_packed(const struct object_key *k, uint64_t offset,
	uint8_t *sealed, size_t len, struct frame_prefix *prefix,
	struct err *e);

#endif
