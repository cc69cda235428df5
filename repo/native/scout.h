/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Goes through a tree far ahead of a walk that reads it from a remote store,
 * and has the sealed bytes that the walk will come for brought into the disk
 * cache (fetch_bring).  A snapshot's files lie in the packs of all snapshots
 * that changed some of them, a little in each; seen from afar that is one
 * stretch of each pack, where a walk that looks at the next few frames makes a
 * request for each of them.
 *
 * A thread of its own, begun with the first walk, reads the pages it needs; so
 * it may wait for the store, and nobody waits for it.  Advice: it never fails.
 */
#ifndef YORE_NATIVE_SCOUT_H
#define YORE_NATIVE_SCOUT_H

#include <pthread.h>
#include <stdbool.h>
#include "repo/base/cancel.h"
#include "repo/fetch/stretches.h"
#include "repo/native/tree.h"

struct scout_seen;

struct scout {
	const struct tree *tree; /* immutable */
	struct fetch *fetch;
	struct cancel cancel;

	pthread_mutex_t lock; /* a leaf */
	pthread_cond_t wake;
	bool started, stop;
	pthread_t thread;
	uint64_t begun;	 /* node where this walk was met, */
	uint64_t reader; /* and what it read last */
	uint64_t from;	 /* nodes before this have been asked for, */
	_Atomic uint64_t looked; /* and before this looked at by now */
	uint64_t next;	 /* look further when the reader comes here */
	_Atomic bool begins; /* nothing of this walk has been asked for; */
	pthread_cond_t asked; /* now it has */
	int64_t patience_ns; /* that readers may still wait for that */

	/* the thread's */
	struct stretches stretches;
	struct scout_seen *seen; /* frames asked for lately */
};

/* Borrows tree and fetch. */
void scout_init(struct scout *s, const struct tree *tree, struct fetch *fetch);
/* Stops the thread. */
void scout_release(struct scout *s);

/* A walk, which is no chance any more, reads node.  Whether what it reads next
 * should be asked for frame by frame, too: the scout has been there, or cannot
 * help. */
bool scout_follow(struct scout *s, uint64_t node);
/*
 * Node is about to be read.  If the scout looks for what to ask for first, and
 * node may be part of that, wait for it, but never long: it asks for more at a
 * time than the reader would.
 */
void scout_await(struct scout *s, uint64_t node);

#endif
