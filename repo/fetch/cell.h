/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cell is one frame as the table knows it: queued by read-ahead, on its
 * way, or decoded.  It is counted; the last to let go frees it, inside the
 * table or not.
 */
#ifndef YORE_FETCH_CELL_H
#define YORE_FETCH_CELL_H

#include <pthread.h>
#include <stdbool.h>
#include "repo/fetch/fetch.h"

enum cell_state { CELL_QUEUED, CELL_FLYING, CELL_READY, CELL_FAILED };

struct cell {
	struct frame frame; /* first, so that a frame is its cell */
	uint32_t content;   /* bytes before a solid frame's table */
	_Atomic uint32_t refs;
	struct frame_place at;
	uint32_t beyond; /* bytes behind it that its get brings too; set before
			  * it is queued, as */
	bool around; /* what lies around it in a small object, too */

	/* Below: the shard's lock. */
	enum cell_state state;
	bool ahead;  /* read-ahead asked for it */
	bool unread; /* and no reader yet: it is in the budget */
	uint64_t epoch;	    /* of the budget, when unread and READY */
	uint64_t used;	    /* table.tick when last used */
	struct cell *next;  /* in its bucket */
	struct cell *newer; /* in order of use; READY only */
	struct cell *older;
	pthread_cond_t landed;
	struct err *error; /* FAILED: what to tell; NULL: ask again yourself */
};

/* A listed cell with two references: the table's and the caller's. */
struct cell *cell_new(const struct frame_place *at, enum cell_state state);
struct cell *cell_get(struct cell *c);
void cell_put(struct cell *c);

/* What a decoded cell counts against the table's limit. */
static inline size_t
cell_weight(const struct cell *c)
{
	return c->frame.len + sizeof(*c);
}

#endif
