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
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/log.h"

#define KEYS (1u << 24)

/* Keys that have been given; a hash table of twice their number at least. */
struct keys {
	struct key {
		uint64_t hash; /* whose it is; 0: a free place */
		uint32_t key;
	} * table;
	size_t n, room;
};

struct gather {
	struct history history; /* first */
	struct foreign_place *place;
	struct history **parts;
	size_t n;
	pthread_mutex_t lock; /* before those of the parts */
	struct keys keys;
	uint64_t version;
	struct gather_listing *listing; /* the newest, or NULL */
};

/* Where a source or generation comes from. */
struct origin {
	uint32_t part;
	uint32_t index; /* in that part's listing */
};

struct gather_listing {
	struct history_listing l; /* first */
	struct history_listing **parts;
	size_t n;
	struct origin *sources;
	struct origin *generations;
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

/* -- Keys ----------------------------------------------------------------- */

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

static struct key *
place_of(const struct keys *k, uint32_t key)
{
	size_t i = key & (k->room - 1);

	while (k->table[i].hash && k->table[i].key != key)
		i = (i + 1) & (k->room - 1);
	return &k->table[i];
}

static void
grow(struct keys *k)
{
	struct keys old = *k;

	k->room = old.room ? 2 * old.room : 64;
	k->table = xcalloc(k->room, sizeof(*k->table));
	for (size_t i = 0; i < old.room; i++) {
		if (old.table[i].hash)
			*place_of(k, old.table[i].key) = old.table[i];
	}
	free(old.table);
}

static uint32_t
key_for(struct keys *k, uint64_t hash)
{
	uint32_t key = hash % KEYS;
	struct key *at;

	if (2 * (k->n + 1) > k->room)
		grow(k);
	for (;; key = (key + 1) % KEYS) {
		at = place_of(k, key);
		if (at->hash == hash)
			return key;
		if (!at->hash)
			break;
	}
	*at = (struct key){ hash, key };
	k->n++;
	return key;
}

/* -- Listings ------------------------------------------------------------- */

static void
free_listing(struct history_listing *l)
{
	struct gather_listing *gl = (struct gather_listing *)l;

	for (size_t i = 0; i < gl->n; i++)
		history_listing_put(gl->parts[i]);
	free(gl->parts);
	free(gl->sources);
	free(gl->generations);
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

static int
compare_origins(const void *a, const void *b, void *listing)
{
	const struct origin *x = a, *y = b;
	const struct history_source *s = source_at(listing, x),
				    *t = source_at(listing, y);
	int order = strcmp(s->host, t->host);

	if (order == 0)
		order = strcmp(s->name, t->name);
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

/* Where each source is to come from, in order. */
static void
gather_sources(struct gather_listing *gl)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < gl->n; i++)
		n += gl->parts[i]->n_sources;
	gl->sources = xcalloc(n + 1, sizeof(*gl->sources));
	n = 0;
	for (uint32_t i = 0; i < gl->n; i++) {
		for (uint32_t s = 0; s < gl->parts[i]->n_sources; s++)
			gl->sources[n++] = (struct origin){ i, s };
	}
	qsort_r(gl->sources, n, sizeof(*gl->sources), compare_origins, gl);
	for (size_t i = 0; i < n; i++) {
		const struct history_source *s = source_at(gl, &gl->sources[i]);
		const struct history_source *last =
			kept ? source_at(gl, &gl->sources[kept - 1]) : NULL;

		if (!last || strcmp(last->host, s->host) != 0 ||
			strcmp(last->name, s->name) != 0)
			gl->sources[kept++] = gl->sources[i];
		else
			log_warn("%s/%s: there are two of this name, one is "
				 "not shown",
				s->host, s->name);
	}
	gl->l.n_sources = kept;
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
	gl->generations = xcalloc(generations + 1, sizeof(*gl->generations));
}

static void
copy_source(struct gather_listing *gl, uint32_t i, struct keys *keys)
{
	const struct origin *o = &gl->sources[i];
	const struct history_listing *from = gl->parts[o->part];
	const struct history_source *s = &from->sources[o->index];
	struct history_listing *l = &gl->l;
	uint32_t point = (uint32_t)l->n_points;
	uint32_t generation = (uint32_t)l->n_generations;

	for (uint32_t k = 0; k < s->n_points; k++) {
		struct history_point *p = &l->points[l->n_points++];

		*p = from->points[s->first_point + k];
		p->source = i;
		p->generation += generation - s->first_generation;
		p->key = key_for(keys, hash_of(s, p->id));
	}
	for (uint32_t k = 0; k < s->n_generations; k++) {
		struct history_generation *g =
			&l->generations[l->n_generations];

		*g = from->generations[s->first_generation + k];
		g->source = i;
		g->first_point += point - s->first_point;
		gl->generations[l->n_generations++] =
			(struct origin){ o->part, s->first_generation + k };
	}
	l->sources[i] = *s;
	l->sources[i].first_point = point;
	l->sources[i].first_generation = generation;
}

/* Made of these listings, which are taken over. */
static struct gather_listing *
listing_new(struct gather *g, struct history_listing **parts)
{
	struct gather_listing *gl = xcalloc(1, sizeof(*gl));

	gl->l.refs = 1;
	gl->l.free = free_listing;
	gl->l.version = ++g->version;
	gl->parts = parts;
	gl->n = g->n;
	gather_sources(gl);
	allocate(gl);
	for (uint32_t i = 0; i < gl->l.n_sources; i++)
		copy_source(gl, i, &g->keys);
	gather_tags(gl);
	return gl;
}

static struct history_listing *
gather_listing(struct history *h)
{
	struct gather *g = gather_of(h);
	struct history_listing **parts = xcalloc(g->n, sizeof(*parts));
	bool same;
	auto_lock(&g->lock);

	for (size_t i = 0; i < g->n; i++)
		parts[i] = history_listing(g->parts[i]);
	same = g->listing &&
	       memcmp(g->listing->parts, parts, g->n * sizeof(*parts)) == 0;
	if (same) {
		for (size_t i = 0; i < g->n; i++)
			history_listing_put(parts[i]);
		free(parts);
	} else {
		if (g->listing)
			history_listing_put(&g->listing->l);
		g->listing = listing_new(g, parts);
	}
	return history_listing_get(&g->listing->l);
}

/* -- The rest of the history ----------------------------------------------- */

/* One that fails is logged, unless all do. */
static int
gather_refresh(struct history *h, struct err *e)
{
	struct gather *g = gather_of(h);
	size_t failed = 0;
	int r = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct err why = ERR_INIT;
		int one = history_refresh(g->parts[i], &why);

		if (one == -EINTR)
			return err_set(e, EINTR, "%s", why.text);
		if (one == 0)
			continue;
		failed++;
		r = err_set(e, -one, "%s", why.text);
		if (g->n > 1)
			log_warn("%s", why.text);
	}
	return failed == g->n ? r : 0;
}

