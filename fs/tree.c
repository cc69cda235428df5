/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/when.h"
#include "fs/tag_name.h"
#include "fs/tree_moments.h"
#include "fs/tree_points.h"
#include "fs/tree_sources.h"
#include "fs/tree_versions.h"

struct fixed_name {
	enum node_kind dir;
	const char *name;
	enum node_kind kind;
};

static const struct fixed_name fixed_names[] = {
	{ NODE_TOP, "sources", NODE_SOURCES },
	{ NODE_TOP, "at", NODE_AT },
	{ NODE_TOP, "latest", NODE_MOMENT },
	{ NODE_TOP, "tags", NODE_TAGS },
	{ NODE_TOP, "by-id", NODE_BY_ID },
	{ NODE_TOP, ".yore", NODE_YORE },
	{ NODE_SOURCE, "snapshots", NODE_SNAPSHOTS },
	{ NODE_SOURCE, "generations", NODE_GENERATIONS },
	{ NODE_SOURCE, "at", NODE_SOURCE_AT },
	{ NODE_SOURCE, "latest", NODE_LINK },
	{ NODE_SOURCE, "versions", NODE_VERSIONS },
	{ NODE_TAG_SOURCE, "latest", NODE_LINK },
	{ NODE_GENERATION, "snapshots", NODE_GENERATION_SNAPSHOTS },
	{ NODE_GENERATION, "points", NODE_POINTS }, /* of a database */
	{ NODE_YORE, "status", NODE_TEXT },
	{ NODE_YORE, "metrics", NODE_TEXT },
	{ NODE_YORE, "metrics.json", NODE_TEXT },
	{ NODE_YORE, "version", NODE_TEXT },
	{ NODE_YORE, "log", NODE_TEXT },
};

/* -- Generations and tags ------------------------------------------------ */

static void
list_generations(const struct picture *p, const struct node *dir, uint64_t from,
	tree_each *each, void *ctx)
{
	size_t s = tree_points_source(p, dir);
	const struct history_source *source;

	if (s == HISTORY_NONE)
		return;
	source = &p->listing->sources[s];
	for (size_t i = from; i < source->n_generations; i++) {
		const struct history_generation *g =
			&p->listing->generations[source->first_generation + i];
		struct tree_child child = { .kind = NODE_GENERATION,
			.name = g->name,
			.point = HISTORY_NONE };

		if (tree_points_is_component(g->name) &&
			!each(ctx, &child, i + 1))
			return;
	}
}

static void
list_tags(const struct picture *p, uint64_t from, tree_each *each, void *ctx)
{
	char name[256];

	for (size_t i = from; i < p->listing->n_tags; i++) {
		struct tree_child child = {
			.kind = NODE_TAG, .name = name, .point = HISTORY_NONE
		};

		if (tag_name_of(p->listing->tags[i], name) &&
			!each(ctx, &child, i + 1))
			return;
	}
}

