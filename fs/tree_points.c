/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "fs/tag_name.h"
#include "fs/tree_moments.h"
#include "fs/tree_points.h"

/* Points in the order of a directory. */
struct span {
	const uint32_t *via; /* NULL: first, first + 1, ... */
	size_t first;
	size_t n;
};

static size_t
span_point(const struct span *s, size_t i)
{
	return s->via ? s->via[i] : s->first + i;
}

bool
tree_points_is_component(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 255 && !strchr(name, '/') &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

size_t
tree_points_source(const struct picture *p, const struct node *dir)
{
	while (dir && dir->kind != NODE_SOURCE && dir->kind != NODE_TAG_SOURCE)
		dir = dir->parent;
	if (!dir)
		return HISTORY_NONE;
	return history_find_source(p->listing, dir->parent->name, dir->name);
}

size_t
tree_points_generation(const struct picture *p, size_t source, const char *name)
{
	const struct history_listing *l = p->listing;
	size_t i, g;

	if (source == HISTORY_NONE)
		return HISTORY_NONE;
	i = history_find_name(l, source, name);
	if (i == HISTORY_NONE)
		return HISTORY_NONE;
	g = l->points[i].generation;
	return l->generations[g].first_point == i ? g : HISTORY_NONE;
}

/* The points that a directory lists; none when its source is gone. */
static struct span
span_of(const struct picture *p, const struct node *dir)
{
	const struct history_listing *l = p->listing;
	struct span span = { .via = NULL, .first = 0, .n = 0 };
	size_t s = tree_points_source(p, dir);
	char tag[256];

	if (dir->kind == NODE_BY_ID)
		return (struct span){ .first = 0, .n = l->n_points };
	if (s == HISTORY_NONE)
		return span;
	span.first = l->sources[s].first_point;
	span.n = l->sources[s].n_points;
	if (dir->kind == NODE_GENERATION_SNAPSHOTS) {
		size_t g = tree_points_generation(p, s, dir->parent->name);

		span.n = g == HISTORY_NONE ? 0 : l->generations[g].n_points;
		if (span.n)
			span.first = l->generations[g].first_point;
	} else if (dir->kind == NODE_TAG_SOURCE) {
		struct tagged t = { .points = NULL, .n = 0 };

		if (tag_name_parse(dir->parent->parent->name, tag))
			t = picture_tagged(p, tag, s);
		span.via = t.points;
		span.n = t.n;
	}
	return span;
}

uint64_t
tree_points_after(const struct history_point *pt)
{
	uint64_t seq = pt->seq;

	return (seq < 1ULL << 62 ? seq : 1ULL << 62) + 2;
}

static size_t
span_seek(const struct picture *p, const struct span *span, uint64_t from)
{
	const struct history_point *points = p->listing->points;
	size_t lo = 0, hi = span->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (tree_points_after(&points[span_point(span, mid)]) <= from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
tree_points_list(const struct picture *p, const struct node *dir, uint64_t from,
	tree_each *each, void *ctx)
{
	struct span span = span_of(p, dir);
	bool by_id = dir->kind == NODE_BY_ID;
	size_t i = by_id ? from : span_seek(p, &span, from);

	for (; i < span.n; i++) {
		size_t index = span_point(&span, i);
		const struct history_point *pt = &p->listing->points[index];
		struct tree_child child = { .kind = NODE_TREE,
			.name = by_id ? pt->id : pt->name,
			.point = index };

		if (tree_points_is_component(child.name) &&
			!each(ctx, &child, by_id ? i + 1 : tree_points_after(pt)))
			return;
	}
}

static int
found_point(struct tree_child *child, size_t point)
{
	if (point == HISTORY_NONE)
		return -ENOENT;
	child->kind = NODE_TREE;
	child->point = point;
	return 0;
}

int
tree_points_find(const struct picture *p, const struct node *dir,
	const char *name, struct tree_child *child)
{
	size_t s = tree_points_source(p, dir);
	struct span span;
	size_t i;

	if (s == HISTORY_NONE)
		return -ENOENT;
	i = history_find_name(p->listing, s, name);
	if (i == HISTORY_NONE || dir->kind == NODE_SNAPSHOTS)
		return found_point(child, i);
	span = span_of(p, dir);
	if (dir->kind == NODE_GENERATION_SNAPSHOTS)
		return i - span.first < span.n ? found_point(child, i)
					       : -ENOENT;
	for (size_t lo = 0, hi = span.n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (span.via[mid] == i)
			return found_point(child, i);
		if (span.via[mid] < i)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -ENOENT;
}

int
tree_points_find_id(const struct picture *p, const char *name,
	struct tree_child *child, struct err *e)
{
	size_t i = history_find_id(p->listing, name);
	struct history_point m;
	int rc;

	if (i != HISTORY_NONE && strcmp(p->listing->points[i].id, name) == 0)
		return found_point(child, i);
	child->asked = true;
	rc = history_moment_by_id(
		p->history, p->listing, HISTORY_NONE, name, &m, e);
	if (rc == 0)
		tree_moments_describe(p, &m, child);
	/* a name for the last of several may come to mean the next */
	if (rc == 0 && strcmp(m.id, name) != 0)
		child->passing = true;
	if (rc != -ENOENT)
		return rc;
	child->passing = true; /* another may come to begin so */
	return found_point(child, i);
}

size_t
tree_points_newest(const struct picture *p, const struct node *dir)
{
	struct span span = span_of(p, dir);

	return span.n ? span_point(&span, span.n - 1) : HISTORY_NONE;
}
