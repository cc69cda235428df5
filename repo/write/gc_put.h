/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting a state of pruning (FORMAT, "States of pruning"). */
#ifndef YORE_WRITE_GC_PUT_H
#define YORE_WRITE_GC_PUT_H

#include "repo/format/gc.h"
#include "repo/native/repository.h"

/*
 * Put state s->n, whose lists are sorted.  -EEXIST: there is one of this number
 * already, another prune is at work; -EFBIG and -EINVAL as gc_state_encode;
 * -errno of the sink.  hash (may be NULL) as in gc_newest_at.
 */
int gc_put(struct repository *rp, struct sink *sink, const struct gc_state *s,
	uint8_t hash[HASH_LEN], struct err *e);

#endif
