/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A day is "2026-11-20", a time in it "10-32-15.123Z" or "10-32-15.123Z-2":
 * with a 'T' between them, a moment's name.
 *
 * Positions: the number of a day since FIRST_DAY; in a day the millisecond
 * and, in the low 32 bits, the number of the moment in it.
 */
#include "fs/tree_moments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/clock.h"
#include "fs/tree_points.h"

#define NS_PER_DAY (86400 * NS_PER_S)
#define NS_PER_MS 1000000LL
#define FIRST_DAY (INT64_MIN / NS_PER_DAY - 1)
#define DAY_LEN 10 /* of 2026-11-20 */

bool
tree_moments_of(const struct picture *p, size_t source)
{
	return source != HISTORY_NONE &&
	       p->listing->sources[source].kind == HISTORY_DATABASE;
}

void
tree_moments_describe(const struct picture *p,
	const struct history_point *moment, struct tree_child *child)
{
	child->asked = true;
	child->point = history_moment_snapshot(p->listing, moment);
	child->is_moment = child->point == HISTORY_NONE;
	if (child->is_moment)
		child->moment = *moment;
	if (child->kind != NODE_LINK)
		child->kind = NODE_TREE;
}

/* -- At a time ----------------------------------------------------------- */

static int
find_snapshot_at(const struct picture *p, size_t source, int64_t t_ns,
	bool moving, struct tree_child *child)
{
	const struct history_source *s = &p->listing->sources[source];

	child->point = history_find_at(p->listing, source, t_ns);
	if (child->point == HISTORY_NONE)
		return -ENOENT;
	if (child->kind != NODE_LINK)
		child->kind = NODE_TREE;
	/* what has a successor stays; the newest may be followed */
	child->passing =
		moving || child->point + 1 == s->first_point + s->n_points;
	return 0;
}

int
tree_moments_find_at(const struct picture *p, size_t source, int64_t t_ns,
	bool moving, struct tree_child *child, struct err *e)
{
	struct history_point m, newest;
	int rc;

	if (!tree_moments_of(p, source))
		return find_snapshot_at(p, source, t_ns, moving, child);
	rc = history_moment_at(p->history, p->listing, source, t_ns, &m, e);
	if (rc != 0)
		return rc;
	tree_moments_describe(p, &m, child);
	child->passing = true;
	if (moving)
		return 0;
	rc = history_moment_at(
		p->history, p->listing, source, INT64_MAX, &newest, e);
	child->passing = strcmp(m.id, newest.id) == 0;
	return rc;
}

/* -- Days and times ------------------------------------------------------ */

/* Index of the generation that points/, or a day of it, belongs to. */
static size_t
generation_of(const struct picture *p, const struct node *dir)
{
	while (dir->kind != NODE_GENERATION)
		dir = dir->parent;
	return tree_points_generation(p, tree_points_source(p, dir), dir->name);
}

/* Days since FIRST_DAY. */
static uint64_t
day_of(int64_t t_ns)
{
	return (uint64_t)(t_ns / NS_PER_DAY - (t_ns % NS_PER_DAY < 0) -
			  FIRST_DAY);
}

/* False: no time can be told so late. */
static bool
begin_of_day(uint64_t day, int64_t *t_ns)
{
	int64_t n = (int64_t)(day & INT32_MAX) + FIRST_DAY;

	if (!__builtin_mul_overflow(n, NS_PER_DAY, t_ns))
		return true;
	*t_ns = INT64_MIN;
	return n < 0;
}

/* The beginning of the day of that name; false: it is none. */
static bool
parse_day(const char *name, int64_t *t_ns)
{
	char moment[HISTORY_TIME_MAX + 1];

	snprintf(moment, sizeof(moment), "%sT00-00-00.000Z", name);
	return strlen(name) == DAY_LEN && history_parse_moment(moment, t_ns);
}

static bool
take_first(void *ctx, const struct history_point *p)
{
	struct history_point *first = ctx;

	*first = *p;
	return false;
}

/* The first moment not before from_ns; -ENOENT. */
static int
first_from(const struct picture *p, size_t generation, int64_t from_ns,
	struct history_point *first, struct err *e)
{
	int rc;

	first->id[0] = '\0';
	rc = history_moments(p->history, p->listing, generation, from_ns,
		take_first, first, e);
	return rc == 0 && !*first->id ? -ENOENT : rc;
}

