/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store before a remote one that asks it for stretches of STRETCH_LEN where
 * little is wanted, and keeps the last few: for who reads all of segments, or
 * of metadata packs too, in little pieces that lie near each other.  Everything
 * else passes through.
 */
#ifndef YORE_UPKEEP_STRETCH_H
#define YORE_UPKEEP_STRETCH_H

#include "repo/store/store.h"

#define STRETCH_LEN (1u << 20)
#define STRETCH_KEPT 24

/* Takes inner over; a local store is returned as it is.  meta: metadata packs
 * too. */
struct store *stretch_store(struct store *inner, bool meta);
/* Give up what is kept. */
void stretch_drop(struct store *s);

#endif
