/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several histories shown as one: the sources of all.  Where two have a source
 * of one name it is one source, with the generations of both: those of the one
 * that begins first come first.  What is asked about a source is handed on to
 * the history it belongs to.
 */
#ifndef YORE_FOREIGN_GATHER_H
#define YORE_FOREIGN_GATHER_H

#include "repo/foreign/place.h"

/* Of n histories (at least one), which are taken over; the array is
 * not. */
struct history *gather_new(
	struct foreign_place *p, struct history *const *histories, size_t n);

/* As many histories as there may be later on. */
#define GATHER_MORE 16
/*
 * Have more asked at each refresh for histories to be shown too: it gives
 * *n of them, at most GATHER_MORE.  ctx is freed with h.
 */
void gather_more(struct history *h,
	int (*more)(void *ctx, struct history **histories, size_t *n,
		struct err *e),
	void (*free)(void *ctx), void *ctx);

#endif
