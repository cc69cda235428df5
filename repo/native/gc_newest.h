/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The newest state of pruning of a repository (FORMAT, "States of pruning").
 * Who writes looks at it; mounts have no use for it.
 */
#ifndef YORE_NATIVE_GC_NEWEST_H
#define YORE_NATIVE_GC_NEWEST_H

#include "repo/format/gc.h"
#include "repo/native/repository.h"

/* The highest number below gc/; 0: nothing was ever pruned.  One LIST, which
 * no cache answers. */
int gc_newest_number(struct store *s, uint64_t *n, struct err *e);
/*
 * Load state n; *s is given.  Errors as repository_load and gc_state_decode;
 * the sentence names the object.  hash (may be NULL): SHA-256 of the object,
 * which is what state n + 1 says of its previous one.
 */
int gc_newest_at(struct repository *rp, uint64_t n, struct gc_state *s,
	uint8_t hash[HASH_LEN], struct err *e);
/* Both: *s is the newest state, or one with n 0 and nothing in it. */
int gc_newest(struct repository *rp, struct gc_state *s,
	uint8_t hash[HASH_LEN], struct err *e);

#endif
