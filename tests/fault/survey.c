/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fault/survey.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>
#include "repo/base/auto.h"
#include "repo/base/buf.h"

#define LIST_MAX 65536
#define READ_LEN (128u << 10)

struct names {
	char **names;
	struct view_attr *attrs;
	size_t n;
};

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct survey_item *)a)->path,
		((const struct survey_item *)b)->path);
}

/* -- What belongs to a path ------------------------------------------------ */

static void
add_attr(struct buf *b, const struct view_attr *a)
{
	bool dir = S_ISDIR(a->mode);
	uint64_t values[] = { a->mode, a->uid, a->gid, dir ? 0 : a->size,
		dir ? 0 : a->nlink, a->rdev, (uint64_t)a->mtime.tv_sec,
		(uint64_t)a->mtime.tv_nsec, (uint64_t)a->ctime.tv_sec,
		(uint64_t)a->ctime.tv_nsec };

	buf_append(b, values, sizeof(values));
}

static int
add_xattrs(struct buf *b, struct view *v, uint64_t node, struct err *e)
{
	auto_free char *list = xmalloc(LIST_MAX), *value = xmalloc(LIST_MAX);
	ssize_t len = view_xattr_list(v, node, list, LIST_MAX, e), n = 0;
	const char *names[64];
	size_t k = 0;

	if (len < 0)
		return (int)len;
	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(list + at) + 1) {
		if (k == n_elements(names))
			return err_set(e, E2BIG, "more attributes than made");
		names[k++] = list + at;
	}
	qsort(names, k, sizeof(*names), by_text);
	for (size_t i = 0; i < k && n >= 0; i++) {
		n = view_xattr_get(v, node, names[i], value, LIST_MAX, e);
		buf_append(b, names[i], strlen(names[i]) + 1);
		if (n > 0)
			buf_append(b, value, (size_t)n);
	}
	return n < 0 ? (int)n : 0;
}

static int
add_content(
	struct buf *b, struct view *v, const struct view_attr *a, struct err *e)
{
	for (uint64_t off = 0; off < a->size;) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int r = view_read(v, a->node, off, READ_LEN, &d, e);

		if (r)
			return r;
		if (d.len == 0 || d.len > a->size - off)
			return err_set(e, E2BIG, "a read of %zu bytes", d.len);
		for (int i = 0; i < d.n; i++)
			buf_append(b, d.iov[i].iov_base, d.iov[i].iov_len);
		off += d.len;
	}
	return 0;
}

static int
add_target(struct buf *b, struct view *v, uint64_t node, struct err *e)
{
	char target[4096];
	ssize_t n = view_readlink(v, node, target, sizeof(target), e);

	if (n > 0)
		buf_append(b, target, (size_t)n);
	return n < 0 ? (int)n : 0;
}

/* -- Walking --------------------------------------------------------------- */

static struct survey_item *
add_item(struct survey *s, const char *path)
{
	s->items = xrealloc(s->items, (s->n + 1) * sizeof(*s->items));
	s->items[s->n] = (struct survey_item){ .path = xstrdup(path) };
	return &s->items[s->n++];
}

static void
set_error(struct survey *s, struct survey_item *it, int r, const struct err *e)
{
	if (it->error)
		return;
	it->error = r;
	it->why = xstrdup(e->text);
	s->errors++;
}

static bool
add_name(void *ctx, const struct view_dirent *d)
{
	struct names *l = ctx;

	l->names = xrealloc(l->names, (l->n + 1) * sizeof(*l->names));
	l->attrs = xrealloc(l->attrs, (l->n + 1) * sizeof(*l->attrs));
	l->names[l->n] = strndup(d->name, d->name_len);
	l->attrs[l->n++] = d->attr;
	return true;
}

static void take(struct survey *s, struct view *v, const char *path,
	const struct view_attr *a);

static void
take_below(struct survey *s, struct view *v, const char *path, uint64_t dir)
{
	size_t self = s->n - 1;
	struct names l = { .n = 0 };
	struct err e = ERR_INIT;
	int r = view_list(v, dir, 0, add_name, &l, &e);

	if (r) {
		set_error(s, &s->items[self], r, &e);
		s->items[self].unlisted = true;
	}
	for (size_t i = 0; i < l.n; i++) {
		auto_free char *below = xasprintf(
			"%s%s%s", path, path[1] ? "/" : "", l.names[i]);

		take(s, v, below, &l.attrs[i]);
		free(l.names[i]);
	}
	free(l.names);
	free(l.attrs);
}

