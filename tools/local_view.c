/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node is an index into a table of (parent, name); its path is put together
 * from there and opened in one step beneath the root, symlinks refused.
 */
#include "tools/local_view.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"
#include "tools/resolve.h"

struct local_node {
	uint64_t parent;
	char *name;
};

struct local_view {
	struct view view;
	int root_fd;
	char *path;
	pthread_mutex_t lock;
	struct local_node *nodes;
	uint64_t n, cap;
};

static struct local_view *
local(struct view *v)
{
	return (struct local_view *)v;
}

static uint64_t
add_node(struct local_view *v, uint64_t parent, const char *name)
{
	auto_lock(&v->lock);
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 256;
		v->nodes = xrealloc(v->nodes, v->cap * sizeof(*v->nodes));
	}
	v->nodes[v->n] = (struct local_node){ parent, xstrdup(name) };
	return v->n++;
}

/* Append the path of a node below the root, terminated. */
static void
node_path(struct local_view *v, uint64_t node, struct buf *out)
{
	auto_buf struct buf chain = BUF_INIT;

	auto_lock(&v->lock);
	for (; node != VIEW_ROOT && node < v->n; node = v->nodes[node].parent)
		buf_append(&chain, &node, sizeof(node));
	for (size_t at = chain.len; at > 0; at -= sizeof(node)) {
		memcpy(&node, chain.data + at - sizeof(node), sizeof(node));
		buf_printf(
			out, "%s%s", out->len ? "/" : "", v->nodes[node].name);
	}
	if (!out->len)
		buf_append(out, ".", 1);
	buf_append(out, "", 1);
}

/* Open a node; names it in the error. */
static int
open_node(struct local_view *v, uint64_t node, int flags, struct err *e)
{
	auto_buf struct buf path = BUF_INIT;
	int fd;

	node_path(v, node, &path);
	fd = resolve_open_path(v->root_fd, (char *)path.data, flags, 0);
	if (fd < 0)
		return err_sys(e, -fd, "%s/%s", v->path, (char *)path.data);
	return fd;
}

static void
fill_attr(const struct stat *st, uint64_t node, struct view_attr *a)
{
	*a = (struct view_attr){
		.node = node,
		.ino = st->st_ino & ((1ULL << 39) - 1),
		.size = (uint64_t)st->st_size,
		.blocks = (uint64_t)st->st_blocks,
		.rdev = st->st_rdev,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.nlink = (uint32_t)st->st_nlink,
		.has_xattrs = true, /* whoever asks will see */
	};
}

static int
local_attr(struct view *v, uint64_t node, struct view_attr *attr, struct err *e)
{
	auto_close int fd = open_node(local(v), node, O_PATH | O_NOFOLLOW, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", local(v)->path);
	fill_attr(&st, node, attr);
	return 0;
}

static int
local_lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *attr, struct err *e)
{
	auto_close int fd = open_node(local(v), dir, O_PATH | O_DIRECTORY, e);
	auto_free char *copy = strndup(name, len);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstatat(fd, copy, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "%s", copy);
	fill_attr(&st, add_node(local(v), dir, copy), attr);
	return 0;
}

