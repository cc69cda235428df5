/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request to stop, made once by one thread and heeded by those that work for
 * whoever made it: a flag that is cheap to look at, and wakers for those that
 * sleep meanwhile.  Costs nothing when it is never raised: a static or zeroed
 * struct cancel is ready for use and owns nothing.
 *
 * A waker lies in the stack frame of the thread that sleeps.  Its function is
 * called at most once, by the thread that raises, with the cancel's lock held:
 * it may take locks, but none that is held while cancel_watch or cancel_unwatch
 * is called.  Not for signal handlers.
 */
#ifndef YORE_BASE_CANCEL_H
#define YORE_BASE_CANCEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct cancel_waker {
	void (*wake)(struct cancel_waker *w);
	struct cancel_waker *next, *prev; /* cancel's own */
};

struct cancel {
	pthread_mutex_t lock;
	struct cancel_waker *wakers; /* guarded by lock */
	atomic_bool raised;
};

#define CANCEL_INIT                                               \
	{                                                         \
		.lock = PTHREAD_MUTEX_INITIALIZER, .wakers = NULL \
	}

/* Set the flag for good and call every waker; again does nothing. */
void cancel_raise(struct cancel *c);

/* NULL is never raised. */
static inline bool
cancel_raised(struct cancel *c)
{
	return c && atomic_load_explicit(&c->raised, memory_order_acquire);
}

/*
 * Have w (borrowed until cancel_unwatch) woken.  False when the flag is up
 * already: then w is not kept, not woken, and owes no cancel_unwatch.
 */
bool cancel_watch(struct cancel *c, struct cancel_waker *w);

/*
 * What the calling thread works on may be cancelled by c (borrowed; NULL: by
 * nobody, as at first) until this is called again.  Who waits far below for a
 * store or for another thread asks for it, so that not every function on the
 * way has to hand it on.
 */
void cancel_set_current(struct cancel *c);
struct cancel *cancel_current(void);

/* When this returns, w has been woken or never will be. */
void cancel_unwatch(struct cancel *c, struct cancel_waker *w);

#endif
