/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/address.h"
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "fs/root.h"

/* Enter the node called name in dir, to stay. */
static int
descend(struct mount *m, const struct picture *p, struct node **dir,
	const char *name, struct err *e)
{
	struct tree_child child;
	int rc = tree_find(p, *dir, name, clock_wall_ns(), &child, e);

	if (rc == -ENOENT)
		return err_set(
			e, ENOENT, "%s cannot be a directory's name", name);
	if (rc != 0)
		return rc;
	*dir = mount_enter(m, p, *dir, &child);
	return *dir ? 0 : err_set(e, ENFILE, "no node number is left");
}

static int
enter_source(
	struct mount *m, const struct picture *p, size_t source, struct err *e)
{
	const struct history_source *s = &p->listing->sources[source];
	int rc;

	m->root = nodes_top(m->nodes);
	rc = descend(m, p, &m->root, "sources", e);
	if (rc == 0)
		rc = descend(m, p, &m->root, s->host, e);
	if (rc == 0)
		rc = descend(m, p, &m->root, s->name, e);
	m->scope.host = m->root && rc == 0 ? m->root->parent->name : NULL;
	m->scope.name = m->scope.host ? m->root->name : NULL;
	return rc;
}

static int
enter_path(struct mount *m, const struct picture *p, const char *path,
	struct err *e)
{
	struct view_attr a = { .node = VIEW_ROOT, .mode = S_IFDIR };
	auto_view struct view *v = NULL;
	int rc = views_open(m->views, p, m->root, &v, e);

	if (rc == 0)
		rc = view_resolve(v, path, &a, e);
	if (rc == 0 && !S_ISDIR(a.mode))
		rc = err_set(e, ENOTDIR,
			"%s is not a directory: only one can be mounted", path);
	if (rc == 0)
		rc = view_totals(v, a.node, &m->scope.tree, e);
	if (rc != 0)
		return rc;
	m->scope.one_tree = true;
	m->scope.tree.has_xattrs |= a.has_xattrs;
	m->scope.tree.has_acl |= a.has_xattrs;
	m->root_at = a.node;
	return 0;
}

/* From its source's directory to a point's. */
static int
enter_point(struct mount *m, const struct picture *p,
	const struct history_point *pt, struct err *e)
{
	const struct history_generation *g =
		&p->listing->generations[pt->generation];
	bool snapshot = history_moment_snapshot(p->listing, pt) != HISTORY_NONE;
	auto_free char *day = xasprintf("%.10s", pt->name);
	const char *const moment[] = { "generations", g->name, "points", day,
		pt->name + 11, NULL };
	const char *const listed[] = { "snapshots", pt->name, NULL };
	int rc = 0;

	for (const char *const *name = snapshot ? listed : moment;
		rc == 0 && *name; name++)
		rc = descend(m, p, &m->root, *name, e);
	return rc;
}

static int
enter_tree(struct mount *m, const struct picture *p, const char *text,
	struct err *e)
{
	struct address_space in = { m->history, p->listing, address_host(),
		clock_wall_ns() };
	struct address a;
	int rc = address_find(&in, text, &a, e);

	if (rc == 0)
		rc = enter_source(m, p, a.source, e);
	if (rc == 0)
		rc = enter_point(m, p, &a.point, e);
	if (rc == 0)
		rc = enter_path(m, p, a.path, e);
	return rc;
}

int
root_resolve(struct mount *m, const char *address, struct err *e)
{
	auto_picture struct picture *p = mount_picture(m);
	size_t source;

	if (!address) {
		m->root = nodes_top(m->nodes);
		return 0;
	}
	if (address_find_source(
		    p->listing, address, address_host(), &source, NULL) == 0)
		return enter_source(m, p, source, e);
	return enter_tree(m, p, address, e);
}
