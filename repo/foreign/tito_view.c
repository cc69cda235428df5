/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies below a directory follows it in the table, so its first entry has
 * the next rank, and a walk over its entries steps over what is below each.
 * Part of the table may be lost at any time (kept.h): then it is made anew, the
 * same to the byte, and the call is made once more.
 */
#include "repo/foreign/tito_view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "repo/base/clock.h"
#include "repo/foreign/listed.h"
#include "repo/foreign/tito_chunk.h"
#include "repo/foreign/tito_path.h"
#include "repo/foreign/tito_state.h"

#define READ_MAX (1u << 20)
#define SEPARATOR TITO_PATH_SEPARATOR

struct tito_view {
	struct view view; /* first */
	struct stem *stem;
	struct kept *kept; /* the place's */
	struct tito_roll *roll;
	size_t point;
	char *label;
	struct table *table;
	pthread_mutex_t making; /* held while the table is made anew */
	struct unpacked_last last;
};

static struct tito_view *
view_of(struct view *v)
{
	return (struct tito_view *)v;
}

/* After a call that came to r: whether to make it again. */
static bool
again(struct tito_view *v, int *r, bool *done, struct err *e)
{
	struct table *t = NULL;

	if (*r != -ENODATA || *done)
		return false;
	*done = true;
	auto_lock(&v->making);

	*r = tito_state_open(
		v->stem->store, v->kept, v->roll, v->point, true, &t, e);
	table_free(t);
	return *r == 0;
}

static int
get(struct tito_view *v, uint64_t node, struct buf *bytes,
	struct table_record *rec, struct err *e)
{
	bool done = false;
	int r;

	do {
		r = table_get(v->table, node - 1, bytes, rec, e);
	} while (again(v, &r, &done, e));
	if (r == -ENOENT)
		return err_set(
			e, ENOENT, "%s has no node %" PRIu64, v->label, node);
	return r;
}

static int
find(struct tito_view *v, const char *key, size_t len, uint64_t *rank,
	struct err *e)
{
	bool done = false;
	int r;

	do {
		r = table_find(v->table, key, len, rank, e);
	} while (again(v, &r, &done, e));
	return r;
}

/* -- Nodes ------------------------------------------------------------------
 */

static struct timespec
time_of(int64_t t_ns)
{
	return (struct timespec){ .tv_sec = t_ns / NS_PER_S,
		.tv_nsec = t_ns % NS_PER_S };
}

static void
attr_of(struct tito_view *v, uint64_t node, const struct table_record *rec,
	struct view_attr *a)
{
	struct tito_place p;

	listed_root_attr(a, v->roll->points[v->point].time_ns);
	a->node = a->ino = node;
	if (!rec || !tito_state_place(rec, &p))
		return;
	a->mode = S_IFREG | 0444;
	a->size = p.len;
	a->blocks = (p.len + 511) / 512;
	a->mtime = a->ctime = time_of((int64_t)p.seconds * NS_PER_S);
	a->has_xattrs = true;
}

static int
attr(struct view *view, uint64_t node, struct view_attr *a, struct err *e)
{
	struct tito_view *v = view_of(view);
	auto_buf struct buf bytes = BUF_INIT;
	struct table_record rec;
	int r = node == VIEW_ROOT ? 0 : get(v, node, &bytes, &rec, e);

	if (!r)
		attr_of(v, node, node == VIEW_ROOT ? NULL : &rec, a);
	return r;
}

/* What the keys of all that lies in a directory begin with. */
static int
prefix_of(struct tito_view *v, uint64_t dir, struct buf *prefix, struct err *e)
{
	static const char separator = SEPARATOR;
	struct table_record rec;
	struct tito_place p;
	int r;

	if (dir == VIEW_ROOT)
		return 0;
	r = get(v, dir, prefix, &rec, e);
	if (r)
		return r;
	if (tito_state_place(&rec, &p))
		return err_set(e, ENOTDIR, "not a directory");
	prefix->len = rec.key_len;
	buf_append(prefix, &separator, 1);
	return 0;
}

/* The record with exactly this key. */
static int
find_exactly(struct tito_view *v, const struct buf *key, uint64_t *node,
	struct buf *bytes, struct table_record *rec, struct err *e)
{
	int r = find(v, (const char *)key->data, key->len, node, e);

