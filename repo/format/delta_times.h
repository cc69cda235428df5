/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The times of a delta (FORMAT, "Times"): when the deltas of its span were
 * made, and where their records lie. */
#ifndef YORE_FORMAT_DELTA_TIMES_H
#define YORE_FORMAT_DELTA_TIMES_H

#include <stdbool.h>
#include "repo/base/bytes.h"
#include "repo/base/err.h"

struct delta_time {
	uint64_t n;
	int64_t time_ns;
	uint32_t writer; /* number in the record's writers */
	uint32_t pages;	 /* of the database then */
	uint64_t len;	 /* of the object */
	uint64_t record_off;
};

#define DELTA_TIMES_LEAF 2048	/* entries, where writers end a leaf */
#define DELTA_TIMES_INLINE 4096 /* so many stay in the record */
#define DELTA_TIMES_LEAF_MAX (1u << 20)

/* Append an entry; before: the entry before in the leaf, NULL for the first. */
void delta_times_add(struct buf *b, const struct delta_time *t,
	const struct delta_time *before);

/* A cursor over a leaf whose first entry is of delta first_n. */
struct delta_times {
	struct reader r;
	struct delta_time last;
	uint64_t next_n;
	bool any;
};

void delta_times_open(struct delta_times *t, uint64_t first_n,
	const uint8_t *data, size_t len);
/* 1 and the next entry, 0 at the end, -EUCLEAN. */
int delta_times_next(struct delta_times *t, struct delta_time *out,
	struct err *e);

#endif
