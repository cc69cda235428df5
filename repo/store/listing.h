/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listing a directory store in byte order of whole names (store.h, list). */
#ifndef YORE_STORE_LISTING_H
#define YORE_STORE_LISTING_H

#include <stdbool.h>
#include <stdint.h>
#include "repo/base/err.h"

struct listing {
	int root;	   /* borrowed */
	const char *after; /* borrowed */
	bool names; /* only: sizes are 0 */
	bool (*each)(void *ctx, const char *name, uint64_t size);
	void *ctx;
};

/* prefix is empty or ends in '/'; one that does not exist holds nothing. */
int listing_run(struct listing *l, const char *prefix, struct err *e);

#endif
