/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of objects that are on their way into the disk cache, or will be soon:
 * who needs a part of one waits for it instead of asking the store a second time,
 * as long as something comes, and has it as soon as it has come.
 */
#ifndef YORE_FETCH_FLIGHTS_H
#define YORE_FETCH_FLIGHTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "repo/base/cancel.h"
#include "repo/store/store.h"

struct flight {
	const char *name; /* borrowed until flights_end */
	uint64_t off, len;
	const void *owner; /* does not wait for its own */

	/* Guarded by flights.lock: what has come can be had here. */
	struct store_arrival *arrival; /* NULL: nothing is shown */
	const uint8_t *bytes;	       /* of the object from here on: */
	uint64_t bytes_off;
	bool spoiled; /* they were wrong */
	struct flight *next;
};

struct flights {
	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t landed;
	struct flight *first;
	_Atomic unsigned n;
	uint64_t ended; /* so far */
};

void flights_init(struct flights *fs);
void flights_release(struct flights *fs);

/* f is borrowed until flights_end. */
void flights_begin(struct flights *fs, struct flight *f);
void flights_end(struct flights *fs, struct flight *f);

/* What comes of f is written to bytes, from bytes_off of the object on; all is
 * borrowed until flights_hide. */
void flights_show(struct flights *fs, struct flight *f, uint64_t bytes_off,
	const uint8_t *bytes, struct store_arrival *arrival);
void flights_hide(struct flights *fs, struct flight *f);

/* These bytes were wrong: who came for them does not wait for a flight that may
 * have shown them. */
void flights_spoil(
	struct flights *fs, const char *name, uint64_t off, uint64_t len);

enum flights_outcome {
	FLIGHTS_NONE,	/* nothing to wait for, or not any longer */
	FLIGHTS_LANDED, /* what there was has landed */
	FLIGHTS_TAKEN,	/* all that f wants has been copied */
};

/*
 * Wait while something of what f wants is on its way by others, until nothing
 * has come of any flight for so long, or cancel (may be NULL) is raised.  into
 * (NULL: not wanted) has room for what f wants.
 */
#define FLIGHTS_STILL_MS 300
#define FLIGHTS_WAIT_MS 2000 /* in all */
enum flights_outcome flights_wait(struct flights *fs, const struct flight *f,
	void *into, struct cancel *cancel);

#endif
