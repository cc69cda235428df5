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

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "repo/format/record.h"
#include "repo/write/known.h"

#define SPREAD_MAX 4
#define SPREAD_LITTLE (1u << 20) /* sealed bytes of pages */

struct spread_page;

struct spread {
	pthread_mutex_t lock; /* guards pages; a leaf */
	struct spread_page *pages; /* of the snapshot before, by id */
	size_t n_pages, cap_pages;

	const struct avoid *avoid; /* borrowed */
	/* whoever places: */
	struct page_pack *packs;
	size_t n, cap;
	struct page_pack gather[RECORD_PAGE_PACKS_MAX];
	uint32_t n_gather; /* packs whose pages are to be stored again */
};

/* What the snapshot before says; zeros: there is none. */
void spread_init(struct spread *s, const struct record *parent,
	const struct avoid *avoid);
void spread_release(struct spread *s);

/* A page of the snapshot before lies there.  May be called from any thread. */
void spread_before(struct spread *s, const struct ref *r);
/*
 * The place of a page, by r->id, that need not be stored: where this run has put
 * it, where the snapshot before has it, or where the index says; -ENOENT.  The
 * index may know of several places and does not say which is the newest.
 */
int spread_find(struct spread *s, struct known *known, struct ref *r);

/* Whether the extents of an unchanged file are to be written down again, since
 * the pages of its map are to be stored again.  From any thread. */
bool spread_gathers(const struct spread *s, const struct entry *en);

/* The snapshot uses the page that lies there. */
void spread_use(struct spread *s, const struct frame_place *at);
/* The same of the map of a file that was taken over unread. */
void spread_use_entry(struct spread *s, const struct entry *en);
/* Part of the snapshot before is in this one, too, without having been looked
 * at: what that said of packs is noted again. */
void spread_carry(struct spread *s, const struct record *parent);
/* What the record is to say. */
void spread_note(const struct spread *s, struct record *r);

#endif
