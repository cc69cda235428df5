/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States of pruning (FORMAT, "States of pruning"): which packs are about to go
 * or gone and which frames are lost, so that writers refer to none of them.
 * Encode and decode only.
 */
#ifndef YORE_FORMAT_GC_H
#define YORE_FORMAT_GC_H

#include "repo/base/buf.h"
#include "repo/base/err.h"
#include "repo/crypto/id.h"
#include "repo/crypto/keyring.h"
#include "repo/format/ref.h"

#define GC_LEN_MAX (64u << 20) /* encoded */
#define GC_PACKS_MAX (1u << 20) /* of each kind; of frames as many */
#define GC_NUMBER_MAX 999999999999
#define GC_NAME_LEN 15 /* gc/<12 digits> */

struct gc_pack {
	uint8_t object; /* OBJECT_DATA or OBJECT_META */
	uint8_t id[OBJECT_ID_LEN];
	uint64_t since; /* n of the state that condemned it; else unused */
};

/* Sorted by object and id, without doubles, where nothing else is said. */
struct gc_packs {
	struct gc_pack *p;
	size_t n, cap;
};

struct gc_frame {
	uint8_t object;
	uint8_t pack[OBJECT_ID_LEN];
	uint64_t off; /* 0: the whole pack; then len is 0 too */
	uint32_t len; /* sealed, prefix included */
};

/* Likewise, by object, pack and offset. */
struct gc_frames {
	struct gc_frame *p;
	size_t n, cap;
};

struct gc_state {
	uint64_t n;	 /* 1, 2, ... */
	int64_t time_ns; /* wall clock, for display */
	uint8_t previous[HASH_LEN]; /* SHA-256 of object n - 1; zeros for 1 */
	struct gc_packs condemned; /* will be deleted unless used again */
	struct gc_packs sentenced; /* of those, what is being deleted now */
	struct gc_packs gone; /* deleted, and named by hints of snapshots */
	struct gc_frames lost; /* damaged or missing */
};

void gc_state_release(struct gc_state *s);

/* Append; gc_state_sort before anything else looks. */
void gc_packs_add(struct gc_packs *list, enum object_type object,
	const uint8_t id[OBJECT_ID_LEN], uint64_t since);
void gc_frames_add(struct gc_frames *list, const struct frame_place *at);
/* Bring all four lists in order and drop doubles (of a pack that was condemned
 * twice the first `since` stays). */
void gc_state_sort(struct gc_state *s);

/* Find a pack; NULL it is not in the list. */
const struct gc_pack *gc_packs_find(const struct gc_packs *list,
	uint8_t object, const uint8_t id[OBJECT_ID_LEN]);
/* Whether a frame is in the list, by itself or with its pack. */
bool gc_frames_has(const struct gc_frames *list, const struct frame_place *at);
/* Whether writers must not refer to a place. */
bool gc_state_avoids(const struct gc_state *s, const struct frame_place *at);
/* Whether it names nothing at all. */
bool gc_state_is_empty(const struct gc_state *s);

/* Append the encoding, of sorted lists.  -EFBIG beyond the bounds, -EINVAL when
 * decoding would refuse it; b is then as before. */
int gc_state_encode(const struct gc_state *s, struct buf *b, struct err *e);
/* *s is given.  -EUCLEAN it contradicts itself, -EPROTONOSUPPORT a newer yore
 * wrote it. */
int gc_state_decode(const uint8_t *data, size_t len, struct gc_state *s,
	struct err *e);

/* gc/<999999999999 - n> */
void gc_name(char out[GC_NAME_LEN + 1], uint64_t n);
/* n, or 0: not the name of a state. */
uint64_t gc_name_parse(const char *name);

#define auto_gc_state AUTO(gc_state_release)

#endif
