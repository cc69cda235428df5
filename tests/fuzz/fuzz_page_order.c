/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever the interior pages of a database say, each of its pages stands in one
 * place of the order, and is found there.  The first two bytes are the number of
 * pages and their size, and say where the given ones lie; the others are these.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "repo/sqlite/page_order.h"

#define PAGES_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

static void
check(const struct page_order *o, uint32_t pages)
{
	bool seen[PAGES_MAX] = { false };

	assert(page_order_pages(o) == pages);
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t n, m, page = page_order_page(o, i, &n);

		assert(page < pages && !seen[page]);
		seen[page] = true;
		assert(n > 0 && n <= pages - i && n <= pages - page);
		assert(page_order_position(o, page, &m) == i && m == n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct page_order_builder *b;
	struct page_order *o;
	uint32_t pages, size, step, page;

	if (len < 2)
		return 0;
	pages = 1u + in[0];
	size = 64u << in[1] % 4; /* smaller than SQLite's, to have more */
	step = 1u + in[1] / 4 % 8;
	page = in[1] / 32;
	b = page_order_begin(size, pages);
	in += 2;
	len -= 2;
	for (; len > 0; page += step) {
		size_t n = len < size ? len : size;
		auto_free uint8_t *exact = xcalloc(1, size);

		memcpy(exact, in, n);
		page_order_add(b, page, exact);
		in += n;
		len -= n;
	}
	o = page_order_end(b);
	if (o)
		check(o, pages);
	page_order_free(o);
	return 0;
}
