/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/interior.h"

#include <errno.h>
#include <string.h>
#include "repo/base/log.h"

/* What is asked for when the first page is wanted: sealed bytes, frames. */
#define AHEAD_BYTES (8u << 20)
#define AHEAD_FRAMES 128

struct map
interior_map(const struct interior *in, const struct entry *en)
{
	return (struct map){ .pages = in->pages,
		.kind = MAP_EXTENTS,
		.ref = en->interior,
		.span = en->size,
		.spine = PAGE_SPINE_LEN };
}

/* Ask for the frames from the one that has off on. */
static void
ask(struct interior *in, const struct map *m, uint64_t off)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct frame_place places[AHEAD_FRAMES];
	size_t n = 0, bytes = 0;
	int r = map_find_offset(m, off, &at, NULL);

	for (; !r && n < AHEAD_FRAMES && bytes < AHEAD_BYTES;
		r = map_next(m, &at, NULL)) {
		const struct extent *x = map_at_extent(&at);
		const struct frame_place *p = &x->ref.place;

		if (x->hole || (n && places[n - 1].off == p->off &&
				       !memcmp(places[n - 1].pack, p->pack,
					       OBJECT_ID_LEN)))
			continue;
		bytes += p->len;
		places[n++] = *p;
	}
	fetch_ahead(in->fetch, places, n);
}

/* All frames, once, unless there are too many: then those that follow. */
static void
ask_once(struct interior *in, const struct entry *en, const struct map *m,
	uint64_t off)
{
	uint64_t which = en->interior->place.off ^
			 get_be64(en->interior->place.pack) ^ 1;

	if (atomic_exchange(&in->asked, which) != which)
		ask(in, m, en->size / AHEAD_BYTES > 4096 ? off : 0);
}

/* Whether all of [off, off + len) is data, at being where it begins. */
static int
covers(const struct map *m, const struct map_at *from, uint64_t off, size_t len)
{
	auto_map_at struct map_at at = *from;
	uint64_t end = off + len;
	int r = 0;

	cached_page_get(at.leaf);
	while (!r && !map_at_extent(&at)->hole) {
		const struct extent *x = map_at_extent(&at);

		if (x->off + x->len >= end)
			return 1;
		r = map_next(m, &at, NULL);
	}
	return 0;
}

/* Whether a read is answered here; counts it. */
static bool
serves(struct interior *in)
{
	if (!fetch_is_far(in->fetch))
		return in->random;
	return atomic_fetch_add(&in->reads, 1) >= in->alone;
}

bool
interior_find(struct interior *in, const struct entry *en, uint64_t off,
	size_t len, struct map *m, struct map_at *at)
{
	struct err e = ERR_INIT;
	int r;

	if (!en->interior || len > INTERIOR_READ_MAX || in->failed ||
		!serves(in))
		return false;
	*m = interior_map(in, en);
	r = map_find_offset(m, off, at, &e);
	if (r) {
		log_debug("interior pages: %s", e.text);
		in->failed = true;
		return false;
	}
	ask_once(in, en, m, off);
	return covers(m, at, off, len);
}
