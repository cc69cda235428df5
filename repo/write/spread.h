/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Over how many packs the pages of a snapshot are spread, and what is done about
 * it.  Each run puts the pages that changed into a pack of its own, so that a
 * tree is soon read from as many packs as it has snapshots: a request each.
 * What a snapshot uses of each pack is noted in its record; when there are more
 * than SPREAD_MAX packs of which it uses little, the next run stores those pages
 * again, beside its own.  That costs, every so many runs, at most SPREAD_MAX + 1
 * times SPREAD_LITTLE.
 */
#ifndef YORE_WRITE_SPREAD_H
#define YORE_WRITE_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/format/record.h"

#define SPREAD_MAX 4
#define SPREAD_LITTLE (1u << 20) /* sealed bytes of pages */

struct spread {
	struct page_pack *packs;
	size_t n, cap;
	struct page_pack gather[RECORD_PAGE_PACKS_MAX];
	uint32_t n_gather; /* packs whose pages are to be stored again */
};

/* What the snapshot before says; zeros: there is none. */
void spread_init(struct spread *s, const struct record *parent);
void spread_release(struct spread *s);

/* Whether a page that lies there is to be stored again. */
bool spread_gathers(const struct spread *s, const struct frame_place *at);
/* The snapshot uses the page that lies there. */
void spread_use(struct spread *s, const struct frame_place *at);
/* What the record is to say. */
void spread_note(const struct spread *s, struct record *r);

#endif
