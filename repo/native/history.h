/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history over a yore repository; private to repo/native.
 *
 * Views hold it: it is freed when the history has been freed and the last view
 * is gone.
 */
#ifndef YORE_NATIVE_HISTORY_H
#define YORE_NATIVE_HISTORY_H

#include "repo/native/index.h"
#include "repo/native/listing.h"
#include "repo/native/moments.h"
#include "repo/native/roster.h"
#include "repo/native/view.h"

struct native_history {
	struct history history; /* first */
	struct repository *rp;
	struct index *index;
	struct fetch *fetch;
	struct page_cache *pages;
	struct deltas *deltas;
	struct moments moments;
	_Atomic int refs; /* the caller's, and one a view */

	pthread_mutex_t refresh_lock; /* one refresh at a time; taken first */
	struct roster roster;
	pthread_mutex_t lock;
	struct native_listing *listing;
	struct native_view *views; /* those that are open */
};

/* The history as one over a repository; NULL: it is none. */
struct native_history *native_history_if(struct history *h);

/* rp is taken over, also when it fails.  memory as in history_open_options. */
int native_history_new(struct repository *rp, size_t memory,
	struct history **h, struct err *e);

#endif
