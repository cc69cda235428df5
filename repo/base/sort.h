/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorting what mostly is in order already. */
#ifndef YORE_BASE_SORT_H
#define YORE_BASE_SORT_H

#include <stddef.h>

/* As qsort_r; what is in order costs n - 1 comparisons and nothing else. */
void sort(void *base, size_t n, size_t size,
	int (*compare)(const void *a, const void *b, void *ctx), void *ctx);

#endif
