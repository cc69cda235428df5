/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/cache/ranges.h"

#include <errno.h>
#include "repo/base/bytes.h"

void
ranges_release(struct ranges *s)
{
	free(s->r);
	*s = (struct ranges)RANGES_INIT;
}

/* The first range that ends at `at` or behind it. */
static size_t
find(const struct ranges *s, uint64_t at)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->r[mid].to < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Put `with` (m ranges) in place of those from i to k. */
static void
replace(struct ranges *s, size_t i, size_t k, const struct range *with,
	size_t m)
{
	size_t n = s->n - (k - i) + m;

	if (n > s->cap) {
		s->cap = n + n / 2 + 4;
		s->r = xrealloc(s->r, s->cap * sizeof(*s->r));
	}
	if (s->n > k)
		memmove(s->r + i + m, s->r + k, (s->n - k) * sizeof(*s->r));
	if (m)
		memcpy(s->r + i, with, m * sizeof(*s->r));
	s->n = n;
}

void
ranges_add(struct ranges *s, uint64_t from, uint64_t to)
{
	struct range all = { .from = from, .to = to };
	size_t i = find(s, from), k = i;

	if (from >= to)
		return;
	for (; k < s->n && s->r[k].from <= to; k++) {
		if (s->r[k].from < all.from)
			all.from = s->r[k].from;
		if (s->r[k].to > all.to)
			all.to = s->r[k].to;
	}
	replace(s, i, k, &all, 1);
}

void
ranges_remove(struct ranges *s, uint64_t from, uint64_t to)
{
	struct range rest[2];
	size_t i = find(s, from), k, m = 0;

	if (from >= to)
		return;
	if (i < s->n && s->r[i].to == from)
		i++;
	for (k = i; k < s->n && s->r[k].from < to; k++) {
		if (s->r[k].from < from)
			rest[m++] = (struct range){ s->r[k].from, from };
		if (s->r[k].to > to)
			rest[m++] = (struct range){ to, s->r[k].to };
	}
	if (k > i)
		replace(s, i, k, rest, m);
}

void
ranges_join(struct ranges *s, const struct ranges *other)
{
	for (size_t i = 0; i < other->n; i++)
		ranges_add(s, other->r[i].from, other->r[i].to);
}

void
ranges_copy(struct ranges *to, const struct ranges *from)
{
	replace(to, 0, to->n, from->r, from->n);
}

void
ranges_clip(struct ranges *s, uint64_t from, uint64_t to)
{
	ranges_remove(s, 0, from);
	ranges_remove(s, to, UINT64_MAX);
}

uint64_t
ranges_sum(const struct ranges *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += s->r[i].to - s->r[i].from;
	return sum;
}

bool
ranges_equal(const struct ranges *a, const struct ranges *b)
{
	return a->n == b->n &&
	       (!a->n || memcmp(a->r, b->r, a->n * sizeof(*a->r)) == 0);
}

size_t
ranges_gaps(const struct ranges *s, uint64_t from, uint64_t to,
	struct range *gaps, size_t max)
{
	size_t n = 0;

	for (size_t i = find(s, from); from < to; i++) {
		uint64_t next =
			i < s->n && s->r[i].from < to ? s->r[i].from : to;

		if (next > from && n == max)
			gaps[n - 1].to = next;
		else if (next > from)
			gaps[n++] = (struct range){ from, next };
		if (i >= s->n || next == to)
			break;
		from = s->r[i].to;
	}
	return n;
}

uint64_t
ranges_blocks(const struct ranges *s, uint64_t block)
{
	uint64_t sum = 0, done = 0;

	for (size_t i = 0; i < s->n; i++) {
		uint64_t from = s->r[i].from / block * block;
		uint64_t to = (s->r[i].to + block - 1) / block * block;

		if (from < done)
			from = done;
		sum += to - from;
		done = to;
	}
	return sum;
}

void
ranges_encode(const struct ranges *s, uint64_t base, struct buf *b)
{
	buf_varint(b, s->n);
	for (size_t i = 0; i < s->n; i++) {
		buf_varint(b, s->r[i].from - base);
		buf_varint(b, s->r[i].to - s->r[i].from);
		base = s->r[i].to;
	}
}

int
ranges_decode(struct ranges *s, const void *data, size_t len, uint64_t base,
	uint64_t end)
{
	struct reader rd = reader_of(data, len);
	uint64_t n = read_bounded(&rd, RANGES_MAX), at = base;

	s->n = 0;
	for (uint64_t i = 0; i < n && !rd.bad; i++) {
		uint64_t skip = read_bounded(&rd, end - at);
		uint64_t take = read_bounded(&rd, end - at - skip);

		if (!take || (i && !skip))
			return -EUCLEAN;
		ranges_add(s, at + skip, at + skip + take);
		at += skip + take;
	}
	return rd.bad || reader_left(&rd) ? -EUCLEAN : 0;
}
