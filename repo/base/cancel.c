/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/cancel.h"

#include "repo/base/auto.h"

void
cancel_raise(struct cancel *c)
{
	auto_lock(&c->lock);

	atomic_store_explicit(&c->raised, true, memory_order_release);
	while (c->wakers) {
		struct cancel_waker *w = c->wakers;

		c->wakers = w->next;
		w->next = w->prev = w; /* on no list */
		w->wake(w);
	}
}

bool
cancel_watch(struct cancel *c, struct cancel_waker *w)
{
	auto_lock(&c->lock);

	if (cancel_raised(c))
		return false;
	w->prev = NULL;
	w->next = c->wakers;
	if (w->next)
		w->next->prev = w;
	c->wakers = w;
	return true;
}

void
cancel_unwatch(struct cancel *c, struct cancel_waker *w)
{
	auto_lock(&c->lock);

	if (w->next == w)
		return;
	if (w->next)
		w->next->prev = w->prev;
	if (w->prev)
		w->prev->next = w->next;
	else
		c->wakers = w->next;
}

static _Thread_local struct cancel *current;

void
cancel_set_current(struct cancel *c)
{
	current = c;
}

struct cancel *
cancel_current(void)
{
	return current;
}
