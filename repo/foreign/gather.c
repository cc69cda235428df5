/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listing of this history holds the listings of the others, which it was
 * made of; an index into it is translated to the history and the index there.
 * Keys of points follow from source and id, so that they are the same after a
 * remount; should two have the same, the later one goes to the next key that
 * is free and keeps that.
 */
#include "repo/foreign/gather.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"
#include "repo/foreign/gather_keys.h"

#define PARTS_MORE 4096u /* may be added */

struct gather {
	struct history history; /* first */
	struct foreign_place *place;
	struct history **parts; /* room of them; only added to */
	size_t room;
	_Atomic size_t n;
	int (*more)(void *ctx, struct history **histories, size_t *n,
		struct err *e);
	void (*more_free)(void *ctx);
	void *more_ctx;
	pthread_mutex_t more_lock; /* held while more runs; before lock */
	pthread_mutex_t lock;	   /* before those of the parts */
	struct gather_keys keys;
	uint64_t version;
	struct gather_listing *listing; /* the newest, or NULL */
};

/* A source of a part, and where it is here. */
struct origin {
	uint32_t part;
	uint32_t index; /* in that part's listing */
	uint32_t source;
	uint32_t rank; /* among those that make up its source */
	uint32_t first_point, first_generation;
};

/* Seqs of what comes from one origin lie above those of the one before. */
#define RANK_SHIFT 56

struct gather_listing {
	struct history_listing l; /* first */
	struct history_listing **parts;
	size_t n;
	struct origin *origins; /* by source, then rank */
	size_t n_origins;
};

static struct gather *
gather_of(struct history *h)
{
	return (struct gather *)h;
}

static const struct gather_listing *
listing_of(const struct history_listing *l)
{
	return (const struct gather_listing *)l;
}

static uint64_t
hash_of(const struct history_source *s, const char *id)
{
	const char *parts[] = { s->host, "/", s->name, "@", id };
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < n_elements(parts); i++) {
		for (const char *p = parts[i]; *p; p++)
			h = (h ^ (uint8_t)*p) * 1099511628211u;
	}
	h ^= h >> 32;
	return h ? h : 1;
}

/* -- Listings ------------------------------------------------------------- */

static void
free_listing(struct history_listing *l)
{
	struct gather_listing *gl = (struct gather_listing *)l;

	for (size_t i = 0; i < gl->n; i++)
		history_listing_put(gl->parts[i]);
	free(gl->parts);
	free(gl->origins);
	free(l->sources);
	free(l->points);
	free(l->generations);
	free(l->tags);
	free(gl);
}

static const struct history_source *
source_at(const struct gather_listing *gl, const struct origin *o)
{
	return &gl->parts[o->part]->sources[o->index];
}

/* By name; of one name the one that begins first comes first. */
static int
compare_origins(const void *a, const void *b, void *listing)
{
	const struct gather_listing *gl = listing;
	const struct origin *x = a, *y = b;
	const struct history_source *s = source_at(gl, x),
				    *t = source_at(gl, y);
	int64_t from = gl->parts[x->part]->points[s->first_point].time_ns;
	int64_t other = gl->parts[y->part]->points[t->first_point].time_ns;
	int order = strcmp(s->host, t->host);

	if (order == 0)
		order = strcmp(s->name, t->name);
	if (order == 0)
		order = (from > other) - (from < other);
	return order ? order : (x->part > y->part) - (x->part < y->part);
}

static int
compare_tags(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every tag of the parts once. */
static void
gather_tags(struct gather_listing *gl)
{
	struct history_listing *l = &gl->l;
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < gl->n; i++)
		n += gl->parts[i]->n_tags;
	l->tags = xcalloc(n + 1, sizeof(*l->tags));
	n = 0;
	for (size_t i = 0; i < gl->n; i++) {
		memcpy(l->tags + n, gl->parts[i]->tags,
			gl->parts[i]->n_tags * sizeof(*l->tags));
		n += gl->parts[i]->n_tags;
	}
	qsort(l->tags, n, sizeof(*l->tags), compare_tags);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(l->tags[kept - 1], l->tags[i]) != 0)
			l->tags[kept++] = l->tags[i];
	}
	l->n_tags = kept;
}

