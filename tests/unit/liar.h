/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store whose listings lie: names left out, told twice, out of order, or with
 * another size. */
#ifndef YORE_TESTS_LIAR_H
#define YORE_TESTS_LIAR_H

#include "repo/store/store.h"

enum lie {
	LIE_NOTHING,
	LIE_SHORT,  /* ends after the first name */
	LIE_SPARSE, /* every other name is left out */
	LIE_LAST,   /* the last one is left out */
	LIE_TWICE,  /* each name comes twice */
	LIE_SWAP,   /* two and two are exchanged */
	LIE_EMPTY,
	LIE_SMALL,  /* half of the size */
	LIES
};

struct liar {
	struct store store; /* first */
	struct store *inner;   /* borrowed */
	enum lie lie;
	const char *prefix; /* of the listings that lie */
	unsigned honest;    /* from the listing with this number on; 0: never */
	unsigned n;
};

/* Begin to lie; the store is liar->store, and nothing is freed with it. */
void liar_init(struct liar *liar, struct store *inner);

#endif
