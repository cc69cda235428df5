/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls through a history's table, and look-ups in a listing.
 *
 * The look-ups need the points in three other orders.  Those are derived from
 * the listing when the first look-up comes, kept beside it, and shared by all
 * who hold it:
 *
 *   floor    the earliest time of this point and all later ones of its source:
 *            it only rises, whatever the clocks did, and the last point whose
 *            floor is not after t is the last one whose time is not after t
 *   by_name  the points of each source by printed name
 *   by_id    all points by id
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/history.h"

struct history_index {
	int64_t *floor;
	uint32_t *by_name;
	uint32_t *by_id;
};

struct history_listing *
history_listing(struct history *h)
{
	return h->ops->listing(h);
}

int
history_refresh(struct history *h, struct err *e)
{
	return h->ops->refresh(h, e);
}

int
history_open(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	if (point >= l->n_points)
		return err_set(e, ENOENT, "%s has no such point", h->name);
	return h->ops->open(h, l, point, view, e);
}

void
history_stats(struct history *h, struct history_stats *s)
{
	h->ops->stats(h, s);
}

void
history_free(struct history *h)
{
	if (h)
		h->ops->free(h);
}

/* -- The derived orders -------------------------------------------------- */

static int
compare_names(const void *a, const void *b, void *points)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct history_point *p = points;
	int order = strcmp(p[i].name, p[j].name);

	return order ? order : (i > j) - (i < j);
}

static int
compare_ids(const void *a, const void *b, void *points)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct history_point *p = points;
	int order = strcmp(p[i].id, p[j].id);

	return order ? order : (i > j) - (i < j);
}

static void
index_source(struct history_index *x, const struct history_listing *l,
	const struct history_source *s)
{
	int64_t floor = INT64_MAX;

	for (size_t i = s->n_points; i-- > 0;) {
		size_t p = s->first_point + i;

		if (l->points[p].time_ns < floor)
			floor = l->points[p].time_ns;
		x->floor[p] = floor;
	}
	qsort_r(x->by_name + s->first_point, s->n_points, sizeof(uint32_t),
		compare_names, l->points);
}

static struct history_index *
index_new(const struct history_listing *l)
{
	struct history_index *x = xcalloc(1, sizeof(*x));

	x->floor = xcalloc(l->n_points + 1, sizeof(*x->floor));
	x->by_name = xcalloc(l->n_points + 1, sizeof(*x->by_name));
	x->by_id = xcalloc(l->n_points + 1, sizeof(*x->by_id));
	for (size_t i = 0; i < l->n_points; i++)
		x->by_name[i] = x->by_id[i] = (uint32_t)i;
	for (size_t s = 0; s < l->n_sources; s++)
		index_source(x, l, &l->sources[s]);
	qsort_r(x->by_id, l->n_points, sizeof(uint32_t), compare_ids,
		l->points);
	return x;
}

static void
index_free(struct history_index *x)
{
	if (!x)
		return;
	free(x->floor);
	free(x->by_name);
	free(x->by_id);
	free(x);
}

/* The listing's derived orders; of two threads that make them one wins. */
static const struct history_index *
index_of(const struct history_listing *l)
{
	/* No listing is a const object; the slot is not part of its value. */
	struct history_listing *own = (struct history_listing *)(uintptr_t)l;
	struct history_index *x = own->index;

	if (x)
		return x;
	struct history_index *made = index_new(l);
	if (atomic_compare_exchange_strong(&own->index, &x, made))
		return made;
	index_free(made);
	return x;
}

struct history_listing *
history_listing_get(struct history_listing *l)
{
	l->refs++;
	return l;
}

void
history_listing_put(struct history_listing *l)
{
	if (!l || --l->refs > 0)
		return;
	index_free(l->index);
	l->index = NULL;
	l->free(l);
}

/* -- Look-ups ------------------------------------------------------------ */

static int
compare_source(
	const struct history_source *s, const char *host, const char *name)
{
	int order = strcmp(s->host, host);

	return order ? order : strcmp(s->name, name);
}

size_t
history_find_source(
	const struct history_listing *l, const char *host, const char *name)
{
	size_t lo = 0, hi = l->n_sources;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = compare_source(&l->sources[mid], host, name);

		if (order == 0)
			return mid;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return HISTORY_NONE;
}

size_t
history_find_at(const struct history_listing *l, size_t source, int64_t t_ns)
{
	const struct history_source *s = &l->sources[source];
	const int64_t *floor = index_of(l)->floor + s->first_point;
	size_t lo = 0, hi = s->n_points;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (floor[mid] <= t_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? s->first_point + lo - 1 : HISTORY_NONE;
}

size_t
history_find_name(
	const struct history_listing *l, size_t source, const char *name)
{
	const struct history_source *s = &l->sources[source];
	const uint32_t *by_name = index_of(l)->by_name + s->first_point;
	size_t lo = 0, hi = s->n_points;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(l->points[by_name[mid]].name, name);

		if (order == 0)
			return by_name[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return HISTORY_NONE;
}

/* Position in by_id of the first id that does not sort before `id`. */
static size_t
first_id(const struct history_listing *l, const uint32_t *by_id, const char *id)
{
	size_t lo = 0, hi = l->n_points;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(l->points[by_id[mid]].id, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

#define ID_PREFIX_MIN 6

size_t
history_find_id(const struct history_listing *l, const char *id)
{
	const uint32_t *by_id = index_of(l)->by_id;
	size_t len = strlen(id), at = first_id(l, by_id, id);

	if (at == l->n_points || strncmp(l->points[by_id[at]].id, id, len) != 0)
		return HISTORY_NONE;
	if (l->points[by_id[at]].id[len] == '\0' && len > 0)
		return by_id[at];
	if (len < ID_PREFIX_MIN)
		return HISTORY_NONE;
	if (at + 1 < l->n_points &&
		strncmp(l->points[by_id[at + 1]].id, id, len) == 0)
		return HISTORY_NONE;
	return by_id[at];
}

static int
compare_tag(const void *tag, const void *slot)
{
	return strcmp(tag, *(const char *const *)slot);
}

bool
history_has_tag(const struct history_point *p, const char *tag)
{
	return p->n_tags > 0 &&
	       bsearch(tag, p->tags, p->n_tags, sizeof(*p->tags), compare_tag);
}

void
history_print_time(char out[HISTORY_TIME_MAX + 1], int64_t t_ns)
{
	time_t seconds = t_ns / NS_PER_S - (t_ns % NS_PER_S < 0);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, HISTORY_TIME_MAX + 1, "%Y-%m-%dT%H-%M-%SZ", &tm);
}
