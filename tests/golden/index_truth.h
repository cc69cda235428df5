/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an index segment says, and whether a damaged one says anything else. */
#ifndef YORE_TESTS_INDEX_TRUTH_H
#define YORE_TESTS_INDEX_TRUTH_H

#include "repo/format/segment.h"
#include "repo/native/repository.h"

struct index_truth {
	struct segment_directory dir;
	struct segment_entry *entries;
	size_t n;
};

/* Take what an undamaged segment (its len bytes) says. */
int index_truth_take(struct index_truth *t, const struct object_key *key,
	const uint8_t *data, size_t len);
void index_truth_release(struct index_truth *t);

/* Ask the index of rp for the first, the last and some entry: each is found
 * where it is, or not found. */
bool index_truth_holds(
	const struct index_truth *t, struct repository *rp, size_t some);

#endif
