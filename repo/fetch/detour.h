/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places that hints name in vain, although the index knew a better one: packs
 * that are gone, frames that do not verify.  Remembered for a minute, so that
 * a directory's worth of references to one of them costs one failed request
 * and one log line.  Thread-safe.
 */
#ifndef YORE_FETCH_DETOUR_H
#define YORE_FETCH_DETOUR_H

#include <pthread.h>
#include <stdbool.h>
#include "repo/format/ref.h"

#define DETOURS 64
#define DETOUR_NS 60000000000LL

struct detour {
	uint8_t pack[OBJECT_ID_LEN];
	uint64_t off; /* of the frame, or DETOUR_WHOLE */
	int64_t until_ns;
};

#define DETOUR_WHOLE UINT64_MAX

struct detours {
	_Atomic unsigned n;   /* ever remembered; 0 keeps the lock untouched */
	pthread_mutex_t lock; /* innermost */
	struct detour list[DETOURS];
};

void detour_init(struct detours *d);
void detour_release(struct detours *d);
/* Whether the place is known to be in vain. */
bool detour_known(struct detours *d, const struct frame_place *at);
/* Remember the frame, or with `whole` its whole pack. */
void detour_add(struct detours *d, const struct frame_place *at, bool whole);

#endif
