/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/wish.h"

#include <errno.h>
#include <string.h>

/* Behind the page of the directory that comes next lie those that follow. */
#define PAGES_BEYOND (256u << 10)

bool
wish_same_frame(const struct frame_place *a, const struct frame_place *b)
{
	return a->off == b->off && a->len == b->len &&
	       !memcmp(a->pack, b->pack, OBJECT_ID_LEN);
}

void
wish_add(struct wish *w, const struct frame_place *at)
{
	if (w->n == WISH_FRAMES_MAX)
		return;
	for (size_t i = w->n; i > 0; i--) {
		if (wish_same_frame(&w->at[i - 1], at))
			return;
	}
	w->at[w->n++] = *at;
}

uint64_t
wish_range(struct wish *w, const struct map *extents, uint64_t from,
	uint64_t to)
{
	uint64_t known = from;
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct ref missing;
	struct map m = *extents;
	int r;

	m.missing = &missing;
	r = map_find_offset(&m, from, &at, NULL);
	while (!r && map_at_extent(&at)->off < to && w->n < WISH_FRAMES_MAX) {
		const struct extent *x = map_at_extent(&at);

		if (!x->hole)
			wish_add(w, &x->ref.place);
		known = x->off + x->len;
		r = map_next(&m, &at, NULL);
	}
	if (r == -EAGAIN)
		wish_add(w, &missing.place);
	return known < to ? known : to;
}

void
wish_send(const struct wish *w, struct fetch *f)
{
	if (w->n)
		fetch_ahead(f, w->at, w->n);
	if (w->page.len)
		fetch_ahead_beyond(f, &w->page, PAGES_BEYOND);
}
