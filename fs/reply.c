/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include "repo/base/buf.h"
#include "repo/base/clock.h"
#include "fs/acl.h"
#include "fs/numbers.h"
#include "fs/reply.h"
#include "fs/tree_versions.h"

#define BLOCK 4096
#define ACL_SIZE_MAX 65536

static struct timespec
to_timespec(int64_t t_ns)
{
	struct timespec ts = { .tv_sec = t_ns / NS_PER_S,
		.tv_nsec = t_ns % NS_PER_S };

	if (ts.tv_nsec < 0) {
		ts.tv_sec--;
		ts.tv_nsec += NS_PER_S;
	}
	return ts;
}

static void
set_times(struct stat *st, struct timespec mtime, struct timespec ctime_)
{
	st->st_mtim = mtime;
	st->st_atim = mtime;
	st->st_ctim = ctime_;
}

static void
fill_stat(uint64_t key, const struct view_attr *a, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = numbers_inode(key, a->ino);
	st->st_mode = a->mode;
	st->st_nlink = a->nlink;
	st->st_uid = a->uid;
	st->st_gid = a->gid;
	st->st_rdev = a->rdev;
	st->st_size = (off_t)a->size;
	st->st_blksize = BLOCK;
	st->st_blocks = (blkcnt_t)a->blocks;
	set_times(st, a->mtime, a->ctime);
}

/* The kernel checks modes but not ACLs, and this node may have one. */
static bool
narrows_groups(const struct mount *m, const struct view_attr *a)
{
	return a->has_xattrs && m->modes_enforced && !m->acls_enforced;
}

static void
narrow_group(struct call *c, const struct view_attr *a, struct stat *st)
{
	auto_free char *acl = xmalloc(ACL_SIZE_MAX);
	ssize_t n = view_xattr_get(
		c->view, a->node, ACL_ACCESS, acl, ACL_SIZE_MAX, NULL);

	if (n != -ENODATA)
		st->st_mode =
			acl_narrow(st->st_mode, acl, n > 0 ? (size_t)n : 0);
}

void
reply_view_attr(struct call *c, const struct view_attr *a, struct stat *st)
{
	fill_stat(c->node->key, a, st);
	if (narrows_groups(c->m, a) && !S_ISLNK(a->mode))
		narrow_group(c, a, st);
}

void
reply_view_entry(
	struct call *c, const struct view_attr *a, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = mount_nodeid(c->m, c->node, a->node);
	e->generation = c->node->generation;
	e->attr_timeout = REPLY_FOREVER;
	e->entry_timeout = REPLY_FOREVER;
	reply_view_attr(c, a, &e->attr);
}

void
reply_root_attr(const struct mount *m, uint64_t key,
	const struct history_point *pt, struct stat *st)
{
	fill_stat(key, &pt->root, st);
	if (narrows_groups(m, &pt->root)) /* whatever its ACL may say */
		st->st_mode &= ~(mode_t)S_IRWXG;
	if (pt->damaged || !S_ISDIR(st->st_mode)) {
		/* nothing is known but that it was there */
		st->st_mode = S_IFDIR | 0500;
		st->st_nlink = 2;
		set_times(
			st, to_timespec(pt->time_ns), to_timespec(pt->time_ns));
	}
}

void
reply_version_attr(const struct mount *m, uint64_t key,
	const struct view_attr *a, struct stat *st)
{
	fill_stat(key, a, st);
	if (narrows_groups(m, a) && !S_ISLNK(a->mode))
		st->st_mode &= ~(mode_t)S_IRWXG;
}

/*
 * The kernel keeps listings for as long as their directory's time is the same.
 * Nothing tells when moments have come or gone, which they do with a refresh.
 */
static int64_t
virtual_time(const struct call *c, const struct node *n)
{
	int64_t t_ns;

	if (n->text)
		return n->time_ns;
	t_ns = tree_time(c->picture, n, clock_wall_ns());
	if ((n->kind == NODE_POINTS || n->kind == NODE_DAY) &&
		c->m->refreshed_ns > t_ns)
		return c->m->refreshed_ns;
	return t_ns;
}

