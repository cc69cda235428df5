/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a node lies in the store: the record and the pages that lead to it,
 * and the frames of what is in it. */
#include <sys/stat.h>
#include <errno.h>
#include "repo/format/object.h"
#include "repo/native/view.h"

struct telling {
	void (*each)(void *ctx, const struct view_place *p);
	void *ctx;
};

static void
tell(void *ctx, const struct ref *r)
{
	const struct telling *t = ctx;
	char object[OBJECT_NAME_MAX];
	const struct view_place p = {
		.object = object, .off = r->place.off, .len = r->place.len
	};

	object_pack_name(object, r->place.object, r->place.pack);
	t->each(t->ctx, &p);
}

/* The tree, whose maps tell of their pages. */
static struct tree
telling_tree(const struct native_view *v, struct telling *t)
{
	struct tree tree = v->tree;

	tree.passed = tell;
	tree.passed_ctx = t;
	return tree;
}

static int
tell_way(struct native_view *v, uint64_t node, struct telling *t, struct err *e)
{
	const struct view_place record = { .object = v->object,
		.len = UINT64_MAX };
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	struct tree tree = telling_tree(v, t);

	if (v->object)
		t->each(t->ctx, &record);
	return tree_locate(&tree, node, &tn, e);
}

/* Every page of a directory: from leaf to leaf, each from the root down. */
static int
tell_directory(struct native_view *v, const struct tree_node *tn,
	struct telling *t, struct err *e)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	struct tree tree = telling_tree(v, t);
	struct map m;
	uint64_t next = 0;
	int r = 0;

	if (!tree_map(&tree, tn, &m))
		return 0;
	while (r == 0) {
		r = map_find_position(&m, next, &at, e);
		if (r == 0)
			next = at.n_before + at.leaf->page->n;
	}
	return r == -ENOENT ? 0 : r;
}

/* root: of the map of a file's extents. */
static int
tell_extents(struct native_view *v, const struct entry *en,
	const struct ref *root, struct telling *t, struct err *e)
{
	struct map m = { .pages = v->tree.pages,
		.kind = MAP_EXTENTS,
		.ref = root,
		.span = en->size };
	auto_map_at struct map_at at = MAP_AT_INIT;
	int r;

	m.passed = tell;
	m.passed_ctx = t;
	r = map_find_offset(&m, 0, &at, e);
	while (r == 0) {
		if (!map_at_extent(&at)->hole)
			tell(t, &map_at_extent(&at)->ref);
		r = map_next(&m, &at, e);
	}
	return r == -ENOENT ? 0 : r;
}

static int
tell_own(struct native_view *v, const struct tree_node *tn, struct telling *t,
	struct err *e)
{
	const struct entry *en = tn->entry;
	int r;

	if (en->xattrs_ref)
		tell(t, en->xattrs_ref);
	if (en->interior) {
		r = tell_extents(v, en, en->interior, t, e);
		if (r)
			return r;
	}
	if (en->content == CONTENT_CHUNK)
		tell(t, &en->ref);
	if (en->content != CONTENT_MAP)
		return 0;
	return S_ISDIR(en->mode) ? tell_directory(v, tn, t, e)
				 : tell_extents(v, en, &en->ref, t, e);
}

int
native_view_places(struct view *view, uint64_t node, enum view_part part,
	void (*each)(void *ctx, const struct view_place *p), void *ctx,
	struct err *e)
{
	struct native_view *v = native_view_of(view);
	struct telling t = { .each = each, .ctx = ctx };
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = native_view_locate(v, node, &tn, e);

	if (r)
		return r;
	r = part == VIEW_WAY ? tell_way(v, node, &t, e)
			     : tell_own(v, &tn, &t, e);
	return r ? native_view_error(v, node, r, e) : 0;
}
