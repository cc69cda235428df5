/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/clock.h"
#include "repo/fetch/detour.h"

void
detour_init(struct detours *d)
{
	memset(d, 0, sizeof(*d));
	pthread_mutex_init(&d->lock, NULL);
}

void
detour_release(struct detours *d)
{
	pthread_mutex_destroy(&d->lock);
}

bool
detour_known(struct detours *d, const struct frame_place *at)
{
	if (d->n == 0)
		return false;

	int64_t now = clock_mono_ns();
	auto_lock(&d->lock);
	for (int i = 0; i < DETOURS; i++) {
		const struct detour *x = &d->list[i];

		if (x->until_ns > now &&
			memcmp(x->pack, at->pack, OBJECT_ID_LEN) == 0 &&
			(x->off == DETOUR_WHOLE || x->off == at->off))
			return true;
	}
	return false;
}

void
detour_add(struct detours *d, const struct frame_place *at, bool whole)
{
	auto_lock(&d->lock);
	struct detour *x = &d->list[d->n++ % DETOURS];

	memcpy(x->pack, at->pack, OBJECT_ID_LEN);
	x->off = whole ? DETOUR_WHOLE : at->off;
	x->until_ns = clock_mono_ns() + DETOUR_NS;
}
