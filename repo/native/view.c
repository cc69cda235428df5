/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>
#include <errno.h>
#include <inttypes.h>
#include "repo/native/behind.h"
#include "repo/native/view.h"

/* -- Errors ---------------------------------------------------------------- */

#define PATH_SHOWN_MAX 200

int
native_view_error(struct native_view *v, uint64_t node, int r, struct err *e)
{
	char path[PATH_SHOWN_MAX];

	if (!e)
		return r;
	tree_path(&v->tree, node, path, sizeof(path));
	err_prefix(e, "%s:%s", v->label, path);
	return r;
}

int
native_view_locate(struct native_view *v, uint64_t node, struct tree_node *tn,
	struct err *e)
{
	int r = tree_locate(&v->tree, node, tn, e);

	if (r == -ENOENT)
		return err_set(e, ENOENT, "%s has no node %" PRIu64, v->label,
			node);
	return r ? native_view_error(v, node, r, e) : 0;
}

/* Locate a directory. */
static int
locate_dir(struct native_view *v, uint64_t node, struct tree_node *tn,
	struct err *e)
{
	int r = native_view_locate(v, node, tn, e);

	if (r || S_ISDIR(tn->entry->mode))
		return r;
	err_set(e, ENOTDIR, "not a directory");
	return native_view_error(v, node, -ENOTDIR, e);
}

/* -- Attributes -------------------------------------------------------------- */

void
native_view_attr(const struct tree_node *tn, struct view_attr *a)
{
	const struct entry *en = tn->entry;

	*a = (struct view_attr){ .node = tn->node,
		.ino = en->link ? VIEW_INO_LINK | en->link : tn->node,
		.size = en->size,
		.blocks = en->blocks,
		.rdev = en->rdev,
		.mtime = { .tv_sec = en->mtime_s, .tv_nsec = en->mtime_ns },
		.ctime = { .tv_sec = en->ctime_s, .tv_nsec = en->ctime_ns },
		.mode = en->mode,
		.uid = en->uid,
		.gid = en->gid,
		.nlink = en->nlink,
		.has_xattrs = en->xattrs || en->xattrs_ref };
}

static int
attr(struct view *view, uint64_t node, struct view_attr *a, struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = native_view_locate(v, node, &tn, e);

	if (!r)
		native_view_attr(&tn, a);
	return r;
}

static int
lookup(struct view *view, uint64_t dir, const char *name, size_t len,
	struct view_attr *a, struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = locate_dir(v, dir, &tn, e);

	if (r)
		return r;
	r = tree_child(&v->tree, &tn, name, len, e);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "no such file or directory");
	if (r)
		return native_view_error(v, dir, r, e);
	native_view_attr(&tn, a);
	return 0;
}

static int
parent(struct view *view, uint64_t node, uint64_t *dir, struct err *e)
{
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = native_view_locate(native_view_of(view), node, &tn, e);

	*dir = tn.parent;
	return r;
}

static int
totals(struct view *view, uint64_t dir, struct view_totals *t, struct err *e)
{
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = locate_dir(native_view_of(view), dir, &tn, e);

	if (r)
		return r;
	*t = (struct view_totals){ .entries = tn.entry->totals.entries,
		.files = tn.entry->totals.files,
		.bytes = tn.entry->totals.bytes,
		.newest_ns = tn.entry->totals.newest_ns,
		.has_xattrs = tn.entry->totals.flags & TOTALS_XATTRS,
		.has_acl = tn.entry->totals.flags & TOTALS_ACL };
	return 0;
}

static ssize_t
readlink_(struct view *view, uint64_t node, char *out, size_t size,
	struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	int r = native_view_locate(v, node, &tn, e);
	size_t n;

	if (r)
		return r;
	if (!S_ISLNK(tn.entry->mode)) {
		err_set(e, EINVAL, "not a symlink");
		return native_view_error(v, node, -EINVAL, e);
	}
	n = tn.entry->size < size ? tn.entry->size : size;
	memcpy(out, tn.entry->data, n);
	return (ssize_t)n;
}

/* -- Listing ----------------------------------------------------------------- */

struct listing {
	struct native_view *v;
	struct map map;
	uint64_t dir;
	bool (*each)(void *ctx, const struct view_dirent *d);
	void *ctx;
};

