/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/base/auto.h"
#include "repo/write/replicate/capture_private.h"

#define BATCH_LEN (4u << 20) /* bytes of pages in memory */

void
batch_init(struct batch *b, struct queue *q, uint32_t page_size)
{
	*b = (struct batch){
		.q = q, .page_size = page_size, .max = BATCH_LEN / page_size
	};
}

void
batch_release(struct batch *b)
{
	free(b->pgno);
	free(b->pages);
	free(b->slot);
	*b = (struct batch){ .q = NULL };
}

static uint32_t *
slot_of(struct batch *b, uint32_t pgno)
{
	uint32_t i = pgno * 2654435761u & (b->n_slots - 1);

	while (b->slot[i] && b->pgno[b->slot[i] - 1] != pgno)
		i = (i + 1) & (b->n_slots - 1);
	return &b->slot[i];
}

/* Room for twice as many; at most half of the slots are used. */
static void
grow(struct batch *b, uint32_t cap)
{
	b->pgno = xrealloc(b->pgno, cap * sizeof(*b->pgno));
	b->pages = xrealloc(b->pages, (size_t)cap * b->page_size);
	free(b->slot);
	b->n_slots = cap * 2;
	b->slot = xcalloc(b->n_slots, sizeof(*b->slot));
	for (uint32_t i = 0; i < b->n; i++)
		*slot_of(b, b->pgno[i]) = i + 1;
}

int
batch_add(struct batch *b, uint32_t pgno, const uint8_t *page, struct err *e)
{
	uint32_t *slot;
	int r;

	if (b->n * 2 == b->n_slots && b->n < b->max)
		grow(b, b->n ? b->n * 2 : 16);
	slot = slot_of(b, pgno);
	if (!*slot && b->n == b->max) {
		r = batch_flush(b, e);
		if (r)
			return r;
		slot = slot_of(b, pgno);
	}
	if (!*slot) {
		b->pgno[b->n] = pgno;
		*slot = ++b->n;
	}
	memcpy(b->pages + (size_t)(*slot - 1) * b->page_size, page,
		b->page_size);
	return 0;
}

int
batch_flush(struct batch *b, struct err *e)
{
	int r = 0;

	if (b->n)
		r = queue_pages(b->q, b->page_size, b->pgno, b->n, b->pages, e);
	b->n = 0;
	if (b->n_slots)
		memset(b->slot, 0, b->n_slots * sizeof(*b->slot));
	return r;
}
