/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying what is in use of packs that are mostly not, so that those can be
 * condemned: into new packs, in the order of a walk through the newest snapshot
 * that uses it, and into an index segment; and then proving, from the new
 * packs' own tables as the store gives them back, that nothing is missing.
 *
 * Frames that are in use whole are sealed again as they are packed; of others,
 * and of small ones, the chunks in use are put together into solid frames.
 */
#ifndef YORE_UPKEEP_COMPACT_H
#define YORE_UPKEEP_COMPACT_H

#include <stdatomic.h>
#include "repo/upkeep/live.h"

struct compact_options {
	struct repository *rp;
	struct sink *sink;
	struct fetch *fetch;
	struct stock *stock;
	struct live *live;		 /* settled */
	const atomic_bool *interrupted;	 /* polled; may be NULL */
	uint64_t data_pack_len, meta_pack_len; /* 0: as writers; for tests */
	size_t memory;
};

struct compact_result {
	uint64_t packs;	  /* copied and proven */
	uint64_t chunks;  /* of them */
	uint64_t new_packs, new_bytes;
};

/*
 * Copy from all packs of the stock with STOCK_COPY.  Of those that cannot be
 * read, or contradict what refers to them, the flag is taken away (a line is
 * logged, they stay as they are); whatever still has it may be condemned.
 * -EINTR, -errno of the sink; then no flag means anything.
 */
int compact_run(const struct compact_options *o, struct compact_result *res,
	struct err *e);

#endif
