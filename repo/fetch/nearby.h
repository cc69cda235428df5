/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed bytes of packs that came along with a frame behind them, the last few
 * of them: where frames begin in them is not known yet, but to whoever reads
 * the one that they came with.  Nothing here has been verified.  Thread-safe.
 */
#ifndef YORE_FETCH_NEARBY_H
#define YORE_FETCH_NEARBY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include "repo/format/ref.h"

#define NEARBY_PIECES 4

struct nearby_piece {
	struct frame_place at; /* of all of it */
	uint8_t *bytes;	       /* NULL: unused */
};

struct nearby {
	pthread_mutex_t lock; /* a leaf */
	unsigned next;
	struct nearby_piece pieces[NEARBY_PIECES];
};

void nearby_init(struct nearby *n);
void nearby_release(struct nearby *n);
/* Copy the len bytes that lie before a frame; in place of the oldest. */
void nearby_put(struct nearby *n, const struct frame_place *at,
	const uint8_t *bytes, size_t len);
bool nearby_has(struct nearby *n, const struct frame_place *at);
/* The bytes of a frame (given), or NULL. */
uint8_t *nearby_take(struct nearby *n, const struct frame_place *at);

#endif