/* Where each source comes from, in order. */
static void
gather_origins(struct gather_listing *gl)
{
	size_t n = 0;

	for (size_t i = 0; i < gl->n; i++)
		n += gl->parts[i]->n_sources;
	gl->origins = xcalloc(n + 1, sizeof(*gl->origins));
	for (uint32_t i = 0; i < gl->n; i++) {
		for (uint32_t k = 0; k < gl->parts[i]->n_sources; k++)
			gl->origins[gl->n_origins++] =
				(struct origin){ .part = i, .index = k };
	}
	qsort_r(gl->origins, n, sizeof(*gl->origins), compare_origins, gl);
	for (size_t i = 0; i < n; i++) {
		struct origin *o = &gl->origins[i];
		const struct history_source *s = source_at(gl, o);
		const struct history_source *last =
			i ? source_at(gl, &o[-1]) : NULL;
		bool same = last && strcmp(last->host, s->host) == 0 &&
			    strcmp(last->name, s->name) == 0;

		o->rank = same ? o[-1].rank + 1 : 0;
		gl->l.n_sources += !same;
		o->source = (uint32_t)gl->l.n_sources - 1;
	}
}

static void
allocate(struct gather_listing *gl)
{
	struct history_listing *l = &gl->l;
	size_t points = 0, generations = 0;

	for (size_t i = 0; i < gl->n; i++) {
		points += gl->parts[i]->n_points;
		generations += gl->parts[i]->n_generations;
	}
	l->sources = xcalloc(l->n_sources + 1, sizeof(*l->sources));
	l->points = xcalloc(points + 1, sizeof(*l->points));
	l->generations = xcalloc(generations + 1, sizeof(*l->generations));
}

/* A point's name is its own in its source; those of one origin are. */
static void
make_distinct(const struct history_listing *l, uint32_t first,
	struct history_point *p)
{
	char name[HISTORY_TIME_MAX + 1];
	unsigned number = 1;

	memcpy(name, p->name, sizeof(name));
	for (const struct history_point *q = &l->points[first]; q < p; q++) {
		if (strcmp(q->name, p->name) != 0)
			continue;
		snprintf(p->name, sizeof(p->name), "%.32s-%u", name, ++number);
		q = &l->points[first] - 1;
	}
}

/* Points and generations of an origin, behind those that are there. */
static void
copy_origin(
	struct gather_listing *gl, struct origin *o, struct gather_keys *keys)
{
	const struct history_listing *from = gl->parts[o->part];
	const struct history_source *s = source_at(gl, o);
	struct history_listing *l = &gl->l;
	struct history_source *to = &l->sources[o->source];

	o->first_point = (uint32_t)l->n_points;
	o->first_generation = (uint32_t)l->n_generations;
	if (o->rank == 0) {
		*to = *s;
		to->first_point = o->first_point;
		to->first_generation = o->first_generation;
		to->n_points = to->n_generations = 0;
	}
	for (uint32_t k = 0; k < s->n_points; k++) {
		struct history_point *p = &l->points[l->n_points++];

		*p = from->points[s->first_point + k];
		p->source = o->source;
		p->generation += o->first_generation - s->first_generation;
		p->seq += (uint64_t)o->rank << RANK_SHIFT;
		p->key = gather_keys_find(keys, hash_of(s, p->id));
		if (o->rank > 0)
			make_distinct(l, to->first_point, p);
	}
	for (uint32_t k = 0; k < s->n_generations; k++) {
		struct history_generation *g =
			&l->generations[l->n_generations++];

		*g = from->generations[s->first_generation + k];
		g->source = o->source;
		g->first_point += o->first_point - s->first_point;
		memcpy(g->name, l->points[g->first_point].name,
			sizeof(g->name));
	}
	to->n_points += s->n_points;
	to->n_generations += s->n_generations;
}

/* Made of these n listings, which are taken over. */
static struct gather_listing *
listing_new(struct gather *g, struct history_listing **parts, size_t n)
{
	struct gather_listing *gl = xcalloc(1, sizeof(*gl));

	gl->l.refs = 1;
	gl->l.free = free_listing;
	gl->l.version = ++g->version;
	gl->parts = parts;
	gl->n = n;
	gather_origins(gl);
	allocate(gl);
	for (size_t i = 0; i < gl->n_origins; i++)
		copy_origin(gl, &gl->origins[i], &g->keys);
	gather_tags(gl);
	return gl;
}

