/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What chunks of another repository are called here, as far as they have been
 * copied by this process: none is read twice.  Bounded; what is beyond is not
 * learned.  May be used by any thread.
 */
#ifndef YORE_WRITE_LEARNED_H
#define YORE_WRITE_LEARNED_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/crypto/keyring.h"

struct learned;

struct learned *learned_new(void);
void learned_free(struct learned *l);

/* NULL is allowed: nothing is learned.  A name of zeros is none. */
void learned_add(struct learned *l, const uint8_t theirs[CHUNK_ID_LEN],
	const uint8_t ours[CHUNK_ID_LEN]);
bool learned_find(struct learned *l, const uint8_t theirs[CHUNK_ID_LEN],
	uint8_t ours[CHUNK_ID_LEN]);

#endif
