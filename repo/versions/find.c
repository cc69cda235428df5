/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looked at are the first and the last snapshot, then, again and again, the
 * middle of every stretch whose ends differ, those of a round at the same time.
 * Time on a file system goes forward, so what was created, removed, renamed or
 * written in between has another ctime; but a source can be put back as a
 * whole, or another disk be mounted.  Where the newest change in a snapshot is
 * older than that in the one before, both are looked at, too.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/cancel.h"
#include "repo/base/clock.h"
#include "repo/base/log.h"
#include "repo/fetch/together.h"
#include "repo/versions/look.h"

struct search {
	const struct versions_query *q;
	const struct history_source *source;
	const struct history_point *points; /* of the source */
	struct versions_state **at; /* by number of snapshot; NULL: not yet */
	uint32_t begin, end;	    /* numbers of snapshots to go through */
	uint32_t *wanted;	    /* numbers, ascending: this round */
	uint32_t n_wanted;
	struct cancel *cancel;
	pthread_mutex_t lock; /* guards what follows */
	uint32_t n_looked, n_unknown, n_failed;
	bool incomplete;
	int rc; /* why to give up, or 0 */
	struct err first; /* what was said of the first unknown */
	struct err last;
};

/* -- One round ------------------------------------------------------------- */

/* What would be no better if another snapshot were looked at. */
static bool
is_hopeless(int rc)
{
	return rc == -EINTR || rc == -ENETDOWN || rc == -ENOMEM;
}

static void
count(struct search *s, const struct versions_state *st, const struct err *e)
{
	auto_lock(&s->lock);

	s->n_looked++;
	if (st->rc == 0)
		return;
	s->last = *e;
	if (is_hopeless(st->rc))
		s->rc = st->rc;
	s->n_failed++;
	s->incomplete |= st->rc == -EIO;
	if (s->n_unknown++ == 0)
		s->first = *e;
}

static void
look_ith(void *ctx, size_t i)
{
	struct search *s = ctx;
	struct versions_state *st = xcalloc(1, sizeof(*st));
	struct cancel *before = cancel_current();
	struct err e = ERR_INIT;

	cancel_set_current(s->cancel);
	st->point = s->wanted[i];
	st->rc = cancel_raised(s->cancel)
			 ? err_set(&e, EINTR, "interrupted")
			 : look_at(s->q, st, &e);
	cancel_set_current(before);
	s->at[st->point] = st;
	count(s, st, &e);
}

/*
 * One store that fails is all of them: a round of which nothing could be read
 * is the end, unless it was a single snapshot among others that could.
 */
static int
look_round(struct search *s, struct err *e)
{
	bool far = !s->q->history->local_path;

	s->n_failed = 0;
	together_run(s->n_wanted, far && s->n_wanted > 1, look_ith, s);
	if (s->rc == 0 && s->incomplete && s->n_failed == s->n_wanted &&
		(s->n_wanted > 1 || s->n_unknown == s->n_looked))
		s->rc = -EIO;
	if (s->rc != 0 && e)
		*e = s->last;
	return s->rc;
}

/* -- What to look at ------------------------------------------------------- */

/* The newest change that a snapshot has seen. */
static int64_t
newest(const struct history_point *p)
{
	int64_t m = (int64_t)p->root.mtime.tv_sec * NS_PER_S,
		c = (int64_t)p->root.ctime.tv_sec * NS_PER_S;
	int64_t own = m > c ? m : c;

	return own > p->totals.newest_ns ? own : p->totals.newest_ns;
}

static void
want(struct search *s, uint32_t i)
{
	bool again = s->n_wanted > 0 && s->wanted[s->n_wanted - 1] == i;

	if (!s->at[i] && !again)
		s->wanted[s->n_wanted++] = i;
}

static void
want_first(struct search *s)
{
	s->n_wanted = 0;
	want(s, s->begin);
	for (uint32_t i = s->begin; i + 1 < s->end; i++) {
		bool goes_back = newest(&s->points[i + 1]) + NS_PER_S <
				 newest(&s->points[i]);

		if (!goes_back && s->points[i].generation ==
					  s->points[i + 1].generation)
			continue;
		want(s, i);
		want(s, i + 1);
	}
	want(s, s->end - 1);
}

static void
want_middles(struct search *s)
{
	uint32_t last = s->begin;

	s->n_wanted = 0;
	for (uint32_t i = s->begin + 1; i < s->end; i++) {
		if (!s->at[i])
			continue;
		if (i > last + 1 && !look_same_way(s->at[last], s->at[i]))
			want(s, last + (i - last) / 2);
		last = i;
	}
}

static int
look_everywhere(struct search *s, struct err *e)
{
	int r = 0;

	for (want_first(s); r == 0 && s->n_wanted > 0; want_middles(s))
		r = look_round(s, e);
	return r;
}

/* -- Versions -------------------------------------------------------------- */