static void
take(struct survey *s, struct view *v, const char *path,
	const struct view_attr *a)
{
	struct survey_item *it = add_item(s, path);
	auto_buf struct buf b = BUF_INIT;
	struct err e = ERR_INIT;
	int r;

	add_attr(&b, a);
	r = add_xattrs(&b, v, a->node, &e);
	if (!r && S_ISREG(a->mode))
		r = add_content(&b, v, a, &e);
	else if (!r && S_ISLNK(a->mode))
		r = add_target(&b, v, a->node, &e);
	if (r)
		set_error(s, it, r, &e);
	else
		sha256(b.data, b.len, it->hash);
	if (S_ISDIR(a->mode))
		take_below(s, v, path, a->node);
}

void
survey_take(struct survey *s, struct view *v)
{
	struct err e = ERR_INIT;
	struct view_attr a;
	int r = view_attr(v, VIEW_ROOT, &a, &e);

	if (!r) {
		take(s, v, "/", &a);
	} else {
		set_error(s, add_item(s, "/"), r, &e);
		s->items[0].unlisted = true;
	}
	qsort(s->items, s->n, sizeof(*s->items), by_path);
}

int
survey_point(struct survey *s, struct history *h, uint64_t seq, struct err *e)
{
	auto_listing struct history_listing *l = history_listing(h);
	auto_view struct view *v = NULL;
	size_t i = 0;
	int r;

	while (i < l->n_points && l->points[i].seq != seq)
		i++;
	if (i == l->n_points)
		return err_set(e, ENOENT, "no snapshot %u", (unsigned)seq);
	r = history_open(h, l, i, &v, e);
	if (!r)
		survey_take(s, v);
	return r;
}

void
survey_release(struct survey *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->items[i].path);
		free(s->items[i].why);
	}
	free(s->items);
	memset(s, 0, sizeof(*s));
}

/* -- Comparing ------------------------------------------------------------- */

static const struct survey_item *
find(const struct survey *s, const char *path)
{
	auto_free char *copy = xstrdup(path);
	struct survey_item key = { .path = copy };

	return s->n ? bsearch(&key, s->items, s->n, sizeof(key), by_path)
		    : NULL;
}

/* Whether some directory above the path could not be listed in whole. */
static bool
may_be_missing(const struct survey *s, const char *path)
{
	auto_free char *above = xstrdup(path);
	const struct survey_item *it;
	char *slash;

	while ((slash = strrchr(above, '/')) && above[1]) {
		slash[slash == above] = '\0';
		it = find(s, above);
		if (it)
			return it->unlisted;
	}
	return false;
}

/* What is wrong with one item; NULL: nothing. */
static const char *
judge(const struct survey_item *want, const struct survey_item *it)
{
	if (!want)
		return "should not be there";
	if (!it->error)
		return memcmp(it->hash, want->hash, HASH_LEN) ? "WRONG BYTES"
							      : NULL;
	if (it->error != -EIO && it->error != -EBADMSG && it->error != -EUCLEAN)
		return "an error of another kind";
	if (!*it->why || strchr(it->why, '\n'))
		return "not one sentence";
	if (!strstr(it->why, "data/") && !strstr(it->why, "meta/"))
		return "an error that names no object";
	return NULL;
}

bool
survey_same(const struct survey *right, const struct survey *s, char *wrong)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct survey_item *it = &s->items[i];
		const char *what = judge(find(right, it->path), it);

		if (what) {
			snprintf(wrong, SURVEY_WRONG_MAX, "%s: %s (%d, %s)",
				it->path, what, it->error,
				it->why ? it->why : "");
			return false;
		}
	}
	for (size_t i = 0; i < right->n; i++) {
		const char *path = right->items[i].path;

		if (!find(s, path) && !may_be_missing(s, path)) {
			snprintf(wrong, SURVEY_WRONG_MAX,
				"%s: missing, without an error", path);
			return false;
		}
	}
	return true;
}
