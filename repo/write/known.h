/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What chunks are known: those of the index, and those of this run.
 *
 * Jobs run ahead of each other but are put into packs in order.  A job that
 * meets a new chunk claims it with its own number; a job with a higher number
 * that meets it again leaves it to that one, a job with a lower number takes
 * the claim over (its frame will be there first).  Either way the place is
 * known when a job's turn comes.  May be called from any thread.
 */
#ifndef YORE_WRITE_KNOWN_H
#define YORE_WRITE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/format/ref.h"
#include "repo/format/segment.h"
#include "repo/write/avoid.h"

struct known;

/* Borrows both.  What lies only where it is to be avoided is not known. */
struct known *known_new(struct index *index, const struct avoid *avoid);
void known_free(struct known *k);

enum known_answer {
	KNOWN_STORED, /* lies in the repository already */
	KNOWN_CLAIMED, /* some earlier job brings it */
	KNOWN_MINE,    /* job is to bring it */
};

/* Job number `job` has met the chunk id. */
enum known_answer known_claim(struct known *k, const uint8_t id[CHUNK_ID_LEN],
	uint64_t job);

/* As known_claim, whatever is stored already: it is to be stored again. */
enum known_answer known_claim_again(struct known *k,
	const uint8_t id[CHUNK_ID_LEN], uint64_t job);

/* Whether the chunk is stored, or is brought by a job before this one, or by this
 * one.  Claims nothing. */
bool known_has(struct known *k, const uint8_t id[CHUNK_ID_LEN], uint64_t job);

/* The place of a chunk that is stored or was placed; r->id given, the rest
 * filled in.  -ENOENT: nobody has it. */
int known_find(struct known *k, struct ref *r);

/* The same, only of chunks that this run has placed. */
int known_find_placed(struct known *k, struct ref *r);

/* A chunk of this run lies at r now; the first place of an id stays.  Returns
 * whether it is the first. */
bool known_place(struct known *k, const struct ref *r);

/* All chunks of this run, sorted by id; *packs (given) are what en->pack counts
 * in.  Returns their number. */
size_t known_sorted(struct known *k, struct segment_entry **en,
	struct segment_pack **packs, uint32_t *n_packs);

#endif
