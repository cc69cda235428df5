/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directories differ in which sources they show (source_shown) and in
 * what a name leads to (describe_source).  Positions are indexes.
 */
#include "fs/tree_sources.h"

#include <errno.h>
#include <string.h>
#include "repo/when.h"
#include "fs/tag_name.h"
#include "fs/tree_moments.h"
#include "fs/tree_points.h"

/* The directory that decides which sources its hosts and names show. */
static const struct node *
deciding(const struct node *dir)
{
	return dir->kind == NODE_HOST ? dir->parent : dir;
}

/* The time a moment stands for; false: its name is no time. */
static bool
moment_time(
	const struct node *moment, int64_t now_ns, int64_t *t_ns, int *moving)
{
	if (moment->parent->kind == NODE_TOP) {
		*t_ns = INT64_MAX;
		*moving = 1;
		return true;
	}
	return when_parse_moving(moment->name, now_ns, t_ns, moving) == 0;
}

/* Is source s shown below dir?  The first moment of all is a snapshot, so the
 * listing tells. */
static bool
source_shown(const struct picture *p, const struct node *dir, size_t s,
	int64_t now_ns)
{
	const struct history_source *source = &p->listing->sources[s];
	const struct node *d = deciding(dir);
	char tag[256];
	int64_t t_ns;
	int moving;

	if (!tree_points_is_component(source->host) ||
		!tree_points_is_component(source->name))
		return false;
	if (d->kind == NODE_SOURCES)
		return true;
	if (d->kind == NODE_TAG)
		return tag_name_parse(d->name, tag) &&
		       picture_tagged(p, tag, s).n > 0;
	if (!moment_time(d, now_ns, &t_ns, &moving))
		return false;
	return history_find_at(p->listing, s, t_ns) != HISTORY_NONE;
}

/* Index of the first source whose host is not below host. */
static size_t
first_of_host(const struct history_listing *l, const char *host)
{
	size_t lo = 0, hi = l->n_sources;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(l->sources[mid].host, host) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
tree_sources_find_host(const struct picture *p, const struct node *dir,
	const char *name, int64_t now_ns, struct tree_child *child)
{
	const struct history_listing *l = p->listing;

	for (size_t s = first_of_host(l, name);
		s < l->n_sources && strcmp(l->sources[s].host, name) == 0;
		s++) {
		if (!source_shown(p, dir, s, now_ns))
			continue;
		child->kind = NODE_HOST;
		return 0;
	}
	return -ENOENT;
}

void
tree_sources_list_hosts(const struct picture *p, const struct node *dir,
	uint64_t from, int64_t now_ns, tree_each *each, void *ctx)
{
	const struct history_listing *l = p->listing;
	const char *last = "";

	if (from > 0 && from < l->n_sources)
		last = l->sources[from - 1].host;
	for (size_t s = from; s < l->n_sources; s++) {
		struct tree_child child = { .kind = NODE_HOST,
			.name = l->sources[s].host,
			.point = HISTORY_NONE };

		if (strcmp(child.name, last) == 0 ||
			!source_shown(p, dir, s, now_ns))
			continue;
		last = child.name;
		if (!each(ctx, &child, s + 1))
			return;
	}
}

/* What source s leads to below a host. */
static int
describe_source(const struct picture *p, const struct node *host, size_t s,
	int64_t now_ns, struct tree_child *child, struct err *e)
{
	const struct node *d = host->parent;
	int64_t t_ns;
	int moving;

	child->kind = d->kind == NODE_SOURCES ? NODE_SOURCE
		      : d->kind == NODE_TAG   ? NODE_TAG_SOURCE
					      : NODE_TREE;
	if (child->kind != NODE_TREE)
		return 0;
	if (!moment_time(d, now_ns, &t_ns, &moving))
		return -ENOENT;
	return tree_moments_find_at(p, s, t_ns, moving, child, e);
}

int
tree_sources_find(const struct picture *p, const struct node *host,
	const char *name, int64_t now_ns, struct tree_child *child,
	struct err *e)
{
	size_t s = history_find_source(p->listing, host->name, name);

	if (s == HISTORY_NONE || !source_shown(p, host, s, now_ns))
		return -ENOENT;
	return describe_source(p, host, s, now_ns, child, e);
}

/* Listing a moment asks nothing: databases are named only. */
static bool
list_source(const struct picture *p, const struct node *host, size_t s,
	int64_t now_ns, tree_each *each, void *ctx)
{
	struct tree_child child = TREE_CHILD_INIT;

	child.name = p->listing->sources[s].name;
	child.kind = NODE_TREE;
	child.bare = host->parent->kind == NODE_MOMENT && tree_moments_of(p, s);
	if (!child.bare &&
		describe_source(p, host, s, now_ns, &child, NULL) != 0)
		return true;
	return each(ctx, &child, s + 1);
}

void
tree_sources_list(const struct picture *p, const struct node *host,
	uint64_t from, int64_t now_ns, tree_each *each, void *ctx)
{
	const struct history_listing *l = p->listing;
	size_t s = first_of_host(l, host->name);

	for (s = s > from ? s : from; s < l->n_sources; s++) {
		if (strcmp(l->sources[s].host, host->name) != 0)
			return;
		if (source_shown(p, host, s, now_ns) &&
			!list_source(p, host, s, now_ns, each, ctx))
			return;
	}
}

bool
tree_sources_moving(const struct node *dir, int64_t now_ns)
{
	const struct node *d = deciding(dir);
	int64_t t_ns;
	int moving;

	return d->kind == NODE_MOMENT && d->parent->kind == NODE_AT &&
	       (!moment_time(d, now_ns, &t_ns, &moving) || moving);
}
