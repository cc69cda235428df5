/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs/tree_versions.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "repo/base/buf.h"
#include "fs/answers.h"
#include "fs/tree_moments.h"
#include "fs/tree_points.h"
#include "fs/version_name.h"

/* Positions of names begin behind those of all snapshots. */
#define FIRST_NAME ((1ULL << 62) + 4)

bool
tree_versions_of(const struct picture *p, size_t source)
{
	return source != HISTORY_NONE && !tree_moments_of(p, source);
}

/* -- Paths -------------------------------------------------------------------- */

static void
append_path(const struct node *dir, struct buf *path)
{
	if (dir->kind == NODE_VERSIONS)
		return;
	append_path(dir->parent, path);
	if (dir->kind != NODE_VERSIONS_PATH)
		return;
	buf_printf(path, "%s%s", path->len > 0 ? "/" : "", dir->name);
}

/* The path that a directory stands for, and below it, unless NULL, name; "" is
 * the root.  Given. */
static char *
path_of(const struct node *dir, const char *name)
{
	auto_buf struct buf path = BUF_INIT;

	append_path(dir, &path);
	if (name)
		buf_printf(&path, "%s%s", path.len > 0 ? "/" : "", name);
	buf_zeros(&path, 1);
	return (char *)buf_steal(&path, NULL);
}

static struct versions_query
query_of(const struct picture *p, size_t source, const char *path,
	enum versions_of of)
{
	return (struct versions_query){ .history = p->history,
		.listing = p->listing,
		.source = source,
		.path = path,
		.of = of,
		.views = answers_views(p->answers) };
}

/* -- Who may enter ------------------------------------------------------------ */

/* Narrow it to who may enter a directory as well. */
static void
narrow(struct node_access *access, const struct view_attr *a)
{
	mode_t mode = a->mode & 0555;

	if (!access->some) {
		*access = (struct node_access){ .some = true,
			.mode = 0555,
			.uid = a->uid,
			.gid = a->gid };
	} else if (a->uid != access->uid || a->gid != access->gid) {
		access->mode &= 0500;
		if (a->uid != access->uid)
			access->uid = geteuid();
	}
	if (a->has_xattrs) /* whatever its ACL may say */
		mode &= 0500;
	access->mode &= mode;
}

bool
tree_versions_access(const struct picture *p, const struct node *dir,
	struct node_access *access)
{
	size_t s = tree_points_source(p, dir);
	const struct history_source *source;

	*access = (struct node_access){ .some = false };
	if (s == HISTORY_NONE)
		return false;
	source = &p->listing->sources[s];
	for (uint32_t i = 0; i < source->n_points; i++) {
		const struct history_point *pt =
			&p->listing->points[source->first_point + i];

		if (!pt->damaged)
			narrow(access, &pt->root);
	}
	return access->some;
}

static void
narrow_all(struct node_access *access, const struct versions *vs)
{
	for (size_t i = 0; i < vs->n; i++) {
		if (S_ISDIR(vs->v[i].attr.mode))
			narrow(access, &vs->v[i].attr);
	}
}

/* -- Finding ------------------------------------------------------------------ */

static void
describe_version(const struct picture *p, size_t source,
	const struct version *v, struct tree_child *child)
{
	child->kind = NODE_TREE;
	child->point = p->listing->sources[source].first_point + v->point;
	child->is_version = true;
	child->version = v->attr;
	child->asked = true;
}

/* A version by its name, listed or not. */
static int
find_version(const struct picture *p, size_t source, const char *path,
	const char *name, struct tree_child *child, struct err *e)
{
	struct versions_query q = query_of(p, source, path, VERSIONS_OF_ALL);
	auto_answer struct answer *a = NULL;
	char time[HISTORY_TIME_MAX + 1];
	const struct version *v;
	size_t i;
	int r;

	if (!version_name_parse(name, path, time))
		return -ENOENT;
	i = history_find_name(p->listing, source, time);
	if (i == HISTORY_NONE)
		return -ENOENT;
	r = answers_get(p->answers, &q, false, &a, e);
	if (r != 0)
		return r;
	v = answer_version(a,
		(uint32_t)(i - p->listing->sources[source].first_point));
	if (!v || (strchr(name, '.') && !S_ISREG(v->attr.mode)))
		return -ENOENT;
	describe_version(p, source, v, child);
	return 0;
}

/* Whether the directory at a path ever had a name: what its list of names
 * says, the newest snapshot, or the list once it has been made. */
static int
look_below(const struct picture *p, size_t source, const char *dir,
	const char *name, const char *path, struct err *e)
{
	struct versions_query of_dir =
		query_of(p, source, dir, VERSIONS_OF_NAMES);
	struct versions_query of_path =
		query_of(p, source, path, VERSIONS_OF_NAMES);
	auto_answer struct answer *a = answers_peek(p->answers, &of_dir, true);
	int r = 0;

	if (!a && versions_is_there(&of_path))
		return 0;
	if (!a)
		r = answers_get(p->answers, &of_dir, true, &a, e);
	if (r != 0 || answer_has_name(a, name))
		return r;
	if (a->names.all)
		return -ENOENT;
	answer_put(steal(a));
	r = answers_get(p->answers, &of_path, false, &a, e);
	return r == 0 && a->vs.n == 0 ? -ENOENT : r;
}

