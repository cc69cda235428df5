/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any content, in pieces of any size, is cut where the definition says: after
 * the first position that is far enough from the last cut and whose hash over
 * the window is below the threshold of that distance.
 *
 * Input: seed of the table, min, mean and max, size of pieces, content.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/write/cut.h"

#define HEAD_LEN 5

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);

/* The length of the chunk that data (len bytes to the end) begins with. */
static size_t
by_definition(const struct cut_gear *gear, const struct cut_params *p,
	const uint8_t *data, size_t len)
{
	uint64_t even = UINT64_MAX / p->mean;
	uint64_t turn = (uint64_t)p->mean * 13 / 16;

	for (size_t n = p->min; n < len && n < p->max; n++) {
		uint64_t h = 0;

		for (size_t i = n - CUT_WINDOW; i < n; i++)
			h = (h << 1) + gear->value[data[i]];
		if (h < (n <= turn || n == p->min ? even / 4 : even * 4))
			return n;
	}
	return len < p->max ? len : p->max;
}

static void
check(struct cutter *c, const uint8_t *data, size_t len, size_t piece)
{
	size_t from = 0, have = 0;

	while (from < len) {
		size_t n = cutter_next(c, data + from, have - from,
			have == len);

		if (n == 0) {
			assert(have < len && have - from < c->params.max);
			have = len - have < piece ? len : have + piece;
			continue;
		}
		assert(n == by_definition(c->gear, &c->params, data + from,
				    len - from));
		from += n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
	struct cut_gear gear;
	struct cut_params p;
	struct cutter c;
	uint64_t x;

	if (len < HEAD_LEN)
		return 0;
	x = in[0] + 1;
	for (size_t i = 0; i < 256; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		gear.value[i] = x ^ (x >> 31);
	}
	p.min = CUT_WINDOW + in[1];
	p.mean = p.min + 4 * in[2];
	p.max = p.mean + 8 * in[3];
	assert(cut_params_check(&p, NULL) == 0);
	cutter_init(&c, &gear, &p);
	check(&c, in + HEAD_LEN, len - HEAD_LEN, in[4] + 1u);
	cutter_begin(&c, 0);
	check(&c, in + HEAD_LEN, len - HEAD_LEN, SIZE_MAX);
	(void)cut_is_database(in, len);
	return 0;
}
