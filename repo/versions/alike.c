/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Are two states the same?  Attributes tell most, marks nearly all the rest.
 * What has no marks, because it is small or because its format has none, is
 * read.  A directory's mark also changes when only places of what is below it
 * did: then what differs is gone through, as far as ENTRIES_MAX entries; behind
 * that the totals decide.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/buf.h"
#include "repo/versions/look.h"

#define READ_MAX (64u << 10)
#define ENTRIES_MAX 20000
#define DEPTH_MAX 1100
#define XATTRS_MAX (64u << 10)

struct comparison {
	const struct versions_query *q;
	uint32_t points[2];
	struct view *views[2];
	unsigned int n_entries; /* gone through */
	unsigned int depth;
};

static void
comparison_release(struct comparison *c)
{
	view_put(c->views[0]);
	view_put(c->views[1]);
}

#define auto_comparison AUTO(comparison_release)

static int
open_views(struct comparison *c, struct err *e)
{
	int r = 0;

	for (int i = 0; r == 0 && i < 2; i++) {
		if (!c->views[i])
			r = versions_open_view(c->q, c->points[i], &c->views[i], e);
	}
	return r;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_known(const uint8_t mark[VIEW_MARK_LEN])
{
	static const uint8_t unknown[VIEW_MARK_LEN];

	return memcmp(mark, unknown, VIEW_MARK_LEN) != 0;
}

/* Known to be the same. */
static bool
same_mark(const uint8_t a[VIEW_MARK_LEN], const uint8_t b[VIEW_MARK_LEN])
{
	return is_known(a) && memcmp(a, b, VIEW_MARK_LEN) == 0;
}

static bool
same_attributes(const struct view_attr *a, const struct view_attr *b)
{
	if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ||
		!same_time(&a->mtime, &b->mtime) ||
		a->has_xattrs != b->has_xattrs)
		return false;
	return S_ISDIR(a->mode) || (a->size == b->size && a->rdev == b->rdev);
}

/* One file at the source, not touched between: nothing of it has changed. */
static bool
is_untouched(const struct versions_state *a, const struct versions_state *b)
{
	return a->mark.ino != 0 && a->mark.ino == b->mark.ino &&
	       same_time(&a->attr.ctime, &b->attr.ctime);
}

/* -- Attributes ------------------------------------------------------------ */

static ssize_t
list_xattrs(struct view *v, uint64_t node, struct buf *names, struct err *e)
{
	ssize_t n = view_xattr_list(v, node,
		(char *)buf_reserve(names, XATTRS_MAX), XATTRS_MAX, e);

	names->len = n > 0 ? (size_t)n : 0;
	return n;
}

static int
xattr_alike(struct comparison *c, const struct versions_state *const s[2],
	const char *name, bool *alike, struct err *e)
{
	auto_free char *values = xmalloc(2 * XATTRS_MAX);
	ssize_t n[2];

	for (int i = 0; i < 2; i++) {
		n[i] = view_xattr_get(c->views[i], s[i]->attr.node, name,
			values + (size_t)i * XATTRS_MAX, XATTRS_MAX, e);
		if (n[i] < 0)
			return (int)n[i];
	}
	*alike = n[0] == n[1] &&
		 memcmp(values, values + XATTRS_MAX, (size_t)n[0]) == 0;
	return 0;
}

static int
xattrs_alike(struct comparison *c, const struct versions_state *const s[2],
	bool *alike, struct err *e)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT;
	ssize_t n;
	int r = open_views(c, e);

	if (r != 0)
		return r;
	n = list_xattrs(c->views[0], s[0]->attr.node, &a, e);
	if (n >= 0)
		n = list_xattrs(c->views[1], s[1]->attr.node, &b, e);
	if (n < 0)
		return (int)n;
	*alike = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
	for (size_t at = 0; r == 0 && *alike && at < a.len;) {
		const char *name = (const char *)a.data + at;

		r = xattr_alike(c, s, name, alike, e);
		at += strlen(name) + 1;
	}
	return r;
}

/* -- Content --------------------------------------------------------------- */

/* Append all of a small file. */
static int
read_all(struct view *v, const struct view_attr *a, struct buf *b,
	struct err *e)
{
	while (b->len < a->size) {
		auto_view_data struct view_data d = VIEW_DATA_INIT;
		int r = view_read(v, a->node, b->len, a->size - b->len, &d, e);

		if (r != 0 || d.len == 0)
			return r;
		for (int i = 0; i < d.n; i++)
			buf_append(b, d.iov[i].iov_base, d.iov[i].iov_len);
	}
	return 0;
}

static int
files_alike(struct comparison *c, const struct versions_state *const s[2],
	bool *alike, struct err *e)
{
	auto_buf struct buf a = BUF_INIT, b = BUF_INIT;
	bool marked = is_known(s[0]->mark.content) &&
		      is_known(s[1]->mark.content);
	int r;

	*alike = s[0]->attr.size == 0 ||
		 same_mark(s[0]->mark.content, s[1]->mark.content);
	if (*alike || marked || s[0]->attr.size > READ_MAX)
		return 0;
	r = open_views(c, e);
	if (r == 0)
		r = read_all(c->views[0], &s[0]->attr, &a, e);
	if (r == 0)
		r = read_all(c->views[1], &s[1]->attr, &b, e);
	*alike = r == 0 && a.len == b.len &&
		 memcmp(a.data, b.data, a.len) == 0;
	return r;
}

