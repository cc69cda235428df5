/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two files over one content.  A read of NAME that touches bytes 18 and 19 is
 * answered with a copy of what lies before byte 20, and the rest as it came;
 * all others are passed through, but may not offer what lies before them in
 * memory as far as that.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/sqlite/database_view.h"

#define MAGIC "SQLite format 3" /* with its terminator 16 bytes */
#define WRITE_VERSION 18
#define READ_VERSION 19
#define HEAD 20 /* bytes up to and with the read version */
#define RAW ".raw"
#define PAGE_SIZE_NAME "user.yore.page_size"

struct database_view {
	struct view view;
	struct database *d;
};

static struct database *
database_of(struct view *v)
{
	return ((struct database_view *)v)->d;
}

static int
no_entry(const char *name, size_t len, struct err *e)
{
	return err_set(e, ENOENT, "%.*s: no such entry", (int)len, name);
}

/* -- The directory and its two files ------------------------------------- */

static void
fill_attr(const struct database *d, uint64_t node, struct view_attr *a)
{
	bool dir = node == VIEW_ROOT;

	*a = (struct view_attr){ .node = node,
		.ino = node,
		.size = dir ? 0 : d->size,
		.blocks = dir ? 0 : (d->size + 511) / 512,
		.mtime = d->mtime,
		.ctime = d->mtime,
		.mode = dir ? S_IFDIR | d->mode | (d->mode & 0444) >> 2
			    : S_IFREG | d->mode,
		.uid = d->uid,
		.gid = d->gid,
		.nlink = dir ? 2 : 1 };
}

static int
view_op_attr(struct view *v, uint64_t node, struct view_attr *a, struct err *e)
{
	if (node > DATABASE_RAW_NODE)
		return err_set(e, ENOENT, "no node %" PRIu64, node);
	fill_attr(database_of(v), node, a);
	return 0;
}

static int
need_file(uint64_t node, struct err *e)
{
	if (node == VIEW_ROOT)
		return err_set(e, EISDIR, "is a directory");
	if (node > DATABASE_RAW_NODE)
		return err_set(e, ENOENT, "no node %" PRIu64, node);
	return 0;
}

static int
need_directory(uint64_t node, struct err *e)
{
	return node == VIEW_ROOT ? 0 : err_set(e, ENOTDIR, "not a directory");
}

static int
view_op_lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *a, struct err *e)
{
	const struct database *d = database_of(v);
	size_t own = strlen(d->name), raw = own + strlen(RAW);
	int r = need_directory(dir, e);

	if (r < 0)
		return r;
	if ((len != own && len != raw) || memcmp(name, d->name, own) != 0)
		return no_entry(name, len, e);
	if (len == raw && memcmp(name + own, RAW, strlen(RAW)) != 0)
		return no_entry(name, len, e);
	fill_attr(d, len == own ? DATABASE_NODE : DATABASE_RAW_NODE, a);
	return 0;
}

static int
view_op_list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *de), void *ctx,
	struct err *e)
{
	const struct database *d = database_of(v);
	char raw[DATABASE_NAME_MAX + sizeof(RAW)];
	int r = need_directory(dir, e);

	if (r < 0)
		return r;
	snprintf(raw, sizeof(raw), "%s" RAW, d->name);
	for (uint64_t node = from + 1; node <= DATABASE_RAW_NODE; node++) {
		const char *name = node == DATABASE_NODE ? d->name : raw;
		struct view_dirent de = {
			.name = name, .name_len = strlen(name), .next = node
		};

		fill_attr(d, node, &de.attr);
		if (!each(ctx, &de))
			break;
	}
	return 0;
}

static int
view_op_parent(struct view *v, uint64_t node, uint64_t *parent, struct err *e)
{
	struct view_attr a;

	*parent = VIEW_ROOT;
	return view_op_attr(v, node, &a, e);
}

/* -- Content ------------------------------------------------------------- */

/* The first bytes of a database as NAME shows them, and what they need to be
 * told apart from the pieces of the database's own. */
struct piece {
	void (*release_owner)(void *owner); /* NULL: head is ours */
	void *owner;
	uint8_t head[HEAD];
};

static void
release_piece(void *owner)
{
	struct piece *p = owner;

	if (p->release_owner)
		p->release_owner(p->owner);
	free(p);
}

/* Owners become pieces, so that one of ours can be among them. */
static void
adopt(struct view_data *data)
{
	for (int i = 0; i < data->n; i++) {
		struct piece *p;

		if (!data->owner[i])
			continue;
		p = xcalloc(1, sizeof(*p));
		p->release_owner = data->release_owner;
		p->owner = data->owner[i];
		data->owner[i] = p;
	}
	data->release_owner = release_piece;
}

