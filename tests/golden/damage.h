/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a damaged frame may cost, as decode.py --places told, and whether a
 * history with that frame damaged serves everything else as it was.
 */
#ifndef YORE_TESTS_DAMAGE_H
#define YORE_TESTS_DAMAGE_H

#include "tests/golden/image.h"

/* One line of the places: a frame, and something that needs it. */
struct place {
	char object[96];
	uint64_t off, len;
	char id[HISTORY_ID_MAX + 1]; /* snapshot */
	char what;		     /* 'c'ontent, 'x'attrs, 'e'ntries */
	char *path, *first, *last;
};

struct places {
	struct place *list;
	size_t n;
};

int places_load(const char *path, struct places *p);
void places_release(struct places *p);

#define MAY_LOSE_CONTENT 1
#define MAY_LOSE_XATTRS 2
#define MAY_LOSE_ENTRY 4 /* itself and all below it */
#define LEADS_TO_LOSS 8	 /* something of it or below it may be lost */

/* What may be lost; without an object nothing. */
struct damage {
	char object[96];
	uint64_t off;
	uint8_t **may_lose; /* for each tree, for each entry: the above */
	bool any;	    /* something needs the frame */
	bool only;	    /* only what needs it is read, and what leads there */
	size_t hidden;	    /* a tree whose record is damaged, or SIZE_MAX */
};

void damage_init(struct damage *d, const struct image *im);
void damage_release(struct damage *d, const struct image *im);
/* From now on the frame at off of object is damaged ("" none). */
void damage_set(struct damage *d, const struct image *im,
	const struct places *p, const char *object, uint64_t off);

struct verdict {
	unsigned errors; /* that were allowed */
	char why[600];	 /* "" when all is well */
};

/* Read everything of h, or what d->only says; compare with im.  Whether all is as it may be. */
bool damage_check(struct history *h, const struct image *im,
	const struct damage *d, struct verdict *v);
/* Only the listing: sources, snapshots, tags. */
bool damage_check_listing(struct history *h, const struct image *im,
	const struct damage *d, struct verdict *v);

#endif
