/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory read-ahead may hold: what is on its way, and what has
 * landed and nobody has read yet.  What stays unread for a few seconds stops
 * counting (its reader has gone elsewhere), or else abandoned frames would
 * keep read-ahead from ever starting again.
 *
 * Thread-safe; its lock is the innermost of repo/fetch.
 */
#ifndef YORE_FETCH_BUDGET_H
#define YORE_FETCH_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Unread frames count for one to two of these. */
#define BUDGET_EPOCH_NS 2000000000LL

struct budget {
	pthread_mutex_t lock;
	size_t max;	  /* immutable */
	size_t coming;	  /* bytes on their way */
	size_t unread[2]; /* landed in epoch, and in the one before; by parity
			   */
	uint64_t epoch;
};

void budget_init(struct budget *b, size_t max);
void budget_release(struct budget *b);
/* Set len bytes on their way; false when they would exceed the budget. */
bool budget_take(struct budget *b, size_t len);
/* len bytes that were taken will not land unread after all. */
void budget_return(struct budget *b, size_t len);
/* len bytes that were taken have landed as `plain` bytes; the epoch is for
 * budget_unload. */
uint64_t budget_land(struct budget *b, size_t len, size_t plain);
/* What landed in that epoch has been read or dropped. */
void budget_unload(struct budget *b, uint64_t epoch, size_t plain);

#endif
