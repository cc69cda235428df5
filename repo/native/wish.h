/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that read-ahead is to ask for, put together before any is. */
#ifndef YORE_NATIVE_WISH_H
#define YORE_NATIVE_WISH_H

#include "repo/native/map.h"

#define WISH_FRAMES_MAX 128

struct wish {
	struct frame_place at[WISH_FRAMES_MAX];
	size_t n;
	struct frame_place page; /* of the next directory; len 0: none */
};

/* Once, as far as there is room. */
void wish_add(struct wish *w, const struct frame_place *at);
/* The frames of [from, to) of a file; returns where they are not known yet. */
uint64_t wish_range(struct wish *w, const struct map *extents, uint64_t from,
	uint64_t to);
/* Ask for all of it. */
void wish_send(const struct wish *w, struct fetch *f);
bool wish_same_frame(const struct frame_place *a, const struct frame_place *b);

#endif
