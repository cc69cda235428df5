/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>
#include <inttypes.h>
#include <stdio.h>
#include "repo/base/hex.h"
#include "repo/base/log.h"
#include "repo/base/sort.h"
#include "repo/native/key_table.h"
#include "repo/native/listing.h"
#include "repo/native/view.h"

/* A snapshot on its way into the listing. */
struct item {
	const struct record_place *place;
	const struct record *record;   /* loaded now, or NULL: */
	const uint8_t *hash;	       /* likewise */
	const struct history_point *old; /* taken from the listing before, */
	const struct point_extra *extra; /* or NULL: damaged */
	const struct history_point *prior; /* whose key it keeps, or NULL */
	const char *host, *name;       /* NULL: to be found by its source */
	bool retry;
};

struct build {
	struct item *items;
	size_t n;
	const struct native_listing *before;
	struct native_listing *nl;
};

/* -- Gathering ------------------------------------------------------------------- */

static void
take_old(struct item *it, const struct native_listing *before, bool whole)
{
	size_t i = native_listing_find(before, it->place->id);
	const struct history_source *s;

	if (i == HISTORY_NONE)
		return;
	it->prior = &before->l.points[i];
	if (!whole)
		return;
	it->old = it->prior;
	it->extra = &before->extra[i];
	s = &before->l.sources[it->old->source];
	it->host = s->host;
	it->name = s->name;
}

static void
gather(struct build *b, const struct loaded_record *r, size_t n)
{
	b->items = xcalloc(n + 1, sizeof(*b->items));
	for (size_t i = 0; i < n; i++) {
		struct item *it = &b->items[b->n];

		if (r[i].state == RECORD_GONE)
			continue;
		it->place = r[i].place;
		it->retry = r[i].state == RECORD_FAILED;
		take_old(it, b->before, r[i].state == RECORD_UNKNOWN);
		if (r[i].state == RECORD_LOADED) {
			it->record = &r[i].record;
			it->hash = r[i].hash;
			it->host = r[i].record.host;
			it->name = r[i].record.name;
		}
		b->n++;
	}
}

static int
compare_sources(const void *a, const void *b, void *ctx)
{
	const struct item *x = a, *y = b;
	int c = memcmp(x->place->source, y->place->source, SOURCE_KEY_LEN);
	(void)ctx;

	/* one that knows its host first */
	return c ? c : !x->host - !y->host;
}

static int
compare_items(const void *a, const void *b, void *ctx)
{
	const struct item *x = a, *y = b;
	int c = strcmp(x->host, y->host);
	(void)ctx;

	if (!c)
		c = strcmp(x->name, y->name);
	if (!c)
		c = (x->place->seq > y->place->seq) -
		    (x->place->seq < y->place->seq);
	return c ? c : memcmp(x->place->id, y->place->id, OBJECT_ID_LEN);
}

static void
add_place(struct record_place **all, size_t *n, const struct record_place *p)
{
	*all = xrealloc(*all, (*n + 1) * sizeof(**all));
	(*all)[(*n)++] = *p;
}

static void
refuse(struct native_listing *nl, const struct item *it)
{
	if (!it->retry)
		add_place(&nl->refused, &nl->n_refused, it->place);
}

static bool
same_source(const struct item *a, const struct item *b)
{
	return !strcmp(a->host, b->host) && !strcmp(a->name, b->name);
}

static uint32_t
epoch_of(const struct item *it)
{
	return it->record ? it->record->epoch : it->extra ? it->extra->epoch : 0;
}

/* The end of those that are of the same source and seq as item i. */
static size_t
end_of_seq(const struct build *b, size_t i)
{
	const struct item *first = &b->items[i];

	while (++i < b->n && same_source(&b->items[i], first) &&
		b->items[i].place->seq == first->place->seq)
		;
	return i;
}

/* Of one seq those of the highest epoch are shown. */
static void
hide(struct build *b)
{
	size_t kept = 0;

	for (size_t i = 0, end; i < b->n; i = end) {
		uint32_t epoch = 0;

		end = end_of_seq(b, i);
		for (size_t k = i; k < end; k++) {
			if (epoch_of(&b->items[k]) > epoch)
				epoch = epoch_of(&b->items[k]);
		}
		for (size_t k = i; k < end; k++) {
			if (epoch_of(&b->items[k]) == epoch)
				b->items[kept++] = b->items[k];
			else
				add_place(&b->nl->hidden, &b->nl->n_hidden,
					b->items[k].place);
		}
	}
	b->n = kept;
}

