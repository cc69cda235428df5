/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of places in the store, in the order of objects and offsets.  Memory
 * grows with the places that differ, not with how often they are added.
 */
#ifndef YORE_TOOLS_PLACES_H
#define YORE_TOOLS_PLACES_H

#include "repo/view.h"

struct places {
	struct view_place *at; /* object names are the set's */
	size_t n, cap;
	size_t n_sorted; /* those before are in order and differ */
	void *names;	 /* tsearch(3) */
};

#define PLACES_INIT        \
	{                  \
		.at = NULL \
	}

void places_add(struct places *p, const struct view_place *at);
/* Put them in order, each once. */
void places_sort(struct places *p);
/* After places_sort: make one of those that touch. */
void places_join(struct places *p);
/* Bytes of all but whole objects. */
uint64_t places_bytes(const struct places *p);
void places_release(struct places *p);

#define auto_places AUTO(places_release)

#endif
