/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moments of a source, from the history or, where it has none, from the
 * snapshots of the listing.  Names are made here: a moment's name follows from
 * its time and from how many before it fell into the same millisecond, so
 * whoever tells moments is asked for the whole of the first millisecond.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "repo/history.h"

#define NS_PER_MS 1000000LL

static bool
has_moments(
	const struct history *h, const struct history_listing *l, size_t source)
{
	return h->ops->moments && l->sources[source].kind == HISTORY_DATABASE;
}

/* -- Names --------------------------------------------------------------- */

/* Nanoseconds since the millisecond of t_ns began. */
static int64_t
within_ms(int64_t t_ns)
{
	int64_t past = t_ns % NS_PER_MS;

	return past < 0 ? past + NS_PER_MS : past;
}

static int64_t
begin_of_ms(int64_t t_ns)
{
	int64_t past = within_ms(t_ns);

	return t_ns < INT64_MIN + past ? INT64_MIN : t_ns - past;
}

void
history_print_moment(char out[HISTORY_TIME_MAX + 1], int64_t t_ns)
{
	int64_t past = t_ns % NS_PER_S;
	int ms = (int)((past < 0 ? past + NS_PER_S : past) / NS_PER_MS);
	size_t n;

	history_print_time(out, t_ns);
	n = strlen(out) - 1; /* its Z */
	snprintf(out + n, HISTORY_TIME_MAX + 1 - n, ".%03dZ", ms);
}

bool
history_parse_moment(const char *name, int64_t *t_ns)
{
	char again[HISTORY_TIME_MAX + 1];
	struct tm tm = { .tm_sec = 0 };
	int ms;

	if (sscanf(name, "%4d-%2d-%2dT%2d-%2d-%2d.%3dZ", &tm.tm_year,
		    &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
		    &tm.tm_sec, &ms) != 7)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (__builtin_mul_overflow((int64_t)timegm(&tm), NS_PER_S, t_ns) ||
		__builtin_add_overflow(*t_ns, ms * NS_PER_MS, t_ns))
		return false;
	/* whatever else sscanf and timegm put up with */
	history_print_moment(again, *t_ns);
	return strncmp(again, name, HISTORY_MOMENT_LEN) == 0 &&
	       (name[HISTORY_MOMENT_LEN] == '\0' ||
		       name[HISTORY_MOMENT_LEN] == '-');
}

/* -- Moments of a generation --------------------------------------------- */

/* Between who tells moments and who hears them: names them. */
struct telling {
	const struct history_listing *l;
	int64_t from_ns;
	history_each *each;
	void *ctx;
	bool begun;
	bool disordered;
	int64_t last_ns;
	unsigned int n; /* moments so far in the millisecond of last_ns */
};

static void
name_moment(struct telling *t, struct history_point *p)
{
	bool same =
		t->begun && begin_of_ms(t->last_ns) == begin_of_ms(p->time_ns);
	size_t len;

	t->n = same ? t->n + 1 : 1;
	history_print_moment(p->name, p->time_ns);
	len = strlen(p->name);
	if (t->n > 1)
		snprintf(p->name + len, sizeof(p->name) - len, "-%u", t->n);
}

static bool
tell(void *ctx, const struct history_point *told)
{
	struct telling *t = ctx;
	struct history_point p = *told;
	size_t i = history_moment_snapshot(t->l, told);

	p.tags = NULL;
	p.n_tags = 0;
	if (i != HISTORY_NONE) {
		p = t->l->points[i];
		p.time_ns = told->time_ns;
		p.seq = told->seq;
	}
	t->disordered = t->begun && p.time_ns < t->last_ns;
	if (t->disordered)
		return false;
	name_moment(t, &p);
	t->begun = true;
	t->last_ns = p.time_ns;
	return p.time_ns < t->from_ns || t->each(t->ctx, &p);
}

/* The snapshots of a generation; where clocks went back, at the time of the
 * one before. */
static void
tell_snapshots(struct telling *t, size_t generation)
{
	const struct history_generation *g = &t->l->generations[generation];
	int64_t time_ns = INT64_MIN;

	for (uint32_t i = 0; i < g->n_points; i++) {
		struct history_point p = t->l->points[g->first_point + i];

		if (p.time_ns < time_ns)
			p.time_ns = time_ns;
		time_ns = p.time_ns;
		if (time_ns >= begin_of_ms(t->from_ns) && !tell(t, &p))
			return;
	}
}

int
history_moments(struct history *h, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	size_t source = l->generations[generation].source;
	struct telling t = {
		.l = l, .from_ns = from_ns, .each = each, .ctx = ctx
	};
	int rc = 0;

	if (has_moments(h, l, source))
		rc = h->ops->moments(
			h, l, generation, begin_of_ms(from_ns), tell, &t, e);
	else
		tell_snapshots(&t, generation);
	if (rc == 0 && t.disordered)
		return err_set(e, EUCLEAN,
			"%s: moments of %s/%s are told out"
			" of order",
			h->name, l->sources[source].host,
			l->sources[source].name);
	return rc;
}

