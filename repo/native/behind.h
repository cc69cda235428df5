/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listing a large directory gives up what it has left behind, so that its
 * memory does not grow with the directory: decoded pages soon, for they take
 * several times as much as what they were decoded from, and that much later,
 * for it spares another request to whoever comes back.
 */
#ifndef YORE_NATIVE_BEHIND_H
#define YORE_NATIVE_BEHIND_H

#include "repo/native/map.h"

/* Entries that a listing keeps behind it, decoded and not. */
#define BEHIND_PAGES 4096
#define BEHIND_FRAMES 16384

/* A listing of directory m has come to the leaf `at`. */
void behind_leaf(
	const struct map *m, const struct map_at *at, struct fetch *fetch);

#endif