/* Drop `n` bytes from the beginning. */
static void
drop_front(struct view_data *data, size_t n)
{
	int gone = 0;

	data->len -= n;
	while (n > 0 && n >= data->iov[gone].iov_len) {
		n -= data->iov[gone].iov_len;
		if (data->owner[gone])
			data->release_owner(data->owner[gone]);
		gone++;
	}
	data->n -= gone;
	memmove(data->iov, data->iov + gone,
		(size_t)data->n * sizeof(*data->iov));
	memmove(data->owner, data->owner + gone,
		(size_t)data->n * sizeof(*data->owner));
	if (n > 0) {
		data->iov[0].iov_base = (char *)data->iov[0].iov_base + n;
		data->iov[0].iov_len -= n;
	}
}

static void
drop_last(struct view_data *data)
{
	int last = data->n - 1;

	if (data->owner[last])
		data->release_owner(data->owner[last]);
	data->len -= data->iov[last].iov_len;
	data->n = last;
	data->after = 0;
}

/* Put `n` bytes of a head, from `skip` on, before the others. */
static void
put_front(struct view_data *data, struct piece *p, size_t skip, size_t n)
{
	if (data->n == VIEW_DATA_PIECES)
		drop_last(data);
	memmove(data->iov + 1, data->iov, (size_t)data->n * sizeof(*data->iov));
	memmove(data->owner + 1, data->owner,
		(size_t)data->n * sizeof(*data->owner));
	data->iov[0].iov_base = p->head + skip;
	data->iov[0].iov_len = n;
	data->owner[0] = p;
	if (data->n++ == 0)
		data->after = 0;
	data->len += n;
	data->before = 0;
}

static void
gather(const struct view_data *data, uint8_t *out, size_t max)
{
	size_t at = 0;

	for (int i = 0; i < data->n && at < max; i++) {
		size_t n = data->iov[i].iov_len;

		if (n > max - at)
			n = max - at;
		memcpy(out + at, data->iov[i].iov_base, n);
		at += n;
	}
}

/* Say rollback journal where a header says write-ahead log. */
static void
patch(uint8_t head[HEAD])
{
	if (memcmp(head, MAGIC, sizeof(MAGIC)) != 0)
		return;
	if (head[WRITE_VERSION] == 2)
		head[WRITE_VERSION] = 1;
	if (head[READ_VERSION] == 2)
		head[READ_VERSION] = 1;
}

/* The first HEAD bytes of the database, as NAME shows them. */
static int
load_head(struct database *d, uint8_t head[HEAD], struct err *e)
{
	size_t have = 0;

	while (have < HEAD) {
		auto_view_data struct view_data data = VIEW_DATA_INIT;
		int r = d->ops->read(d, have, HEAD - have, &data, e);

		if (r < 0)
			return r;
		if (data.len == 0)
			return err_set(e, EIO, "%s: cannot be read", d->name);
		gather(&data, head + have, HEAD - have);
		have += data.len < HEAD - have ? data.len : HEAD - have;
	}
	patch(head);
	return 0;
}

/* A read of NAME that begins before byte HEAD, of a database longer than
 * that. */
static int
read_head(struct database *d, uint64_t off, size_t len, struct view_data *data,
	struct err *e)
{
	size_t n = HEAD - (size_t)off;
	struct piece *p;
	int r = d->ops->read(d, off, len, data, e);

	if (r < 0)
		return r;
	if (n > data->len)
		n = data->len;
	p = xcalloc(1, sizeof(*p));
	if (off == 0 && n == HEAD) {
		gather(data, p->head, HEAD);
		patch(p->head);
	} else {
		r = load_head(d, p->head, e);
	}
	if (r < 0) {
		free(p);
		view_data_release(data);
		return r;
	}
	adopt(data);
	drop_front(data, n);
	put_front(data, p, (size_t)off, n);
	return 0;
}

static int
view_op_read(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct database *d = database_of(v);
	int r = need_file(node, e);

	*data = (struct view_data)VIEW_DATA_INIT;
	if (r < 0 || off >= d->size)
		return r;
	if (len > d->size - off)
		len = (size_t)(d->size - off);
	if (len == 0)
		return 0;
	if (node == DATABASE_NODE && off < HEAD && d->size >= HEAD)
		return read_head(d, off, len, data, e);
	r = d->ops->read(d, off, len, data, e);
	if (r == 0 && node == DATABASE_NODE && data->before + HEAD > off)
		data->before = off < HEAD ? 0 : (size_t)(off - HEAD);
	return r;
}

static bool
view_op_is_scattered(struct view *v, uint64_t node, size_t len)
{
	struct database *d = database_of(v);

	return d->ops->is_scattered && node != VIEW_ROOT &&
	       d->ops->is_scattered(d, len < d->size ? len : d->size);
}

static ssize_t
view_op_readlink(
	struct view *v, uint64_t node, char *out, size_t size, struct err *e)
{
	(void)v, (void)node, (void)out, (void)size;
	return err_set(e, EINVAL, "not a symlink");
}

