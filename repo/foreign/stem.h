/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the histories of this folder have in common that make their listing
 * anew at each refresh (alopex, tito, zlayer): a place, roots in it, the
 * listing, and being counted, since views outlive who opened them.
 */
#ifndef YORE_FOREIGN_STEM_H
#define YORE_FOREIGN_STEM_H

#include <pthread.h>
#include "repo/foreign/foreign.h"

struct stem {
	struct history history; /* first */
	struct foreign_place *place;
	struct store *store; /* the place's */
	struct foreign_root *roots;
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
 * first time; *h is given.  s is taken over, also when it fails. */
int stem_open(struct stem *s, const struct foreign_open *o, struct history **h,
	struct err *e);
/* Whether looking at one of several roots may go on without it, after it
 * failed with r: then that is logged. */
bool stem_does_without(const struct stem *s, int r, const struct err *e);
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