	if (r)
		return r;
	if (*node < table_n(v->table))
		r = get(v, ++*node, bytes, rec, e);
	else
		r = -ENOENT;
	if (r == -ENOENT || (!r && table_compare((const char *)key->data,
					   key->len, rec->key, rec->key_len)))
		return err_set(e, ENOENT, "no such file or directory");
	return r;
}

static int
lookup(struct view *view, uint64_t dir, const char *name, size_t len,
	struct view_attr *a, struct err *e)
{
	struct tito_view *v = view_of(view);
	auto_buf struct buf key = BUF_INIT, bytes = BUF_INIT;
	struct table_record rec;
	uint64_t node;
	int r = prefix_of(v, dir, &key, e);

	if (!r && (len == 0 || memchr(name, SEPARATOR, len)))
		r = err_set(e, ENOENT, "no such file or directory");
	if (r)
		return r;
	buf_append(&key, name, len);
	r = find_exactly(v, &key, &node, &bytes, &rec, e);
	if (!r)
		attr_of(v, node, &rec, a);
	return r;
}

static int
parent(struct view *view, uint64_t node, uint64_t *dir, struct err *e)
{
	struct tito_view *v = view_of(view);
	auto_buf struct buf key = BUF_INIT, bytes = BUF_INIT;
	struct table_record rec;
	int r = node == VIEW_ROOT ? 0 : get(v, node, &key, &rec, e);

	*dir = VIEW_ROOT;
	if (r || node == VIEW_ROOT)
		return r;
	key.len = rec.key_len;
	while (key.len > 0 && key.data[key.len - 1] != SEPARATOR)
		key.len--;
	if (key.len == 0)
		return 0;
	key.len--;
	return find_exactly(v, &key, dir, &bytes, &rec, e);
}

/* -- Listing ----------------------------------------------------------------
 */

struct listing {
	struct tito_view *v;
	struct buf prefix; /* of the directory */
	bool (*each)(void *ctx, const struct view_dirent *d);
	void *ctx;
	uint64_t rank;	  /* of the next record */
	struct buf below; /* a directory was told: its key and a separator */
	bool enough;
};

static bool
tell(void *ctx, const struct table_record *rec)
{
	struct listing *l = ctx;
	static const char separator = SEPARATOR;
	uint64_t node = ++l->rank;
	struct tito_place p;

	if (rec->key_len <= l->prefix.len ||
		(l->prefix.len > 0 &&
			memcmp(rec->key, l->prefix.data, l->prefix.len))) {
		l->enough = true;
		return false;
	}
	struct view_dirent d = { .name = rec->key + l->prefix.len,
		.name_len = rec->key_len - l->prefix.len,
		.next = node };

	attr_of(l->v, node, rec, &d.attr);
	if (!l->each(l->ctx, &d)) {
		l->enough = true;
		return false;
	}
	if (tito_state_place(rec, &p))
		return true;
	l->below.len = 0;
	buf_append(&l->below, rec->key, rec->key_len);
	buf_append(&l->below, &separator, 1);
	return false;
}

/* Behind everything below the directory that was told last. */
static int
step_over(struct listing *l, struct err *e)
{
	int r;

	l->below.data[l->below.len - 1] = SEPARATOR + 1;
	r = find(l->v, (char *)l->below.data, l->below.len, &l->rank, e);
	l->below.len = 0;
	return r;
}

static int
list_on(struct listing *l, struct err *e)
{
	bool done = false;
	int r = 0;

	while (!r && !l->enough) {
		uint64_t before = l->rank;

		r = table_each(l->v->table, l->rank, tell, l, e);
		if (again(l->v, &r, &done, e))
			continue;
		if (!r && l->below.len > 0)
			r = step_over(l, e);
		else if (!r && l->rank == before)
			return 0;
	}
	return r;
}

/* Where a listing goes on behind the entry `from`, a node. */
static int
resume(struct listing *l, uint64_t from, struct err *e)
{
	auto_buf struct buf bytes = BUF_INIT;
	static const char separator = SEPARATOR;
	struct table_record rec;
	struct tito_place p;
	int r = get(l->v, from, &bytes, &rec, e);

	l->rank = from;
	if (r || tito_state_place(&rec, &p))
		return r;
	buf_append(&l->below, rec.key, rec.key_len);
	buf_append(&l->below, &separator, 1);
	return step_over(l, e);
}