/* Damaged records get the name that others of their source say; those of a
 * source that no record names are left out.  Then everything is sorted. */
static void
name_and_sort(struct build *b)
{
	size_t kept = 0;

	sort(b->items, b->n, sizeof(*b->items), compare_sources, NULL);
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];
		const struct item *last = kept ? &b->items[kept - 1] : NULL;

		if (!it->host && last && !memcmp(last->place->source,
						 it->place->source,
						 SOURCE_KEY_LEN)) {
			it->host = last->host;
			it->name = last->name;
		}
		if (it->host)
			b->items[kept++] = *it;
		else
			refuse(b->nl, it);
	}
	b->n = kept;
	sort(b->items, b->n, sizeof(*b->items), compare_items, NULL);
	hide(b);
}

/* -- The chain of hashes ----------------------------------------------------------- */

static const uint8_t *
link_of(const struct item *it)
{
	static const uint8_t unknown[HASH_LEN];
	const uint8_t *h = it->record ? record_link(it->record, it->hash)
			   : it->extra ? it->extra->link
				       : unknown;

	return memcmp(h, unknown, HASH_LEN) ? h : NULL;
}

/* Several may be number seq - 1, when writers raced: one must fit.  A gap is
 * what forgetting leaves. */
static void
check_link(const struct build *b, size_t i)
{
	const struct item *it = &b->items[i];
	static const uint8_t none[HASH_LEN];
	bool some = false;

	/* begun after the source had been forgotten as a whole */
	if (!memcmp(it->record->previous, none, HASH_LEN))
		return;

	for (size_t k = i; k-- > 0 && same_source(&b->items[k], it);) {
		const struct item *before = &b->items[k];
		const uint8_t *hash = link_of(before);

		if (before->place->seq + 1 < it->place->seq)
			break;
		if (before->place->seq == it->place->seq)
			continue;
		if (!hash || !memcmp(hash, it->record->previous, HASH_LEN))
			return;
		some = true;
	}
	if (some)
		log_warn("%s/%s: snapshot %" PRIu64 " does not continue the "
			 "one before it: its history has been altered",
			it->host, it->name, it->place->seq);
}

/* -- Points ------------------------------------------------------------------------- */

static void
fill_from_record(struct history_point *p, const struct item *it)
{
	const struct record *r = it->record;
	struct tree_node root = { .entry = &r->root };

	p->time_ns = r->time_ns;
	native_view_attr(&root, &p->root);
	p->totals = (struct view_totals){ .entries = r->root.totals.entries,
		.files = r->root.totals.files,
		.bytes = r->root.totals.bytes,
		.newest_ns = r->root.totals.newest_ns,
		.has_xattrs = r->root.totals.flags & TOTALS_XATTRS,
		.has_acl = r->root.totals.flags & TOTALS_ACL };
}

static void
fill_damaged(struct history_point *p, const struct item *it)
{
	p->time_ns = record_place_time(it->place);
	p->damaged = true;
	p->root.mode = S_IFDIR | 0555;
	p->root.nlink = 2;
}

static void
fill_point(struct build *b, size_t i)
{
	const struct item *it = &b->items[i];
	struct history_point *p = &b->nl->l.points[i];
	struct point_extra *x = &b->nl->extra[i];

	if (it->old) {
		*p = *it->old;
		*x = *it->extra;
	} else {
		p->seq = it->place->seq;
		hex_encode(p->id, it->place->id, OBJECT_ID_LEN);
	}
	if (it->record) {
		fill_from_record(p, it);
		memcpy(x->hash, it->hash, HASH_LEN);
		memcpy(x->link, record_link(it->record, it->hash), HASH_LEN);
		x->epoch = it->record->epoch;
		x->n_deltas = it->record->n_deltas;
		x->generation = it->record->generation;
		x->is_database = it->record->is_database;
		check_link(b, i);
	} else if (!it->old) {
		fill_damaged(p, it);
		x->retry = it->retry;
		x->generation = i ? x[-1].generation : p->seq;
	}
}