static struct version *
push(struct versions *vs, const struct versions_state *s)
{
	struct version *v;

	vs->v = xrealloc(vs->v, (vs->n + 1) * sizeof(*vs->v));
	v = &vs->v[vs->n++];
	*v = (struct version){ .point = s->point, .attr = s->attr };
	return v;
}

static bool
is_gone(const struct versions *vs)
{
	return vs->n == 0 || vs->v[vs->n - 1].attr.mode == 0;
}

/* The next state that is known. */
static int
take(const struct versions_query *q, const struct versions_state *s,
	struct versions *vs, struct err *e)
{
	bool alike = look_same_way(s, &vs->present);
	int r = 0;

	if (s->attr.mode == 0) {
		if (!is_gone(vs))
			push(vs, s);
		return 0;
	}
	if (vs->present.attr.mode == 0)
		alike = false;
	else if (!alike)
		r = versions_alike(q, &vs->present, s, &alike, e);
	if (is_hopeless(r))
		return r;
	vs->incomplete |= r == -EIO;
	if (!alike || r != 0) /* what cannot be told apart may differ */
		push(vs, s);
	else if (is_gone(vs))
		push(vs, s)->again = true;
	vs->present = *s;
	return 0;
}

/* Each version lasts until the next. */
static void
end_versions(struct versions *vs)
{
	for (size_t i = 0; i < vs->n; i++)
		vs->v[i].last = (i + 1 < vs->n ? vs->v[i + 1].point
					       : vs->n_points) -
				1;
}

static int
gather(struct search *s, struct versions *vs, struct err *e)
{
	int r = 0;

	for (uint32_t i = s->begin; r == 0 && i < s->end; i++) {
		if (!s->at[i] || s->at[i]->rc != 0)
			continue;
		if (cancel_raised(s->cancel))
			return err_set(e, EINTR, "interrupted");
		r = take(s->q, s->at[i], vs, e);
		vs->tail = *s->at[i];
	}
	vs->n_points = s->end;
	vs->n_looked += s->n_looked;
	vs->n_unknown += s->n_unknown;
	vs->incomplete |= s->incomplete;
	end_versions(vs);
	return r;
}

/* -- All of it ------------------------------------------------------------- */

static void
search_init(struct search *s, const struct versions_query *q,
	const struct versions *vs)
{
	*s = (struct search){ .q = q,
		.source = &q->listing->sources[q->source],
		.cancel = cancel_current() };
	s->points = q->listing->points + s->source->first_point;
	s->begin = vs->n_points > 0 ? vs->n_points - 1 : 0;
	s->end = s->source->n_points;
	s->at = xcalloc(s->end + 1, sizeof(struct versions_state *));
	s->wanted = xcalloc(s->end + 1, sizeof(*s->wanted));
	pthread_mutex_init(&s->lock, NULL);
	if (vs->n_points > 0 && vs->tail.point == s->begin)
		s->at[s->begin] = xmemdup(&vs->tail, sizeof(vs->tail));
}

static void
search_release(struct search *s)
{
	for (uint32_t i = 0; i < s->end; i++)
		free(s->at[i]);
	free(s->at);
	free(s->wanted);
	pthread_mutex_destroy(&s->lock);
}

#define auto_search AUTO(search_release)

static void
tell_unknown(const struct search *s)
{
	const struct history_source *source = s->source;

	char path[512];

	if (s->n_unknown > 0)
		log_warn("%s/%s: versions of \"%s\" leave out %u snapshots: %s",
			source->host, source->name,
			err_escape(path, sizeof(path), s->q->path,
				strlen(s->q->path)),
			s->n_unknown, s->first.text);
}

static void
copy(struct versions *to, const struct versions *from)
{
	*to = *from;
	to->v = xcalloc(from->n + 1, sizeof(*to->v));
	if (from->n > 0)
		memcpy(to->v, from->v, from->n * sizeof(*to->v));
}

int
versions_find(const struct versions_query *q, struct versions *vs,
	struct err *e)
{
	auto_search struct search s = { .at = NULL };
	auto_versions struct versions found = VERSIONS_INIT;
	int r;

	if (vs->n_points >= q->listing->sources[q->source].n_points)
		return 0;
	search_init(&s, q, vs);
	copy(&found, vs);
	r = look_everywhere(&s, e);
	if (r == 0)
		r = gather(&s, &found, e);
	if (r != 0)
		return r;
	tell_unknown(&s);
	versions_release(vs);
	*vs = found;
	found.v = NULL;
	return 0;
}

void
versions_release(struct versions *vs)
{
	free(vs->v);
	*vs = (struct versions)VERSIONS_INIT;
}

bool
versions_is_there(const struct versions_query *q)
{
	struct versions_state s = {
		.point = q->listing->sources[q->source].n_points - 1
	};

	return look_at(q, &s, NULL) == 0 && s.attr.mode != 0;
}