static int
list(struct view *view, uint64_t dir, uint64_t from,
	bool (*each)(void *ctx, const struct view_dirent *d), void *ctx,
	struct err *e)
{
	struct listing l = {
		.v = view_of(view), .each = each, .ctx = ctx, .rank = dir
	};
	int r = prefix_of(l.v, dir, &l.prefix, e);

	if (!r && from > 0)
		r = resume(&l, from, e);
	if (!r)
		r = list_on(&l, e);
	buf_release(&l.prefix);
	buf_release(&l.below);
	return r;
}

struct summing {
	const struct buf *prefix;
	struct view_totals *t;
};

static bool
sum(void *ctx, const struct table_record *rec)
{
	struct summing *s = ctx;
	struct tito_place p;

	if (rec->key_len <= s->prefix->len ||
		memcmp(rec->key, s->prefix->data, s->prefix->len))
		return false;
	s->t->entries++;
	if (!tito_state_place(rec, &p))
		return true;
	s->t->files++;
	s->t->bytes += p.len;
	if ((int64_t)p.seconds * NS_PER_S > s->t->newest_ns)
		s->t->newest_ns = (int64_t)p.seconds * NS_PER_S;
	return true;
}

static int
totals(struct view *view, uint64_t dir, struct view_totals *t, struct err *e)
{
	struct tito_view *v = view_of(view);
	auto_buf struct buf prefix = BUF_INIT;
	struct summing s = { .prefix = &prefix, .t = t };
	bool done = false;
	int r;

	if (dir == VIEW_ROOT) {
		tito_state_totals(v->table, t);
		return 0;
	}
	r = prefix_of(v, dir, &prefix, e);
	do {
		*t = (struct view_totals){ .files = 0 };
		if (!r)
			r = table_each(v->table, dir, sum, &s, e);
	} while (again(v, &r, &done, e));
	return r;
}

/* -- Values -----------------------------------------------------------------
 */

/* Where the value of a file is, and what says so. */
static int
place_of(
	struct tito_view *v, uint64_t node, struct tito_place *p, struct err *e)
{
	auto_buf struct buf bytes = BUF_INIT;
	struct table_record rec;
	int r = node == VIEW_ROOT ? 0 : get(v, node, &bytes, &rec, e);

	if (!r && (node == VIEW_ROOT || !tito_state_place(&rec, p)))
		return err_set(e, EISDIR, "a directory");
	return r;
}

/* The chunk of a place; *object is given. */
static int
source_of(struct tito_view *v, const struct tito_place *p,
	struct unpacked_source *src, char **object, struct err *e)
{
	const struct tito_stamp *s =
		tito_roll_stamp(v->roll, p->full, p->seconds);

	if (!s || p->chunk >= s->n_chunks)
		return err_set(e, EIO, "%s: a chunk of it is gone", v->label);
	*object = tito_roll_object(v->roll, s, &s->chunks[p->chunk]);
	*src = (struct unpacked_source){ .store = v->stem->store,
		.kept = v->kept,
		.object = *object,
		.size = s->chunks[p->chunk].size,
		.modified_ns = s->chunks[p->chunk].modified_ns };
	tito_chunk_source(src);
	src->last = &v->last;
	return 0;
}

static int
read_(struct view *view, uint64_t node, uint64_t off, size_t len,
	struct view_data *data, struct err *e)
{
	struct tito_view *v = view_of(view);
	auto_free char *object = NULL;
	auto_free uint8_t *bytes = NULL;
	struct unpacked_source src;
	struct tito_place p;
	int r = place_of(v, node, &p, e);

	if (r || off >= p.len)
		return r;
	r = source_of(v, &p, &src, &object, e);
	if (r)
		return r;
	len = len < READ_MAX ? len : READ_MAX;
	if (len > p.len - off)
		len = (size_t)(p.len - off);
	bytes = xmalloc(len + 1);
	r = unpacked_get(&src, p.off + off, len, bytes, e);
	if (!r && len > 0) {
		listed_give(data, bytes, bytes, len);
		bytes = NULL;
	}
	return r;
}

