/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/pieces_private.h"

#include <stdlib.h>
#include "repo/base/buf.h"

uint64_t
pieces_hash(const char *key)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *key; key++)
		h = (h ^ (uint8_t)*key) * 1099511628211u;
	return h ^ h >> 29;
}

static struct piece **
bucket_of(struct pieces *p, uint64_t object, uint64_t number)
{
	return &p->buckets[(object + number * 0x9e3779b97f4a7c15u) >> 52 &
			   (PIECES_BUCKETS - 1)];
}

struct piece *
pieces_find(struct pieces *p, uint64_t object, uint64_t number)
{
	struct piece *x = *bucket_of(p, object, number);

	while (x && (x->object != object || x->number != number))
		x = x->chain;
	return x;
}

static void
unlink_piece(struct pieces *p, struct piece *x)
{
	struct piece **at = bucket_of(p, x->object, x->number);

	while (*at != x)
		at = &(*at)->chain;
	*at = x->chain;
}

void
pieces_order_remove(struct pieces *p, struct piece *x)
{
	*(x->newer ? &x->newer->older : &p->newest) = x->older;
	*(x->older ? &x->older->newer : &p->oldest) = x->newer;
	x->newer = x->older = NULL;
}

void
pieces_order_add(struct pieces *p, struct piece *x)
{
	x->older = p->newest;
	*(p->newest ? &p->newest->newer : &p->oldest) = x;
	p->newest = x;
}

void
pieces_put(struct piece *x)
{
	if (--x->refs > 0)
		return;
	free(x->data);
	free(x);
}

/* Out of the table; whoever holds it may go on. */
void
pieces_drop(struct pieces *p, struct piece *x)
{
	if (x->state == READY) {
		pieces_order_remove(p, x);
		p->bytes -= x->len;
		p->ahead_unused += x->ahead;
	}
	unlink_piece(p, x);
	x->state = GONE;
	pieces_put(x);
}

void
pieces_evict(struct pieces *p)
{
	struct piece *x = p->oldest;

	while (x && p->bytes > p->limit) {
		struct piece *next = x->newer;

		if (x->refs == 1)
			pieces_drop(p, x);
		x = next;
	}
}

/* A new FLYING one, which the caller is to fetch. */
static struct piece *
pieces_enter(struct pieces *p, uint64_t object, uint64_t number)
{
	struct piece **bucket = bucket_of(p, object, number);
	struct piece *x = xcalloc(1, sizeof(*x));

	x->object = object;
	x->number = number;
	x->refs = 2; /* the table's and the caller's */
	x->chain = *bucket;
	return *bucket = x;
}

/* Enter pieces from `number` on, at most n, up to the first that is known. */
void
pieces_claim(struct pieces *p, uint64_t object, uint64_t number, unsigned n,
	struct pieces_run *run)
{
	run->n = 0;
	while (run->n < n && run->n < PIECES_RUN_MAX &&
		!pieces_find(p, object, number + run->n)) {
		run->piece[run->n] = pieces_enter(p, object, number + run->n);
		run->n++;
	}
}
