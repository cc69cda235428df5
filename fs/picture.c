/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "repo/base/buf.h"
#include "fs/picture.h"

/* Index of a tag in the listing, or n_tags. */
static size_t
tag_index(const struct history_listing *l, const char *tag)
{
	size_t lo = 0, hi = l->n_tags;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(l->tags[mid], tag);

		if (c == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return l->n_tags;
}

/* Sort the points by tag: count, add up, place. */
static void
index_tags(struct picture *p)
{
	const struct history_listing *l = p->listing;
	auto_free size_t *place = xcalloc(l->n_tags + 1, sizeof(*place));
	size_t total = 0;

	p->tag_first = xcalloc(l->n_tags + 1, sizeof(*p->tag_first));
	for (size_t i = 0; i < l->n_points; i++) {
		for (uint32_t t = 0; t < l->points[i].n_tags; t++)
			place[tag_index(l, l->points[i].tags[t])]++;
	}
	for (size_t t = 0; t < l->n_tags; t++) {
		size_t n = place[t];

		p->tag_first[t] = place[t] = total;
		total += n;
	}
	p->tag_first[l->n_tags] = total;
	p->tagged = xcalloc(total + 1, sizeof(*p->tagged));
	for (size_t i = 0; i < l->n_points; i++) {
		for (uint32_t t = 0; t < l->points[i].n_tags; t++) {
			size_t tag = tag_index(l, l->points[i].tags[t]);

			if (tag < l->n_tags)
				p->tagged[place[tag]++] = (uint32_t)i;
		}
	}
}

/* What points a source adds to the scope's sums. */
static void
add_source(struct picture *p, const struct history_source *s)
{
	const struct history_point *points = p->listing->points;
	size_t newest = s->first_point + s->n_points - 1;

	p->bytes += points[newest].totals.bytes;
	p->entries += points[newest].totals.entries + 1;
	for (size_t i = s->first_point; i <= newest; i++) {
		bool root = points[i].root.has_xattrs;

		p->has_xattrs |= root || points[i].totals.has_xattrs;
		p->has_acl |= root || points[i].totals.has_acl;
	}
}

static void
sum_scope(struct picture *p, const struct scope *scope)
{
	const struct history_listing *l = p->listing;

	if (scope->one_tree) {
		p->bytes = scope->tree.bytes;
		p->entries = scope->tree.entries + 1;
		p->has_xattrs = scope->tree.has_xattrs;
		p->has_acl = scope->tree.has_acl;
		return;
	}
	for (size_t i = 0; i < l->n_sources; i++) {
		const struct history_source *s = &l->sources[i];

		if (!scope->host || (strcmp(s->host, scope->host) == 0 &&
					    strcmp(s->name, scope->name) == 0))
			add_source(p, s);
	}
}

struct picture *
picture_new(struct history *h, const struct scope *scope, int64_t changed_ns)
{
	struct picture *p = xcalloc(1, sizeof(*p));
	struct history_listing *l = history_listing(h);

	p->refs = 1;
	p->history = h;
	p->listing = l;
	p->changed_ns = changed_ns;
	for (size_t i = 0; i < l->n_points; i++) {
		if (l->points[i].time_ns > p->newest_ns)
			p->newest_ns = l->points[i].time_ns;
	}
	index_tags(p);
	sum_scope(p, scope);
	return p;
}

struct picture *
picture_get(struct picture *p)
{
	p->refs++;
	return p;
}

void
picture_put(struct picture *p)
{
	if (!p || --p->refs > 0)
		return;
	history_listing_put(p->listing);
	free(p->tagged);
	free(p->tag_first);
	free(p);
}

/* First place in [lo, hi) of the tag's points that is not below point. */
static size_t
lower_bound(const struct picture *p, size_t lo, size_t hi, size_t point)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->tagged[mid] < point)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct tagged
picture_tagged(const struct picture *p, const char *tag, size_t source)
{
	const struct history_listing *l = p->listing;
	const struct history_source *s = &l->sources[source];
	size_t t = tag_index(l, tag);
	size_t first, end;

	if (t == l->n_tags)
		return (struct tagged){ .points = NULL, .n = 0 };
	end = p->tag_first[t + 1];
	first = lower_bound(p, p->tag_first[t], end, s->first_point);
	end = lower_bound(p, first, end, s->first_point + s->n_points);
	return (struct tagged){ .points = p->tagged + first, .n = end - first };
}

size_t
picture_find(const struct picture *p, const char *id, uint64_t key)
{
	const struct history_listing *l = p->listing;
	size_t i = history_find_id(l, id);

	if (i != HISTORY_NONE && l->points[i].key == key)
		return i;
	/* foreign histories may use one id in two sources */
	for (i = 0; i < l->n_points; i++) {
		if (l->points[i].key == key && strcmp(l->points[i].id, id) == 0)
			return i;
	}
	return HISTORY_NONE;
}
