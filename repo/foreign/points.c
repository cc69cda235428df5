/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/foreign/points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/buf.h"

#define KEYS (1u << 24)

struct source {
	char *host;
	char *name;
	enum history_kind kind;
	size_t n_points;
};

struct item {
	size_t source;
	struct points_item given; /* id and tag are ours */
};

struct points {
	struct source *sources;
	size_t n_sources;
	struct item *items;
	size_t n, room;
};

struct points *
points_new(void)
{
	return xcalloc(1, sizeof(struct points));
}

void
points_free(struct points *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_sources; i++) {
		free(p->sources[i].host);
		free(p->sources[i].name);
	}
	for (size_t i = 0; i < p->n; i++) {
		free((char *)(uintptr_t)p->items[i].given.id);
		free((char *)(uintptr_t)p->items[i].given.tag);
	}
	free(p->sources);
	free(p->items);
	free(p);
}

static bool
is_taken(const struct points *p, const char *host, const char *name)
{
	for (size_t i = 0; i < p->n_sources; i++) {
		if (!strcmp(p->sources[i].host, host) &&
			!strcmp(p->sources[i].name, name))
			return true;
	}
	return false;
}

void
points_source(struct points *p, const char *host, const char *name,
	enum history_kind kind)
{
	char *own = xstrdup(name);

	for (unsigned i = 2; is_taken(p, host, own); i++) {
		free(own);
		own = xasprintf("%s-%u", name, i);
	}
	p->sources =
		xrealloc(p->sources, (p->n_sources + 1) * sizeof(*p->sources));
	p->sources[p->n_sources++] = (struct source){
		.host = xstrdup(host), .name = own, .kind = kind
	};
}

void
points_add(struct points *p, const struct points_item *item)
{
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->items = xrealloc(p->items, p->room * sizeof(*p->items));
	}
	struct item *it = &p->items[p->n++];

	it->source = p->n_sources - 1;
	it->given = *item;
	it->given.id = xstrdup(item->id);
	it->given.tag = item->tag ? xstrdup(item->tag) : NULL;
	p->sources[it->source].n_points++;
}

/* -- The listing ------------------------------------------------------------
 */

struct listing {
	struct history_listing l;
	char **texts; /* that points and sources name */
	size_t n_texts;
};

static void
free_listing(struct history_listing *l)
{
	struct listing *own = (struct listing *)l; /* its first member */

	for (size_t i = 0; i < own->n_texts; i++)
		free(own->texts[i]);
	for (size_t i = 0; i < l->n_points; i++)
		free((void *)(uintptr_t)l->points[i].tags);
	free(own->texts);
	free(l->sources);
	free(l->points);
	free(l->generations);
	free(l->tags);
	free(own);
}

static const char *
keep_text(struct listing *l, const char *text)
{
	l->texts = xrealloc(l->texts, (l->n_texts + 1) * sizeof(*l->texts));
	return l->texts[l->n_texts++] = xstrdup(text);
}

/* Each tag once, sorted: the listing's own copy. */
static const char *
keep_tag(struct listing *own, const char *tag)
{
	struct history_listing *l = &own->l;
	size_t at = 0;

	while (at < l->n_tags && strcmp(l->tags[at], tag) < 0)
		at++;
	if (at < l->n_tags && !strcmp(l->tags[at], tag))
		return l->tags[at];
	l->tags = xrealloc(l->tags, (l->n_tags + 1) * sizeof(*l->tags));
	memmove(&l->tags[at + 1], &l->tags[at],
		(l->n_tags - at) * sizeof(*l->tags));
	l->n_tags++;
	return l->tags[at] = keep_text(own, tag);
}

static int
compare_sources(const void *a, const void *b, void *ctx)
{
	const struct points *p = ctx;
	const struct source *x = &p->sources[*(const size_t *)a];
	const struct source *y = &p->sources[*(const size_t *)b];
	int order = strcmp(x->host, y->host);

	return order ? order : strcmp(x->name, y->name);
}

static int
compare_items(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a;
	const struct item *y = *(const struct item *const *)b;

	return (x->given.seq > y->given.seq) - (x->given.seq < y->given.seq);
}

/* Its time; behind the time a number, where one before it has the same. */
static void
name_point(
	const struct history_source *s, struct history_point *points, size_t i)
{
	struct history_point *p = &points[i];
	unsigned same = 1;
	size_t len;

	history_print_time(p->name, p->time_ns);
	len = strlen(p->name);
	for (size_t j = i; j-- > s->first_point;) {
		if (strncmp(points[j].name, p->name, len))
			break;
		same++;
	}
	if (same > 1)
		snprintf(p->name + len, sizeof(p->name) - len, "-%u", same);
}

static void
fill_point(struct listing *own, const struct history_source *s,
	const struct item *it)
{
	struct history_listing *l = &own->l;
	struct history_point *p = &l->points[l->n_points];

	snprintf(p->id, sizeof(p->id), "%s", it->given.id);
	p->time_ns = it->given.time_ns;
	p->seq = it->given.seq;
	p->source = (uint32_t)(s - l->sources);
	p->damaged = it->given.damaged;
	p->root = it->given.root;
	p->totals = it->given.totals;
	if (it->given.tag) {
		const char **tags = xcalloc(1, sizeof(*tags));

		tags[0] = keep_tag(own, it->given.tag);
		p->tags = tags;
		p->n_tags = 1;
	}
	name_point(s, l->points, l->n_points);
	if (it->given.begins || l->n_points == s->first_point) {
		struct history_generation *g =
			&l->generations[l->n_generations++];

		g->source = p->source;
		g->first_point = (uint32_t)l->n_points;
		memcpy(g->name, p->name, sizeof(g->name));
	}
	l->generations[l->n_generations - 1].n_points++;
	p->generation = (uint32_t)(l->n_generations - 1);
	l->n_points++;
}

