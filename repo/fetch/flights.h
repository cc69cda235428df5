/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of objects that are on their way into the disk cache, or will be soon:
 * who needs a part of one waits for it a little instead of asking the store a
 * second time.
 */
#ifndef YORE_FETCH_FLIGHTS_H
#define YORE_FETCH_FLIGHTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "repo/base/cancel.h"

struct flight {
	const char *name; /* borrowed until flights_end */
	uint64_t off, len;
	const void *owner; /* does not wait for its own */
	struct flight *next;
};

struct flights {
	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t landed;
	struct flight *first;
	_Atomic unsigned n;
};

void flights_init(struct flights *fs);
void flights_release(struct flights *fs);

/* f is borrowed until flights_end. */
void flights_begin(struct flights *fs, struct flight *f);
void flights_end(struct flights *fs, struct flight *f);

/*
 * Wait while something of what f wants is on its way by others, for at most
 * max_ms or until cancel (may be NULL) is raised.  Whether there was anything to
 * wait for, and it has landed.
 */
bool flights_wait(struct flights *fs, const struct flight *f, unsigned max_ms,
	struct cancel *cancel);

#endif
