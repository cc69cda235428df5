/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/base/sort.h"

#include <stdlib.h>

void
sort(void *base, size_t n, size_t size,
	int (*compare)(const void *a, const void *b, void *ctx), void *ctx)
{
	char *p = base;
	size_t i = 1;

	while (i < n && compare(p + (i - 1) * size, p + i * size, ctx) <= 0)
		i++;
	if (i < n)
		qsort_r(base, n, size, compare, ctx);
}
