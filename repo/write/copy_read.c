/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repo/write/copy_read.h"

#include <errno.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/format/entry.h"

static bool
add_found(void *ctx, const struct view_dirent *d)
{
	struct copy_dir *dir = ctx;
	struct copy_entry *f = &dir->batch[dir->n++];

	f->attr = d->attr;
	f->name_len = d->name_len;
	f->name_at = dir->names.len;
	buf_append(&dir->names, d->name, d->name_len);
	buf_append(&dir->names, "", 1);
	dir->next = d->next;
	return dir->n < COPY_BATCH;
}

struct copy_dir *
copy_dir_new(struct view *view, uint64_t node)
{
	struct copy_dir *d = xmalloc(sizeof(*d));

	d->view = view;
	d->node = node;
	d->next = 0;
	d->ended = !view;
	d->names = (struct buf)BUF_INIT;
	d->n = d->i = 0;
	return d;
}

void
copy_dir_free(struct copy_dir *d)
{
	buf_release(&d->names);
	free(d);
}

int
copy_dir_peek(struct copy_dir *d, const struct copy_entry **f, struct err *e)
{
	int r;

	*f = NULL;
	if (d->i == d->n && !d->ended) {
		d->i = d->n = d->names.len = 0;
		r = view_list(d->view, d->node, d->next, add_found, d, e);
		d->ended = d->n < COPY_BATCH;
		if (r) {
			d->ended = true;
			return r;
		}
	}
	if (d->i < d->n)
		*f = &d->batch[d->i];
	return 0;
}

const char *
copy_dir_name(const struct copy_dir *d, const struct copy_entry *f)
{
	return (const char *)d->names.data + f->name_at;
}

const struct copy_entry *
copy_dir_find(struct copy_dir *d, const char *name, size_t len)
{
	const struct copy_entry *f;

	while (!copy_dir_peek(d, &f, NULL) && f) {
		size_t n = f->name_len < len ? f->name_len : len;
		int c = memcmp(copy_dir_name(d, f), name, n);

		if (!c)
			c = f->name_len < len ? -1 : f->name_len > len;
		if (c >= 0)
			return c ? NULL : f;
		d->i++;
	}
	return NULL;
}

static bool
add_extent(void *ctx, const struct view_extent *x)
{
	struct copy_extents *xs = ctx;

	xs->batch[xs->n++] = *x;
	xs->next = x->off + x->len;
	return xs->n < n_elements(xs->batch);
}

int
copy_extents_peek(struct copy_extents *xs, const struct view_extent **x, struct err *e)
{
	int r;

	*x = NULL;
	if (xs->i == xs->n && !xs->ended && xs->view) {
		xs->i = xs->n = 0;
		r = view_extents(xs->view, xs->node, xs->next, add_extent, xs,
			e);
		xs->ended = r || xs->n < n_elements(xs->batch);
		if (r)
			return r;
	}
	if (xs->i < xs->n)
		*x = &xs->batch[xs->i];
	return 0;
}

const struct view_extent *
copy_extents_find(struct copy_extents *xs, uint64_t off)
{
	const struct view_extent *x;

	while (!copy_extents_peek(xs, &x, NULL) && x) {
		if (x->off >= off)
			return x->off == off ? x : NULL;
		xs->i++;
	}
	return NULL;
}

/* -- Extended attributes -------------------------------------------------------- */

struct xattrs {
	struct view *view;
	uint64_t node;
	char names[XATTRS_LEN_MAX];
	uint8_t values[XATTRS_LEN_MAX];
	const char *name[XATTRS_MAX];
	const void *value[XATTRS_MAX];
	size_t len[XATTRS_MAX];
	size_t n;
};

static int
read_xattrs(struct xattrs *x, struct err *e)
{
	ssize_t got, n = view_xattr_list(x->view, x->node, x->names,
		sizeof(x->names), e);
	size_t used = 0;

	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(x->names + at) + 1) {
		if (x->n == XATTRS_MAX || used == sizeof(x->values))
			return err_set(e, E2BIG,
				"too many extended attributes");
		got = view_xattr_get(x->view, x->node, x->names + at,
			x->values + used, sizeof(x->values) - used, e);
		if (got < 0)
			return (int)got;
		x->name[x->n] = x->names + at;
		x->value[x->n] = x->values + used;
		x->len[x->n++] = (size_t)got;
		used += (size_t)got;
	}
	return n < 0 ? (int)n : 0;
}

/* Few have any; they are sorted by whoever wrote them, but maybe not by others. */
static void
sort_xattrs(struct xattrs *x)
{
	for (size_t i = 1; i < x->n; i++) {
		for (size_t k = i; k && strcmp(x->name[k - 1], x->name[k]) > 0;
			k--) {
			const char *name = x->name[k];
			const void *value = x->value[k];
			size_t len = x->len[k];

			x->name[k] = x->name[k - 1];
			x->value[k] = x->value[k - 1];
			x->len[k] = x->len[k - 1];
			x->name[k - 1] = name;
			x->value[k - 1] = value;
			x->len[k - 1] = len;
		}
	}
}

int
copy_dir_xattrs(struct view *view, uint64_t node, struct buf *out, struct err *e)
{
	auto_free struct xattrs *x = xmalloc(sizeof(*x));
	int r;

	x->view = view;
	x->node = node;
	x->n = 0;
	r = read_xattrs(x, e);
	if (r)
		return r;
	sort_xattrs(x);
	if (x->n)
		xattrs_encode(out, x->name, x->value, x->len, x->n);
	return out->len > XATTRS_LEN_MAX
		       ? err_set(e, E2BIG, "too many extended attributes")
		       : 0;
}