/* Call the entries of one leaf from at on; false when the caller had enough. */
static bool
list_leaf(const struct listing *l, const struct map_at *at)
{
	const struct page *p = at->leaf->page;

	for (uint32_t i = at->i; i < p->n; i++) {
		const struct entry *en = &p->entries[i];
		struct tree_node tn = { .entry = en,
			.node = l->dir + 1 + at->nodes_before +
				p->nodes_before[i] };
		struct view_dirent d = { .name = (const char *)en->name,
			.name_len = en->name_len,
			.next = at->n_before + i + 1 };

		native_view_attr(&tn, &d.attr);
		if (!l->each(l->ctx, &d))
			return false;
	}
	return true;
}

static int
list_map(struct listing *l, uint64_t from, struct err *e)
{
	auto_map_at struct map_at at = MAP_AT_INIT;
	int r;

	if (from == 0)
		lookahead_list(&l->v->ahead, l->dir, &l->map);
	r = map_find_position(&l->map, from, &at, e);
	while (!r) {
		if (at.i == 0) {
			lookahead_leaf(&l->v->ahead, l->dir, &l->map, &at);
			behind_leaf(&l->map, &at, l->v->fetch);
		}
		if (!list_leaf(l, &at))
			return 0;
		from = at.n_before + at.leaf->page->n;
		r = map_find_position(&l->map, from, &at, e);
	}
	return r == -ENOENT ? 0 : r;
}

static int
list(struct view *view, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	struct native_view *v = native_view_of(view);
	auto_tree_node struct tree_node tn = TREE_NODE_INIT;
	struct listing l = { .v = v, .dir = dir, .each = each, .ctx = ctx };
	int r = locate_dir(v, dir, &tn, e);

	if (r || !tree_map(&v->tree, &tn, &l.map))
		return r;
	r = list_map(&l, from, e);
	return r ? native_view_error(v, dir, r, e) : 0;
}

/* -- Life ---------------------------------------------------------------------- */

static void
free_(struct view *view)
{
	struct native_view *v = native_view_of(view);
	void (*freed)(void *ctx) = v->freed;
	void *ctx = v->ctx;

	if (v->gone)
		v->gone(ctx, v);
	lookahead_release(&v->ahead);
	cached_page_put(v->root_page);
	record_release(&v->record);
	free(v->label);
	free(v->object);
	free(v);
	if (freed)
		freed(ctx);
}

static const struct view_ops ops = {
	.attr = attr,
	.lookup = lookup,
	.list = list,
	.parent = parent,
	.read = native_view_read,
	.readlink = readlink_,
	.seek = native_view_seek,
	.xattr_get = native_view_xattr_get,
	.xattr_list = native_view_xattr_list,
	.totals = totals,
	.extents = native_view_extents,
	.places = native_view_places,
	.neighbours = native_view_neighbours,
	.at_random = native_view_at_random,
	.mark = native_view_mark,
	.about = native_view_about,
	.free = free_,
};

int
native_view_new(const struct native_view_options *o, struct record *r,
	struct native_view **out, struct err *e)
{
	struct native_view *v = xcalloc(1, sizeof(*v));
	int rc = 0;

	v->view.ops = &ops;
	v->view.refs = 1;
	v->record = *r;
	memset(r, 0, sizeof(*r));
	v->label = xstrdup(o->label);
	v->object = o->object ? xstrdup(o->object) : NULL;
	v->fetch = o->fetch;
	if (v->record.root_page)
		rc = cached_page_new(v->record.root_page,
			v->record.root_page_len, &v->root_page, e);
	if (!rc && v->record.root.totals.entries >= 1ULL << VIEW_NODE_BITS)
		rc = err_set(e, EUCLEAN, "a snapshot has too many entries");
	v->tree = (struct tree){ .pages = o->pages,
		.root = &v->record.root,
		.root_page = v->root_page };
	v->interior.pages = o->pages;
	v->interior.fetch = o->fetch;
	v->interior.alone = INTERIOR_ALONE_FILE;
	lookahead_init(&v->ahead, &v->tree, o->fetch);
	if (rc) {
		if (e)
			err_prefix(e, "%s", v->label);
		view_put(&v->view);
		return rc;
	}
	v->gone = o->gone;
	v->freed = o->freed;
	v->ctx = o->ctx;
	*out = v;
	return 0;
}
