/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/native/behind.h"

/* Give up a leaf's page, or with fetch its frame; false: it was gone. */
static bool
give_up(const struct map *m, const struct ref *r, struct fetch *fetch)
{
	if (fetch)
		return fetch_drop(fetch, &r->place);
	return page_cache_drop(m->pages, r);
}

/* What lies before `position`, from the last leaf back to where somebody has
 * been already. */
static void
sweep(const struct map *m, uint64_t position, unsigned depth,
	struct fetch *fetch)
{
	struct ref r;

	while (position > 0 &&
		map_leaf(m, position - 1, depth, &r, &position) &&
		give_up(m, &r, fetch))
		;
}

void
behind_leaf(const struct map *m, const struct map_at *at, struct fetch *fetch)
{
	if (at->n_before > BEHIND_PAGES)
		sweep(m, at->n_before - BEHIND_PAGES, at->depth, NULL);
	if (at->n_before > BEHIND_FRAMES)
		sweep(m, at->n_before - BEHIND_FRAMES, at->depth, fetch);
}