/* -- Listing --------------------------------------------------------------- */

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
is_entry(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int
local_list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	auto_close int fd = open_node(local(v), dir, O_RDONLY | O_DIRECTORY, e);
	struct dirent **names = NULL;
	bool more = true;
	int n;

	if (fd < 0)
		return fd;
	n = scandirat(fd, ".", &names, is_entry, by_name);
	if (n < 0)
		return err_sys(e, errno, "%s: cannot list", local(v)->path);
	for (int i = 0; i < n; i++) {
		struct view_dirent d = { .name = names[i]->d_name,
			.next = (uint64_t)i + 1 };
		struct stat st;

		if (more && (uint64_t)i >= from &&
			fstatat(fd, d.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			d.name_len = strlen(d.name);
			fill_attr(
				&st, add_node(local(v), dir, d.name), &d.attr);
			more = each(ctx, &d);
		}
		free(names[i]);
	}
	free(names);
	return 0;
}

static int
local_parent(struct view *v, uint64_t node, uint64_t *parent, struct err *e)
{
	struct local_view *l = local(v);

	(void)e;
	auto_lock(&l->lock);
	*parent = node < l->n ? l->nodes[node].parent : VIEW_ROOT;
	return 0;
}

/* -- Content ----------------------------------------------------------------
 */

static int
local_read(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	auto_close int fd = open_node(local(v), node, O_RDONLY | O_NOFOLLOW, e);
	char *bytes;
	ssize_t n;

	if (fd < 0)
		return fd;
	bytes = xmalloc(len);
	n = pread(fd, bytes, len, (off_t)off);
	if (n < 0) {
		free(bytes);
		return err_sys(e, errno, "%s: cannot read", local(v)->path);
	}
	*data = (struct view_data){
		.n = 1, .len = (size_t)n, .release_owner = free
	};
	data->iov[0] = (struct iovec){ bytes, (size_t)n };
	data->owner[0] = bytes;
	return 0;
}

static ssize_t
local_readlink(
	struct view *v, uint64_t node, char *out, size_t size, struct err *e)
{
	auto_close int fd = open_node(local(v), node, O_PATH | O_NOFOLLOW, e);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", out, size);
	return n < 0 ? err_sys(e, errno, "%s: a symlink", local(v)->path) : n;
}

static int
local_seek(struct view *v, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e)
{
	auto_close int fd = open_node(local(v), node, O_RDONLY | O_NOFOLLOW, e);
	off_t at;

	if (fd < 0)
		return fd;
	at = lseek(fd, (off_t)off, whence);
	if (at < 0)
		return err_sys(e, errno, "%s: cannot seek", local(v)->path);
	*found = (uint64_t)at;
	return 0;
}

/* -- Extended attributes: by way of /proc, which works for any kind ---------
 */

static ssize_t
local_xattr_get(struct view *v, uint64_t node, const char *name, void *value,
	size_t size, struct err *e)
{
	auto_close int fd = open_node(local(v), node, O_PATH | O_NOFOLLOW, e);
	char proc[RESOLVE_PROC_MAX];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = getxattr(resolve_proc_path(proc, fd), name, value, size);
	return n < 0 ? err_sys(e, errno, "%s: %s", local(v)->path, name) : n;
}

static ssize_t
local_xattr_list(
	struct view *v, uint64_t node, char *names, size_t size, struct err *e)
{
	auto_close int fd = open_node(local(v), node, O_PATH | O_NOFOLLOW, e);
	char proc[RESOLVE_PROC_MAX];
	ssize_t n;

	if (fd < 0)
		return fd;
	n = listxattr(resolve_proc_path(proc, fd), names, size);
	return n < 0 ? err_sys(e, errno, "%s: attributes", local(v)->path) : n;
}

static int
local_totals(struct view *v, uint64_t dir, struct view_totals *t, struct err *e)
{
	(void)dir;
	*t = (struct view_totals){ .entries = 0 };
	return err_set(
		e, EOPNOTSUPP, "%s: no totals of a directory", local(v)->path);
}

static int
local_extents(struct view *v, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	(void)node, (void)from, (void)each, (void)ctx;
	return err_set(e, EOPNOTSUPP, "%s: not in a store", local(v)->path);
}

static void
local_free(struct view *v)
{
	struct local_view *l = local(v);

	for (uint64_t i = 0; i < l->n; i++)
		free(l->nodes[i].name);
	free(l->nodes);
	free(l->path);
	close(l->root_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static const struct view_ops ops = {
	.attr = local_attr,
	.lookup = local_lookup,
	.list = local_list,
	.parent = local_parent,
	.read = local_read,
	.readlink = local_readlink,
	.seek = local_seek,
	.xattr_get = local_xattr_get,
	.xattr_list = local_xattr_list,
	.totals = local_totals,
	.extents = local_extents,
	.free = local_free,
};

int
local_view_open(const char *path, struct view **v, struct err *e)
{
	struct local_view *l;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	l = xcalloc(1, sizeof(*l));
	l->view = (struct view){ .ops = &ops, .refs = 1 };
	l->root_fd = fd;
	l->path = xstrdup(path);
	pthread_mutex_init(&l->lock, NULL);
	add_node(l, VIEW_ROOT, "");
	*v = &l->view;
	return 0;
}
