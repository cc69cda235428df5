/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "repo/base/clock.h"
#include "fs/interrupt.h"
#include "fs/ops.h"
#include "fs/reply.h"

/* "No such name", which in a tree holds for ever. */
static void
answer_none(struct call *c, bool for_ever)
{
	struct fuse_entry_param none = { .ino = 0,
		.entry_timeout = REPLY_FOREVER };

	if (for_ever)
		fuse_reply_entry(c->req, &none);
	else
		fuse_reply_err(c->req, ENOENT);
}

/* A name of a virtual directory; false: there is none. */
static bool
lookup_virtual(struct call *c, struct node *dir, const char *name)
{
	struct fuse_entry_param e;
	struct tree_child child;
	struct node *n;
	int rc;

	interrupt_begin(c->req);
	rc = tree_find(c->picture, dir, name, clock_wall_ns(), &child, &c->e);
	if (rc == -ENOENT)
		return false;
	if (rc == 0)
		rc = reply_enter(c, dir, &child, &n, &e);
	if (rc != 0)
		call_fail(c, rc);
	else if (fuse_reply_entry(c->req, &e) != 0)
		nodes_forget(c->m->nodes, n, 1);
	return true;
}

/*
 * .yore/ is where it can be found whatever part of the namespace is mounted;
 * listed only where it is at home.
 */
static bool
lookup_own(struct call *c, const char *name)
{
	bool at_root = c->node == c->m->root && c->at == c->m->root_at;

	return at_root && strcmp(name, ".yore") == 0 &&
	       lookup_virtual(c, nodes_top(c->m->nodes), name);
}

static void
lookup_in_tree(struct call *c, const char *name)
{
	struct fuse_entry_param e;
	struct view_attr a;
	int rc = call_view(c);

	if (rc == 0)
		rc = view_lookup(c->view, c->at, name, strlen(name), &a, &c->e);
	if (rc == -ENOENT) {
		if (!lookup_own(c, name))
			answer_none(c, true);
		return;
	}
	if (rc != 0) {
		call_fail(c, rc);
		return;
	}
	reply_view_entry(c, &a, &e);
	fuse_reply_entry(c->req, &e);
	if (!S_ISDIR(a.mode))
		names_looked_up(c);
}

/* Answer the entry of a node the kernel refers to by id alone (an NFS client
 * came back with a handle).  Not given: a reference of the kernel's. */
static void
answer_known(struct call *c, struct node *n, uint64_t at)
{
	struct call other = { .m = c->m,
		.req = c->req,
		.picture = c->picture,
		.node = n,
		.at = at };
	struct fuse_entry_param e = { .attr_timeout = 0 };
	struct view_attr a;
	int rc = 0;

	if (n->kind == NODE_TREE) {
		rc = call_view(&other);
		if (rc == 0)
			rc = view_attr(other.view, at, &a, &other.e);
		if (rc == 0)
			reply_view_entry(&other, &a, &e);
	} else {
		reply_virtual_attr(&other, n, &e.attr);
	}
	e.ino = mount_nodeid(c->m, n, at);
	e.generation = e.ino == FUSE_ROOT_ID ? 0 : n->generation;
	c->e = other.e;
	view_put(other.view);
	if (rc != 0) {
		call_fail(c, rc);
		return;
	}
	if (n->kind != NODE_TREE || at == n->base)
		nodes_lookup_again(c->m->nodes, n);
	fuse_reply_entry(c->req, &e);
}

static void
lookup_parent(struct call *c)
{
	uint64_t up = VIEW_ROOT;
	int rc = 0;

	if (c->node == c->m->root && c->at == c->m->root_at) {
		answer_known(c, c->node, c->at);
		return;
	}
	if (!call_is_tree(c) || c->at == c->node->base) {
		answer_known(c, c->node->parent, VIEW_ROOT);
		return;
	}
	rc = call_view(c);
	if (rc == 0)
		rc = view_parent(c->view, c->at, &up, &c->e);
	if (rc == 0)
		answer_known(c, c->node, up);
	else
		call_fail(c, rc);
}

