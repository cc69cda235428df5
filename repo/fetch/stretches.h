/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For a walk through pages that lie together: how far to read on from one that
 * lacks (fetch_stretch).  First a little, then twice as much each time.  What
 * lies before a stretch that is there already ends where that begins: pages of
 * directories lie behind those of what is in them, but are wanted first.
 *
 * Pure arithmetic, no lock of its own.  All zeros is a new walk.
 */
#ifndef YORE_FETCH_STRETCHES_H
#define YORE_FETCH_STRETCHES_H

#include <stddef.h>
#include <stdint.h>
#include "repo/format/ref.h"

#define STRETCH_FIRST (512u << 10)
#define STRETCH_MAX (2u << 20)
#define STRETCHES 8 /* remembered */

/* A part of an object that was fetched as a whole. */
struct stretch {
	uint8_t pack[OBJECT_ID_LEN];
	uint64_t from;
};

struct stretches {
	struct stretch last[STRETCHES];
	uint32_t n; /* so far */
};

/* The frame at a place lacks: how many bytes to fetch from there on. */
size_t stretches_begin(
	struct stretches *st, const struct frame_place *at, size_t max);

#endif
