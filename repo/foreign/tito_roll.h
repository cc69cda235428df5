/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a tito backup consists of, from the names in the store: full backups and
 * changelogs with their chunks, and which states follow from them.
 *
 *	ROOT/full/SECONDS/chunk-NNNN.json.gz	ROOT/LATEST_FULL  seconds
 *	ROOT/changelog/SECONDS/chunk-NNNN.json.gz
 *
 * A state is a full backup and all changelogs that came after it, up to one.
 * Chunks are put in order by their number, of which there may be five digits.
 *
 * A full backup newer than LATEST_FULL was not finished: no state is built on
 * it, changelogs go on from the one before, which is still whole because tito
 * deletes changelogs only after it has written LATEST_FULL.  A changelog of a
 * full backup's very second belongs behind it only if all of it was written
 * after LATEST_FULL was; else it is what that backup was preceded by.
 */
#ifndef YORE_FOREIGN_TITO_ROLL_H
#define YORE_FOREIGN_TITO_ROLL_H

#include "repo/crypto/id.h"
#include "repo/store/store.h"

struct tito_chunk {
	uint32_t number;
	uint64_t size;
	int64_t modified_ns;
};

/* A full backup or a changelog. */
struct tito_stamp {
	uint64_t seconds;
	bool full;
	bool broken;   /* a chunk is missing between others, or there is none */
	bool left_out; /* of no state but, of a full backup, its own */
	struct tito_chunk *chunks; /* by number */
	size_t n_chunks;
};

/* A state that can be shown: stamps[full], and those changelogs of
 * stamps[full + 1 .. last] that are not left out. */
struct tito_point {
	char id[32]; /* the seconds of its last stamp, with "-changelog" behind
		      * them where a full backup has the same */
	int64_t time_ns;
	size_t full, last;
	bool unfinished; /* of a full backup that was not */
	bool broken;
	/* What it is made of, chunk by chunk: whatever has the same is the
	 * same. */
	uint8_t digest[HASH_LEN];
};

struct tito_roll {
	_Atomic int refs;
	char *prefix;
	struct tito_stamp *stamps; /* by seconds, full ones first */
	size_t n_stamps;
	struct tito_point *points; /* in the same order */
	size_t n_points;
};

/* What is below a prefix now; *roll is given.  One LIST and a GET.  What is
 * left out is logged unless `again`: that was done before. -EPROTONOSUPPORT the
 * layout of a later tito. */
int tito_roll_load(struct store *s, const char *prefix, bool again,
	struct tito_roll **roll, struct err *e);
struct tito_roll *tito_roll_get(struct tito_roll *r);
void tito_roll_put(struct tito_roll *r);

const struct tito_stamp *tito_roll_stamp(
	const struct tito_roll *r, bool full, uint64_t seconds);
/* Name of the object that a chunk is; given. */
char *tito_roll_object(const struct tito_roll *r, const struct tito_stamp *s,
	const struct tito_chunk *c);

#define auto_tito_roll AUTO(tito_roll_auto_)
static inline void
tito_roll_auto_(struct tito_roll **r)
{
	if (*r)
		tito_roll_put(*r);
}

#endif
