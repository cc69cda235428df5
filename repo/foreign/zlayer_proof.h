/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which states of a zlayer replica can be proved.
 *
 * A snapshot is sound if it is as long as its header says and passes SQLite's
 * integrity_check: zlayer copies the file without a lock, so it may be torn.
 * (That finds what is torn.  A byte of a value that was flipped in the store is
 * not found: neither zlayer nor its zstd frames keep a sum of a snapshot.)
 *
 * A log follows a snapshot if
 *  1. it was written later, in whole seconds;
 *  2. its checkpoint sequence number and its first salt are one above those of
 *     the base: the youngest log, of those that are not empty, that is not
 *     later than the snapshot;
 *  3. the base is in the snapshot: laid over it, it changes nothing;
 *  4. where it writes page 1, the change counter does not fall;
 *  5. the snapshot is sound;
 * and the log itself is undamaged, of the same page size, of as many frames as
 * its name says, with something committed.  Of several snapshots it joins the
 * newest.
 *
 * What was found out is remembered with the roll, soundness also in what is
 * kept.  All may ask the store; -EINTR, or why it gave up.
 */
#ifndef YORE_FOREIGN_ZLAYER_PROOF_H
#define YORE_FOREIGN_ZLAYER_PROOF_H

#include "repo/foreign/zlayer_roll.h"

struct zlayer_proof;
struct zlayer_proof *zlayer_proof_new(struct zlayer_roll *r); /* not counted */
void zlayer_proof_free(struct zlayer_proof *p);

/* The roll, and where it lies. */
struct zlayer_replica {
	struct zlayer_roll *roll;
	struct store *store;
	struct kept *kept;
};

#define ZLAYER_NONE ((size_t)-1)

/* 0; -EUCLEAN or -EBADMSG snapshot i is not sound. */
int zlayer_proof_sound(const struct zlayer_replica *z, size_t i, struct err *e);
/* Index of the snapshot that log w joins, or ZLAYER_NONE. */
int zlayer_proof_joins(const struct zlayer_replica *z, size_t w,
	size_t *snapshot, struct err *e);
/* Whether snapshot i is sound and lacks what a log had that was written before
 * it and joins an older one: then it is no news. */
int zlayer_proof_behind(
	const struct zlayer_replica *z, size_t i, bool *behind, struct err *e);

#endif