/* The directory of a path. */
static int
find_path(const struct picture *p, const struct node *dir, size_t source,
	const char *path, const char *name, struct tree_child *child,
	struct err *e)
{
	auto_free char *below = path_of(dir, name);
	struct versions_query q =
		query_of(p, source, below, VERSIONS_OF_NAMES);
	auto_answer struct answer *a = NULL;
	int r = look_below(p, source, path, name, below, e);

	if (r == 0 && p->modes_enforced)
		r = answers_get(p->answers, &q, false, &a, e);
	if (r != 0)
		return r;
	child->kind = NODE_VERSIONS_PATH;
	child->asked = true;
	if (a)
		narrow_all(&child->access, &a->vs);
	return 0;
}

int
tree_versions_find(const struct picture *p, const struct node *dir,
	const char *name, struct tree_child *child, struct err *e)
{
	size_t s = tree_points_source(p, dir);
	auto_free char *path = NULL;
	int r;

	if (!tree_versions_of(p, s))
		return -ENOENT;
	path = path_of(dir, NULL);
	r = find_version(p, s, path, name, child, e);
	if (r != -ENOENT || dir->kind == NODE_VERSIONS_LIST)
		return r;
	if (strcmp(name, TREE_VERSIONS_LIST) != 0)
		return find_path(p, dir, s, path, name, child, e);
	child->kind = NODE_VERSIONS_LIST;
	return 0;
}

/* -- Listing ------------------------------------------------------------------ */

struct listing {
	const struct picture *p;
	size_t source;
	const char *path;
	bool directories; /* those are listed, too */
	uint64_t from;
	tree_each *each;
	void *ctx;
};

/* False: enough. */
static bool
list_version(const struct listing *l, const struct version *v)
{
	struct tree_child child = TREE_CHILD_INIT;
	char name[VERSION_NAME_SIZE];
	const struct history_point *pt;
	uint64_t after;

	describe_version(l->p, l->source, v, &child);
	pt = &l->p->listing->points[child.point];
	after = tree_points_after(pt);
	if (after <= l->from || !tree_points_is_component(pt->name))
		return true;
	version_name_print(name, pt, &v->attr, l->path);
	child.name = name;
	return l->each(l->ctx, &child, after);
}

/* False: enough. */
static bool
list_versions(const struct listing *l, const struct answer *a)
{
	for (size_t i = 0; i < a->vs.n; i++) {
		const struct version *v = &a->vs.v[i];

		if (v->attr.mode == 0 || v->again ||
			(S_ISDIR(v->attr.mode) && !l->directories))
			continue;
		if (!list_version(l, v))
			return false;
	}
	return true;
}

/* A name that a version here has as well is left to the version. */
static bool
is_hidden(const struct listing *l, const char *name)
{
	struct tree_child child = TREE_CHILD_INIT;

	return strcmp(name, TREE_VERSIONS_LIST) == 0 ||
	       find_version(
		       l->p, l->source, l->path, name, &child, NULL) == 0;
}

/* Names are listed bare: there may be very many, and what each is, who wants to
 * know looks up. */
static void
list_names(const struct listing *l, const struct answer *a)
{
	uint64_t i = l->from > FIRST_NAME ? l->from - FIRST_NAME : 0;

	for (; i < a->names.n; i++) {
		struct tree_child child = TREE_CHILD_INIT;

		child.kind = NODE_VERSIONS_PATH;
		child.name = a->names.bytes + a->names.at[i];
		child.bare = true;
		if (tree_points_is_component(child.name) &&
			!is_hidden(l, child.name) &&
			!l->each(l->ctx, &child, FIRST_NAME + i + 1))
			return;
	}
}

static bool
was_ever(const struct answer *a, bool directory)
{
	for (size_t i = 0; i < a->vs.n; i++) {
		mode_t mode = a->vs.v[i].attr.mode;

		if (mode != 0 && S_ISDIR(mode) == directory)
			return true;
	}
	return false;
}

static int
list_all(const struct listing *l, bool *go_on, struct err *e)
{
	struct versions_query q =
		query_of(l->p, l->source, l->path, VERSIONS_OF_ALL);
	auto_answer struct answer *a = NULL;
	int r = answers_get(l->p->answers, &q, false, &a, e);

	*go_on = r == 0 && list_versions(l, a);
	return r;
}

static int
list_path(const struct listing *l, struct err *e)
{
	struct versions_query q =
		query_of(l->p, l->source, l->path, VERSIONS_OF_NAMES);
	auto_answer struct answer *a = NULL;
	bool go_on = true;
	int r = answers_get(l->p->answers, &q, false, &a, e);

	if (r == 0 && l->from < FIRST_NAME && was_ever(a, false))
		r = list_all(l, &go_on, e);
	if (r != 0 || !go_on || !was_ever(a, true))
		return r;
	answer_put(steal(a));
	r = answers_get(l->p->answers, &q, true, &a, e);
	if (r == 0)
		list_names(l, a);
	return r;
}

int
tree_versions_list(const struct picture *p, const struct node *dir,
	uint64_t from, tree_each *each, void *ctx, struct err *e)
{
	struct listing l = { .p = p,
		.source = tree_points_source(p, dir),
		.directories = dir->kind == NODE_VERSIONS_LIST,
		.from = from,
		.each = each,
		.ctx = ctx };
	auto_free char *path = NULL;
	bool go_on;

	if (!tree_versions_of(p, l.source))
		return 0;
	l.path = path = path_of(dir, NULL);
	return l.directories ? list_all(&l, &go_on, e) : list_path(&l, e);
}
