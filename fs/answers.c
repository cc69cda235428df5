/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/answers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"

struct answers {
	struct versions_views *views;
	pthread_mutex_t lock; /* guards everything below */
	struct answer *all[ANSWERS_MAX];
	size_t n;
	size_t cost; /* of all of them */
	uint64_t tick;
};

struct answers *
answers_new(void)
{
	struct answers *as = xcalloc(1, sizeof(*as));

	pthread_mutex_init(&as->lock, NULL);
	as->views = versions_views_new();
	return as;
}

void
answers_free(struct answers *as)
{
	if (!as)
		return;
	for (size_t i = 0; i < as->n; i++)
		answer_put(as->all[i]);
	versions_views_free(as->views);
	pthread_mutex_destroy(&as->lock);
	free(as);
}

struct versions_views *
answers_views(struct answers *as)
{
	return as->views;
}

void
answer_put(struct answer *a)
{
	if (!a || --a->refs > 0)
		return;
	versions_release(&a->vs);
	versions_names_release(&a->names);
	free(a->host);
	free(a->name);
	free(a->path);
	free(a);
}

/* -- Which question it answers ----------------------------------------------- */

static bool
is_about(const struct answer *a, const struct versions_query *q)
{
	const struct history_source *s = &q->listing->sources[q->source];

	return a->of == q->of && strcmp(a->path, q->path) == 0 &&
	       strcmp(a->name, s->name) == 0 && strcmp(a->host, s->host) == 0;
}

/* Whether the snapshots that it went through are the first ones now. */
static bool
still_holds(const struct answer *a, const struct versions_query *q)
{
	const struct history_source *s = &q->listing->sources[q->source];
	const struct history_point *p = q->listing->points + s->first_point;

	if (a->vs.n_unknown > 0 && a->version != q->listing->version)
		return false;
	return a->vs.n_points <= s->n_points &&
	       strcmp(p[0].id, a->first) == 0 &&
	       strcmp(p[a->vs.n_points - 1].id, a->last) == 0;
}

static bool
has_directory(const struct versions *vs)
{
	for (size_t i = 0; i < vs->n; i++) {
		if (S_ISDIR(vs->v[i].attr.mode))
			return true;
	}
	return false;
}

/* -- Keeping ------------------------------------------------------------------- */

static void
drop(struct answers *as, size_t i)
{
	as->cost -= as->all[i]->cost;
	answer_put(as->all[i]);
	as->all[i] = as->all[--as->n];
}

static size_t
oldest(const struct answers *as)
{
	size_t best = 0;

	for (size_t i = 1; i < as->n; i++) {
		if (as->all[i]->used < as->all[best]->used)
			best = i;
	}
	return best;
}

static struct answer *
find(struct answers *as, const struct versions_query *q)
{
	for (size_t i = 0; i < as->n; i++) {
		struct answer *a = as->all[i];

		if (!is_about(a, q))
			continue;
		a->used = ++as->tick;
		a->refs++;
		return a;
	}
	return NULL;
}

/* An answer that is known, given; it may be one to go on from. */
static struct answer *
recall(struct answers *as, const struct versions_query *q)
{
	struct answer *a;

	pthread_mutex_lock(&as->lock);
	a = find(as, q);
	pthread_mutex_unlock(&as->lock);
	if (a && still_holds(a, q))
		return a;
	answer_put(a);
	return NULL;
}

/* What could be read now may not be all: that is not kept. */
static void
keep(struct answers *as, const struct versions_query *q, struct answer *a)
{
	if (a->vs.incomplete)
		return;
	auto_lock(&as->lock);
	for (size_t i = as->n; i-- > 0;) {
		if (is_about(as->all[i], q))
			drop(as, i);
	}
	while (as->n > 0 && (as->n == ANSWERS_MAX ||
				    as->cost + a->cost > ANSWERS_BYTES_MAX))
		drop(as, oldest(as));
	a->refs++;
	a->used = ++as->tick;
	as->cost += a->cost;
	as->all[as->n++] = a;
}

/* -- Asking -------------------------------------------------------------------- */

static bool
is_enough(const struct answer *a, const struct versions_query *q, bool names)
{
	return a->vs.n_points == q->listing->sources[q->source].n_points &&
	       (a->has_names || !names);
}

static struct answer *
new_answer(const struct versions_query *q, const struct answer *before)
{
	const struct history_source *s = &q->listing->sources[q->source];
	const struct history_point *p = q->listing->points + s->first_point;
	struct answer *a = xcalloc(1, sizeof(*a));

	a->refs = 1;
	a->of = q->of;
	a->host = xstrdup(s->host);
	a->name = xstrdup(s->name);
	a->path = xstrdup(q->path);
	memcpy(a->first, p[0].id, sizeof(a->first));
	memcpy(a->last, p[s->n_points - 1].id, sizeof(a->last));
	a->version = q->listing->version;
	if (!before)
		return a;
	a->vs = before->vs;
	a->vs.v = xmemdup(before->vs.v ? (const void *)before->vs.v : "",
		before->vs.v ? before->vs.n * sizeof(*a->vs.v) : 1);
	return a;
}

static int
ask(const struct versions_query *q, bool names, struct answer *a,
	struct err *e)
{
	int r = versions_find(q, &a->vs, e);

	if (r == 0 && names) {
		r = versions_list_names(q, &a->vs, &a->names, e);
		a->has_names = r == 0;
	}
	a->cost = sizeof(*a) + 256 + strlen(a->path) +
		  a->vs.n * sizeof(*a->vs.v) +
		  a->names.n * sizeof(*a->names.at);
	if (a->names.n > 0)
		a->cost += a->names.at[a->names.n - 1] + 256;
	return r;
}

struct answer *
answers_peek(struct answers *as, const struct versions_query *q, bool names)
{
	struct answer *a = recall(as, q);

	if (a && is_enough(a, q, names))
		return a;
	answer_put(a);
	return NULL;
}

/* Of what never was a directory both answers are the same. */
static struct answer *
peek_other(struct answers *as, const struct versions_query *q)
{
	struct versions_query other = *q;
	auto_answer struct answer *a = NULL;

	if (q->of != VERSIONS_OF_ALL)
		return NULL;
	other.of = VERSIONS_OF_NAMES;
	a = answers_peek(as, &other, false);
	return a && !has_directory(&a->vs) ? steal(a) : NULL;
}

int
answers_get(struct answers *as, const struct versions_query *q, bool names,
	struct answer **out, struct err *e)
{
	auto_answer struct answer *a = NULL, *before = recall(as, q);
	int r;

	if (before && is_enough(before, q, names))
		*out = steal(before);
	else
		*out = peek_other(as, q);
	if (*out)
		return 0;
	a = new_answer(q, before);
	r = ask(q, names, a, e);
	if (r != 0)
		return r;
	keep(as, q, a);
	*out = steal(a);
	return 0;
}

/* -- What it says -------------------------------------------------------------- */

const struct version *
answer_version(const struct answer *a, uint32_t point)
{
	size_t lo = 0, hi = a->vs.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct version *v = &a->vs.v[mid];

		if (v->point == point)
			return v->attr.mode != 0 ? v : NULL;
		if (v->point < point)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool
answer_has_name(const struct answer *a, const char *name)
{
	size_t lo = 0, hi = a->names.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(a->names.bytes + a->names.at[mid], name);

		if (order == 0)
			return true;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}
