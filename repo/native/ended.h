/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources that were forgotten as a whole (FORMAT, "Ended sources"): an object
 * gc/end/<source>/<seq> says up to which number its snapshots are gone on
 * purpose.  Who begins the source again goes on behind it; who has seen that
 * number does not take the store for one that was put back.
 */
#ifndef YORE_NATIVE_ENDED_H
#define YORE_NATIVE_ENDED_H

#include "repo/native/repository.h"

#define ENDED_LEN HASH_LEN /* bytes of the object */
#define ENDED_NAME_MAX 64

void ended_name(char name[ENDED_NAME_MAX], const uint8_t source[SOURCE_KEY_LEN],
	uint64_t seq);
/* What is in it: proof that whoever put it had the key. */
void ended_proof(const struct keyring *keys,
	const uint8_t source[SOURCE_KEY_LEN], uint64_t seq,
	uint8_t proof[ENDED_LEN]);

/*
 * The highest number up to which a source has ended, 0: it never has.  What does
 * not prove itself is logged and passed over.  One LIST, and a GET if there is
 * one.
 */
int ended_number(const struct repository *rp, const uint8_t source[SOURCE_KEY_LEN],
	uint64_t *seq, struct err *e);

#endif