static struct history_listing *
gather_listing(struct history *h)
{
	struct gather *g = gather_of(h);
	size_t n = g->n;
	struct history_listing **parts = xcalloc(n, sizeof(*parts));
	bool same;
	auto_lock(&g->lock);

	for (size_t i = 0; i < n; i++)
		parts[i] = history_listing(g->parts[i]);
	same = g->listing && g->listing->n == n &&
	       memcmp(g->listing->parts, parts, n * sizeof(*parts)) == 0;
	if (same) {
		for (size_t i = 0; i < n; i++)
			history_listing_put(parts[i]);
		free(parts);
	} else {
		if (g->listing)
			history_listing_put(&g->listing->l);
		g->listing = listing_new(g, parts, n);
	}
	return history_listing_get(&g->listing->l);
}

/* -- The rest of the history ----------------------------------------------- */

static int
ask_for_more(struct gather *g, struct err *e)
{
	struct history *new[GATHER_MORE];
	size_t n = 0;
	int r;

	if (!g->more)
		return 0;
	auto_lock(&g->more_lock);

	if (g->n + GATHER_MORE > g->room)
		return 0; /* a remount shows them */
	r = g->more(g->more_ctx, new, &n, e);
	for (size_t i = 0; i < n; i++)
		g->parts[g->n + i] = new[i];
	g->n += n;
	return r;
}

/* One that fails is logged, unless all do. */
static int
gather_refresh(struct history *h, struct err *e)
{
	struct gather *g = gather_of(h);
	size_t failed = 0, n = g->n;
	struct err why = ERR_INIT;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		int one = history_refresh(g->parts[i], &why);

		if (one == -EINTR)
			return err_set(e, EINTR, "%s", why.text);
		if (one == 0)
			continue;
		failed++;
		r = err_set(e, -one, "%s", why.text);
		if (n > 1)
			log_warn("%s", why.text);
	}
	if (failed == n)
		return r;
	r = ask_for_more(g, &why);
	if (r == -EINTR)
		return err_set(e, EINTR, "%s", why.text);
	if (r < 0)
		log_warn("%s", why.text);
	return 0;
}

/* The origin of a point by its generation. */
static const struct origin *
origin_of(const struct gather_listing *gl, uint32_t generation)
{
	size_t i = gl->n_origins;

	while (i > 1 && gl->origins[i - 1].first_generation > generation)
		i--;
	return &gl->origins[i - 1];
}

static int
gather_open(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct origin *o = origin_of(gl, l->points[point].generation);

	return history_open(gather_of(h)->parts[o->part], gl->parts[o->part],
		point - o->first_point + source_at(gl, o)->first_point, view,
		e);
}

static void
gather_stats(struct history *h, struct history_stats *st)
{
	struct gather *g = gather_of(h);

	for (size_t i = 0; i < g->n; i++) {
		struct history_stats one = { .store_lists = 0 };

		history_stats(g->parts[i], &one);
		st->cache_hits += one.cache_hits;
		st->cache_misses += one.cache_misses;
		st->cache_read_bytes += one.cache_read_bytes;
		st->cache_written_bytes += one.cache_written_bytes;
		st->cache_dropped_bytes += one.cache_dropped_bytes;
		st->frames_unsealed += one.frames_unsealed;
		st->memory_hits += one.memory_hits;
		st->joined += one.joined;
		st->ahead_frames += one.ahead_frames;
		st->ahead_unused += one.ahead_unused;
		st->ahead_bytes += one.ahead_bytes;
		st->ahead_unread_bytes += one.ahead_unread_bytes;
		st->memory_bytes += one.memory_bytes;
	}
	foreign_place_stats(g->place, st);
}

static void
gather_free(struct history *h)
{
	struct gather *g = gather_of(h);

	if (g->listing)
		history_listing_put(&g->listing->l);
	for (size_t i = 0; i < g->n; i++)
		history_free(g->parts[i]);
	if (g->more_free)
		g->more_free(g->more_ctx);
	foreign_place_put(g->place);
	foreign_place_unname(h);
	pthread_mutex_destroy(&g->more_lock);
	pthread_mutex_destroy(&g->lock);
	gather_keys_release(&g->keys);
	free(g->parts);
	free(g);
}

/* -- Moments --------------------------------------------------------------- */

