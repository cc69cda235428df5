/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to capture: batch.c collects pages between two commits. */
#ifndef YORE_WRITE_REPLICATE_CAPTURE_PRIVATE_H
#define YORE_WRITE_REPLICATE_CAPTURE_PRIVATE_H

#include "repo/write/replicate/queue.h"

/*
 * The newest of each page, as far as it fits into memory: what does not goes to
 * the queue, where a later one of the same number counts.
 */
struct batch {
	struct queue *q; /* borrowed */
	uint32_t page_size;
	uint32_t *pgno;
	uint8_t *pages;
	uint32_t n, max;
	uint32_t *slot; /* hashed by number: index + 1, or 0 */
	uint32_t n_slots;
};

void batch_init(struct batch *b, struct queue *q, uint32_t page_size);
void batch_release(struct batch *b);
int batch_add(
	struct batch *b, uint32_t pgno, const uint8_t *page, struct err *e);
int batch_flush(struct batch *b, struct err *e);

#define auto_batch AUTO(batch_release)

#endif