static int
find_tag(const struct picture *p, const char *name, struct tree_child *child)
{
	char tag[256];
	size_t lo = 0, hi = p->listing->n_tags;

	if (!tag_name_parse(name, tag))
		return -ENOENT;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(p->listing->tags[mid], tag);

		if (c == 0) {
			child->kind = NODE_TAG;
			return 0;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -ENOENT;
}

/* -- Fixed names --------------------------------------------------------- */

static bool
is_shown(const struct picture *p, const struct node *dir,
	const struct fixed_name *f)
{
	if (f->dir != dir->kind)
		return false;
	if (f->kind == NODE_POINTS)
		return tree_moments_of(p, tree_points_source(p, dir));
	if (f->kind == NODE_VERSIONS)
		return tree_versions_of(p, tree_points_source(p, dir));
	return f->kind != NODE_LINK ||
	       tree_points_newest(p, dir) != HISTORY_NONE;
}

static void
describe_fixed(const struct fixed_name *f, struct tree_child *child)
{
	child->kind = f->kind;
	child->name = f->name;
	child->passing = f->kind == NODE_LINK || f->kind == NODE_TEXT;
}

/* Does `latest` in dir lead to moments? */
static bool
leads_to_moments(const struct picture *p, const struct node *dir)
{
	return dir->kind == NODE_SOURCE &&
	       tree_moments_of(p, tree_points_source(p, dir));
}

/* Where the link `latest` in dir leads to. */
static int
describe_link(const struct picture *p, const struct node *dir,
	struct tree_child *child, struct err *e)
{
	child->point = tree_points_newest(p, dir);
	if (!leads_to_moments(p, dir))
		return 0;
	return tree_moments_find_at(
		p, tree_points_source(p, dir), INT64_MAX, true, child, e);
}

static const struct fixed_name *
find_fixed(const struct picture *p, const struct node *dir, const char *name)
{
	for (size_t i = 0; i < n_elements(fixed_names); i++) {
		const struct fixed_name *f = &fixed_names[i];

		if (strcmp(f->name, name) == 0 && is_shown(p, dir, f))
			return f;
	}
	return NULL;
}

/* Positions of fixed names are 1, 2, ...: below those of points only when
 * there is one of them (TAG_SOURCE), which is all that is needed. */
static bool
list_fixed(const struct picture *p, const struct node *dir, uint64_t from,
	tree_each *each, void *ctx)
{
	uint64_t at = 0;

	for (size_t i = 0; i < n_elements(fixed_names); i++) {
		const struct fixed_name *f = &fixed_names[i];
		struct tree_child child = TREE_CHILD_INIT;

		if (f->dir != dir->kind || at++ < from || !is_shown(p, dir, f))
			continue;
		describe_fixed(f, &child);
		child.bare = f->kind == NODE_LINK && leads_to_moments(p, dir);
		if (f->kind == NODE_LINK && !child.bare)
			describe_link(p, dir, &child, NULL);
		if (!each(ctx, &child, at))
			return false;
	}
	return true;
}

/* -- All of them --------------------------------------------------------- */

const struct history_point *
tree_child_point(const struct picture *p, const struct tree_child *child)
{
	if (child->is_moment)
		return &child->moment;
	return child->point == HISTORY_NONE ? NULL
					    : &p->listing->points[child->point];
}

/* A time below the at/ of a source. */
static int
find_at(const struct picture *p, const struct node *dir, const char *name,
	int64_t now_ns, struct tree_child *child, struct err *e)
{
	size_t s = tree_points_source(p, dir);
	int64_t t_ns;
	int moving;

	if (s == HISTORY_NONE ||
		when_parse_moving(name, now_ns, &t_ns, &moving) != 0)
		return -ENOENT;
	return tree_moments_find_at(p, s, t_ns, moving, child, e);
}

static int
find_generation(const struct picture *p, const struct node *dir,
	const char *name, struct tree_child *child)
{
	child->kind = NODE_GENERATION;
	return tree_points_generation(p, tree_points_source(p, dir), name) ==
			       HISTORY_NONE
		       ? -ENOENT
		       : 0;
}

/* A name of a directory whose names are not fixed. */
static int
find_other(const struct picture *p, const struct node *dir, const char *name,
	int64_t now_ns, struct tree_child *child, struct err *e)
{
	int64_t t_ns;

	switch (dir->kind) {
	case NODE_SOURCES:
	case NODE_MOMENT:
	case NODE_TAG:
		return tree_sources_find_host(p, dir, name, now_ns, child);
	case NODE_HOST:
		return tree_sources_find(p, dir, name, now_ns, child, e);
	case NODE_AT:
		child->kind = NODE_MOMENT;
		return when_parse(name, now_ns, &t_ns) == 0 ? 0 : -ENOENT;
	case NODE_TAGS:
		return find_tag(p, name, child);
	case NODE_SNAPSHOTS:
	case NODE_GENERATION_SNAPSHOTS:
	case NODE_TAG_SOURCE:
		return tree_points_find(p, dir, name, child);
	case NODE_BY_ID:
		return tree_points_find_id(p, name, child, e);
	case NODE_SOURCE_AT:
		return find_at(p, dir, name, now_ns, child, e);
	case NODE_GENERATIONS:
		return find_generation(p, dir, name, child);
	case NODE_POINTS:
	case NODE_DAY:
		return tree_moments_find(p, dir, name, child, e);
	case NODE_VERSIONS:
	case NODE_VERSIONS_PATH:
	case NODE_VERSIONS_LIST:
		return tree_versions_find(p, dir, name, child, e);
	default:
		return -ENOENT;
	}
}

int
tree_find(const struct picture *p, const struct node *dir, const char *name,
	int64_t now_ns, struct tree_child *child, struct err *e)
{
	const struct fixed_name *fixed = find_fixed(p, dir, name);

	*child = (struct tree_child)TREE_CHILD_INIT;
	child->name = name;
	if (!fixed)
		return find_other(p, dir, name, now_ns, child, e);
	describe_fixed(fixed, child);
	return fixed->kind == NODE_LINK ? describe_link(p, dir, child, e) : 0;
}

int
tree_list(const struct picture *p, const struct node *dir, uint64_t from,
	int64_t now_ns, tree_each *each, void *ctx, struct err *e)
{
	if (!list_fixed(p, dir, from, each, ctx))
		return 0;
	switch (dir->kind) {
	case NODE_SOURCES:
	case NODE_MOMENT:
	case NODE_TAG:
		tree_sources_list_hosts(p, dir, from, now_ns, each, ctx);
		break;
	case NODE_HOST:
		tree_sources_list(p, dir, from, now_ns, each, ctx);
		break;
	case NODE_TAGS:
		list_tags(p, from, each, ctx);
		break;
	case NODE_SNAPSHOTS:
	case NODE_GENERATION_SNAPSHOTS:
	case NODE_TAG_SOURCE:
	case NODE_BY_ID:
		tree_points_list(p, dir, from, each, ctx);
		break;
	case NODE_GENERATIONS:
		list_generations(p, dir, from, each, ctx);
		break;
	case NODE_POINTS:
	case NODE_DAY:
		return tree_moments_list(p, dir, from, each, ctx, e);
	case NODE_VERSIONS:
	case NODE_VERSIONS_PATH:
	case NODE_VERSIONS_LIST:
		return tree_versions_list(p, dir, from, each, ctx, e);
	default:
		break;
	}
	return 0;
}

int64_t
tree_time(const struct picture *p, const struct node *dir, int64_t now_ns)
{
	const struct history_listing *l = p->listing;
	size_t s = tree_points_source(p, dir);
	int64_t t_ns = p->newest_ns;

	if (tree_sources_moving(dir, now_ns))
		return now_ns;
	if (s != HISTORY_NONE) {
		size_t end = l->sources[s].first_point + l->sources[s].n_points;

		t_ns = l->points[end - 1].time_ns;
	}
	return t_ns > p->changed_ns ? t_ns : p->changed_ns;
}

char *
tree_link_target(const struct picture *p, const struct node *dir,
	const struct tree_child *child)
{
	const struct history_listing *l = p->listing;
	const struct history_point *m = &child->moment;

	if (!child->is_moment)
		return xasprintf("%s%s",
			dir->kind == NODE_SOURCE ? "snapshots/" : "",
			l->points[child->point].name);
	return xasprintf("generations/%s/points/%.10s/%s",
		l->generations[m->generation].name, m->name, m->name + 11);
}
