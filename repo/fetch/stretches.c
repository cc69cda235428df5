/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/fetch/stretches.h"

size_t
stretches_begin(struct stretches *st, const struct frame_place *at, size_t max)
{
	uint32_t doublings = st->n < 8 ? st->n : 8;
	uint64_t len = (uint64_t)STRETCH_FIRST << doublings;
	struct stretch *s = &st->last[st->n % STRETCHES];

	if (len > max)
		len = max;
	for (int i = 0; i < STRETCHES; i++) {
		const struct stretch *x = &st->last[i];

		if (x->from > at->off && x->from - at->off < len &&
			!memcmp(x->pack, at->pack, OBJECT_ID_LEN))
			len = x->from - at->off;
	}
	memcpy(s->pack, at->pack, OBJECT_ID_LEN);
	s->from = at->off;
	st->n++;
	return (size_t)len;
}