static int
view_op_seek(struct view *v, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e)
{
	const struct database *d = database_of(v);
	int r = need_file(node, e);

	if (r < 0)
		return r;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return err_set(e, EINVAL, "neither SEEK_DATA nor SEEK_HOLE");
	if (off >= d->size)
		return err_set(e, ENXIO, "past the end");
	*found = whence == SEEK_DATA ? off : d->size;
	return 0;
}

static int
view_op_extents(struct view *v, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	struct database *d = database_of(v);
	int r = need_file(node, e);

	if (r < 0)
		return r;
	if (!d->ops->extents)
		return err_set(e, EOPNOTSUPP,
			"%s: where its bytes lie is not known", d->name);
	return d->ops->extents(d, from, each, ctx, e);
}

/* -- Attributes, totals -------------------------------------------------- */

ssize_t
database_answer(const char *text, void *value, size_t size, struct err *e)
{
	size_t len = strlen(text);

	if (size > 0 && len > size)
		return err_set(e, ERANGE, "the attribute is longer");
	if (size > 0)
		memcpy(value, text, len);
	return (ssize_t)len;
}

static ssize_t
view_op_xattr_get(struct view *v, uint64_t node, const char *name, void *value,
	size_t size, struct err *e)
{
	struct database *d = database_of(v);
	char text[16];

	if (node == VIEW_ROOT || node > DATABASE_RAW_NODE)
		return err_set(e, ENODATA, "no such attribute");
	if (strcmp(name, PAGE_SIZE_NAME) == 0 && d->page_size > 0) {
		snprintf(text, sizeof(text), "%u", d->page_size);
		return database_answer(text, value, size, e);
	}
	if (!d->ops->xattr_get)
		return err_set(e, ENODATA, "no such attribute");
	return d->ops->xattr_get(d, name, value, size, e);
}

static ssize_t
view_op_xattr_list(
	struct view *v, uint64_t node, char *names, size_t size, struct err *e)
{
	(void)v, (void)node, (void)names, (void)size, (void)e;
	return 0;
}

void
database_view_root(
	const struct database *d, struct view_attr *a, struct view_totals *t)
{
	fill_attr(d, VIEW_ROOT, a);
	*t = (struct view_totals){ .entries = 2,
		.files = 2,
		.bytes = 2 * d->size,
		.newest_ns =
			d->mtime.tv_sec * 1000000000LL + d->mtime.tv_nsec };
}

static int
view_op_totals(
	struct view *v, uint64_t dir, struct view_totals *t, struct err *e)
{
	struct view_attr a;
	int r = need_directory(dir, e);

	if (r == 0)
		database_view_root(database_of(v), &a, t);
	return r;
}

static void
view_op_free(struct view *v)
{
	struct database *d = database_of(v);

	d->ops->free(d);
	free(v);
}

/* NAME has other bytes where it was patched. */
static int
view_op_check(struct view *v, uint64_t node, struct view_check **c,
	struct err *e)
{
	struct database *d = database_of(v);
	int r = need_file(node, e);

	*c = NULL;
	if (r < 0 || node != DATABASE_RAW_NODE || !d->ops->check)
		return r;
	return d->ops->check(d, c, e);
}

static int
view_op_pour(
	struct view *v, uint64_t node, struct view_sink *s, struct err *e)
{
	struct database *d = database_of(v);
	int r = need_file(node, e);

	if (r < 0)
		return r;
	if (node != DATABASE_RAW_NODE || !d->ops->pour)
		return err_set(e, EOPNOTSUPP, "%s: it has to be read", d->name);
	return d->ops->pour(d, s, e);
}

static const struct view_ops ops = {
	.attr = view_op_attr,
	.lookup = view_op_lookup,
	.list = view_op_list,
	.parent = view_op_parent,
	.read = view_op_read,
	.readlink = view_op_readlink,
	.seek = view_op_seek,
	.xattr_get = view_op_xattr_get,
	.xattr_list = view_op_xattr_list,
	.totals = view_op_totals,
	.check = view_op_check,
	.pour = view_op_pour,
	.is_scattered = view_op_is_scattered,
	.extents = view_op_extents,
	.free = view_op_free,
};

int
database_view_new(struct database *d, struct view **view, struct err *e)
{
	size_t len = strnlen(d->name, DATABASE_NAME_MAX + 1);
	struct database_view *v;

	if (len == 0 || len > DATABASE_NAME_MAX || strchr(d->name, '/') ||
		strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0) {
		err_set(e, EINVAL, "\"%s\" cannot be the name of a file",
			d->name);
		d->ops->free(d);
		return -EINVAL;
	}
	v = xcalloc(1, sizeof(*v));
	v->view.ops = &ops;
	v->view.refs = 1;
	v->d = d;
	*view = &v->view;
	return 0;
}