/* -- Sources and generations ----------------------------------------------------------- */

static void
add_generation(struct history_listing *l, uint32_t point)
{
	struct history_generation *g = &l->generations[l->n_generations++];

	g->source = (uint32_t)l->n_sources - 1;
	g->first_point = point;
	l->sources[g->source].n_generations++;
}

static void
add_source(struct build *b, const struct item *it, uint32_t point)
{
	struct history_listing *l = &b->nl->l;
	struct history_source *s = &l->sources[l->n_sources];

	s->host = xstrdup(it->host);
	s->name = xstrdup(it->name);
	s->kind = HISTORY_TREE;
	s->first_point = point;
	s->first_generation = (uint32_t)l->n_generations;
	memcpy(b->nl->source_keys[l->n_sources++], it->place->source,
		SOURCE_KEY_LEN);
}

static void
fill(struct build *b)
{
	struct history_listing *l = &b->nl->l;
	const struct point_extra *x = b->nl->extra;

	for (uint32_t i = 0; i < b->n; i++) {
		bool source = i == 0 ||
			      !same_source(&b->items[i], &b->items[i - 1]);

		fill_point(b, i);
		if (source)
			add_source(b, &b->items[i], i);
		if (source || x[i].generation != x[i - 1].generation)
			add_generation(l, i);
		if (x[i].is_database)
			l->sources[l->n_sources - 1].kind = HISTORY_DATABASE;
		l->points[i].source = (uint32_t)l->n_sources - 1;
		l->points[i].generation = (uint32_t)l->n_generations - 1;
		l->sources[l->n_sources - 1].n_points++;
		l->generations[l->n_generations - 1].n_points++;
	}
}

/* -- Names ---------------------------------------------------------------------------- */

static int
compare_times(const void *a, const void *b, void *points)
{
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct history_point *p = points;
	int c = strcmp(p[i].name, p[k].name);

	return c ? c : (i > k) - (i < k);
}

/* Points of one source are called after their second; those of the same
 * second get -2, -3, ... in their order. */
static void
name_points(struct history_listing *l, const struct history_source *s)
{
	auto_free uint32_t *order = xcalloc(s->n_points, sizeof(*order));
	char plain[HISTORY_TIME_MAX + 1] = "";
	unsigned n = 0;

	for (uint32_t i = 0; i < s->n_points; i++) {
		struct history_point *p = &l->points[s->first_point + i];

		order[i] = s->first_point + i;
		history_print_time(p->name, p->time_ns);
	}
	sort(order, s->n_points, sizeof(*order), compare_times, l->points);
	for (uint32_t i = 0; i < s->n_points; i++) {
		struct history_point *p = &l->points[order[i]];
		size_t len = strlen(p->name);

		if (strcmp(p->name, plain)) {
			memcpy(plain, p->name, len + 1);
			n = 1;
		} else {
			snprintf(p->name + len, sizeof(p->name) - len, "-%u",
				++n);
		}
	}
}

static void
name_all(struct history_listing *l)
{
	for (size_t i = 0; i < l->n_sources; i++)
		name_points(l, &l->sources[i]);
	for (size_t i = 0; i < l->n_generations; i++) {
		struct history_generation *g = &l->generations[i];

		memcpy(g->name, l->points[g->first_point].name,
			sizeof(g->name));
	}
}

/* -- Tags ------------------------------------------------------------------------------- */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sort, and drop what is there twice. */
static size_t
sort_once(const char **strings, size_t n)
{
	size_t kept = 0;

	qsort(strings, n, sizeof(*strings), compare_strings);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(strings[kept - 1], strings[i]))
			strings[kept++] = strings[i];
	}
	return kept;
}

/* A point's tags, as item or old point has them. */
static size_t
tags_of(const struct item *it, const char ***tags)
{
	if (it->record) {
		*tags = (const char **)(uintptr_t)it->record->tags;
		return it->record->n_tags;
	}
	*tags = it->old ? (const char **)(uintptr_t)it->old->tags : NULL;
	return it->old ? it->old->n_tags : 0;
}