void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	auto_call struct call c = CALL_INIT;

	if (!call_begin(&c, req, OP_LOOKUP, parent))
		return;
	if (strcmp(name, ".") == 0)
		answer_known(&c, c.node, c.at);
	else if (strcmp(name, "..") == 0)
		lookup_parent(&c);
	else if (strlen(name) > NAME_MAX) /* the kernel lets 1,024 through */
		fuse_reply_err(req, ENAMETOOLONG);
	else if (call_is_tree(&c))
		lookup_in_tree(&c, name);
	else if (!lookup_virtual(&c, c.node, name) && !lookup_own(&c, name))
		answer_none(&c, false);
}

/* Nodes inside trees are not counted: there is nothing to forget of them. */
static void
forget_one(struct mount *m, fuse_ino_t id, uint64_t lookups)
{
	bool inside = !(id & NODE_VIRTUAL) &&
		      (id & ((1ULL << NODE_SHIFT) - 1)) != VIEW_ROOT;
	uint64_t at;
	struct node *n;

	if (inside || id == FUSE_ROOT_ID)
		return;
	n = mount_node(m, id, &at);
	if (n)
		nodes_forget(m->nodes, n, lookups);
	nodes_put(m->nodes, n);
}

void
op_forget(fuse_req_t req, fuse_ino_t id, uint64_t lookups)
{
	struct fuse_forget_data one = { .ino = id, .nlookup = lookups };

	op_forget_multi(req, 1, &one);
}

void
op_forget_multi(fuse_req_t req, size_t n, struct fuse_forget_data *f)
{
	struct mount *m = fuse_req_userdata(req);

	int64_t began_ns = clock_mono_ns();

	metrics_begin(&m->metrics, OP_FORGET, began_ns);
	for (size_t i = 0; i < n; i++)
		forget_one(m, f[i].ino, f[i].nlookup);
	metrics_end(&m->metrics, OP_FORGET, clock_mono_ns() - began_ns);
	fuse_reply_none(req);
}

/* A slot's root is answered without opening it when its point is known. */
static int
getattr_in_tree(struct call *c, struct stat *st)
{
	const struct history_point *point = NULL;
	struct view_attr a;
	int rc;

	if (c->at == VIEW_ROOT)
		point = call_point(c);
	if (point) {
		reply_root_attr(c->m, c->node->key, point, st);
		return 0;
	}
	rc = call_view(c);
	if (rc == 0)
		rc = view_attr(c->view, c->at, &a, &c->e);
	if (rc == 0)
		reply_view_attr(c, &a, st);
	return rc;
}

void
op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
	auto_call struct call c = CALL_INIT;
	struct stat st;
	int rc = 0;

	(void)fi;
	if (!call_begin(&c, req, OP_GETATTR, id))
		return;
	if (call_is_tree(&c))
		rc = getattr_in_tree(&c, &st);
	else
		reply_virtual_attr(&c, c.node, &st);
	if (rc != 0)
		call_fail(&c, rc);
	else
		fuse_reply_attr(req, &st,
			call_is_tree(&c) || c.node->text ? REPLY_FOREVER
							 : REPLY_SHORT);
}

void
op_readlink(fuse_req_t req, fuse_ino_t id)
{
	auto_call struct call c = CALL_INIT;
	char target[PATH_MAX + 1];
	ssize_t n;

	if (!call_begin(&c, req, OP_READLINK, id))
		return;
	if (c.node->kind == NODE_LINK) {
		fuse_reply_readlink(req, c.node->text);
		return;
	}
	n = call_is_tree(&c) ? call_view(&c) : -EINVAL;
	if (n == 0)
		n = view_readlink(c.view, c.at, target, PATH_MAX, &c.e);
	if (n < 0) {
		call_fail(&c, (int)n);
		return;
	}
	target[n] = '\0';
	fuse_reply_readlink(req, target);
}