/* A directory of versions is entered by nobody whom one of the directories that
 * it stands for would keep out. */
static void
restrict_access(const struct call *c, const struct node *n, struct stat *st)
{
	struct node_access access = n->access;

	if (!c->m->modes_enforced ||
		(n->kind == NODE_VERSIONS &&
			!tree_versions_access(c->picture, n, &access)) ||
		!access.some)
		return;
	st->st_mode = S_IFDIR | access.mode;
	st->st_uid = access.uid;
	st->st_gid = access.gid;
}

void
reply_virtual_attr(struct call *c, const struct node *n, struct stat *st)
{
	struct timespec t;

	memset(st, 0, sizeof(*st));
	st->st_ino = n->ino;
	st->st_nlink = 1; /* of a directory: not told */
	st->st_uid = geteuid();
	st->st_gid = getegid();
	st->st_blksize = BLOCK;
	st->st_mode = S_IFDIR | 0555;
	if (n->kind == NODE_LINK)
		st->st_mode = S_IFLNK | 0777;
	else if (n->kind == NODE_TEXT)
		st->st_mode = S_IFREG | 0444;
	st->st_size = (off_t)n->text_len;
	restrict_access(c, n, st);
	t = to_timespec(virtual_time(c, n));
	set_times(st, t, t);
}

static double
attr_timeout(const struct tree_child *child)
{
	switch (child->kind) {
	case NODE_TREE:
	case NODE_LINK:
	case NODE_TEXT:
		return REPLY_FOREVER;
	default:
		return REPLY_SHORT;
	}
}

static double
entry_timeout(const struct tree_child *child)
{
	if (child->kind == NODE_TEXT)
		return 0;
	if (child->passing)
		return REPLY_SHORT;
	return child->asked ? REPLY_ASKED : REPLY_FOREVER;
}

int
reply_enter(struct call *c, struct node *dir, const struct tree_child *child,
	struct node **n, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	*n = mount_enter(c->m, c->picture, dir, child);
	if (!*n)
		return err_set(&c->e, ENFILE, "all node numbers are in use");
	e->ino = mount_nodeid(c->m, *n, (*n)->base);
	e->generation = (*n)->generation;
	e->attr_timeout = attr_timeout(child);
	e->entry_timeout = entry_timeout(child);
	if (child->is_version)
		reply_version_attr(
			c->m, (*n)->key, &child->version, &e->attr);
	else if (child->kind == NODE_TREE)
		reply_root_attr(c->m, (*n)->key,
			tree_child_point(c->picture, child), &e->attr);
	else
		reply_virtual_attr(c, *n, &e->attr);
	return 0;
}

void
reply_bare(struct call *c, const struct tree_child *child,
	struct fuse_entry_param *e)
{
	const struct history_listing *l = c->picture->listing;
	const struct history_point *pt = tree_child_point(c->picture, child);

	memset(e, 0, sizeof(*e)); /* no node: the kernel takes the name alone */
	e->attr.st_mode = child->kind == NODE_LINK ? S_IFLNK : S_IFDIR;
	if (!pt)
		e->attr.st_ino = numbers_virtual(c->node->ino, child->name);
	else if (child->is_moment)
		e->attr.st_ino = numbers_inode(
			numbers_of_moment(&l->sources[pt->source], pt),
			VIEW_ROOT);
	else
		e->attr.st_ino =
			numbers_inode(numbers_of_snapshot(pt), VIEW_ROOT);
}

bool
reply_dir_add(struct reply_dir *d, const char *name,
	const struct fuse_entry_param *e, uint64_t next)
{
	char *at = d->buf + d->used;
	size_t left = d->size - d->used;
	size_t n;

	if (d->plus)
		n = fuse_add_direntry_plus(
			d->c->req, at, left, name, e, (off_t)next);
	else
		n = fuse_add_direntry(
			d->c->req, at, left, name, &e->attr, (off_t)next);
	if (n > left)
		return false;
	d->used += n;
	return true;
}
