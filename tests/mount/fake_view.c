/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "tests/mount/fake_tree.h"

struct fake_view {
	struct view view;
	const struct fake_tree *tree;
	char point[7];
};

/* user::rw- user:1000:rwx group::r-- mask::rwx other::--- */
static const unsigned char acl_value[] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255,
	255, 255, 2, 0, 7, 0, 232, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16,
	0, 7, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };

static const char *
pattern(void)
{
	static char bytes[FAKE_PATTERN + 4096];

	if (bytes[1] == 0) {
		uint32_t x = 1;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			x = x * 1664525 + 1013904223;
			bytes[i % FAKE_PATTERN] = (char)(x >> 24 | 1);
		}
		memcpy(bytes + FAKE_PATTERN, bytes, 4096);
	}
	return bytes;
}

static const struct fake_node *
node_at(struct view *v, uint64_t node, struct err *e)
{
	const struct fake_tree *t = ((struct fake_view *)v)->tree;

	if (node >= t->n) {
		err_set(e, ENOENT, "no node %lu", node);
		return NULL;
	}
	return &t->nodes[node];
}

static int
broken(const struct fake_node *n, struct err *e)
{
	return err_set(e, EBADMSG, "object fake/%s does not verify", n->name);
}

static int
fake_attr(struct view *v, uint64_t node, struct view_attr *a, struct err *e)
{
	const struct fake_node *n = node_at(v, node, e);

	if (!n)
		return -ENOENT;
	*a = n->attr;
	return 0;
}

/* The child after `child` (0: the first) of dir, or 0. */
static uint64_t
next_child(const struct fake_tree *t, uint64_t dir, uint64_t child)
{
	uint64_t next = child ? child + 1 + t->nodes[child].entries : dir + 1;

	return next <= dir + t->nodes[dir].entries ? next : 0;
}

static int
fake_lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *a, struct err *e)
{
	const struct fake_tree *t = ((struct fake_view *)v)->tree;
	uint64_t c;

	for (c = next_child(t, dir, 0); c; c = next_child(t, dir, c)) {
		const char *s = t->nodes[c].name;

		if (strlen(s) == len && memcmp(s, name, len) == 0)
			return fake_attr(v, c, a, e);
	}
	return err_set(e, ENOENT, "%s: no such entry", name);
}

static int
fake_list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	const struct fake_tree *t = ((struct fake_view *)v)->tree;
	uint64_t c = from ? from : next_child(t, dir, 0);

	if (!S_ISDIR(t->nodes[dir].attr.mode))
		return err_set(e, ENOTDIR, "not a directory");
	while (c && c < t->n && t->nodes[c].parent == dir) {
		const struct fake_node *n = &t->nodes[c];
		struct view_dirent d = { .name = n->name,
			.name_len = strlen(n->name),
			.next = c + 1 + n->entries,
			.attr = n->attr };

		if (t->nodes[dir].kind == FAKE_FAILS && c >= dir + 6)
			return broken(&t->nodes[dir], e);
		if (!each(ctx, &d))
			return 0;
		c = d.next;
	}
	return 0;
}

static int
fake_parent(struct view *v, uint64_t node, uint64_t *parent, struct err *e)
{
	const struct fake_node *n = node_at(v, node, e);

	if (!n)
		return -ENOENT;
	*parent = n->parent;
	return 0;
}

/* Where the byte at off lies in memory, and how many follow it there. */
static const char *
content(struct view *v, const struct fake_node *n, uint64_t off, size_t *len)
{
	static const char zeros[FAKE_PATTERN];
	uint64_t in_block = off % FAKE_PATTERN;
	size_t most = FAKE_PATTERN - in_block;

	if (n->kind == FAKE_POINT)
		return ((struct fake_view *)v)->point + off;
	if (n->kind == FAKE_PIECES)
		most = most < 1000 ? most : 1000;
	*len = *len < most ? *len : most;
	if (n->kind == FAKE_SPARSE &&
		off / FAKE_PATTERN * FAKE_PATTERN != FAKE_DATA)
		return zeros;
	return pattern() + n->attr.ino % 4096 + in_block;
}

static int
fake_read(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	const struct fake_node *n = node_at(v, node, e);

	if (!n)
		return -ENOENT;
	if (n->kind == FAKE_FAILS)
		return broken(n, e);
	if (off > n->attr.size)
		off = n->attr.size;
	if (len > n->attr.size - off)
		len = n->attr.size - off;
	while (len > 0 && data->n < VIEW_DATA_PIECES) {
		size_t piece = len;
		const char *at = content(v, n, off, &piece);

		data->iov[data->n].iov_base = (void *)(uintptr_t)at;
		data->iov[data->n++].iov_len = piece;
		data->len += piece;
		off += piece;
		len -= piece;
	}
	return 0;
}

