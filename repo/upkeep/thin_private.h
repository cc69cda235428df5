/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of thinning; private to thin*.c. */
#ifndef YORE_UPKEEP_THIN_PRIVATE_H
#define YORE_UPKEEP_THIN_PRIVATE_H

#include "repo/native/deltas.h"
#include "repo/native/pages.h"
#include "repo/native/records.h"
#include "repo/upkeep/thin.h"

struct trash_item;

struct thinning {
	struct writer *w; /* borrowed */
	const struct thin_options *o;
	struct thin_result *result;
	/* What is read of the past, apart from what is written. */
	struct fetch *fetch;
	struct deltas *deltas;
	struct page_cache *pages;
	char *scratch; /* a directory for hashes of pages, locked: */
	int lock;
	/* Records in whose place others are. */
	struct trash_item *retired;
	size_t n_retired, cap_retired;
};

/* A stretch being looked at. */
struct stretch {
	struct thinning *t;
	const struct loaded_record *at; /* its record; borrowed */
	int64_t now_ns;
	struct delta *newest; /* NULL: there are none */
	uint64_t last;	      /* newest that is a point */
	uint8_t *keep;	      /* a bit for each point, by number */
	struct thin_stretch told;
};

/* thin_stretch.c: find the newest delta; look at all points and decide. */
int stretch_newest(struct stretch *s, struct err *e);
int stretch_open(struct stretch *s, struct err *e);
void stretch_release(struct stretch *s);

/* thin_write.c: write it anew, as the given epoch. */
int stretch_write(struct stretch *s, uint32_t epoch, struct err *e);

static inline bool
stretch_keeps(const struct stretch *s, uint64_t n)
{
	return s->keep[n / 8] >> n % 8 & 1;
}

#define auto_stretch AUTO(stretch_release)

#endif