static int
extents(struct view *view, uint64_t node, uint64_t from,
	bool (*each)(void *ctx, const struct view_extent *x), void *ctx,
	struct err *e)
{
	struct tito_view *v = view_of(view);
	auto_free char *object = NULL;
	struct unpacked_source src;
	struct tito_place p;
	int r = place_of(v, node, &p, e);

	if (!r)
		r = source_of(v, &p, &src, &object, e);
	if (r || from >= p.len)
		return r;
	struct view_extent x = {
		.off = from, .len = p.len - from, .object_len = src.size
	};

	snprintf(x.object, sizeof(x.object), "%s", object);
	each(ctx, &x);
	return 0;
}

static int
seek(struct view *view, uint64_t node, uint64_t off, int whence,
	uint64_t *found, struct err *e)
{
	struct tito_place p;
	int r = place_of(view_of(view), node, &p, e);

	if (r)
		return r;
	if (off >= p.len)
		return err_set(e, ENXIO, "past the end");
	*found = whence == SEEK_DATA ? off : p.len;
	return 0;
}

static ssize_t
readlink_(
	struct view *view, uint64_t node, char *out, size_t size, struct err *e)
{
	(void)view, (void)node, (void)out, (void)size;
	return err_set(e, EINVAL, "not a symlink");
}

/* user.yore.key of a file, user.yore.state of the root. */
static ssize_t
xattr_get(struct view *view, uint64_t node, const char *name, void *value,
	size_t size, struct err *e)
{
	struct tito_view *v = view_of(view);
	auto_buf struct buf bytes = BUF_INIT, key = BUF_INIT;
	struct table_record rec;
	struct tito_place p;
	int r;

	if (node == VIEW_ROOT && !strcmp(name, "user.yore.state"))
		return listed_answer(v->roll->points[v->point].unfinished
					     ? "unfinished"
					     : "ok",
			value, size, e);
	if (node == VIEW_ROOT || strcmp(name, "user.yore.key") != 0)
		return err_set(e, ENODATA, "no attribute %s", name);
	r = get(v, node, &bytes, &rec, e);
	if (r)
		return r;
	if (!tito_state_place(&rec, &p) ||
		!tito_path_key(rec.key, rec.key_len, &key))
		return err_set(e, ENODATA, "no attribute %s", name);
	if (size > 0 && size < key.len)
		return err_set(e, ERANGE, "the key has %zu bytes", key.len);
	if (size > 0 && key.len > 0)
		memcpy(value, key.data, key.len);
	return (ssize_t)key.len;
}

static ssize_t
xattr_list(struct view *view, uint64_t node, char *names, size_t size,
	struct err *e)
{
	(void)view, (void)node, (void)names, (void)size, (void)e;
	return 0;
}

/* -- Life -------------------------------------------------------------------
 */

static void
free_(struct view *view)
{
	struct tito_view *v = view_of(view);

	table_free(v->table);
	tito_roll_put(v->roll);
	pthread_mutex_destroy(&v->making);
	unpacked_last_release(&v->last);
	free(v->label);
	stem_put(v->stem);
	free(v);
}

static const struct view_ops ops = {
	.attr = attr,
	.lookup = lookup,
	.list = list,
	.parent = parent,
	.read = read_,
	.readlink = readlink_,
	.seek = seek,
	.xattr_get = xattr_get,
	.xattr_list = xattr_list,
	.totals = totals,
	.extents = extents,
	.free = free_,
};

int
tito_view_open(struct stem *stem, struct tito_roll *roll, size_t point,
	const char *label, struct view **view, struct err *e)
{
	struct table *t;
	struct kept *k;
	int r = foreign_place_kept(stem->place, &k, e);

	if (!r)
		r = tito_state_open(stem->store, k, roll, point, false, &t, e);
	if (r)
		return r;
	struct tito_view *v = xcalloc(1, sizeof(*v));

	v->view.ops = &ops;
	v->view.refs = 1;
	v->stem = stem_get(stem);
	v->kept = k;
	v->roll = tito_roll_get(roll);
	v->point = point;
	v->label = xstrdup(label);
	v->table = t;
	pthread_mutex_init(&v->making, NULL);
	unpacked_last_init(&v->last);
	*view = &v->view;
	return 0;
}
