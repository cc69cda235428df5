/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdatomic.h>
#include <stdlib.h>
#include "repo/base/buf.h"
#include "repo/fetch/cell.h"

struct cell *
cell_new(const struct frame_place *at, enum cell_state state)
{
	struct cell *c = xcalloc(1, sizeof(*c));

	c->at = *at;
	c->state = state;
	atomic_init(&c->refs, 2);
	pthread_cond_init(&c->landed, NULL);
	return c;
}

struct cell *
cell_get(struct cell *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
cell_put(struct cell *c)
{
	if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
		return;
	/* const for everyone but its owner */
	free((void *)(uintptr_t)c->frame.data);
	free(c->error);
	pthread_cond_destroy(&c->landed);
	free(c);
}

struct frame *
frame_get(struct frame *fr)
{
	cell_get((struct cell *)fr);
	return fr;
}

void
frame_put(struct frame *fr)
{
	if (fr)
		cell_put((struct cell *)fr);
}