static ssize_t
fake_readlink(
	struct view *v, uint64_t node, char *out, size_t size, struct err *e)
{
	const struct fake_node *n = node_at(v, node, e);

	if (n && n->kind == FAKE_FAILS)
		return broken(n, e);
	if (!n || !n->target || size < n->attr.size)
		return err_set(e, EINVAL, "not a symlink");
	memcpy(out, n->target, n->attr.size);
	return (ssize_t)n->attr.size;
}

static int
fake_seek(struct view *v, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e)
{
	const struct fake_node *n = node_at(v, node, e);
	bool sparse = n && n->kind == FAKE_SPARSE;
	uint64_t end = FAKE_DATA + FAKE_PATTERN;

	if (!n || off >= n->attr.size)
		return err_set(e, ENXIO, "past the end");
	*found = off;
	if (whence == SEEK_HOLE && !sparse)
		*found = n->attr.size;
	if (whence == SEEK_HOLE && sparse && off >= FAKE_DATA && off < end)
		*found = end;
	if (whence == SEEK_DATA && sparse && off < FAKE_DATA)
		*found = FAKE_DATA;
	if (whence == SEEK_DATA && sparse && off >= end)
		return err_set(e, ENXIO, "no data");
	return 0;
}

static ssize_t
give(const void *from, size_t len, void *to, size_t size)
{
	if (size == 0)
		return (ssize_t)len;
	if (size < len)
		return -ERANGE;
	memcpy(to, from, len);
	return (ssize_t)len;
}

static ssize_t
fake_xattr_get(struct view *v, uint64_t node, const char *name, void *value,
	size_t size, struct err *e)
{
	const struct fake_node *n = node_at(v, node, e);
	bool acls = ((struct fake_view *)v)->tree->acls;

	if (n && n->kind == FAKE_XATTRS && strcmp(name, "user.colour") == 0)
		return give("red", 3, value, size);
	if (n && n->kind == FAKE_XATTRS && acls &&
		strcmp(name, "system.posix_acl_access") == 0)
		return give(acl_value, sizeof(acl_value), value, size);
	return err_set(e, ENODATA, "no attribute %s", name);
}

static ssize_t
fake_xattr_list(
	struct view *v, uint64_t node, char *names, size_t size, struct err *e)
{
	static const char all[] = "user.colour\0system.posix_acl_access";
	const struct fake_node *n = node_at(v, node, e);
	bool acls = ((struct fake_view *)v)->tree->acls;

	if (!n || n->kind != FAKE_XATTRS)
		return 0;
	return give(all, acls ? sizeof(all) : 12, names, size);
}

static int
fake_totals(struct view *v, uint64_t dir, struct view_totals *t, struct err *e)
{
	const struct fake_node *n = node_at(v, dir, e);

	if (!n || !S_ISDIR(n->attr.mode))
		return err_set(e, ENOTDIR, "not a directory");
	*t = ((struct fake_view *)v)->tree->totals;
	if (dir != VIEW_ROOT)
		t->entries = n->entries;
	return 0;
}

static int
fake_extents(struct view *v, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	(void)v, (void)node, (void)from, (void)each, (void)ctx;
	return err_set(e, EOPNOTSUPP, "fake files lie nowhere");
}

static int
fake_neighbours(struct view *v, uint64_t node, int max,
	void (*each)(void *ctx, uint64_t node, const void *data, size_t len),
	void *ctx)
{
	const struct fake_tree *t = ((struct fake_view *)v)->tree;
	uint64_t dir = t->nodes[node].parent;
	int n = 0;

	while (n < max && (node = next_child(t, dir, node))) {
		const struct fake_node *f = &t->nodes[node];
		size_t len = f->attr.size;

		if (!S_ISREG(f->attr.mode) || f->kind != FAKE_PLAIN ||
			f->attr.size > FAKE_PATTERN)
			continue;
		each(ctx, node, content(v, f, 0, &len), len);
		n++;
	}
	return n;
}

static void
fake_free(struct view *v)
{
	free(v);
}

static const struct view_ops fake_ops = {
	.attr = fake_attr,
	.lookup = fake_lookup,
	.list = fake_list,
	.parent = fake_parent,
	.read = fake_read,
	.readlink = fake_readlink,
	.seek = fake_seek,
	.xattr_get = fake_xattr_get,
	.xattr_list = fake_xattr_list,
	.totals = fake_totals,
	.extents = fake_extents,
	.neighbours = fake_neighbours,
	.free = fake_free,
};

struct view *
fake_tree_open(const struct fake_tree *t, unsigned int point)
{
	struct fake_view *v = xcalloc(1, sizeof(*v));

	v->view.ops = &fake_ops;
	v->view.refs = 1;
	v->tree = t;
	snprintf(v->point, sizeof(v->point), "%05u\n", point % 100000);
	pattern();
	return &v->view;
}
