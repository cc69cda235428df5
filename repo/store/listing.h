/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listing a directory store in byte order of whole names (store.h, list). */
#ifndef YORE_STORE_LISTING_H
#define YORE_STORE_LISTING_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/store/store.h"

struct listing {
	const struct store *store; /* borrowed, as all here */
	int root;
	struct store_query q;
	bool names; /* only: sizes are 0, times not known */
	bool (*each)(void *ctx, const struct store_object *o);
	void *ctx;
};

/* A prefix that does not exist holds nothing. */
int listing_run(struct listing *l, struct err *e);

#endif
