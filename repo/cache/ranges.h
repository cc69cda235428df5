/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of bytes: ascending ranges that neither touch nor overlap. */
#ifndef YORE_CACHE_RANGES_H
#define YORE_CACHE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/base/buf.h"

struct range {
	uint64_t from;
	uint64_t to; /* the byte behind it; greater than from */
};

struct ranges {
	struct range *r;
	size_t n;
	size_t cap;
};

#define RANGES_INIT { .r = NULL }
#define RANGES_MAX 8192 /* that ranges_decode accepts */

void ranges_release(struct ranges *s);
/* Empty ranges are allowed and change nothing. */
void ranges_add(struct ranges *s, uint64_t from, uint64_t to);
void ranges_remove(struct ranges *s, uint64_t from, uint64_t to);
void ranges_join(struct ranges *s, const struct ranges *other);
void ranges_copy(struct ranges *to, const struct ranges *from);
/* Only what lies in [from, to). */
void ranges_clip(struct ranges *s, uint64_t from, uint64_t to);
uint64_t ranges_sum(const struct ranges *s);
bool ranges_equal(const struct ranges *a, const struct ranges *b);

/*
 * What [from, to) lacks of the set, at most max (at least 1) stretches of it;
 * should there be more, the last one reaches to the end of the last.  Returns
 * their number.
 */
size_t ranges_gaps(const struct ranges *s, uint64_t from, uint64_t to,
	struct range *gaps, size_t max);

/* Bytes of all blocks of this size that hold something of the set. */
uint64_t ranges_blocks(const struct ranges *s, uint64_t block);

/* varint n, then for each varint distance from the end of the one before (or
 * from base) and varint length. */
void ranges_encode(const struct ranges *s, uint64_t base, struct buf *b);
/* -EUCLEAN: not what ranges_encode makes of a set within [base, end). */
int ranges_decode(struct ranges *s, const void *data, size_t len, uint64_t base,
	uint64_t end);

#define auto_ranges AUTO(ranges_release)

#endif
