/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/fetch/gaps.h"

#define JOIN_MAX (128u << 10)

void
gaps_join(struct cache_gaps *gaps)
{
	unsigned n = 0;

	for (unsigned i = 1; i < gaps->n; i++) {
		struct cache_extent *a = &gaps->gap[n], *b = &gaps->gap[i];

		if (b->off - (a->off + a->len) < JOIN_MAX)
			a->len = b->off + b->len - a->off;
		else
			gaps->gap[++n] = *b;
	}
	gaps->n = gaps->n ? n + 1 : 0;
}

void
gaps_trim(struct cache_gaps *gaps, const struct store_call *call, uint64_t end)
{
	const struct store_extent *w = call->wanted;
	const struct store_extent *last = w + call->n_wanted;
	unsigned n = 0;

	if (last[-1].off + last[-1].len < end)
		end = last[-1].off + last[-1].len;
	for (unsigned i = 0; i < gaps->n; i++) {
		struct cache_extent g = gaps->gap[i];
		uint64_t to = g.off + g.len, from = to, until = 0;

		while (w < last && w->off + w->len <= g.off)
			w++;
		for (const struct store_extent *x = w; x < last && x->off < to;
			x++) {
			if (from == to)
				from = x->off > g.off ? x->off : g.off;
			until = x->off + x->len < to ? x->off + x->len : to;
		}
		if (to > end && from == to)
			from = g.off > end ? g.off : end;
		if (to > end)
			until = to;
		if (from < until)
			gaps->gap[n++] =
				(struct cache_extent){ from, until - from };
	}
	gaps->n = n;
}
