/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading ahead in a database: what lies in the window, page by page in deltas,
 * extent by extent in the base.  Everything here is advice: it fetches nothing
 * itself and never fails.
 *
 * What changed lately lies in as many objects as there are pages.  These are not
 * asked for before the reader has gone on for a while: a query that begins at
 * the front of a database would have a few dozen requests made for nothing.
 * Pages 1 and 2 are in every query, and no sign of one that goes on.
 *
 * Who goes on for long is copying the database: of small deltas all comes at once,
 * and what lies behind is given up.
 */
#include <errno.h>
#include <string.h>
#include "repo/native/database.h"

#define WISHES_MAX 384
#define BATCH 128 /* pages */
#define FRONT (128u << 10)
#define PART (64u << 10)
/* A window holds what the line brings while it is read; more only costs
 * memory. */
#define REACH_MAX (6u << 20)
/* Who has read so much in order, or an eighth of the database, goes on to its
 * end. */
#define LONG (32u << 20)
#define EIGHTH 8
/* Whose window is so long leaves nothing that will be read again. */
#define WINDOW_LONG (512u << 10)
/* So much stays behind one that goes on: its reads come out of order. */
#define BEHIND (2u << 20)
#define BEHIND_STEP (1u << 20)

struct wish {
	struct native_database *d;
	bool deltas; /* pages of deltas too */
	bool lacks;  /* a page of the map: to be asked again */
	struct frame_place at[WISHES_MAX];
	size_t n;
};

static void
wish_add(struct wish *w, const struct frame_place *at)
{
	const struct frame_place *last = &w->at[w->n ? w->n - 1 : 0];

	if (w->n == WISHES_MAX || (w->n && last->off == at->off &&
					  !memcmp(last->pack, at->pack,
						  OBJECT_ID_LEN)))
		return;
	w->at[w->n++] = *at;
}

/* The base's frames of [from, to), as far as the map is there. */
static int
wish_known(struct wish *w, uint64_t from, uint64_t to, struct ref *missing)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct map m;
	int r;

	if (!native_database_map(w->d, &m))
		return 0;
	m.missing = missing;
	r = map_find_offset(&m, from, &at, NULL);
	while (!r && map_at_extent(&at)->off < to && w->n < WISHES_MAX) {
		if (!map_at_extent(&at)->hole)
			wish_add(w, &map_at_extent(&at)->ref.place);
		r = map_next(&m, &at, NULL);
	}
	return r;
}

static void
wish_base(struct wish *w, uint64_t from, uint64_t to)
{
	struct ref missing;

	if (wish_known(w, from, to, &missing) == -EAGAIN) {
		wish_add(w, &missing.place);
		w->lacks = true;
	}
}

static void
wish_delta(struct wish *w, const struct page_source *s)
{
	struct frame_place at;

	if (!native_database_place(w->d, s, &at, NULL))
		wish_add(w, &at);
}

/* Pages [first, first + n), at most BATCH. */
static void
wish_pages(struct wish *w, uint32_t first, uint32_t n)
{
	struct page_source s[BATCH];
	uint64_t size = w->d->state.page_size;

	if (native_database_find(w->d, first, n, LOOK_AHEAD, s, NULL))
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t from = i;

		if (s[i].origin == PAGE_OF_DELTA && w->deltas)
			wish_delta(w, &s[i]);
		if (s[i].origin != PAGE_OF_BASE)
			continue;
		while (i + 1 < n && s[i + 1].origin == PAGE_OF_BASE)
			i++;
		wish_base(w, (first - 1 + from) * size,
			(uint64_t)(first + i) * size);
	}
}

/* How far it got. */
static uint64_t
wish_range(struct wish *w, uint64_t from, uint64_t to)
{
	uint64_t size = w->d->state.page_size;
	uint32_t page = (uint32_t)(from / size) + 1;
	uint32_t end = (uint32_t)((to + size - 1) / size) + 1;

	while (page < end && w->n + BATCH <= WISHES_MAX) {
		uint32_t n = end - page < BATCH ? end - page : BATCH;

		wish_pages(w, page, n);
		if (w->lacks)
			break;
		page += n;
	}
	return (page - 1) * size;
}