static void
fill_source(struct listing *own, const struct points *p, size_t source)
{
	const struct source *from = &p->sources[source];
	auto_free struct item **items = xcalloc(from->n_points, sizeof(*items));
	struct history_listing *l = &own->l;
	struct history_source *s = &l->sources[l->n_sources++];
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].source == source)
			items[n++] = &p->items[i];
	}
	qsort(items, n, sizeof(struct item *), compare_items);
	s->host = keep_text(own, from->host);
	s->name = keep_text(own, from->name);
	s->kind = from->kind;
	s->first_point = (uint32_t)l->n_points;
	s->n_points = (uint32_t)n;
	s->first_generation = (uint32_t)l->n_generations;
	for (size_t i = 0; i < n; i++)
		fill_point(own, s, items[i]);
	s->n_generations = (uint32_t)l->n_generations - s->first_generation;
}

/* -- Keys -------------------------------------------------------------------
 */

static uint32_t
hash(uint32_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

/* The same point in a listing, or NULL. */
static const struct history_point *
find(const struct history_listing *in, const struct history_listing *l,
	const struct history_point *p)
{
	size_t s = in ? history_find_source(in, l->sources[p->source].host,
				l->sources[p->source].name)
		      : HISTORY_NONE;
	size_t i = s == HISTORY_NONE ? s : history_find_name(in, s, p->name);

	return i != HISTORY_NONE && !strcmp(in->points[i].id, p->id)
		       ? &in->points[i]
		       : NULL;
}

/* A point keeps the key it has; a new one begins at a hash of what it is. */
static void
key_points(struct history_listing *l, const struct history_listing *before)
{
	auto_free uint8_t *taken = xcalloc(KEYS / 8, 1);

	for (int old = 1; old >= 0; old--) {
		for (size_t i = 0; i < l->n_points; i++) {
			struct history_point *p = &l->points[i];
			const struct history_point *was = find(before, l, p);
			const struct history_source *s = &l->sources[p->source];
			uint32_t key =
				was ? (uint32_t)was->key
				    : hash(hash(hash(2166136261u, s->host),
						   s->name),
					      p->id) >>
						8;

			if ((was != NULL) != old)
				continue;
			while (taken[key / 8] & (1 << key % 8))
				key = (key + 1) % KEYS;
			taken[key / 8] |= (uint8_t)(1 << key % 8);
			p->key = key;
		}
	}
}

/* -- All together ------------------------------------------------------------
 */

static bool
same_point(const struct history_point *a, const struct history_point *b)
{
	return !strcmp(a->id, b->id) && a->time_ns == b->time_ns &&
	       a->seq == b->seq && a->generation == b->generation &&
	       a->damaged == b->damaged && a->n_tags == b->n_tags &&
	       (a->n_tags == 0 || !strcmp(a->tags[0], b->tags[0])) &&
	       a->totals.bytes == b->totals.bytes &&
	       a->totals.entries == b->totals.entries;
}

static bool
same_listing(const struct history_listing *a, const struct history_listing *b)
{
	if (a->n_sources != b->n_sources || a->n_points != b->n_points)
		return false;
	for (size_t i = 0; i < a->n_sources; i++) {
		if (strcmp(a->sources[i].host, b->sources[i].host) ||
			strcmp(a->sources[i].name, b->sources[i].name) ||
			a->sources[i].n_points != b->sources[i].n_points)
			return false;
	}
	for (size_t i = 0; i < a->n_points; i++) {
		if (!same_point(&a->points[i], &b->points[i]))
			return false;
	}
	return true;
}

static struct listing *
make(const struct points *p)
{
	struct listing *own = xcalloc(1, sizeof(*own));
	auto_free size_t *order = xcalloc(p->n_sources + 1, sizeof(*order));
	size_t n = 0;

	own->l.refs = 1;
	own->l.free = free_listing;
	own->l.sources = xcalloc(p->n_sources + 1, sizeof(*own->l.sources));
	own->l.points = xcalloc(p->n + 1, sizeof(*own->l.points));
	own->l.generations = xcalloc(p->n + 1, sizeof(*own->l.generations));
	own->l.tags = xcalloc(1, sizeof(*own->l.tags));
	for (size_t i = 0; i < p->n_sources; i++) {
		if (p->sources[i].n_points > 0)
			order[n++] = i;
	}
	qsort_r(order, n, sizeof(*order), compare_sources,
		(void *)(uintptr_t)p);
	for (size_t i = 0; i < n; i++)
		fill_source(own, p, order[i]);
	return own;
}

struct history_listing *
points_listing(const struct points *p, struct history_listing *before)
{
	struct listing *own = make(p);

	if (before && same_listing(&own->l, before)) {
		free_listing(&own->l);
		return history_listing_get(before);
	}
	key_points(&own->l, before);
	own->l.version = before ? before->version + 1 : 1;
	return &own->l;
}
