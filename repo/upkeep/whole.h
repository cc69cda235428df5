/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether all that records which have just come back refer to is there, and
 * not about to go: pruning may have been at it meanwhile (FORMAT, "States of
 * pruning").
 */
#ifndef YORE_UPKEEP_WHOLE_H
#define YORE_UPKEEP_WHOLE_H

#include "repo/native/records.h"
#include "repo/upkeep/upkeep.h"

/*
 * Look at records that are below snap/ and at what is below them, if anything
 * was ever pruned: gone[i] (n of them, false before) is set for those of which
 * something is missing or sentenced.  Errors of the store; of those nothing is
 * known then.
 */
int whole_check(struct upkeep *u, const struct record_place *places, size_t n,
	bool *gone, struct err *e);

#endif