/* Whether a page comes with the one at the front, or is there. */
static bool
is_near(struct native_database *d, const struct page_source *front,
	const struct page_source *s)
{
	auto_frame struct frame *frame = NULL;
	struct frame_place at;

	if (s->origin == PAGE_ZEROS || s->origin == PAGE_UNKNOWN)
		return s->origin == PAGE_ZEROS;
	if (s->origin == front->origin &&
		(s->origin == PAGE_OF_BASE ||
			(s->n == front->n && s->off == front->off)))
		return true;
	if (s->origin == PAGE_OF_DELTA &&
		!native_database_place(d, s, &at, NULL))
		frame = fetch_peek(d->fetch, &at);
	return frame;
}

bool
native_database_is_scattered(struct database *db, size_t len)
{
	struct native_database *d = (struct native_database *)db;
	struct page_source s[BATCH];
	uint32_t size = d->state.page_size;
	uint32_t n = (uint32_t)((len + size - 1) / size);

	if (n == 0 || n > BATCH || !fetch_is_far(d->fetch) ||
		native_database_find(d, 1, n, LOOK_PEEK, s, NULL))
		return false;
	for (uint32_t i = 1; i < n; i++) {
		if (!is_near(d, &s[0], &s[i]))
			return true;
	}
	return false;
}

/* Whoever reads page after page is seen once a chunk, which brings the pages
 * around it: three of them in order, and each counts as read whole. */
static bool
goes_on(struct native_database *d, uint64_t off)
{
	uint64_t part = off / PART;

	if (part != d->part)
		d->parts = part == d->part + 1 ? d->parts + 1 : 0;
	d->part = part;
	return d->parts >= 2;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whether it is all of the database that is being read.  With the lock held. */
static bool
is_copying(struct native_database *d, uint64_t off, size_t len)
{
	uint64_t end = off + len;

	if (off > d->front + READAHEAD_SLACK ||
		off + READAHEAD_SLACK < d->front) {
		d->front = end;
		d->in_order = 0;
	}
	if (end > d->front) {
		d->in_order += end - d->front;
		d->front = end;
	}
	return d->in_order >= smaller(LONG, d->database.size / EIGHTH);
}

/* What lies behind a reader who has come as far as off, from where it was looked
 * at last. */
static bool
range_behind(struct native_database *d, uint64_t off, uint64_t *from,
	uint64_t *to)
{
	auto_lock(&d->lock);

	*from = d->given_up;
	*to = off > BEHIND ? off - BEHIND : 0;
	/* somebody else's */
	if (*to < *from || *to - *from > 4 * REACH_MAX)
		*from = *to > REACH_MAX ? *to - REACH_MAX : 0;
	if (*to < *from + BEHIND_STEP)
		return false;
	d->given_up = *to;
	return true;
}

/* The kernel has what was read in order: it is not wanted here again. */
static void
give_up_behind(struct wish *w, uint64_t off)
{
	uint64_t from, to;

	if (!range_behind(w->d, off, &from, &to))
		return;
	do {
		w->n = 0;
		from = wish_range(w, from, to);
		for (size_t i = 0; i < w->n; i++)
			fetch_drop(w->d->fetch, &w->at[i]);
	} while (from < to && !w->lacks);
}

void
native_database_ahead(struct native_database *d, uint64_t off, size_t len)
{
	auto_free struct wish *w = NULL;
	struct readahead ra;
	uint64_t end;
	bool copying;

	if (off + len < FRONT)
		return;
	pthread_mutex_lock(&d->lock);
	if (goes_on(d, off) && len < PART) {
		off = off / PART * PART;
		len = d->database.size - off < PART
			      ? (size_t)(d->database.size - off)
			      : PART;
	}
	ra = stream_read(&d->stream, off, len, d->database.size,
		(size_t)smaller(fetch_window_max(d->fetch), REACH_MAX));
	copying = is_copying(d, off, len);
	pthread_mutex_unlock(&d->lock);
	if (ra.from >= ra.to)
		return;
	w = xmalloc(sizeof(*w));
	w->d = d;
	w->n = 0;
	w->lacks = false;
	w->deltas = ra.to - (off + len) > READAHEAD_FIRST;
	if (ra.to - (off + len) > WINDOW_LONG)
		give_up_behind(w, off);
	w->n = 0;
	end = wish_range(w, ra.from, ra.to);
	if (copying)
		fetch_ahead_around(d->fetch, w->at, w->n);
	else
		fetch_ahead(d->fetch, w->at, w->n);
	if (end >= ra.to)
		return;
	auto_lock(&d->lock);
	stream_ask_again(&d->stream, &ra, end);
}
