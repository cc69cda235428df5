/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls through a view's table, and what is the same for every view. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/view.h"

struct view *
view_get(struct view *v)
{
	v->refs++;
	return v;
}

void
view_put(struct view *v)
{
	if (v && --v->refs == 0)
		v->ops->free(v);
}

int
view_attr(struct view *v, uint64_t node, struct view_attr *attr, struct err *e)
{
	return v->ops->attr(v, node, attr, e);
}

int
view_lookup(struct view *v, uint64_t dir, const char *name, size_t len,
	struct view_attr *attr, struct err *e)
{
	return v->ops->lookup(v, dir, name, len, attr, e);
}

int
view_list(struct view *v, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	return v->ops->list(v, dir, from, each, ctx, e);
}

int
view_parent(struct view *v, uint64_t node, uint64_t *parent, struct err *e)
{
	return v->ops->parent(v, node, parent, e);
}

int
view_read(struct view *v, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	return v->ops->read(v, node, off, len, data, e);
}

bool
view_is_scattered(struct view *v, uint64_t node, size_t len)
{
	return v->ops->is_scattered && v->ops->is_scattered(v, node, len);
}

ssize_t
view_readlink(
	struct view *v, uint64_t node, char *out, size_t size, struct err *e)
{
	return v->ops->readlink(v, node, out, size, e);
}

int
view_seek(struct view *v, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e)
{
	return v->ops->seek(v, node, off, whence, found, e);
}

ssize_t
view_xattr_get(struct view *v, uint64_t node, const char *name, void *value,
	size_t size, struct err *e)
{
	return v->ops->xattr_get(v, node, name, value, size, e);
}

ssize_t
view_xattr_list(
	struct view *v, uint64_t node, char *names, size_t size, struct err *e)
{
	return v->ops->xattr_list(v, node, names, size, e);
}

int
view_totals(struct view *v, uint64_t dir, struct view_totals *t, struct err *e)
{
	return v->ops->totals(v, dir, t, e);
}

int
view_extents(struct view *v, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	return v->ops->extents(v, node, from, each, ctx, e);
}

struct extent_places {
	void (*each)(void *ctx, const struct view_place *p);
	void *ctx;
};

static bool
tell_extent(void *ctx, const struct view_extent *x)
{
	const struct extent_places *t = ctx;
	const struct view_place p = {
		.object = x->object, .off = x->object_off, .len = x->object_len
	};

	if (*x->object)
		t->each(t->ctx, &p);
	return true;
}

int
view_places(struct view *v, uint64_t node, enum view_part part,
	void (*each)(void *ctx, const struct view_place *p), void *ctx,
	struct err *e)
{
	struct extent_places t = { .each = each, .ctx = ctx };
	int r;

	if (v->ops->places)
		return v->ops->places(v, node, part, each, ctx, e);
	if (part == VIEW_WAY)
		return 0;
	r = view_extents(v, node, 0, tell_extent, &t, e);
	return r == -EISDIR || r == -EINVAL ? 0 : r;
}

int
view_neighbours(struct view *v, uint64_t node, int max,
	void (*each)(void *ctx, uint64_t node, const void *data, size_t len),
	void *ctx)
{
	if (!v->ops->neighbours)
		return 0;
	return v->ops->neighbours(v, node, max, each, ctx);
}

void
view_at_random(struct view *v, uint64_t node,
	bool (*each)(void *ctx, uint64_t off, const void *data, size_t len),
	void *ctx)
{
	if (v->ops->at_random)
		v->ops->at_random(v, node, each, ctx);
}

int
view_check(struct view *v, uint64_t node, struct view_check **c, struct err *e)
{
	*c = NULL;
	return v->ops->check ? v->ops->check(v, node, c, e) : 0;
}

void
view_check_add(struct view_check *c, const void *data, size_t len)
{
	c->ops->add(c, data, len);
}

int
view_check_end(struct view_check *c, struct err *e)
{
	return c->ops->end(c, e);
}

int
view_pour(struct view *v, uint64_t node, struct view_sink *s, struct err *e)
{
	return v->ops->pour ? v->ops->pour(v, node, s, e)
			    : err_set(e, EOPNOTSUPP, "it has to be read");
}

int
view_mark(struct view *v, uint64_t node, struct view_mark *m, struct err *e)
{
	memset(m, 0, sizeof(*m));
	return v->ops->mark ? v->ops->mark(v, node, m, e) : 0;
}

void
view_about(struct view *v, struct view_about *a)
{
	*a = (struct view_about){ .path = "" };
	if (v->ops->about)
		v->ops->about(v, a);
}

void
view_data_release(struct view_data *data)
{
	for (int i = 0; i < data->n; i++) {
		if (data->owner[i])
			data->release_owner(data->owner[i]);
	}
	data->n = 0;
	data->len = 0;
}

/* One step of view_resolve: from the directory in attr to its entry name,
 * which ends `end` bytes into the path. */
static int
step(struct view *v, const char *path, size_t end, size_t len,
	struct view_attr *attr, struct err *e)
{
	const char *name = path + end - len;

	if (len == 2 && memcmp(name, "..", 2) == 0)
		return err_set(e, EINVAL, "%s: .. is not allowed", path);
	if (!S_ISDIR(attr->mode)) {
		return err_set(e, ENOTDIR, "%.*s: not below a directory",
			(int)end, path);
	}
	int r = view_lookup(v, attr->node, name, len, attr, e);
	if (r == -ENOENT) {
		return err_set(e, ENOENT, "%.*s: no such file or directory",
			(int)end, path);
	}
	return r;
}

int
view_resolve(
	struct view *v, const char *path, struct view_attr *attr, struct err *e)
{
	int r = view_attr(v, VIEW_ROOT, attr, e);

	for (size_t at = 0; r == 0 && path[at];) {
		size_t len = strcspn(path + at, "/");
		size_t end = at + len;

		if (len > 0 && !(len == 1 && path[at] == '.'))
			r = step(v, path, end, len, attr, e);
		at = end + (path[end] == '/');
	}
	return r;
}
