/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever decodes as a set of ranges lies within its bounds, in order, and
 * encodes to a set that decodes to the same. */
#include <assert.h>
#include "repo/cache/ranges.h"

#define BASE 262144
#define END (2 * BASE)

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	auto_ranges struct ranges s = RANGES_INIT, back = RANGES_INIT;
	auto_buf struct buf b = BUF_INIT;
	struct range gap;
	uint64_t at = BASE;

	if (ranges_decode(&s, in, len, BASE, END))
		return 0;
	assert(s.n <= len / 2 && s.n <= RANGES_MAX);
	for (size_t i = 0; i < s.n; i++) {
		assert(s.r[i].from >= at + (i > 0) && s.r[i].to > s.r[i].from);
		at = s.r[i].to;
	}
	assert(at <= END);
	ranges_encode(&s, BASE, &b);
	assert(ranges_decode(&back, b.data, b.len, BASE, END) == 0);
	assert(ranges_equal(&s, &back));
	if (s.n)
		ranges_add(&s, s.r[0].from, s.r[s.n - 1].to);
	assert(!s.n || (s.n == 1 && !ranges_gaps(&s, s.r[0].from, s.r[0].to,
					    &gap, 1)));
	return 0;
}
