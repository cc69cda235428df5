/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/histogram.h"

void
histogram_add(struct histogram *h, int64_t ns)
{
	int64_t bound = 10000;
	int b = 0;

	for (; b < HISTOGRAM_BUCKETS - 1 && ns > bound; b++)
		bound *= 10;
	h->ns += (uint64_t)ns;
	h->bucket[b]++;
}

struct histogram_counts
histogram_read(const struct histogram *h)
{
	struct histogram_counts c = { .ns = h->ns };

	for (int b = 0; b < HISTOGRAM_BUCKETS; b++)
		c.bucket[b] = h->bucket[b];
	return c;
}
