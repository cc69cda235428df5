/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long things took: counts by powers of ten.  All zeros is an empty one;
 * any thread may add at any time. */
#ifndef YORE_BASE_HISTOGRAM_H
#define YORE_BASE_HISTOGRAM_H

#include <stdint.h>

/* Upper bounds: 10 us, 100 us, ... 10 s, none. */
#define HISTOGRAM_BUCKETS 8

struct histogram {
	_Atomic uint64_t ns; /* all together */
	_Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* The same at a moment. */
struct histogram_counts {
	uint64_t ns;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t ns);
struct histogram_counts histogram_read(const struct histogram *h);

#endif