static int
gather_open(struct history *h, const struct history_listing *l, size_t point,
	struct view **view, struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct history_source *s = &l->sources[l->points[point].source];
	const struct origin *o = &gl->sources[l->points[point].source];
	const struct history_source *there = source_at(gl, o);

	return history_open(gather_of(h)->parts[o->part], gl->parts[o->part],
		point - s->first_point + there->first_point, view, e);
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
	foreign_place_put(g->place);
	foreign_place_unname(h);
	pthread_mutex_destroy(&g->lock);
	free(g->keys.table);
	free(g->parts);
	free(g);
}

/* -- Moments --------------------------------------------------------------- */

/* A moment as the part told it becomes one of this listing. */
static void
translate(const struct gather_listing *gl, uint32_t source,
	struct history_point *p)
{
	const struct history_source *s = &gl->l.sources[source];
	const struct history_source *there =
		source_at(gl, &gl->sources[source]);

	p->source = source;
	p->generation += s->first_generation - there->first_generation;
}

struct telling {
	const struct gather_listing *gl;
	uint32_t source;
	history_each *each;
	void *ctx;
};

static bool
tell(void *ctx, const struct history_point *told)
{
	const struct telling *t = ctx;
	struct history_point p = *told;

	translate(t->gl, t->source, &p);
	return t->each(t->ctx, &p);
}

static int
gather_moments(struct history *h, const struct history_listing *l,
	size_t generation, int64_t from_ns, history_each *each, void *ctx,
	struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct origin *o = &gl->generations[generation];
	struct history *part = gather_of(h)->parts[o->part];
	struct telling t = { .gl = gl,
		.source = l->generations[generation].source,
		.each = each,
		.ctx = ctx };

	return (part->ops->moments ? part->ops->moments : history_moments)(
		part, gl->parts[o->part], o->index, from_ns, tell, &t, e);
}

static int
gather_moment_at(struct history *h, const struct history_listing *l,
	size_t source, int64_t t_ns, struct history_point *p, struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct origin *o = &gl->sources[source];
	struct history *part = gather_of(h)->parts[o->part];
	int r = (part->ops->moment_at ? part->ops->moment_at
				      : history_moment_at)(
		part, gl->parts[o->part], o->index, t_ns, p, e);

	if (r == 0)
		translate(gl, (uint32_t)source, p);
	return r;
}

static int
gather_moment_by_id(struct history *h, const struct history_listing *l,
	size_t source, const char *id, struct history_point *p, struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct origin *o = &gl->sources[source];
	struct history *part = gather_of(h)->parts[o->part];
	int r = (part->ops->moment_by_id ? part->ops->moment_by_id
					 : history_moment_by_id)(
		part, gl->parts[o->part], o->index, id, p, e);

	if (r == 0)
		translate(gl, (uint32_t)source, p);
	return r;
}

static int
gather_open_moment(struct history *h, const struct history_listing *l,
	const struct history_point *p, struct view **view, struct err *e)
{
	const struct gather_listing *gl = listing_of(l);
	const struct origin *o = &gl->sources[p->source];
	const struct history_source *there = source_at(gl, o);
	struct history_point own = *p;

	own.source = o->index;
	own.generation += there->first_generation -
			  l->sources[p->source].first_generation;
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
	g->parts = xcalloc(n, sizeof(struct history *));
	memcpy(g->parts, histories, n * sizeof(struct history *));
	g->n = n;
	pthread_mutex_init(&g->lock, NULL);
	return &g->history;
}