static void
tag_points(struct build *b)
{
	struct history_listing *l = &b->nl->l;
	const char **tags, **next;
	size_t sum = 0;

	for (size_t i = 0; i < b->n; i++)
		sum += tags_of(&b->items[i], &tags);
	next = b->nl->point_tags = xcalloc(sum + 1, sizeof(*next));
	for (size_t i = 0; i < b->n; i++) {
		size_t n = tags_of(&b->items[i], &tags);

		l->points[i].tags = next;
		if (n)
			memcpy(next, tags, n * sizeof(*next));
		l->points[i].n_tags = (uint32_t)sort_once(next, n);
		next += l->points[i].n_tags;
	}
	sum = (size_t)(next - b->nl->point_tags);
	l->tags = xcalloc(sum + 1, sizeof(*l->tags));
	if (sum)
		memcpy(l->tags, b->nl->point_tags, sum * sizeof(*l->tags));
	l->n_tags = sort_once(l->tags, sum);
	for (size_t i = 0; i < l->n_tags; i++)
		l->tags[i] = xstrdup(l->tags[i]);
	for (size_t i = 0; i < sum; i++) {
		const char **t = &b->nl->point_tags[i];

		*t = *(const char **)bsearch(t, l->tags, l->n_tags,
			sizeof(*t), compare_strings);
	}
}

/* -- Keys ------------------------------------------------------------------------------- */

/* A point keeps the key it has; a new one begins at the first 24 bits of its
 * id and takes the next that is free. */
static void
key_points(struct build *b)
{
	auto_key_table struct key_table taken;

	key_table_init(&taken, b->n);
	for (size_t i = 0; i < b->n; i++) {
		const struct history_point *prior = b->items[i].prior;

		if (!prior)
			continue;
		b->nl->l.points[i].key = prior->key;
		key_table_take(&taken, (uint32_t)prior->key);
	}
	for (size_t i = 0; i < b->n; i++) {
		uint32_t key = get_be32(b->items[i].place->id) >> 8;

		if (b->items[i].prior)
			continue;
		while (!key_table_take(&taken, key))
			key = (key + 1) % KEY_TABLE_KEYS;
		b->nl->l.points[i].key = key;
	}
}

/* -- The listing -------------------------------------------------------------------------- */

static void
free_listing(struct history_listing *l)
{
	struct native_listing *nl = (struct native_listing *)l;

	for (size_t i = 0; i < l->n_sources; i++) {
		free((char *)(uintptr_t)l->sources[i].host);
		free((char *)(uintptr_t)l->sources[i].name);
	}
	for (size_t i = 0; i < l->n_tags; i++)
		free((char *)(uintptr_t)l->tags[i]);
	free(l->tags);
	free(l->sources);
	free(l->points);
	free(l->generations);
	free(nl->extra);
	free(nl->source_keys);
	free(nl->point_tags);
	free(nl->refused);
	free(nl->hidden);
	free(nl);
}

static size_t
count_sources(const struct build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += i == 0 || !same_source(&b->items[i], &b->items[i - 1]);
	return n;
}

static void
allocate(struct build *b)
{
	struct history_listing *l = &b->nl->l;
	size_t n_sources = count_sources(b);

	l->points = xcalloc(b->n + 1, sizeof(*l->points));
	l->sources = xcalloc(n_sources + 1, sizeof(*l->sources));
	l->generations = xcalloc(b->n + 1, sizeof(*l->generations));
	b->nl->extra = xcalloc(b->n + 1, sizeof(*b->nl->extra));
	b->nl->source_keys = xcalloc(n_sources + 1,
		sizeof(*b->nl->source_keys));
	l->n_points = b->n;
}

struct native_listing *
native_listing_new(const struct loaded_record *r, size_t n,
	const struct native_listing *before)
{
	struct build b = { .before = before };
	struct history_listing *l;

	b.nl = xcalloc(1, sizeof(*b.nl));
	l = &b.nl->l;
	l->refs = 1;
	l->free = free_listing;
	l->version = before ? before->l.version + 1 : 1;
	gather(&b, r, n);
	name_and_sort(&b);
	allocate(&b);
	fill(&b);
	l->generations = xrealloc(l->generations,
		(l->n_generations + 1) * sizeof(*l->generations));
	name_all(l);
	tag_points(&b);
	key_points(&b);
	free(b.items);
	return b.nl;
}
