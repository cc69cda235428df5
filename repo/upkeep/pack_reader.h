/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pack read from one end to the other: its header, its table of contents,
 * each of its frames unsealed.  Where the table is lost frames are found by
 * their prefixes, and what lies between two that unseal is told as one stretch
 * that does not.  Never writes.
 */
#ifndef YORE_UPKEEP_PACK_READER_H
#define YORE_UPKEEP_PACK_READER_H

#include "repo/crypto/seal.h"
#include "repo/format/object.h"
#include "repo/store/store.h"

struct pack_reader {
	struct store *store; /* borrowed, as this: */
	const struct keyring *keys;
	struct object_key key;
	char name[OBJECT_NAME_MAX];
	uint8_t id[OBJECT_ID_LEN];
	enum object_type type;
	uint64_t size;
	struct toc toc; /* if table.code is 0 */
	uint64_t end;	/* of frames, as the trailer says */
	uint64_t table_off; /* where the trailer says it is; 0: it does not */
	/* What is wrong with it; code 0: nothing. */
	struct err head, table;
	/* The bytes read last. */
	struct buf window;
	uint64_t window_off;
};

/* A frame, or a stretch that is none. */
struct pack_frame {
	uint64_t off, len;
	int bad;	 /* 0, or why it is not: -EBADMSG, -EUCLEAN */
	const char *why; /* then, a sentence */
	uint8_t type, flags;
	const uint8_t *plain; /* borrowed for the call */
	uint32_t plain_len;
	uint32_t n_chunks;
	const uint8_t *lens; /* of a solid one: big-endian u32 each */
	const struct toc_frame
		*listed; /* as the table has it; NULL: no table */
};

/*
 * Read header, trailer and table of the pack that is listed with that size.  0
 * also when they are damaged; -ENOENT, -EIO and so on, as the store says.
 * pr is to be released in any case.
 */
int pack_reader_open(struct pack_reader *pr, struct store *s,
	const struct keyring *keys, enum object_type type,
	const uint8_t id[OBJECT_ID_LEN], uint64_t size, struct err *e);
/* The same of a delta, of which only the frames up to `end` are gone through,
 * by their prefixes. */
int pack_reader_delta(struct pack_reader *pr, struct store *s,
	const struct keyring *keys, const char *name,
	const uint8_t id[OBJECT_ID_LEN], uint64_t end, struct err *e);
/* Each frame in turn, until one call returns other than 0; that, or -errno of
 * the store. */
int pack_reader_frames(struct pack_reader *pr,
	int (*each)(void *ctx, const struct pack_frame *f), void *ctx,
	struct err *e);
void pack_reader_release(struct pack_reader *pr);

/* Length of chunk i of a frame. */
static inline uint32_t
pack_frame_chunk(const struct pack_frame *f, uint32_t i)
{
	return f->lens ? get_be32(f->lens + 4 * (size_t)i) : f->plain_len;
}

#define auto_pack_reader AUTO(pack_reader_release)

#endif