static int
find_day(const struct picture *p, size_t generation, const char *name,
	struct tree_child *child, struct err *e)
{
	struct history_point first;
	int64_t t_ns;
	int rc;

	if (!parse_day(name, &t_ns))
		return -ENOENT;
	child->kind = NODE_DAY;
	child->asked = true;
	rc = first_from(p, generation, t_ns, &first, e);
	if (rc == 0 && day_of(first.time_ns) != day_of(t_ns))
		return -ENOENT;
	return rc;
}

static int
find_time(const struct picture *p, size_t generation, const char *day,
	const char *name, struct tree_child *child, struct err *e)
{
	char moment[HISTORY_TIME_MAX + 1];
	struct history_point m;
	int rc;

	if (snprintf(moment, sizeof(moment), "%sT%s", day, name) >=
		(int)sizeof(moment))
		return -ENOENT;
	rc = history_moment_by_name(
		p->history, p->listing, generation, moment, &m, e);
	if (rc == 0)
		tree_moments_describe(p, &m, child);
	return rc;
}

int
tree_moments_find(const struct picture *p, const struct node *dir,
	const char *name, struct tree_child *child, struct err *e)
{
	size_t g = generation_of(p, dir);

	if (g == HISTORY_NONE)
		return -ENOENT;
	if (dir->kind == NODE_POINTS)
		return find_day(p, g, name, child, e);
	return find_time(p, g, dir->name, name, child, e);
}

/* -- Listings ------------------------------------------------------------ */

static int
list_days(const struct picture *p, size_t generation, uint64_t from,
	tree_each *each, void *ctx, struct err *e)
{
	int64_t t_ns;

	while (begin_of_day(from, &t_ns)) {
		struct tree_child child = TREE_CHILD_INIT;
		struct history_point first;
		int rc = first_from(p, generation, t_ns, &first, e);

		if (rc != 0)
			return rc == -ENOENT ? 0 : rc;
		from = day_of(first.time_ns) + 1;
		first.name[DAY_LEN] = '\0';
		child.kind = NODE_DAY;
		child.asked = true;
		child.name = first.name;
		if (!each(ctx, &child, from))
			return 0;
	}
	return 0;
}

struct listing_times {
	const struct picture *p;
	uint64_t day;
	int64_t day_ns;
	uint64_t skip_to; /* position of the first to be listed */
	uint64_t ms;	  /* of the day, of the moment before */
	uint32_t n;	  /* moments in it so far */
	tree_each *each;
	void *ctx;
};

static bool
list_time(void *ctx, const struct history_point *m)
{
	struct listing_times *l = ctx;
	struct tree_child child = TREE_CHILD_INIT;
	uint64_t ms = (uint64_t)(m->time_ns - l->day_ns) / NS_PER_MS;
	uint64_t at;

	if (day_of(m->time_ns) != l->day)
		return false;
	l->n = ms == l->ms ? l->n + 1 : 0;
	l->ms = ms;
	at = ms << 32 | l->n;
	if (at < l->skip_to)
		return true;
	child.name = m->name + DAY_LEN + 1;
	child.bare = true;
	tree_moments_describe(l->p, m, &child);
	return l->each(l->ctx, &child, at + 1);
}

static int
list_times(const struct picture *p, const struct node *dir, size_t generation,
	uint64_t from, tree_each *each, void *ctx, struct err *e)
{
	struct listing_times l = { .p = p,
		.skip_to = from,
		.ms = UINT64_MAX,
		.each = each,
		.ctx = ctx };
	int64_t from_ns;

	if (!parse_day(dir->name, &l.day_ns))
		return 0;
	l.day = day_of(l.day_ns);
	if (__builtin_add_overflow(l.day_ns,
		    (int64_t)((from >> 32) & INT32_MAX) * NS_PER_MS, &from_ns))
		return 0;
	return history_moments(
		p->history, p->listing, generation, from_ns, list_time, &l, e);
}

int
tree_moments_list(const struct picture *p, const struct node *dir,
	uint64_t from, tree_each *each, void *ctx, struct err *e)
{
	size_t g = generation_of(p, dir);

	if (g == HISTORY_NONE)
		return 0;
	if (dir->kind == NODE_POINTS)
		return list_days(p, g, from, each, ctx, e);
	return list_times(p, dir, g, from, each, ctx, e);
}
