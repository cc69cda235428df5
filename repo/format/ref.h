/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reference: what a chunk is called, and a hint where it lies. */
#ifndef YORE_FORMAT_REF_H
#define YORE_FORMAT_REF_H

#include <stdint.h>
#include "repo/crypto/keyring.h"

/* Where a frame lies. */
struct frame_place {
	/* Id of the pack.  Of a delta: what tells it from the others that this
	 * process has met (repo/native/deltas.h); names and ids follow. */
	uint8_t pack[OBJECT_ID_LEN];
	uint64_t off;	/* of its prefix in the object */
	uint32_t len;	/* sealed, prefix included */
	uint8_t object; /* enum object_type: OBJECT_DATA, _META, _DELTA */
};

struct ref {
	uint8_t id[CHUNK_ID_LEN];
	struct frame_place place;
	uint32_t chunk_off; /* in the frame's plaintext */
	uint32_t chunk_len;
};

#endif
