/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the histories of this folder have in common that make their listing
 * anew at each refresh (alopex, tito, zlayer): a store, roots in it, the
 * listing, and being counted, since views outlive who opened them.
 */
#ifndef YORE_FOREIGN_STEM_H
#define YORE_FOREIGN_STEM_H

#include <pthread.h>
#include "repo/history.h"
#include "repo/store/store.h"

/* A replica in a store: a source, or the one it is named after. */
struct stem_root {
	char *prefix; /* of its objects' names: "", or ends in '/' */
	char *name;   /* of its source */
};

struct stem {
	struct history history; /* first */
	struct store *store;
	struct stem_root *roots;
	size_t n_roots;
	_Atomic int refs;
	/* Look at the store again and give what is there as a listing: before,
	 * counted once more, if that is the same.  One at a time. */
	int (*look)(struct stem *s, struct history_listing *before,
		struct history_listing **l, struct err *e);
	void (*free)(struct stem *s); /* what embeds it */
	pthread_mutex_t refresh_lock; /* held while look runs; before lock */
	pthread_mutex_t lock;
	struct history_listing *listing; /* guarded by lock */
};

/* Fill s in, but for history.ops, look and free, which are set, and look a
 * first time.  The store and the roots (n of them, their strings too) are
 * taken over, also when it fails; then the caller owes stem_put. */
int stem_init(struct stem *s, struct store *store, struct stem_root *roots,
	size_t n, struct err *e);
struct stem *stem_get(struct stem *s);
void stem_put(struct stem *s);

/* history_ops */
struct history_listing *stem_listing(struct history *h);
int stem_refresh(struct history *h, struct err *e);
void stem_stats(struct history *h, struct history_stats *st);
void stem_free(struct history *h);

static inline struct stem *
stem_of(struct history *h)
{
	return (struct stem *)h;
}

#endif