/* -- One moment ---------------------------------------------------------- */

struct wanted {
	const char *name; /* or NULL: */
	const char *id;
	int64_t until_ns; /* not later than this */
	struct history_point *p;
	bool found;
};

static bool
is_wanted(void *ctx, const struct history_point *p)
{
	struct wanted *w = ctx;

	if (p->time_ns > w->until_ns)
		return false;
	w->found = w->name ? strcmp(p->name, w->name) == 0
			   : strcmp(p->id, w->id) == 0;
	if (w->found)
		*w->p = *p;
	return !w->found;
}

/* Complete what the history has told: as a snapshot, or with its name.  What is
 * not listed any more, and still there, has that of its time. */
static int
complete(struct history *h, const struct history_listing *l,
	struct history_point *p, struct err *e)
{
	struct history_point told = *p;
	struct wanted w = { .id = told.id, .until_ns = p->time_ns, .p = p };
	size_t i = history_moment_snapshot(l, p);
	int rc;

	if (i != HISTORY_NONE) {
		*p = l->points[i];
		return 0;
	}
	rc = history_moments(h, l, p->generation, p->time_ns, is_wanted, &w, e);
	if (rc == 0 && !w.found)
		history_print_moment(p->name, p->time_ns);
	return rc;
}

int
history_moment_at(struct history *h, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e)
{
	const struct history_source *s = &l->sources[source];
	size_t i;
	int rc;

	if (has_moments(h, l, source)) {
		rc = h->ops->moment_at(h, l, source, t_ns, p, e);
		return rc ? rc : complete(h, l, p, e);
	}
	i = history_find_at(l, source, t_ns);
	if (i == HISTORY_NONE)
		return err_set(e, ENOENT, "%s/%s has nothing so early", s->host,
			s->name);
	*p = l->points[i];
	return 0;
}

/* A source's own snapshot with exactly that id. */
static size_t
find_snapshot(const struct history_listing *l, size_t source, const char *id)
{
	const struct history_source *s = &l->sources[source];
	size_t i = history_find_id(l, id);

	if (i == HISTORY_NONE || strcmp(l->points[i].id, id) != 0)
		return HISTORY_NONE;
	if (l->points[i].source == source)
		return i;
	/* foreign histories may use one id in two sources */
	for (i = s->first_point; i < s->first_point + s->n_points; i++) {
		if (strcmp(l->points[i].id, id) == 0)
			return i;
	}
	return HISTORY_NONE;
}

size_t
history_moment_snapshot(
	const struct history_listing *l, const struct history_point *p)
{
	return find_snapshot(l, p->source, p->id);
}

static int
find_in_source(struct history *h, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	size_t i = find_snapshot(l, source, id);
	int rc;

	if (i != HISTORY_NONE) {
		*p = l->points[i];
		return 0;
	}
	if (!has_moments(h, l, source))
		return err_set(e, ENOENT, "no moment has the id %s", id);
	rc = h->ops->moment_by_id(h, l, source, id, p, e);
	return rc ? rc : complete(h, l, p, e);
}

int
history_moment_by_id(struct history *h, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	struct err other = ERR_INIT;
	int rc = 0;

	if (source != HISTORY_NONE)
		return find_in_source(h, l, source, id, p, e);
	for (size_t s = 0; s < l->n_sources; s++) {
		int r = find_in_source(h, l, s, id, p, &other);

		if (r == 0 || r == -EINTR)
			return r ? err_set(e, EINTR, "%s", other.text) : 0;
		if (r != -ENOENT && rc == 0)
			rc = err_set(e, -r, "%s", other.text);
	}
	return rc ? rc : err_set(e, ENOENT, "no moment has the id %s", id);
}

int
history_moment_by_name(struct history *h, const struct history_listing *l,
	size_t generation, const char *name, struct history_point *p,
	struct err *e)
{
	struct wanted w = { .name = name, .p = p };
	int64_t t_ns;
	int rc;

	if (!history_parse_moment(name, &t_ns))
		return err_set(e, ENOENT, "%s is not a moment's name", name);
	w.until_ns = t_ns + NS_PER_MS - 1;
	rc = history_moments(h, l, generation, t_ns, is_wanted, &w, e);
	if (rc == 0 && !w.found)
		return err_set(e, ENOENT, "no moment is named %s", name);
	return rc;
}

int
history_open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	size_t i = history_moment_snapshot(l, p);

	if (i != HISTORY_NONE)
		return history_open(h, l, i, view, e);
	if (!has_moments(h, l, p->source))
		return err_set(e, ESTALE, "moment %s has been removed", p->id);
	return h->ops->open_moment(h, l, p, view, e);
}
