/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three directories list hosts and then names: sources/, a moment (at/X/ and
 * latest/) and a tag.  They differ in which sources they show (source_shown)
 * and in what a name leads to (describe_source).  Positions are indexes.
 */
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/when.h"
#include "fs/tag_name.h"
#include "fs/tree_points.h"

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
	{ NODE_TAG_SOURCE, "latest", NODE_LINK },
	{ NODE_GENERATION, "snapshots", NODE_GENERATION_SNAPSHOTS },
	{ NODE_YORE, "status", NODE_TEXT },
	{ NODE_YORE, "metrics", NODE_TEXT },
	{ NODE_YORE, "metrics.json", NODE_TEXT },
	{ NODE_YORE, "version", NODE_TEXT },
};

/* -- Sources as a directory shows them ----------------------------------- */

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

/* Is source s shown below dir?  At a moment *point is what it leads to. */
static bool
source_shown(const struct picture *p, const struct node *dir, size_t s,
	int64_t now_ns, size_t *point)
{
	const struct history_source *source = &p->listing->sources[s];
	const struct node *d = deciding(dir);
	char tag[256];
	int64_t t_ns;
	int moving;

	*point = HISTORY_NONE;
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
	*point = history_find_at(p->listing, s, t_ns);
	return *point != HISTORY_NONE;
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

static int
find_host(const struct picture *p, const struct node *dir, const char *name,
	int64_t now_ns, struct tree_child *child)
{
	const struct history_listing *l = p->listing;
	size_t point;

	for (size_t s = first_of_host(l, name);
		s < l->n_sources && strcmp(l->sources[s].host, name) == 0;
		s++) {
		if (!source_shown(p, dir, s, now_ns, &point))
			continue;
		child->kind = NODE_HOST;
		return 0;
	}
	return -ENOENT;
}

static void
list_hosts(const struct picture *p, const struct node *dir, uint64_t from,
	int64_t now_ns, tree_each *each, void *ctx)
{
	const struct history_listing *l = p->listing;
	const char *last = "";
	size_t point;

	if (from > 0 && from < l->n_sources)
		last = l->sources[from - 1].host;
	for (size_t s = from; s < l->n_sources; s++) {
		struct tree_child child = { .kind = NODE_HOST,
			.name = l->sources[s].host,
			.point = HISTORY_NONE };

		if (strcmp(child.name, last) == 0 ||
			!source_shown(p, dir, s, now_ns, &point))
			continue;
		last = child.name;
		if (!each(ctx, &child, s + 1))
			return;
	}
}

/* What a name below a host leads to. */
static void
describe_source(const struct picture *p, const struct node *host, size_t point,
	int64_t now_ns, struct tree_child *child)
{
	const struct node *d = host->parent;
	int64_t t_ns;
	int moving;

	child->point = point;
	child->kind = d->kind == NODE_SOURCES ? NODE_SOURCE
		      : d->kind == NODE_TAG   ? NODE_TAG_SOURCE
					      : NODE_TREE;
	if (child->kind == NODE_TREE) {
		const struct history_point *pt = &p->listing->points[point];
		const struct history_source *s =
			&p->listing->sources[pt->source];

		/* what has a successor stays; the newest may be followed */
		child->passing = !moment_time(d, now_ns, &t_ns, &moving) ||
				 moving ||
				 point + 1 == s->first_point + s->n_points;
	}
}

static int
find_source(const struct picture *p, const struct node *host, const char *name,
	int64_t now_ns, struct tree_child *child)
{
	size_t s = history_find_source(p->listing, host->name, name);
	size_t point;

	if (s == HISTORY_NONE || !source_shown(p, host, s, now_ns, &point))
		return -ENOENT;
	describe_source(p, host, point, now_ns, child);
	return 0;
}

static void
list_sources(const struct picture *p, const struct node *host, uint64_t from,
	int64_t now_ns, tree_each *each, void *ctx)
{
	const struct history_listing *l = p->listing;
	size_t s = first_of_host(l, host->name);
	size_t point;

	for (s = s > from ? s : from; s < l->n_sources; s++) {
		struct tree_child child = { .name = l->sources[s].name };

		if (strcmp(l->sources[s].host, host->name) != 0)
			return;
		if (!source_shown(p, host, s, now_ns, &point))
			continue;
		describe_source(p, host, point, now_ns, &child);
		if (!each(ctx, &child, s + 1))
			return;
	}
}

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
describe_fixed(const struct picture *p, const struct node *dir,
	const struct fixed_name *f, struct tree_child *child)
{
	child->kind = f->kind;
	child->name = f->name;
	child->point = HISTORY_NONE;
	child->passing = f->kind == NODE_LINK || f->kind == NODE_TEXT;
	if (f->kind == NODE_LINK)
		child->point = tree_points_newest(p, dir);
	return f->kind != NODE_LINK || child->point != HISTORY_NONE;
}

static int
find_fixed(const struct picture *p, const struct node *dir, const char *name,
	struct tree_child *child)
{
	for (size_t i = 0; i < n_elements(fixed_names); i++) {
		const struct fixed_name *f = &fixed_names[i];

		if (f->dir == dir->kind && strcmp(f->name, name) == 0)
			return describe_fixed(p, dir, f, child) ? 0 : -ENOENT;
	}
	return -ENOENT;
}

/* Positions of fixed names are 1, 2, ...: below those of points only when
 * there is one of them (TAG_SOURCE), which is all that is needed. */
static bool
list_fixed(const struct picture *p, const struct node *dir, uint64_t from,
	tree_each *each, void *ctx)
{
	struct tree_child child;
	uint64_t at = 0;

	for (size_t i = 0; i < n_elements(fixed_names); i++) {
		const struct fixed_name *f = &fixed_names[i];

		if (f->dir != dir->kind || at++ < from ||
			!describe_fixed(p, dir, f, &child))
			continue;
		if (!each(ctx, &child, at))
			return false;
	}
	return true;
}

/* -- All of them --------------------------------------------------------- */

int
tree_find(const struct picture *p, const struct node *dir, const char *name,
	int64_t now_ns, struct tree_child *child)
{
	int64_t t_ns;

	*child = (struct tree_child){ .name = name, .point = HISTORY_NONE };
	if (find_fixed(p, dir, name, child) == 0)
		return 0;
	switch (dir->kind) {
	case NODE_SOURCES:
	case NODE_MOMENT:
	case NODE_TAG:
		return find_host(p, dir, name, now_ns, child);
	case NODE_HOST:
		return find_source(p, dir, name, now_ns, child);
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
		return tree_points_find_id(p, name, child);
	case NODE_SOURCE_AT:
		return tree_points_find_at(p, dir, name, now_ns, child);
	case NODE_GENERATIONS:
		child->kind = NODE_GENERATION;
		return tree_points_generation(p, tree_points_source(p, dir),
			       name) == HISTORY_NONE
			       ? -ENOENT
			       : 0;
	default:
		return -ENOENT;
	}
}

void
tree_list(const struct picture *p, const struct node *dir, uint64_t from,
	int64_t now_ns, tree_each *each, void *ctx)
{
	if (!list_fixed(p, dir, from, each, ctx))
		return;
	switch (dir->kind) {
	case NODE_SOURCES:
	case NODE_MOMENT:
	case NODE_TAG:
		list_hosts(p, dir, from, now_ns, each, ctx);
		break;
	case NODE_HOST:
		list_sources(p, dir, from, now_ns, each, ctx);
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
	default:
		break;
	}
}

/* Is it below at/, with a time that moves? */
static bool
is_moving(const struct node *dir, int64_t now_ns)
{
	const struct node *d = deciding(dir);
	int64_t t_ns;
	int moving;

	return d->kind == NODE_MOMENT && d->parent->kind == NODE_AT &&
	       (!moment_time(d, now_ns, &t_ns, &moving) || moving);
}

int64_t
tree_time(const struct picture *p, const struct node *dir, int64_t now_ns)
{
	const struct history_listing *l = p->listing;
	size_t s = tree_points_source(p, dir);
	int64_t t_ns = p->newest_ns;

	if (is_moving(dir, now_ns))
		return now_ns;
	if (s != HISTORY_NONE) {
		size_t end = l->sources[s].first_point + l->sources[s].n_points;

		t_ns = l->points[end - 1].time_ns;
	}
	return t_ns > p->changed_ns ? t_ns : p->changed_ns;
}

char *
tree_link_target(const struct picture *p, const struct node *dir, size_t point)
{
	const char *name = p->listing->points[point].name;

	return xasprintf(
		"%s%s", dir->kind == NODE_SOURCE ? "snapshots/" : "", name);
}