static int
links_alike(struct comparison *c, const struct versions_state *const s[2],
	bool *alike, struct err *e)
{
	char target[2][4096];
	ssize_t n[2];
	int r = open_views(c, e);

	for (int i = 0; r == 0 && i < 2; i++) {
		n[i] = view_readlink(c->views[i], s[i]->attr.node, target[i],
			sizeof(target[i]), e);
		if (n[i] < 0)
			r = (int)n[i];
	}
	*alike = r == 0 && n[0] == n[1] &&
		 memcmp(target[0], target[1], (size_t)n[0]) == 0;
	return r;
}

/* -- Directories ----------------------------------------------------------- */

struct entry {
	struct view_attr attr;
	size_t name_len;
	char name[256];
};

/* Entries of a directory, a batch at a time. */
struct entries {
	struct view *view;
	uint64_t dir, next;
	struct entry *batch;
	unsigned int n, at;
};

#define BATCH 64

static bool
take_entry(void *ctx, const struct view_dirent *d)
{
	struct entries *l = ctx;
	struct entry *en = &l->batch[l->n];

	if (d->name_len >= sizeof(en->name))
		return false;
	en->attr = d->attr;
	en->name_len = d->name_len;
	memcpy(en->name, d->name, d->name_len);
	l->next = d->next;
	return ++l->n < BATCH;
}

/* The next entry, or NULL at the end; borrowed until the next call. */
static int
next_entry(struct entries *l, const struct entry **en, struct err *e)
{
	int r = 0;

	if (l->at == l->n) {
		l->at = l->n = 0;
		r = view_list(l->view, l->dir, l->next, take_entry, l, e);
	}
	*en = l->at < l->n ? &l->batch[l->at++] : NULL;
	return r;
}

static int nodes_alike(struct comparison *c,
	const struct versions_state *const s[2], bool *alike, struct err *e);

static int
entries_alike(struct comparison *c, const struct entry *const en[2],
	bool *alike, struct err *e)
{
	struct versions_state s[2] = { { .attr = en[0]->attr },
		{ .attr = en[1]->attr } };
	const struct versions_state *const both[2] = { &s[0], &s[1] };
	int r = 0;

	*alike = en[0]->name_len == en[1]->name_len &&
		 memcmp(en[0]->name, en[1]->name, en[0]->name_len) == 0 &&
		 same_attributes(&en[0]->attr, &en[1]->attr);
	for (int i = 0; r == 0 && *alike && i < 2; i++)
		r = view_mark(c->views[i], s[i].attr.node, &s[i].mark, e);
	return r || !*alike ? r : nodes_alike(c, both, alike, e);
}

static int
lists_alike(struct comparison *c, const struct versions_state *const s[2],
	bool *alike, struct err *e)
{
	auto_free struct entry *batches =
		xcalloc((size_t)2 * BATCH, sizeof(*batches));
	struct entries l[2];
	int r = 0;

	for (int i = 0; i < 2; i++)
		l[i] = (struct entries){ .view = c->views[i],
			.dir = s[i]->attr.node,
			.batch = batches + (size_t)i * BATCH };
	for (*alike = true; r == 0 && *alike; c->n_entries++) {
		const struct entry *en[2] = { NULL, NULL };

		if (c->n_entries == ENTRIES_MAX)
			break;
		r = next_entry(&l[0], &en[0], e);
		if (r == 0)
			r = next_entry(&l[1], &en[1], e);
		if (r != 0 || (!en[0] && !en[1]))
			break;
		*alike = en[0] && en[1];
		if (*alike)
			r = entries_alike(c, en, alike, e);
	}
	return r;
}

static int
directories_alike(struct comparison *c, const struct versions_state *const s[2],
	bool *alike, struct err *e)
{
	struct view_totals t[2];
	int r;

	*alike = same_mark(s[0]->mark.content, s[1]->mark.content);
	if (*alike)
		return 0;
	r = open_views(c, e);
	for (int i = 0; r == 0 && i < 2; i++)
		r = view_totals(c->views[i], s[i]->attr.node, &t[i], e);
	if (r != 0)
		return r;
	*alike = t[0].entries == t[1].entries && t[0].files == t[1].files &&
		 t[0].bytes == t[1].bytes && c->depth < DEPTH_MAX;
	if (!*alike)
		return 0;
	c->depth++;
	r = lists_alike(c, s, alike, e);
	c->depth--;
	if (c->n_entries >= ENTRIES_MAX && t[0].newest_ns != t[1].newest_ns)
		*alike = false;
	return r;
}

/* -- Any node -------------------------------------------------------------- */

/* Two nodes with the same attributes. */
static int
nodes_alike(struct comparison *c, const struct versions_state *const s[2],
	bool *alike, struct err *e)
{
	bool untouched = is_untouched(s[0], s[1]);
	mode_t mode = s[0]->attr.mode;
	int r = 0;

	*alike = true;
	if (!untouched && s[0]->attr.has_xattrs &&
		!same_mark(s[0]->mark.xattrs, s[1]->mark.xattrs))
		r = xattrs_alike(c, s, alike, e);
	if (r != 0 || !*alike)
		return r;
	if (S_ISDIR(mode))
		return directories_alike(c, s, alike, e);
	if (untouched)
		return 0;
	if (S_ISREG(mode))
		return files_alike(c, s, alike, e);
	return S_ISLNK(mode) ? links_alike(c, s, alike, e) : 0;
}

int
versions_alike(const struct versions_query *q, const struct versions_state *a,
	const struct versions_state *b, bool *alike, struct err *e)
{
	auto_comparison struct comparison c = { .q = q,
		.points = { a->point, b->point } };
	const struct versions_state *const s[2] = { a, b };

	*alike = same_attributes(&a->attr, &b->attr);
	if (*alike && q->of == VERSIONS_OF_NAMES && S_ISDIR(a->attr.mode)) {
		*alike = is_untouched(a, b);
		return 0;
	}
	return *alike ? nodes_alike(&c, s, alike, e) : 0;
}
