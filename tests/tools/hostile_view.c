/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/tools/hostile_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"

struct hostile {
	struct view view;
	const struct hostile_entry *entries;
	size_t n;
};

static const struct hostile_entry *
entry(struct view *v, uint64_t node)
{
	struct hostile *h = (struct hostile *)v;

	return node >= 1 && node <= h->n ? &h->entries[node - 1] : NULL;
}

static int
attr(struct view *v, uint64_t node, struct view_attr *a, struct err *e)
{
	const struct hostile_entry *en = entry(v, node);
	size_t len = en && en->content ? strlen(en->content) : 0;

	*a = (struct view_attr){
		.node = node, .mode = S_IFDIR | 0755, .nlink = 1, .ino = node
	};
	if (node == VIEW_ROOT)
		return 0;
	if (!en)
		return err_set(e, ENOENT, "no such node");
	a->mode = en->mode;
	a->size = en->size ? en->size : len;
	a->blocks = (len + 511) / 512;
	a->nlink = en->nlink ? en->nlink : 1;
	a->ino = en->ino ? en->ino : node;
	a->has_xattrs = en->xattr != NULL;
	return 0;
}

static int
list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	struct hostile *h = (struct hostile *)v;
	const struct hostile_entry *self = entry(v, dir);

	if (self && self->list_as)
		dir = self->list_as;
	for (uint64_t i = from; i < h->n; i++) {
		const struct hostile_entry *en = &h->entries[i];
		struct view_dirent d = { .name = en->name, .next = i + 1 };

		if (en->parent != dir)
			continue;
		d.name_len = en->name_len ? en->name_len : strlen(en->name);
		if (attr(v, i + 1, &d.attr, e) < 0)
			return -e->code;
		if (!each(ctx, &d))
			return 0;
	}
	return 0;
}

static int
read_content(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	const struct hostile_entry *en = entry(v, node);
	size_t have = en && en->content ? strlen(en->content) : 0;
	union {
		const char *given;
		void *wanted;
	} u = { .given = en && en->content ? en->content + off : "" };

	(void)e;
	if (en && en->before_read)
		en->before_read();
	if (off >= have)
		return 0; /* nothing, although the size says otherwise */
	*data = (struct view_data){ .n = 1,
		.len = have - off < len ? have - off : len };
	data->iov[0] = (struct iovec){ u.wanted, data->len };
	return 0;
}

static ssize_t
read_link(struct view *v, uint64_t node, char *out, size_t size, struct err *e)
{
	const struct hostile_entry *en = entry(v, node);
	size_t len = strlen(en->content);

	(void)e;
	memcpy(out, en->content, len < size ? len : size);
	return (ssize_t)len;
}

static int
seek(struct view *v, uint64_t node, uint64_t off, int whence, uint64_t *found,
	struct err *e)
{
	struct view_attr a;

	attr(v, node, &a, e);
	*found = whence == SEEK_DATA ? off : a.size;
	return 0;
}

static ssize_t
xattr_get(struct view *v, uint64_t node, const char *name, void *value,
	size_t size, struct err *e)
{
	(void)v, (void)node, (void)name, (void)e;
	if (size >= 5)
		memcpy(value, "value", 5);
	return 5;
}

static ssize_t
xattr_list(
	struct view *v, uint64_t node, char *names, size_t size, struct err *e)
{
	const struct hostile_entry *en = entry(v, node);
	size_t len = strlen(en->xattr) + 1;

	(void)e;
	if (size >= len)
		memcpy(names, en->xattr, len);
	return (ssize_t)len;
}

static void
free_view(struct view *v)
{
	free(v);
}

static const struct view_ops ops = {
	.attr = attr,
	.list = list,
	.read = read_content,
	.readlink = read_link,
	.seek = seek,
	.xattr_get = xattr_get,
	.xattr_list = xattr_list,
	.free = free_view,
};

struct view *
hostile_view(const struct hostile_entry *entries, size_t n)
{
	struct hostile *h = xcalloc(1, sizeof(*h));

	h->view = (struct view){ .ops = &ops, .refs = 1 };
	h->entries = entries;
	h->n = n;
	return &h->view;
}