/* A moment as the part told it becomes one of this listing. */
static void
translate(const struct gather_listing *gl, const struct origin *o,
	struct history_point *p)
{
	p->source = o->source;
	p->generation +=
		o->first_generation - source_at(gl, o)->first_generation;
	p->seq += (uint64_t)o->rank << RANK_SHIFT;
}

struct telling {
	const struct gather_listing *gl;
	const struct origin *origin;
	history_each *each;
	void *ctx;
};

static bool
tell(void *ctx, const struct history_point *told)
{
	const struct telling *t = ctx;
	struct history_point p = *told;

	translate(t->gl, t->origin, &p);
	return t->each(t->ctx, &p);
}

static int
gather_moments(struct history *h, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct origin *o = origin_of(gl, (uint32_t)generation);
	struct history *part = gather_of(h)->parts[o->part];
	struct telling t = { .gl = gl, .origin = o, .each = each, .ctx = ctx };

	return (part->ops->moments ? part->ops->moments : history_moments)(part,
		gl->parts[o->part],
		generation - o->first_generation +
			source_at(gl, o)->first_generation,
		from_ns, tell, &t, e);
}

/* Ask the origins of a source, the newest first, until one has it. */
struct asking {
	int64_t t_ns;
	const char *id; /* NULL: by time */
};

static int
ask_origin(struct gather *g, const struct gather_listing *gl,
	const struct origin *o, const struct asking *a, struct history_point *p,
	struct err *e)
{
	struct history *part = g->parts[o->part];
	const struct history_listing *l = gl->parts[o->part];

	if (a->id)
		return (part->ops->moment_by_id ? part->ops->moment_by_id
						: history_moment_by_id)(
			part, l, o->index, a->id, p, e);
	return (part->ops->moment_at
			? part->ops->moment_at
			: history_moment_at)(part, l, o->index, a->t_ns, p, e);
}

static int
ask_source(struct history *h, const struct history_listing *l, size_t source,
	const struct asking *a, struct history_point *p, struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	int r = -ENOENT;

	for (size_t i = gl->n_origins; r == -ENOENT && i-- > 0;) {
		const struct origin *o = &gl->origins[i];

		if (o->source != source)
			continue;
		r = ask_origin(gather_of(h), gl, o, a, p, e);
		if (r == 0)
			translate(gl, o, p);
	}
	return r;
}

static int
gather_moment_at(struct history *h, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e)
{
	const struct asking a = { .t_ns = t_ns };

	return ask_source(h, l, source, &a, p, e);
}

static int
gather_moment_by_id(struct history *h, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	const struct asking a = { .id = id };

	return ask_source(h, l, source, &a, p, e);
}

static int
gather_open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct origin *o = origin_of(gl, p->generation);
	struct history_point own = *p;

	own.source = o->index;
	own.generation +=
		source_at(gl, o)->first_generation - o->first_generation;
	own.seq -= (uint64_t)o->rank << RANK_SHIFT;
	return history_open_moment(gather_of(h)->parts[o->part],
		gl->parts[o->part], &own, view, e);
}

static const struct history_ops ops = {
	.listing = gather_listing,
	.refresh = gather_refresh,
	.open = gather_open,
	.stats = gather_stats,
	.free = gather_free,
	.moments = gather_moments,
	.moment_at = gather_moment_at,
	.moment_by_id = gather_moment_by_id,
	.open_moment = gather_open_moment,
};

struct history *
gather_new(struct foreign_place *p, struct history *const *histories, size_t n)
{
	struct gather *g = xcalloc(1, sizeof(*g));

	g->history.ops = &ops;
	foreign_place_name(p, &g->history);
	g->place = foreign_place_get(p);
	g->room = n + PARTS_MORE;
	g->parts = xcalloc(g->room, sizeof(struct history *));
	memcpy(g->parts, histories, n * sizeof(struct history *));
	g->n = n;
	pthread_mutex_init(&g->more_lock, NULL);
	pthread_mutex_init(&g->lock, NULL);
	return &g->history;
}

void
gather_more(struct history *h,
	int (*more)(void *ctx, struct history **histories, size_t *n,
		struct err *e),
	void (*free)(void *ctx), void *ctx)
{
	struct gather *g = gather_of(h);

	g->more = more;
	g->more_free = free;
	g->more_ctx = ctx;
}
