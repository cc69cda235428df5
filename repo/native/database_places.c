/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking pages up: in the index of each delta of the chain, newest first,
 * until all are found; what none has is the base's.  Indexes are searched as
 * they lie in decoded frames, nothing is kept of them here.
 */
#include <errno.h>
#include <string.h>
#include "repo/native/database.h"

/* The map of the base's end comes with its root, since what is new is there, and
 * indexes mostly too; and, as writers put it, that of its beginning. */
#define SPINE (144u << 10)

struct lookup {
	struct native_database *d;
	uint32_t first, n;
	enum page_looking how;
	struct page_source *s;
	uint32_t left; /* not found yet */
};

/* A frame of member's, or NULL (and 0) when it is to be had later.  -EAGAIN: who
 * peeks does not see it. */
static int
get_frame(const struct lookup *l, const struct delta *member, uint64_t off,
	uint32_t len, struct frame **frame, struct err *e)
{
	struct frame_place at;

	deltas_own_place(member, off, len, &at);
	if (l->how == LOOK_UP)
		return fetch_frame(l->d->fetch, &at, frame, e);
	*frame = fetch_peek(l->d->fetch, &at);
	if (!*frame && l->how == LOOK_AHEAD)
		fetch_ahead(l->d->fetch, &at, 1);
	return *frame || l->how == LOOK_AHEAD ? 0 : -EAGAIN;
}

/* -- One leaf ------------------------------------------------------------------- */

static void
take_run(struct lookup *l, uint8_t member, const struct delta_run *run)
{
	uint32_t from = run->first > l->first ? run->first - l->first : 0;
	uint64_t end = (uint64_t)run->first + run->count - l->first;

	for (uint32_t i = from; i < l->n && i < end; i++) {
		struct page_source *s = &l->s[i];

		if (s->origin != PAGE_UNKNOWN)
			continue;
		*s = (struct page_source){
			.origin = run->zeros ? PAGE_ZEROS : PAGE_OF_DELTA,
			.member = member,
			.slot = (uint16_t)(run->slot + l->first + i -
					   run->first),
			.len = run->len,
			.writer = run->writer,
			.n = run->n,
			.off = run->off };
		l->left--;
	}
}

static int
search_leaf(struct lookup *l, uint8_t member, const uint8_t *data, size_t len,
	struct err *e)
{
	const struct delta *d = l->d->chain.d[member];
	struct delta_places p;
	struct delta_run run;
	int r = delta_places_open(&p, d->record.n, data, len, e);

	if (r)
		return r;
	delta_places_seek(&p, l->first);
	while ((r = delta_places_next(&p, &run, e)) == 1) {
		if (run.first >= l->first + l->n)
			return 0;
		if (run.first + run.count > l->first)
			take_run(l, member, &run);
	}
	return r;
}

/* -- One member's index ------------------------------------------------------------ */

/* Whether the set rules the pages out.  */
static int
ask_set(struct lookup *l, const struct delta *d, bool *may, struct err *e)
{
	const struct delta_tail *t = &d->tail;
	auto_frame struct frame *frame = NULL;
	int r = get_frame(l, d, t->set_off,
		(uint32_t)(t->record_off - t->set_off), &frame, e);

	*may = !r && frame;
	if (*may && frame->type != FRAME_DELTA_SET)
		return err_set(e, EUCLEAN, "no set where it should be");
	if (*may)
		*may = delta_set_may_have(
			frame->data, frame->len, l->first, l->n);
	return r;
}

static int
search_frame(struct lookup *l, uint8_t member, const struct delta_leaf *leaf,
	struct err *e)
{
	auto_frame struct frame *frame = NULL;
	int r = get_frame(l, l->d->chain.d[member], leaf->off, leaf->len,
		&frame, e);

	if (r || !frame)
		return r;
	if (frame->type != FRAME_DELTA_PLACES)
		return err_set(e, EUCLEAN, "no places where they should be");
	return search_leaf(l, member, frame->data, frame->len, e);
}

/* The last leaf that begins not behind the page, or the first. */
static uint32_t
leaf_of(const struct delta_leaves *l, uint32_t page)
{
	uint32_t lo = 0, hi = l->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (l->leaf[mid].first_page <= page)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : 0;
}

static int
search_member(struct lookup *l, uint8_t member, struct err *e)
{
	const struct delta *d = l->d->chain.d[member];
	const struct delta_leaves *lv = &d->record.places;
	bool may;
	int r;

	if (lv->whole)
		return search_leaf(l, member, lv->whole, lv->whole_len, e);
	r = ask_set(l, d, &may, e);
	if (r || !may)
		return r;
	for (uint32_t i = leaf_of(lv, l->first);
		i < lv->n && !r && l->left &&
		lv->leaf[i].first_page < l->first + l->n;
		i++)
		r = search_frame(l, member, &lv->leaf[i], e);
	return r;
}

/* -- All of them --------------------------------------------------------------------- */

static void
leave_to_base(struct lookup *l)
{
	uint32_t page_size = l->d->state.page_size;

	for (uint32_t i = 0; i < l->n; i++) {
		uint64_t end = (uint64_t)(l->first + i) * page_size;

		if (l->s[i].origin == PAGE_UNKNOWN)
			l->s[i].origin = end <= l->d->base->size
						 ? PAGE_OF_BASE
						 : PAGE_ZEROS;
	}
}

int
native_database_find(struct native_database *d, uint32_t first, uint32_t n,
	enum page_looking how, struct page_source *s, struct err *e)
{
	struct lookup l = { .d = d, .first = first, .n = n, .how = how,
		.s = s, .left = n };

	memset(s, 0, n * sizeof(*s));
	for (unsigned i = 0; i < d->chain.n && l.left; i++) {
		int r = search_member(&l, (uint8_t)i, e);

		if (r == -EAGAIN && how == LOOK_PEEK)
			return 0;
		if (r)
			return r;
	}
	leave_to_base(&l);
	return 0;
}

int
native_database_place(const struct native_database *d,
	const struct page_source *s, struct frame_place *at, struct err *e)
{
	return deltas_place(d->chain.d[s->member], s->n, s->writer, s->off,
		s->len, at, e);
}

bool
native_database_follows(const struct page_source *a,
	const struct page_source *b)
{
	if (a->origin != b->origin || a->origin != PAGE_OF_DELTA)
		return a->origin == b->origin;
	return a->n == b->n && a->off == b->off && a->slot + 1 == b->slot;
}

bool
native_database_map(const struct native_database *d, struct map *m)
{
	*m = (struct map){ .pages = d->pages,
		.kind = MAP_EXTENTS,
		.ref = &d->base->ref,
		.span = d->base->size,
		.spine = SPINE };
	return d->base->content == CONTENT_MAP;
}
