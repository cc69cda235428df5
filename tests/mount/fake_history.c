/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "tests/mount/fake_history.h"
#include "tests/mount/fake_moments.h"
#include "tests/mount/fake_tree.h"

#define N_SOURCES 3
#define FIRST_TIME_S 1767225600LL /* 2026-01-01T00:00:00Z */

struct fake_history {
	struct history history;
	struct fake_options options;
	struct fake_tree tree;
	struct fake_moments database;
	pthread_mutex_t lock; /* guards everything below */
	struct history_listing *listing;
	unsigned int first, last; /* the points there are */
};

static const char *const hosts[N_SOURCES] = { "web1", "web1", "web2" };
static const char *const names[N_SOURCES] = { "etc", "home", "home" };
static const char *const tags_even[] = { "even" };
static const char *const tags_third[] = { "a/b" };

static void
free_listing(struct history_listing *l)
{
	free(l->sources);
	free(l->points);
	free(l->generations);
	free(l->tags);
	free(l);
}

static void
fill_point(const struct fake_history *f, struct history_point *p,
	uint32_t source, unsigned int number)
{
	unsigned int half = f->options.points / 2;

	snprintf(p->id, sizeof(p->id), "%08x%08x", source + 1, number);
	p->time_ns = (FIRST_TIME_S + number * 3600LL) * NS_PER_S;
	history_print_time(p->name, p->time_ns);
	p->seq = number;
	p->source = source;
	p->generation = 2 * source + (number > half && f->first <= half);
	p->key = 1 + source * 1000000 + number;
	p->tags = number % 2 == 0 ? tags_even : tags_third;
	p->n_tags = number % 2 == 0 || number == 3;
	p->root = f->tree.nodes[0].attr;
	p->totals = f->tree.totals;
}

static void
fill_source(const struct fake_history *f, struct history_listing *l, uint32_t s)
{
	unsigned int n = f->last - f->first + 1;
	unsigned int half = f->options.points / 2;
	struct history_source *source = &l->sources[s];
	struct history_point *points = &l->points[s * n];

	*source = (struct history_source){ .host = hosts[s],
		.name = names[s],
		.first_point = s * n,
		.n_points = n,
		.first_generation = 2 * s,
		.n_generations = f->first <= half && f->last > half ? 2 : 1 };
	for (unsigned int i = 0; i < n; i++)
		fill_point(f, &points[i], s, f->first + i);
	for (unsigned int g = 0; g < source->n_generations; g++) {
		struct history_generation *gen = &l->generations[2 * s + g];
		unsigned int skip = g ? half - f->first + 1 : 0;

		gen->source = s;
		gen->first_point = s * n + skip;
		gen->n_points = g || source->n_generations == 1
					? n - skip
					: half - f->first + 1;
		memcpy(gen->name, points[skip].name, sizeof(gen->name));
	}
}

static struct history_listing *
make_listing(const struct fake_history *f, uint64_t version)
{
	struct history_listing *l = xcalloc(1, sizeof(*l));
	size_t n = f->last - f->first + 1;

	l->refs = 1;
	l->free = free_listing;
	l->version = version;
	l->n_sources = N_SOURCES;
	l->sources = xcalloc(N_SOURCES + 1, sizeof(*l->sources));
	l->n_points = N_SOURCES * n;
	l->points = xcalloc(l->n_points + 2, sizeof(*l->points));
	l->n_generations = 2 * N_SOURCES;
	l->generations = xcalloc(l->n_generations + 2, sizeof(*l->generations));
	l->tags = xcalloc(2, sizeof(*l->tags));
	l->tags[l->n_tags++] = tags_third[0];
	l->tags[l->n_tags++] = tags_even[0];
	for (uint32_t s = 0; s < N_SOURCES; s++)
		fill_source(f, l, s);
	if (f->options.moments)
		fake_moments_list(&f->database, l);
	return l;
}

static struct history_listing *
fake_listing(struct history *h)
{
	struct fake_history *f = (struct fake_history *)h;

	auto_lock(&f->lock);
	return history_listing_get(f->listing);
}

static int
fake_refresh(struct history *h, struct err *e)
{
	struct fake_history *f = (struct fake_history *)h;
	auto_fclose FILE *c = NULL;
	unsigned int first, last;
	char how[8] = "";

	fake_moments_refresh(&f->database);
	if (f->options.control)
		c = fopen(f->options.control, "r");
	if (!c || fscanf(c, "%u %u %7s", &first, &last, how) < 2)
		return 0;
	if (*how)
		return err_set(e, EIO, "the store is told to %s", how);
	auto_lock(&f->lock);
	if (first != f->first || last != f->last) {
		uint64_t version = f->listing->version + 1;

		f->first = first;
		f->last = last;
		history_listing_put(f->listing);
		f->listing = make_listing(f, version);
	}
	return 0;
}

static int
fake_open(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	struct fake_history *f = (struct fake_history *)h;
	unsigned int number = (unsigned int)l->points[point].seq;

	(void)e;
	if (l->sources[l->points[point].source].kind == HISTORY_DATABASE)
		*view = fake_moments_open(&f->database, &l->points[point]);
	else
		*view = fake_tree_open(&f->tree, number);
	return 0;
}

static int
fake_moments(struct history *h, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	return fake_moments_tell(&((struct fake_history *)h)->database, l,
		generation, from_ns, each, ctx, e);
}

static int
fake_moment_at(struct history *h, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e)
{
	return fake_moments_at(
		&((struct fake_history *)h)->database, l, source, t_ns, p, e);
}

static int
fake_moment_by_id(struct history *h, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	return fake_moments_by_id(
		&((struct fake_history *)h)->database, l, source, id, p, e);
}

static int
fake_open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	(void)l, (void)e;
	*view = fake_moments_open(&((struct fake_history *)h)->database, p);
	return 0;
}

static void
fake_stats(struct history *h, struct history_stats *s)
{
	(void)h;
	memset(s, 0, sizeof(*s));
}

static void
fake_free(struct history *h)
{
	struct fake_history *f = (struct fake_history *)h;

	history_listing_put(f->listing);
	fake_tree_release(&f->tree);
	fake_moments_release(&f->database);
	free(f->history.name);
	free(f);
}

static const struct history_ops fake_ops = {
	.listing = fake_listing,
	.refresh = fake_refresh,
	.open = fake_open,
	.stats = fake_stats,
	.free = fake_free,
	.moments = fake_moments,
	.moment_at = fake_moment_at,
	.moment_by_id = fake_moment_by_id,
	.open_moment = fake_open_moment,
};

struct history *
fake_history_new(const struct fake_options *o)
{
	struct fake_history *f = xcalloc(1, sizeof(*f));

	f->history.ops = &fake_ops;
	f->history.name = xstrdup("fake");
	strcpy(f->history.id, "fake");
	f->options = *o;
	pthread_mutex_init(&f->lock, NULL);
	fake_tree_build(&f->tree, o);
	fake_moments_init(&f->database, o->moments, o->database);
	f->first = 1;
	f->last = o->points;
	f->listing = make_listing(f, 1);
	return &f->history;
}
